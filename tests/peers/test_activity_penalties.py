"""Penalties on outputs beside Keras: every layer, batches of unequal size, shared layers, models within models."""

import keras
import numpy as np
import pytest

import cconv

from .test_layers import CASES, random, set_random_weights


def evaluated(library, layers, data):
    inputs = [library.Input(x.shape[1:]) for x in data]
    y = inputs[0] if len(inputs) == 1 else inputs
    for layer in layers:
        y = layer(y)
    model = library.Model(inputs, y)
    model.compile("sgd", None)
    return model, lambda size: model.evaluate(data if len(data) > 1 else data[0], batch_size=size, verbose=0)


@pytest.mark.parametrize(("name", "arguments", "shapes"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_every_layer_has_keras_penalty(name, arguments, shapes):
    data = [random((5, *shape), i) for i, shape in enumerate(shapes)]
    theirs, ours = getattr(keras.layers, name)(**arguments), getattr(cconv.layers, name)(**arguments)
    models = []
    for library, layer in ((keras, theirs), (cconv, ours)):
        layer.activity_regularizer = library.regularizers.L1L2(0.1, 0.02)
        models.append(evaluated(library, [layer], data))
        set_random_weights(layer)
    (_, theirs), (_, ours) = models
    for size in (5, 3):
        np.testing.assert_allclose(ours(size), theirs(size), rtol=2e-5)


def test_shared_and_nested():
    data = [random((16, 4), 0)]
    results = []
    for library in (keras, cconv):
        x = library.Input((4,))
        layer = library.layers.Dense(4, activity_regularizer="l2", kernel_initializer="ones")
        inner = library.Model(x, layer(layer(x)))
        _, loss = evaluated(library, [inner, library.layers.ReLU(activity_regularizer="l1")], data)
        results.append([loss(size) for size in (4, 12, 16, 32)])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-6)


def test_training_with_unequal_batches():
    x, y = random((16, 4), 0), random((16, 2), 1)
    histories, weights = [], []
    for library in (keras, cconv):
        model = library.Sequential(
            [
                library.Input((4,)),
                library.layers.Dense(6, activity_regularizer="l2", kernel_regularizer="l2"),
                library.layers.Dense(2, activity_regularizer="l1"),
            ]
        )
        if weights:
            model.set_weights(weights[0])
        weights.append(model.get_weights())
        model.compile(library.optimizers.SGD(0.1), "mse")
        histories.append(model.fit(x, y, batch_size=12, shuffle=False, epochs=5, verbose=0).history["loss"])
        weights.append(model.get_weights())
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-5)
    for a, b in zip(weights[1], weights[3], strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)


def test_losses_tell_the_penalties_of_the_last_batch():
    class Summed(cconv.layers.Layer):
        def call(self, x):
            self.add_loss(cconv.ops.mean(x))
            return x

    class TheirSummed(keras.layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.mean(x))
            return x

    x, y = random((7, 4), 0), random((7, 2), 1)
    found = []
    for library, summed in ((keras, TheirSummed), (cconv, Summed)):
        dense = library.layers.Dense(2, "relu", kernel_initializer="ones", kernel_regularizer="l2")
        inner = library.Sequential([library.Input((4,)), summed(), library.layers.ReLU(activity_regularizer="l1")])
        model = library.Sequential([library.Input((4,)), inner, dense])
        model.compile(library.optimizers.SGD(0.01), "mse", metrics=["mae"])
        steps = [
            lambda model=model: model.fit(x, y, batch_size=4, shuffle=False, verbose=0),
            lambda model=model: model.evaluate(x, y, batch_size=5, verbose=0),
            lambda model=model: model.train_on_batch(x[:2], y[:2]),
            lambda model=model: model(x[3:]),
            lambda model=model: model.fit(x[:4], y[:4], validation_data=(x[4:], y[4:]), verbose=0),
        ]
        found.append([])
        for step in steps:
            step()
            found[-1].append(sorted(float(value) for value in model.losses))
    assert [len(values) for values in found[1]] == [3] * 5
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)
