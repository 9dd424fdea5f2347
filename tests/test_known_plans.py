"""Batches that fit a plan made before go to it without being checked again, and still to the right one."""

import copy
import threading

import numpy as np
import pytest

import cconv
from cconv import layers


def model_of(*shape):
    return cconv.Sequential([cconv.Input(shape), layers.Flatten(), layers.Dense(2)])


def test_shapes_and_types_in_turn():
    model = model_of(4, 4, 1)
    x = np.random.default_rng(0).integers(0, 9, (3, 4, 4, 1))
    expected = model.predict_on_batch(x.astype(np.float32))
    for dtype in (np.uint8, np.float32, np.float64, np.int32, np.int64, np.int16, np.float16, ">f4"):
        for _ in range(2):
            np.testing.assert_array_equal(model.predict_on_batch(x.astype(dtype)), expected)
    np.testing.assert_array_equal(model.predict_on_batch(x[..., 0]), expected)
    np.testing.assert_array_equal(model.predict_on_batch(x[::-1]), expected[::-1])
    np.testing.assert_array_equal(model.predict_on_batch(x.tolist()), expected)
    for wrong in (np.zeros((3, 4, 5, 1)), np.zeros(()), np.zeros((0, 4, 4, 1)), np.zeros((3, 4, 4, 1), complex)):
        with pytest.raises((ValueError, TypeError)):
            model.predict_on_batch(wrong)


def test_after_a_layer_is_added():
    model = model_of(6)
    x = np.ones((2, 6), np.float32)
    assert model.predict_on_batch(x).shape == (2, 2)
    model.add(layers.Dense(5))
    assert model.predict_on_batch(x).shape == (2, 5)
    model.pop()
    assert model.predict_on_batch(x).shape == (2, 2)


class Growing(cconv.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(3)]

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def test_what_is_trained_follows_what_is_frozen_and_added():
    model = Growing()
    model.compile("sgd", "mse")
    x, y = np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)
    model.predict_on_batch(x)
    first = model.blocks[0]

    def changes():
        before = [v.numpy().copy() for v in first.variables]
        model.train_on_batch(x, y)
        return any((v.numpy() != b).any() for v, b in zip(first.variables, before, strict=True))

    assert changes()
    first.trainable = False
    assert not changes()
    first.trainable = True
    assert changes()
    first.kernel.trainable = first.bias.trainable = False
    model.blocks = [first, layers.Dense(3)]
    assert not changes()
    assert len(model.trainable_variables) == 2


def test_calls_on_arrays_follow_every_change():
    model = cconv.Sequential([cconv.Input((3,)), layers.Dense(3, kernel_initializer="ones"), layers.LeakyReLU(0.5)])
    for shape in ((2, 3), (5, 3), (2, 3)):
        for _ in range(3):
            np.testing.assert_array_equal(model(np.full(shape, -1.0)), np.full(shape, -1.5, np.float32))
    x = np.full((2, 3), -1, np.int8)
    np.testing.assert_array_equal(model(x[:, ::-1]), np.full((2, 3), -1.5, np.float32))
    model.layers[0].bias.assign(np.ones(3))
    np.testing.assert_array_equal(model(x), np.full((2, 3), -1, np.float32))
    model.layers[1].negative_slope = 0.25
    np.testing.assert_array_equal(model(x), np.full((2, 3), -0.5, np.float32))
    model.layers[0].activation = cconv.activations.relu
    np.testing.assert_array_equal(model(x), np.zeros((2, 3), np.float32))
    model.add(layers.Dense(1, use_bias=False))
    assert model(x).shape == (2, 1)
    with pytest.raises(ValueError, match="shape"):
        model(np.ones((2, 4)))
    assert model(x, training=True).shape == (2, 1)


def test_layers_of_the_users_own_are_traced_each_time():
    class Times(layers.Layer):
        factors = [2.0]  # not an attribute that is set

        def call(self, x):
            return x * self.factors[0]

    model = cconv.Sequential([cconv.Input((3,)), Times()])
    x = np.ones((2, 3), np.float32)
    assert model(x)[0, 0] == 2
    Times.factors[0] = 3.0
    assert model(x)[0, 0] == 3 and model.layers[0](x)[0, 0] == 3


