"""What layers, models, variables and tensors say of themselves."""

import numpy as np
import pytest

import cconv
from cconv import layers


class Repeat(layers.Layer):
    def __init__(self, inner, times=(1, 2), **kwargs):
        super().__init__(**kwargs)
        self.inner, self.times = inner, times


class Net(cconv.Model):
    def __init__(self, width):
        super().__init__()
        self.first = layers.Dense(width)


def functional():
    x = cconv.Input((4,))
    return cconv.Model(x, layers.Dense(2)(x), name="net")


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda: layers.Dense(2, name="d"), "<Dense name=d, units=2, built=False>"),
        (
            lambda: layers.Conv2D(32, 3, activation="relu", padding="same", name="c"),
            "<Conv2D name=c, filters=32, kernel_size=(3, 3), padding='same', activation=relu, built=False>",
        ),
        (lambda: layers.Flatten(name="f"), "<Flatten name=f, built=True>"),
        (lambda: layers.Dropout(rate=0.5, name="d"), "<Dropout name=d, rate=0.5, built=True>"),
        (lambda: layers.Conv1D(2, 3, strides=1, trainable=False, name="c"), "trainable=False, built=False>"),
        (lambda: layers.Lambda(lambda x: x, name="l"), "<Lambda name=l, function=<lambda>, built=True>"),
        (lambda: layers.Rescaling(list(range(100)), name="r"), "<Rescaling name=r, scale=[0, 1, 2, 3, 4, 5, ...], "),
        (
            lambda: Repeat(layers.Dense(2, name="d"), times=(1, 2), name="r"),
            "<Repeat name=r, inner=<Dense name=d, units=2, built=False>, built=False>",
        ),
        (lambda: cconv.Sequential([layers.Dense(2)], name="s"), "<Sequential name=s, layers=1, built=False>"),
        (functional, "<Functional name=net, layers=2, built=True>"),
        (lambda: Net(3), "width=3, layers=1, built=False>"),
        (lambda: cconv.Input((4,), name="x"), "<Tensor shape=(None, 4), dtype=float32, op=input, name=x>"),
        (
            lambda: cconv.Variable(np.ones(2), name="v"),
            "<Variable path=v, shape=(2,), dtype=float32, value=[1. 1.]>",
        ),
    ],
)
def test_repr(make, text):
    assert text in repr(make())


def test_settings_are_those_of_now():
    layer = layers.Dense(2, activation="relu", name="d")
    layer.activation = None
    layer.build((None, 3))
    assert repr(layer) == "<Dense name=d, units=2, activation=None, built=True>"
    again = layers.Dense.from_config(layers.Dense(2, name="d").get_config())
    assert "trainable" not in repr(again) and "units=2" in repr(again)


def test_every_layer_has_one_of_one_line():
    for name in layers.__all__:
        cls = getattr(layers, name)
        for args in ((), (2,), (2, 3), ("relu",), (0.5,), ((1,),)):
            try:
                layer = cls(*args)
            except (TypeError, ValueError, NotImplementedError):  # an unknown fill mode, as in Keras
                continue
            assert "\n" not in repr(layer) and len(repr(layer)) < 200
            break
