"""How much Python stands around one step: calls of functions, a measure that no load of the machine changes."""

import sys

import numpy as np

import cconv
from cconv import layers

X, Y = np.ones((2, 4), np.float32), np.ones((2, 4), np.float32)


def calls(function):
    """How many Python functions a call enters, comprehensions included where the interpreter calls them."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def test_a_lone_step_of_a_tiny_model():
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(4)])
    model.compile("sgd", "mse", metrics=["mae"])
    for _ in range(3):
        model.train_on_batch(X, Y)
        model.predict_on_batch(X)
    assert calls(lambda: model.train_on_batch(X, Y)) <= 115
    assert calls(lambda: model.predict_on_batch(X)) <= 20


def test_a_step_within_fit():
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(4)])
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = np.ones((64, 4), np.float32), np.ones((64, 4), np.float32)

    def fit(batches):
        model.fit(x[: 2 * batches], y[: 2 * batches], batch_size=2, verbose=0, shuffle=False)

    fit(4), fit(32)
    assert (calls(lambda: fit(32)) - calls(lambda: fit(4))) / 28 <= 30
