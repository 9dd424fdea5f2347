"""A warning shows the line of the user's that led to it."""

import numpy as np
import pytest

import cconv
from cconv import callbacks, layers


def network():
    model = cconv.Sequential([cconv.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def few():
    yield np.ones((2, 3)), np.ones((2, 1))


X, Y = np.ones((2, 3)), np.ones((2, 1))
CALLS = {
    "fit": lambda: network().fit(few(), steps_per_epoch=3, verbose=0),
    "evaluate": lambda: network().evaluate(few(), steps=3, verbose=0),
    "predict": lambda: network().predict(few(), steps=3, verbose=0),
    "a callback's constructor": lambda: callbacks.EarlyStopping(mode="up"),
    "a callback's hook": lambda: network().fit(X, Y, callbacks=[callbacks.EarlyStopping("val_loss")], verbose=0),
    "an optimizer": lambda: cconv.optimizers.SGD().apply([Y, None], [cconv.Variable(Y), cconv.Variable(X)]),
}


@pytest.mark.parametrize("name", CALLS)
def test_it_shows_this_file(name):
    with pytest.warns(UserWarning) as caught:
        CALLS[name]()
    assert [w.filename for w in caught] == [__file__]
