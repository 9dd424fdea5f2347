"""Models within models within models: whatever is done with them needs no more of the stack than calling them."""

import copy
import inspect
import pickle
import sys

import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.models import clone_model, model_from_json
from cconv.saving import load_model, serialize_object
from cconv.serialization import to_json
from cconv.trampoline import trampolined

X = np.array([[-1.0, 2.0], [3.0, 0.5]], np.float32)


def functional(depth):
    x = cconv.Input((2,))
    model = cconv.Model(x, layers.Dense(2)(x))
    for _ in range(depth):
        x = cconv.Input((2,))
        model = cconv.Model(x, model(x))
    return model


def sequential(depth):
    model = cconv.Sequential([cconv.Input((2,)), layers.Dense(2)])
    for _ in range(depth):
        model = cconv.Sequential([cconv.Input((2,)), model])
    return model


def anew(layer):
    return type(layer).from_config(layer.get_config())


def copies(model, path):
    """Every way to a model of the same structure, by name, and whether it has the same weights."""
    yield "config", False, lambda: anew(model)
    yield "json", False, lambda: model_from_json(model.to_json())
    yield "clone", False, lambda: clone_model(model)
    yield "clone of every layer", False, lambda: clone_model(model, clone_function=anew, recursive=True)
    yield "copy", True, lambda: copy.deepcopy(model)
    yield "pickle", True, lambda: pickle.loads(pickle.dumps(model))
    for name in ("nested.keras", "nested.h5"):
        yield name, True, lambda name=name: (model.save(path / name), load_model(path / name))[1]


def check(model, path):
    expected = model.predict(X, verbose=0)
    model.summary(expand_nested=True, print_fn=lambda text: None)
    model.trainable = False
    assert not model.trainable_variables and model.count_params() == 6
    model.trainable = True
    model.set_state_tree(model.get_state_tree())
    assert "dense" in model.describe_graph()
    model.save_weights(path / "nested.weights.h5")
    for name, same, make in copies(model, path):
        made = make()
        assert np.array_equal(made.predict(X, verbose=0), expected) == same, name
        made.load_weights(path / "nested.weights.h5")
        np.testing.assert_array_equal(made.predict(X, verbose=0), expected, err_msg=name)


@pytest.mark.parametrize("make", [functional, sequential])
def test_nested_models_need_the_stack_of_a_call(make, tmp_path):
    """A call goes through four functions for each model."""
    depth, before = 20, sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 150 + 5 * depth)
    try:
        check(make(depth), tmp_path)
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.slow
@pytest.mark.parametrize("make", [functional, sequential])
def test_two_hundred_models_within_each_other(make, tmp_path):
    check(make(200), tmp_path)


def test_a_configuration_takes_time_in_proportion_to_the_models_in_it(monkeypatch):
    """What is a configuration already is not walked through again by each model around it."""
    calls = []
    monkeypatch.setattr(
        layers.Dense, "get_config", lambda self, real=layers.Dense.get_config: calls.append(1) or real(self)
    )
    config = serialize_object(functional(20))
    assert len(calls) == 1
    assert serialize_object(config) is config
    assert serialize_object({"inner": config})["inner"] is config


def test_a_layer_of_two_nested_models_is_one_layer_again(tmp_path):
    x, y = cconv.Input((2,)), cconv.Input((2,))
    shared = layers.Dense(2)
    model = cconv.Model(y, cconv.Model(x, shared(x))(shared(y)))
    model.save(tmp_path / "shared.keras")
    loaded = load_model(tmp_path / "shared.keras")
    assert len(loaded.weights) == 2
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_what_json_cannot_nest_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    deep = []
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(ValueError, match="'some_model' is nested too deeply for JSON"):
        to_json(deep, "some_model")
    monkeypatch.setattr(layers.Dense, "get_config", lambda self: {"units": deep})
    for name in ("deep.keras", "deep.h5"):
        (tmp_path / name).write_text("as it was")
        with pytest.raises(ValueError, match="nested too deeply"):
            sequential(1).save(tmp_path / name)
        assert (tmp_path / name).read_text() == "as it was"


def test_errors_go_through_the_calls_that_they_end():
    left = []

    @trampolined
    def down(n):
        try:
            if n == 0:
                raise KeyError("the last one")
            if n == 5:
                try:
                    yield down.steps(n - 1)
                except KeyError as error:
                    raise ValueError("in the middle") from error
            return (yield down.steps(n - 1))
        finally:
            left.append(n)

    with pytest.raises(ValueError, match="in the middle") as raised:
        down(10)
    assert left == list(range(11)) and isinstance(raised.value.__cause__, KeyError)
