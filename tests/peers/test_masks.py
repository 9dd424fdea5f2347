"""Masks and layers around layers beside Keras: values, configurations, weights after three steps of training."""

import json

import keras
import numpy as np
import pytest

import cconv

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5, 3)).astype(np.float32)
X[0, 3:], X[2, 1] = 0, 0


def both(build):
    theirs, ours = build(keras), build(cconv)
    ours.set_weights([np.array(w) for w in theirs.get_weights()])
    return theirs, ours


def same_weights_after_three_steps(build, x, y, loss="mse", **fit):
    theirs, ours = both(build)
    np.testing.assert_allclose(ours(x), keras.ops.convert_to_numpy(theirs(x)), rtol=1e-4, atol=1e-5)
    for model, package in ((theirs, keras), (ours, cconv)):
        model.compile(optimizer=package.optimizers.SGD(0.05), loss=loss)
    for _ in range(3):
        losses = [model.train_on_batch(x, y, **fit) for model in (theirs, ours)]
        np.testing.assert_allclose(float(losses[1]), float(losses[0]), rtol=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


BUILDS = {
    "mean of steps": lambda k: [k.layers.Masking(), k.layers.Dense(4), k.layers.GlobalAveragePooling1D()],
    "batch normalization": lambda k: [
        k.layers.Masking(), k.layers.BatchNormalization(momentum=0.8), k.layers.GlobalAveragePooling1D(),
    ],
    "time distributed": lambda k: [
        k.layers.TimeDistributed(k.layers.Dense(4, activation="tanh")), k.layers.Flatten(),
    ],
    "masked time distributed": lambda k: [
        k.layers.Masking(), k.layers.TimeDistributed(k.layers.Dense(4)), k.layers.GlobalAveragePooling1D(),
    ],
    "repeated": lambda k: [k.layers.Flatten(), k.layers.RepeatVector(3), k.layers.Conv1D(2, 2), k.layers.Flatten()],
    "regularized": lambda k: [k.layers.Flatten(), k.layers.Dense(4), k.layers.ActivityRegularization(0.01, 0.02)],
    "adaptive means": lambda k: [k.layers.Conv1D(4, 2), k.layers.AdaptiveAveragePooling1D(3), k.layers.Flatten()],
    "adaptive maxima": lambda k: [k.layers.Conv1D(4, 2), k.layers.AdaptiveMaxPooling1D(3), k.layers.Flatten()],
}  # fmt: skip


@pytest.mark.parametrize("name", BUILDS)
def test_weights_after_three_steps(name):
    def build(package):
        return package.Sequential([package.Input((5, 3)), *BUILDS[name](package), package.layers.Dense(2)])

    same_weights_after_three_steps(build, X, RNG.normal(size=(4, 2)).astype(np.float32))


def test_a_loss_is_over_the_steps_that_count():
    def build(package):
        return package.Sequential([package.Input((5, 3)), package.layers.Masking(), package.layers.Dense(2)])

    y = RNG.normal(size=(4, 5, 2)).astype(np.float32)
    same_weights_after_three_steps(build, X, y)


def test_wrapped_layers_in_files():
    for theirs in (
        keras.layers.TimeDistributed(keras.layers.Conv2D(2, 3, padding="same")),
        keras.layers.Wrapper(keras.layers.Dense(2)),
    ):
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(theirs)))
        ours = cconv.saving.deserialize_object(config)
        back = json.loads(json.dumps(cconv.saving.serialize_object(ours)))
        assert back["config"]["layer"]["class_name"] == config["config"]["layer"]["class_name"]
        again = keras.saving.deserialize_keras_object(back)
        assert type(again) is type(theirs) and again.layer.get_config() == theirs.layer.get_config()
