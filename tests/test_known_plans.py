"""Batches that fit a plan made before go to it without being checked again, and still to the right one."""

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
