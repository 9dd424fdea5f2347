"""Poolings beside PyTorch's functions and Keras' layers, forward and backward."""

import math

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
    """y, a random dy, and dx of a function of a tensor with the channels second; all arrays have them last."""
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = function(leaf.movedim(-1, 1)).movedim(1, -1)
    dy = np.random.default_rng(1).standard_normal(tuple(y.shape)).astype(np.float32)
    y.backward(torch.tensor(dy, dtype=torch.float64))
    return y.detach().numpy(), dy, leaf.grad.numpy()


ACTIVATIONS = {"linear": lambda y: y, "relu": F.relu, "relu6": F.relu6}
MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def same_pads(sizes, pool_size, strides):
    amounts = [
        max((-(-size // stride) - 1) * stride + kernel - size, 0)
        for size, kernel, stride in zip(sizes, pool_size, strides, strict=True)
    ]
    return [a // 2 for a in amounts] + [a - a // 2 for a in amounts]


def pool_of_torch(
    op,
    rank,
    pool_size,
    strides=(),
    padding="valid",
    pads=(),
    activation="linear",
    ceil_mode=False,
    count_include_pad=False,
):
    """The function of a tensor with the channels second. PyTorch has no uneven padding, so it is done beforehand."""
    pool_size, strides = (tuple(v) * (rank if len(v) == 1 else 1) for v in (pool_size, strides or pool_size))

    def padded(x, value):
        amounts = same_pads(x.shape[2:], pool_size, strides) if padding == "same" else pads or [0] * 2 * rank
        around = [n for i in reversed(range(rank)) for n in (amounts[i], amounts[rank + i])]
        return F.pad(x, around, value=value)

    def reached(x, value):
        """Padded, and as far behind the padding as the last windows of ceil mode reach."""
        behind = max(pool_size) if ceil_mode else 0
        return F.pad(padded(x, value), [0, behind] * rank, value=value)

    def sums(x):
        """The mean of a window, times its cells."""
        x = reached(x, 0.0)
        return AVG[rank](x, pool_size, strides) * math.prod(pool_size)

    def cut(x, y):
        """Without the windows that begin behind the image."""
        sizes, _ = windows((1, *x.shape[2:], 1), pool_size, strides, padding, pads, ceil_mode)
        return y[(slice(None), slice(None), *map(slice, sizes))]

    def largest(x):
        return ACTIVATIONS[activation](cut(x, MAX[rank](reached(x, -torch.inf), pool_size, strides)))

    def counts(x):
        ones = torch.ones_like(x)
        if not count_include_pad:
            return sums(ones)
        behind = max(pool_size) if ceil_mode else 0
        ones = F.pad(padded(ones, 1.0), [0, behind] * rank)
        return AVG[rank](ones, pool_size, strides) * math.prod(pool_size)

    return {
        "max_pool": largest,
        "sum_pool": lambda x: cut(x, sums(x)),
        "avg_pool": lambda x: cut(x, sums(x) / counts(x)),
        "l2_pool": lambda x: cut(x, sums(x**2)).sqrt(),
    }[op]


@pytest.mark.parametrize("op, case", [pytest.param(op, c, id=f"{op}: {c.id}") for op in POOLS for c in CASES[op]])
def test_torch(op, case):
    (x,) = case.arrays()
    y, dy, dx = from_torch(pool_of_torch(op, x.ndim - 2, **case.attributes), x)
    our_y, our_dx = ours(op, case.attributes, x, dy)
    np.testing.assert_allclose(our_y, y, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(our_dx, dx, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("pool_size, stride, pad", [(2, 2, 0), (3, 2, 1), (2, 3, 1), (5, 3, 2), (3, 1, 1), (4, 4, 2)])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_torch_counts_windows_and_cells_as_we_do(rank, pool_size, stride, pad, ceil_mode, include):
    """PyTorch's own padding, ceil mode and count_include_pad."""
    for size in range(5, 11):
        x = np.random.default_rng(size).standard_normal((2, *(size, size + 2, size + 1)[:rank], 9)).astype(np.float32)
        attributes = {"pool_size": pool_size, "strides": stride, "ceil_mode": ceil_mode}
        attributes |= {"padding": "explicit", "pads": [pad] * 2 * rank}
        for op, function in [
            ("max_pool", lambda t: MAX[rank](t, pool_size, stride, pad, ceil_mode=ceil_mode)),
            ("avg_pool", lambda t: AVG[rank](t, pool_size, stride, pad, ceil_mode, include)),
        ]:
            y, dy, dx = from_torch(function, x)
            more = {"count_include_pad": include} if op == "avg_pool" else {}
            our_y, our_dx = ours(op, attributes | more, x, dy)
            np.testing.assert_allclose(our_y, y, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(our_dx, dx, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("op, case", [pytest.param(op, c, id=f"{op}: {c.id}") for op in GLOBAL for c in CASES[op]])
def test_torch_global(op, case):
    (x,) = case.arrays()
    average = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
    largest = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}
    function = (average if "avg" in op else largest)[x.ndim - 2]
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
    size, cells = windows(x.shape, keras_pair(pool_size), attributes.get("strides", ()), padding)
    inside = np.zeros(size, bool)
    for window in cells:
        inside[window.place] = math.prod(c.stop - c.start for c in window.cells) == math.prod(keras_pair(pool_size))
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
