"""What plans derive from weights: one copy for all plans of a model, right after every change."""

import re
import threading

import numpy as np
import pytest

import cconv
from cconv import _core, layers

RANDOM = np.random.default_rng(0)
SIDE = 14


def conv(filters, size, **options):
    return [layers.Conv2D(filters, size, padding="same", use_bias=False, **options), layers.BatchNormalization()]


def make():
    """10 MB of weights, most of them folded: Winograd's, of one pixel, of large strides, dense."""
    cconv.utils.set_random_seed(1)
    model = cconv.Sequential(
        [
            cconv.Input((SIDE, SIDE, 128)),
            *conv(256, 3),
            layers.ReLU(),
            *conv(256, 3, strides=2),
            *conv(1024, 1),
            *conv(256, 1),
            layers.Flatten(),
            layers.Dense(96, activation="relu"),
            layers.Dense(5),
        ]
    )
    model.set_weights([RANDOM.uniform(0.01, 0.05, w.shape).astype(np.float32) for w in model.get_weights()])
    return model


def images(n):
    return np.random.default_rng(n).normal(size=(n, SIDE, SIDE, 128)).astype(np.float32)


def shared_bytes(model):
    """What each plan shares with the others."""
    return [int(number) for number in re.findall(r"of them (\d+) shared", model.describe_plans())]


def test_plans_of_all_batches_share_one_copy():
    before = _core.shared_bytes()
    model = make()
    for n in (1, 8, 3, 20):
        model.predict_on_batch(images(n))
    plans = shared_bytes(model)
    assert len(plans) == 4
    assert max(plans) <= _core.shared_bytes() - before < 1.5 * max(plans)


def test_what_is_derived_goes_with_its_model():
    before = _core.shared_bytes()
    model = make()
    model.predict_on_batch(images(2))
    assert _core.shared_bytes() > before
    del model
    assert _core.shared_bytes() == before


def test_a_large_matrix_is_read_in_place_by_few_rows():
    """So plans keep nothing of it; more rows read it packed."""
    random = np.random.default_rng(0)
    k, m = 1100, 4100  # edges of tiles, of vectors and of blocks of the depth
    model = cconv.Sequential([cconv.Input((k,)), layers.Dense(m, activation="relu")])
    w, b = random.normal(size=(k, m)).astype(np.float32), random.normal(size=m).astype(np.float32)
    model.set_weights([w, b])
    x = random.normal(size=(12, k)).astype(np.float32)
    expected = np.maximum(x.astype(np.float64) @ w + b, 0)
    before = _core.shared_bytes()
    for n in (1, 5, 8):
        np.testing.assert_allclose(model.predict_on_batch(x[:n]), expected[:n], rtol=0, atol=2e-4)
        assert _core.shared_bytes() == before
    np.testing.assert_allclose(model.predict_on_batch(x), expected, rtol=0, atol=2e-4)
    assert _core.shared_bytes() >= before + w.nbytes


@pytest.mark.parametrize("k", [1030, 2048])  # rows at a distance of 1024 floats are summed in other blocks
@pytest.mark.parametrize("activation", [None, "relu", "tanh"])
def test_reading_in_place_gives_the_bits_of_every_batch(k, activation):
    random = np.random.default_rng(0)
    model = cconv.Sequential(
        [cconv.Input((k,)), layers.Dense(4100, activation=activation, bias_initializer="random_normal")]
    )
    x = random.normal(size=(12, k)).astype(np.float32)
    packed = model.predict_on_batch(x)
    for n in range(1, 9):
        np.testing.assert_array_equal(model.predict_on_batch(x[:n]), packed[:n])


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("n", [1, 7])
def test_reading_in_place_does_not_depend_on_threads(n):
    random = np.random.default_rng(0)
    w, x = random.random((1030, 4100), np.float32), random.random((n, 1030), np.float32)
    before, results = _core.shared_bytes(), []
    for threads in (1, 2, 3):
        graph, variable = _core.Graph(), _core.Variable(w.shape)
        variable.assign(w)
        y = graph.add("dense", [graph.input((None, 1030)), graph.variable(variable)], {"activation": "tanh"})
        plan = _core.Plan(graph, [y], max_batch=n, threads=threads)
        assert f"{threads} threads" in plan.describe() and _core.shared_bytes() == before
        results.append(plan.run([x], n=n)[0])
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_a_prediction_after_assigning_is_of_the_weights():
    model, twin = make(), make()
    for round in range(3):
        weights = [w * (1 + round) for w in twin.get_weights()]
        model.set_weights(weights)
        fresh = make()
        fresh.set_weights(weights)
        for n in (8, 1) if round % 2 else (1, 8):
            np.testing.assert_array_equal(model.predict_on_batch(images(n)), fresh.predict_on_batch(images(n)))


def test_two_threads_predict_while_another_assigns():
    model = make()
    first = model.get_weights()
    second = [2 * w for w in first]
    over, failures = threading.Event(), []

    def predict(n):
        try:
            while not over.is_set():
                model.predict_on_batch(images(n))
        except Exception as error:  # shown below
            failures.append(error)

    model.predict_on_batch(images(1))
    threads = [threading.Thread(target=predict, args=(n,)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    try:
        for round in range(6):
            model.set_weights(second if round % 2 == 0 else first)
            seen = model.predict_on_batch(images(4))
            twin = make()
            twin.set_weights(second if round % 2 == 0 else first)
            np.testing.assert_array_equal(seen, twin.predict_on_batch(images(4)))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failures
