"""Activation functions beside Keras: signatures, values, names in files, weights after steps of training."""

import inspect

import keras
import numpy as np
import pytest

import cconv

X = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32) * 2

CALLS = [
    ("celu", {}), ("celu", {"alpha": 0.5}), ("elu", {"alpha": 0.7}), ("exponential", {}), ("gelu", {}),
    ("gelu", {"approximate": True}), ("glu", {}), ("glu", {"axis": -1}), ("hard_shrink", {}),
    ("hard_shrink", {"threshold": 1.0}), ("hard_sigmoid", {}), ("hard_silu", {}), ("hard_swish", {}), ("hard_tanh", {}),
    ("leaky_relu", {}), ("linear", {}), ("log_sigmoid", {}), ("log_softmax", {"axis": 0}), ("mish", {}), ("relu", {}),
    ("relu", {"negative_slope": 0.1, "max_value": 1.0, "threshold": 0.3}), ("relu6", {}), ("selu", {}), ("sigmoid", {}),
    ("silu", {}), ("soft_shrink", {}), ("soft_shrink", {"threshold": 0.1}), ("softmax", {"axis": 0}), ("softplus", {}),
    ("softsign", {}), ("sparse_plus", {}), ("sparse_sigmoid", {}), ("squareplus", {}), ("squareplus", {"b": 1}), ("swish", {}), ("tanh", {}), ("tanh_shrink", {}),
    ("threshold", {"threshold": 0.5, "default_value": -2.0}),
]  # fmt: skip
# sparsemax has its own test: Keras' by PyTorch returns rows that do not sum to 1


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_values(name, arguments):
    ours = getattr(cconv.activations, name)(X, **arguments)
    theirs = keras.ops.convert_to_numpy(getattr(keras.activations, name)(X, **arguments))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def plain(function):
    return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", sorted({name for name, _ in CALLS} | {"sparsemax"}))
def test_signatures(name):
    assert plain(getattr(cconv.activations, name)) == plain(getattr(keras.activations, name))
    if hasattr(keras.ops, name):
        assert plain(getattr(cconv.ops, name)) == plain(getattr(keras.ops, name))


def test_all_of_keras_functions_are_there():
    public = {name for name in dir(keras.activations) if not name.startswith("_")}
    assert public - set(dir(cconv.activations)) == set()


TRAINED = ["celu", "gelu", "hard_silu", "hard_tanh", "log_sigmoid", "mish", "silu", "soft_shrink", "sparse_plus",
           "sparse_sigmoid", "squareplus", "tanh_shrink", "hard_shrink"]  # fmt: skip


@pytest.mark.parametrize("name", TRAINED)
def test_weights_after_three_steps(name):
    theirs = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, activation=name), keras.layers.Dense(1)])
    ours = cconv.Sequential([cconv.Input((6,)), cconv.layers.Dense(4, activation=name), cconv.layers.Dense(1)])
    assert ours.layers[0].get_config()["activation"] == theirs.layers[0].get_config()["activation"]
    ours.set_weights([np.array(w) for w in theirs.get_weights()])
    y = X.sum(1, keepdims=True)
    for model, package in ((theirs, keras), (ours, cconv)):
        model.compile(optimizer=package.optimizers.SGD(0.01), loss="mse")
        for _ in range(3):
            model.train_on_batch(X, y)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