def test_dropout_called_in_training_draws_anew():
    layer = layers.Dropout(0.5)
    x = np.ones((50, 50), np.float32)
    np.testing.assert_array_equal(layer(x), x)
    assert not np.array_equal(layer(x, training=True), layer(x, training=True))
    np.testing.assert_array_equal(layer(x), x)


def test_code_of_the_users_is_asked_each_time():
    factor = [2.0]
    x = np.ones((2, 3), np.float32)
    lambda_layer = layers.Lambda(lambda x: x * factor[0])
    for layer in (
        lambda_layer,
        layers.Activation(lambda x: x * factor[0]),
        cconv.Sequential([cconv.Input((3,)), lambda_layer]),
    ):
        for value in (2.0, 5.0):
            factor[0] = value
            assert [layer(x)[0, 0] for _ in range(3)] == [value] * 3


def test_lists_that_change_by_themselves():
    layer = layers.Rescaling([2.0, 2.0])
    x = np.ones((1, 2), np.float32)
    assert [layer(x)[0, 0] for _ in range(3)] == [2, 2, 2]
    layer.scale[0] = 3.0
    assert layer(x)[0, 0] == 3


def test_a_change_voids_what_depends_on_it_and_nothing_else():
    inner = cconv.Sequential([cconv.Input((3,)), layers.LeakyReLU(0.5)])
    outer = cconv.Sequential([cconv.Input((3,)), inner])
    other = layers.LeakyReLU(0.5)
    x = np.full((2, 3), -1.0, np.float32)
    for layer in (outer, inner, other):
        for _ in range(2):
            assert layer(x)[0, 0] == -0.5
        assert layer._array_calls.cached
    inner.layers[0].negative_slope = 0.25
    assert outer(x)[0, 0] == inner(x)[0, 0] == -0.25
    assert other._array_calls.cached
    outer.predict_on_batch(np.zeros((1, 3), np.float32))
    outer(np.zeros((1, 3), np.float32))
    layers.Dense(2)(x)
    assert (x.shape, "f") in outer._array_calls.cached and (x.shape, "f") in other._array_calls.cached


class Alike(layers.Layer):
    """Equal to every other one, and not to be hashed."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def __eq__(self, other):
        return True

    def call(self, x):
        return x * self.factor


def test_layers_count_as_the_same_only_if_they_are():
    model, x = Growing(), np.ones((2, 3), np.float32)
    for factor in (2.0, 3.0, 4.0):
        model.blocks = [Alike(factor)]
        assert model.predict_on_batch(x)[0, 0] == model.predict(x, verbose=0)[0, 0] == factor


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_have_calls_and_steps_of_their_own(duplicate):
    layer, x = layers.LeakyReLU(0.5), np.full((2, 3), -1.0, np.float32)
    assert [layer(x)[0, 0] for _ in range(3)] == [-0.5] * 3
    other = duplicate(layer)
    assert other(x)[0, 0] == -0.5
    other.negative_slope = 0.25
    assert other(x)[0, 0] == other(x)[0, 0] == -0.25 and layer(x)[0, 0] == -0.5

    model = Growing()
    expected = model.predict(x, verbose=0)
    other = duplicate(model)
    np.testing.assert_array_equal(other.predict(x, verbose=0), expected)
    other.blocks = [layers.LeakyReLU(0.25)]
    assert other.predict(x, verbose=0)[0, 0] == other.predict_on_batch(x)[0, 0] == -0.25
    np.testing.assert_array_equal(model.predict_on_batch(x), expected)


def test_what_is_trained_follows_lists_that_grow():
    model = Growing()
    model.compile("sgd", "mse")
    x, y = np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)
    more = layers.Dense(3)
    more.build((None, 3))
    model.train_on_batch(x, y)
    model.blocks.append(more)
    before = more.kernel.numpy()
    model.train_on_batch(x, y)
    assert (more.kernel.numpy() != before).any()
    more.trainable = False
    before = more.kernel.numpy()
    model.train_on_batch(x, y)
    np.testing.assert_array_equal(more.kernel.numpy(), before)


def test_changes_made_while_another_thread_calls():
    layer = layers.LeakyReLU(0.5)
    x = np.full((2, 3), -1.0, np.float32)
    stop = threading.Event()

    def call():
        while not stop.is_set():
            layer(x)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        for slope in np.random.default_rng(0).integers(1, 100, 300) / 128:
            layer.negative_slope = float(slope)
            assert layer(x)[0, 0] == -np.float32(slope)
    finally:
        stop.set()
        thread.join()
