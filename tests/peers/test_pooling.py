"""Poolings beside PyTorch's functions and Keras' layers, forward and backward."""

import keras
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from cases import all_cases
from op_harness import OneOp
from reference.pooling import windows

GLOBAL = ("global_avg_pool", "global_max_pool")
POOLS = ("max_pool", "avg_pool", "sum_pool", "l2_pool")
CASES = all_cases()


def ours(op, attributes, x, dy=None):
    if dy is None:
        return OneOp(op, [x], attributes).run([x]).y
    result = OneOp(op, [x], attributes, wrt=(0,)).run([x], dy)
    return result.y, result.gradients[0]


def from_torch(function, x):
    """y, a random dy, and dx of a function of a (n, c, h, w) tensor; all arrays are (n, h, w, c)."""
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = function(leaf.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    dy = np.random.default_rng(1).standard_normal(tuple(y.shape)).astype(np.float32)
    y.backward(torch.tensor(dy, dtype=torch.float64))
    return y.detach().numpy(), dy, leaf.grad.numpy()


ACTIVATIONS = {"linear": lambda y: y, "relu": F.relu, "relu6": F.relu6}


def pool_of_torch(op, pool_size, strides=(), padding="valid", pads=(), activation="linear"):
    """The function of a (n, c, h, w) tensor. PyTorch has no uneven padding, so it is done beforehand."""
    strides = tuple(strides) * (2 if len(strides) == 1 else 1) or pool_size

    def padded(x, value):
        if padding == "same":
            amounts = [
                max((-(-size // stride) - 1) * stride + kernel - size, 0)
                for size, kernel, stride in zip(x.shape[2:], pool_size, strides)
            ]
            top, left, bottom, right = [a // 2 for a in amounts] + [a - a // 2 for a in amounts]
        else:
            top, left, bottom, right = pads or (0, 0, 0, 0)
        return F.pad(x, (left, right, top, bottom), value=value)

    def sums(x):
        return F.avg_pool2d(padded(x, 0.0), pool_size, strides, divisor_override=1)

    return {
        "max_pool": lambda x: ACTIVATIONS[activation](F.max_pool2d(padded(x, -torch.inf), pool_size, strides)),
        "sum_pool": sums,
        "avg_pool": lambda x: sums(x) / sums(torch.ones_like(x)),
        "l2_pool": lambda x: sums(x**2).sqrt(),
    }[op]


@pytest.mark.parametrize("op, case", [pytest.param(op, c, id=f"{op}: {c.id}") for op in POOLS for c in CASES[op]])
def test_torch(op, case):
    (x,) = case.arrays()
    y, dy, dx = from_torch(pool_of_torch(op, **case.attributes), x)
    our_y, our_dx = ours(op, case.attributes, x, dy)
    np.testing.assert_allclose(our_y, y, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(our_dx, dx, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("op, case", [pytest.param(op, c, id=f"{op}: {c.id}") for op in GLOBAL for c in CASES[op]])
def test_torch_global(op, case):
    (x,) = case.arrays()
    function = F.adaptive_avg_pool2d if "avg" in op else F.adaptive_max_pool2d
    y, dy, dx = from_torch(lambda tensor: function(tensor, 1), x)
    our_y, our_dx = ours(op, {"keepdims": True}, x, dy)
    np.testing.assert_allclose(our_y, y, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(our_dx, dx, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [None, 1, (2, 3)])
@pytest.mark.parametrize("pool_size", [2, (3, 2), (2, 5)])
@pytest.mark.parametrize("op", ["max_pool", "avg_pool"])
def test_keras_layers(op, pool_size, strides, padding):
    x = np.random.default_rng(2).standard_normal((2, 11, 13, 3)).astype(np.float32)
    layer = {"max_pool": keras.layers.MaxPooling2D, "avg_pool": keras.layers.AveragePooling2D}[op]
    expected = keras.ops.convert_to_numpy(layer(pool_size, strides, padding)(x))
    attributes = {"pool_size": pool_size, "padding": padding}
    if strides is not None:
        attributes["strides"] = (strides,) if isinstance(strides, int) else strides
    actual = ours(op, attributes, x)
    assert actual.shape == expected.shape
    # Where a window needs one more cell of padding at the end, Keras on PyTorch repeats the border's cells and counts
    # them in averages; on TensorFlow and JAX it does not. So of averages only windows inside of the image are compared.
    size, cells = windows(x.shape, keras_pair(pool_size), attributes.get("strides", ()), padding, ())
    full = np.prod(keras_pair(pool_size))
    inside = np.zeros(size, bool)
    for i, j, rows, columns in cells:
        inside[i, j] = (rows.stop - rows.start) * (columns.stop - columns.start) == full
    compared = inside if op == "avg_pool" else np.ones(size, bool)
    assert compared.sum() >= 4
    np.testing.assert_allclose(actual[:, compared], expected[:, compared], rtol=1e-5, atol=1e-6)


def keras_pair(value):
    return value if isinstance(value, tuple) else (value, value)


@pytest.mark.parametrize("keepdims", [False, True])
def test_keras_global_layers(keepdims):
    x = np.random.default_rng(2).standard_normal((2, 9, 8, 3)).astype(np.float32)
    for op, layer in zip(GLOBAL, (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)):
        expected = keras.ops.convert_to_numpy(layer(keepdims=keepdims)(x))
        np.testing.assert_allclose(ours(op, {"keepdims": keepdims}, x), expected, rtol=1e-5, atol=1e-6)
