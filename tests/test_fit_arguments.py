"""What is said of arguments that fit and its kin do not have."""

import inspect

import numpy as np
import pytest

import cconv

X = np.ones((4, 2), np.float32)


def model():
    made = cconv.Sequential([cconv.Input((2,)), cconv.layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


@pytest.mark.parametrize(
    ("method", "wrong", "right"),
    [
        ("fit", "epoch", "epochs"),
        ("fit", "batchsize", "batch_size"),
        ("fit", "callback", "callbacks"),
        ("fit", "validation", "validation_data"),
        ("evaluate", "sample_weights", "sample_weight"),
        ("predict", "step", "steps"),
        ("compile", "metric", "metrics"),
        ("compile", "Loss", "loss"),
        ("train_on_batch", "class_weights", "class_weight"),
        ("test_on_batch", "returndict", "return_dict"),
    ],
)
def test_a_misspelt_argument_names_the_nearest(method, wrong, right):
    with pytest.raises(TypeError, match=f"{method}\\(\\) got an unexpected keyword argument '{wrong}'.*'{right}'"):
        getattr(model(), method)(**{wrong: 1})


def test_an_argument_unlike_all_lists_them():
    with pytest.raises(TypeError, match="'frobnicate'. There are: batch_size, callbacks, steps, verbose, x."):
        model().predict(X, frobnicate=3)


def test_signatures_are_as_they_are_written():
    assert list(inspect.signature(cconv.Model.predict).parameters) == [
        "self",
        "x",
        "batch_size",
        "verbose",
        "steps",
        "callbacks",
    ]
    assert model().predict(X, 2, verbose=0).shape == (4, 1)
