"""Predictions of many samples, computed in runs of fewer: the same numbers, and only where samples are on their own."""

import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.program import Program
from cconv.training import micro_batches


def convnet(*extra):
    return cconv.Sequential(
        [
            cconv.Input((24, 24, 3)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.BatchNormalization(),
            *extra,
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(5, activation="softmax"),
        ]
    )


def samples_per_run(model):
    (step,) = (step for key, step in model._trainer.planner.programs.items() if key[1] == "predict")
    return step.max_batch


@pytest.fixture
def small_cache(monkeypatch):
    monkeypatch.setattr(micro_batches, "CACHE_BYTES", 1 << 20)


IMAGES = np.random.default_rng(0).random((203, 24, 24, 3)).astype(np.float32)


@pytest.mark.usefixtures("small_cache")
def test_in_several_runs():
    model = convnet()
    whole = np.concatenate([model.predict_on_batch(IMAGES[i : i + 8]) for i in range(0, 203, 8)])
    for batch in (64, 203):
        model._trainer.planner.programs.clear()
        y = model.predict(IMAGES, batch_size=batch, verbose=0)
        assert 8 <= samples_per_run(model) < 64
        np.testing.assert_allclose(y, whole, rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(y, model.predict(IMAGES, batch_size=batch, verbose=0))
    model._trainer.planner.programs.clear()
    np.testing.assert_allclose(model.predict_on_batch(IMAGES), whole, rtol=1e-5, atol=1e-7)
    assert samples_per_run(model) < 64
    np.testing.assert_allclose(model.predict_on_batch(IMAGES[::-1]), whole[::-1], rtol=1e-5, atol=1e-7)


@pytest.mark.usefixtures("small_cache")
def test_bytes_and_parts_of_arrays():
    model = convnet()
    images = (IMAGES * 255).astype(np.uint8)
    expected = model.predict(images.astype(np.float32), batch_size=100, verbose=0)
    np.testing.assert_array_equal(model.predict(images, batch_size=100, verbose=0), expected)


class Centered(layers.Layer):
    def call(self, x):
        return x - cconv.ops.mean(x, axis=0, keepdims=True)


class Sine(layers.Layer):
    def call(self, x):
        return cconv.ops.sin(x) * cconv.ops.mean(x, axis=(1, 2), keepdims=True)


@pytest.mark.usefixtures("small_cache")
def test_any_op_that_keeps_samples_apart_may_be_among_them():
    model = convnet(Sine())
    model.predict_on_batch(IMAGES)
    assert samples_per_run(model) < 64


class Always(layers.Layer):
    def __init__(self):
        super().__init__()
        self.drop = layers.Dropout(0.5)

    def call(self, x):
        return self.drop(x, training=True)


class NormalizedByBatch(layers.Layer):
    def __init__(self):
        super().__init__()
        self.norm = layers.BatchNormalization()

    def call(self, x):
        return self.norm(x, training=True)


@pytest.mark.usefixtures("small_cache")
@pytest.mark.parametrize("layer", [Centered, Always, NormalizedByBatch])
def test_what_sees_the_whole_batch_gets_it_whole(layer):
    model = convnet(layer())
    model.predict_on_batch(IMAGES)
    assert samples_per_run(model) == 256


@pytest.mark.parametrize(("width", "runs"), [(((0, 0), (1, 2)), 8), (((0, 1), (0, 0)), 64), (((1, 0), (0, 0)), 64)])
def test_rows_around_a_batch_are_added_once(width, runs):
    x = cconv.Input((1 << 14,))
    program = Program([cconv.ops.pad(x, width)], [x], max_batch=64)
    assert 4 * micro_batches.CACHE_BYTES < program.bytes < 8 * micro_batches.CACHE_BYTES
    assert micro_batches.micro_batch_size(program) == runs


def test_small_plans_stay_as_they_are():
    model = convnet()
    model.predict_on_batch(IMAGES[:8])
    assert samples_per_run(model) == 8


def test_what_is_called_as_in_training_normalizes_by_its_batch_in_predictions_too():
    model = cconv.Sequential([cconv.Input((5,)), NormalizedByBatch()])
    y = model.predict_on_batch(7 + 3 * IMAGES[:50, 0, :5, 0])
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(0), 1, atol=1e-2)
