"""Pickled and copied models and layers: the same answers, and training goes on as in the original, to the last bit."""

import copy
import pickle

import numpy as np
import pytest

import cconv
from cconv import layers, ops
from cconv.optimizers import schedules

X = np.random.default_rng(0).random((8, 4), dtype=np.float32)
Y = np.ones((8, 2), np.float32)
COPIES = {"pickle": lambda item: pickle.loads(pickle.dumps(item)), "deepcopy": copy.deepcopy}


def own_loss(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred), -1)


def own_activation(x):
    return ops.relu(x)


def own_initializer(shape, dtype=None):
    return np.full(shape, 0.1, np.float32)


class OwnLoss(cconv.Loss):
    def call(self, y_true, y_pred):
        return own_loss(y_true, y_pred)


class Scale(layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.inner = layers.Dense(2)

    def call(self, x):
        return self.inner(x) * self.factor


class Net(cconv.Model):
    def __init__(self, width=3):
        super().__init__()
        self.parts = [layers.Dense(width, activation=own_activation), layers.Dropout(0.3)]
        self.last = Scale(0.5)

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return self.last(x)


class Named(cconv.Model):
    """A functional model of a class of one's own."""


def stack():
    return cconv.Sequential([cconv.Input((4,)), Scale(2.0), layers.Dropout(0.3), layers.Dense(2)])


def functional(cls=cconv.Model):
    x = cconv.Input((4,))
    shared = layers.Dense(4, kernel_initializer=own_initializer)
    return cls(x, layers.Dense(2)(ops.tanh(shared(shared(x)))[:, ::2]))


MODELS = {
    "stack": stack,
    "stack from data": lambda: cconv.Sequential([layers.Dense(3, activation=own_activation), layers.Dense(2)]),
    "functional": functional,
    "functional of a class": lambda: functional(Named),
    "subclass": Net,
    "nested": lambda: cconv.Sequential([cconv.Input((4,)), functional(), layers.Dense(2)]),
}
COMPILED = {
    "names": lambda: {"optimizer": "adam", "loss": "mse", "metrics": ["mae"]},
    "function": lambda: {"optimizer": cconv.optimizers.SGD(0.1, momentum=0.9), "loss": own_loss},
    "class": lambda: {
        "optimizer": cconv.optimizers.Adam(schedules.ExponentialDecay(0.1, 10, 0.5)),
        "loss": OwnLoss(),
        "weighted_metrics": [cconv.metrics.MeanAbsoluteError()],
    },
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("compiled", COMPILED)
@pytest.mark.parametrize("name", MODELS)
def test_training_goes_on(name, compiled, how):
    model = MODELS[name]()
    model.compile(**COMPILED[compiled]())
    model.fit(X, Y, epochs=2, batch_size=4, shuffle=False, verbose=0)
    again = COPIES[how](model)
    assert type(again) is type(model) and again.name == model.name and again.compiled
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert int(again.optimizer.iterations) == int(model.optimizer.iterations) == 4
    for other in (again, model):
        other.fit(X, Y, epochs=2, batch_size=4, shuffle=False, verbose=0)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    assert not set(map(id, again.weights)) & set(map(id, model.weights))


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", MODELS)
def test_models_that_have_not_learned(name, how):
    model = MODELS[name]()
    again = COPIES[how](model)
    assert type(again) is type(model) and again.built == model.built and not again.compiled
    if model.built:
        np.testing.assert_array_equal(again(X), model(X))
    model.compile("sgd", "mse")
    again = COPIES[how](model)
    assert again.compiled and again.optimizer is not model.optimizer


def make_layers():
    yield layers.Dense(2, activation=own_activation)
    yield layers.BatchNormalization()
    yield layers.Lambda(own_activation)
    yield Scale(3.0)
    yield layers.PReLU("ones")


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("layer", list(make_layers()), ids=lambda layer: layer.name)
def test_layers(layer, how):
    before = COPIES[how](layer)
    layer(X)
    after = COPIES[how](layer)
    assert before.built in (False, layer.built) and after.built
    np.testing.assert_array_equal(after(X), layer(X))
    assert before(X).shape == layer(X).shape and after.name == layer.name


def test_what_was_frozen_stays_so():
    model = stack()
    model.layers[0].trainable = False
    again = COPIES["pickle"](model)
    assert not again.layers[0].trainable and len(again.trainable_variables) == 2


def test_shallow_copies_share_their_layers():
    model = Net()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    again = copy.copy(model)
    assert again.parts is model.parts and again.optimizer is model.optimizer
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
