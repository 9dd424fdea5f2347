"""One thread trains while another predicts: afterwards predictions are those of the weights there are."""

import threading

import numpy as np
import pytest

import cconv
from cconv import _core, layers

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(8, 768)).astype(np.float32)
Y = RANDOM.normal(size=(8, 8)).astype(np.float32)


def make():
    """Few samples and large weights: most of a step is the change of the weights."""
    cconv.utils.set_random_seed(1)
    model = cconv.Sequential(
        [
            cconv.Input((768,)),
            layers.Dense(768),
            layers.BatchNormalization(),
            layers.Dense(768, activation="relu"),
            layers.Dense(8),
        ]
    )
    model.compile("adam", "mse")
    return model


@pytest.fixture
def two_threads():
    cconv.set_num_threads(2)
    yield
    cconv.set_num_threads(0)


@pytest.mark.slow
def test_a_prediction_after_training_is_of_the_weights(two_threads):
    model, twin, stale = make(), make(), 0
    for _ in range(40):
        over = threading.Event()

        def predict(over=over):
            while not over.is_set():
                model.predict_on_batch(X[:2])

        thread = threading.Thread(target=predict)
        thread.start()
        try:
            model.fit(X, Y, batch_size=4, epochs=1, verbose=0)
        finally:
            over.set()
            thread.join()
        twin.set_weights(model.get_weights())  # whose plans pack them with nobody else about
        stale += not np.array_equal(model.predict_on_batch(X[:2]), twin.predict_on_batch(X[:2]))
    assert stale == 0


def test_a_prediction_after_assign_is_of_the_weights():
    kernel = _core.Variable((256, 512))
    graph = _core.Graph()
    x = graph.input((None, 256))
    y = graph.add("dense", [x, graph.variable(kernel)])
    plan = _core.Plan(graph, [y], threads=1)
    ones = np.ones((1, 256), np.float32)
    for round in range(50):
        over = threading.Event()

        def predict(over=over):
            while not over.is_set():
                plan.run([ones])

        thread = threading.Thread(target=predict)
        thread.start()
        try:
            for step in range(5):
                kernel.assign(np.full((256, 512), round + step))
        finally:
            over.set()
            thread.join()
        np.testing.assert_array_equal(plan.run([ones])[0], np.full((1, 512), 256 * (round + 4), np.float32))
