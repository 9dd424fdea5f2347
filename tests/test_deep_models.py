"""Deep models: what is done with them takes time in proportion to their layers, and no deep stack."""

import copy
import inspect
import pickle
import sys

import numpy as np
import pytest

import cconv
from cconv import layers, ops

X = np.array([[-1.0, 2.0]], np.float32)


def functional(n):
    x = y = cconv.Input((2,))
    for _ in range(n):
        y = layers.Activation("relu")(y)
    return cconv.Model(x, y)


def branched(n):
    """Each layer reads the two before it."""
    x = cconv.Input((2,))
    a, b = x, layers.Activation("relu")(x)
    for _ in range(n):
        a, b = b, layers.Maximum()([a, b])
    return cconv.Model(x, b)


def operators(n):
    x = y = cconv.Input((2,))
    for _ in range(n):
        y = ops.relu(y)
    return cconv.Model(x, y)


def stack(n):
    return cconv.Sequential([cconv.Input((2,)), *(layers.Activation("relu") for _ in range(n))])


def added(n):
    model = cconv.Sequential([cconv.Input((2,))])
    for _ in range(n):
        model.add(layers.Activation("relu"))
    return model


def chain(n):
    def call(x):
        for _ in range(n):
            x = ops.relu(x)
        return x

    return cconv.Sequential([cconv.Input((2,)), layers.Lambda(call)])


KINDS = [functional, branched, operators, stack, added, chain]


def everything(model, path):
    """Whatever is done with a whole model, by name."""
    yield "predict", lambda: model.predict(X, verbose=0)
    yield "call", lambda: model(X)
    yield "summary", lambda: model.summary(print_fn=lambda text: None)
    yield "weights", lambda: (model.weights, model.count_params(), model.trainable_variables)
    yield "describe", model.describe_graph
    model.compile("sgd", "mse")
    yield "train", lambda: model.train_on_batch(X, X)
    yield "change", lambda: (setattr(model.layers[-1], "note", 1), model.predict(X, verbose=0))
    if any(isinstance(layer, layers.Lambda) for layer in model.layers):
        return
    yield "config", lambda: type(model).from_config(model.get_config())
    yield "json", model.to_json
    yield "copy", lambda: copy.deepcopy(model)
    yield "pickle", lambda: pickle.loads(pickle.dumps(model))
    yield "save", lambda: model.save(path / "deep.keras")
    yield "load", lambda: cconv.saving.load_model(path / "deep.keras")


@pytest.fixture
def shallow():
    """Room for few frames more than there are."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 150)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize("make", KINDS)
def test_a_deep_model_needs_no_deep_stack(make, tmp_path, shallow):
    model = make(400)
    for _, work in everything(model, tmp_path):
        work()
    np.testing.assert_array_equal(model.predict(X, verbose=0), [[0, 2]])
    del model


def lines_run(work):
    """How many lines of Python it runs: a time that is the same on every machine."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        result = work()
    finally:
        sys.settrace(before)
    return result, count


def lines_of_all(make, n, path):
    model, count = lines_run(lambda: make(n))
    return {"make": count} | {name: lines_run(work)[1] for name, work in everything(model, path)}


@pytest.mark.slow
@pytest.mark.parametrize("make", KINDS)
def test_work_grows_with_the_layers(make, tmp_path):
    """Eight times the layers are about eight times the work; where it grew with the square, it would be 64."""
    lines_of_all(make, 25, tmp_path)  # what is done once in a process
    few, many = lines_of_all(make, 50, tmp_path), lines_of_all(make, 400, tmp_path)
    slow = {name: (few[name], many[name]) for name in many if many[name] > 10 * few[name]}
    assert not slow
