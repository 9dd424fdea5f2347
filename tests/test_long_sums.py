"""Sums of very many terms: of a constant, where every rounding goes the same way, and of random numbers. The relative error stays
below 1e-5 in whatever adds up, forward and backward."""

import numpy as np
import pytest
from op_harness import OneOp

BOUND = 1e-5
FILLS = {
    "constant": lambda *shape: np.full(shape, 0.1, np.float32),
    "random": lambda *shape: np.random.default_rng(7).random(shape, dtype=np.float32),
}


@pytest.fixture(params=FILLS)
def fill(request):
    return FILLS[request.param]


def check(actual, expected):
    assert actual.shape == expected.shape
    error = np.abs(actual - expected).max() / np.abs(expected).max()
    assert error < BOUND, f"relative error {error:.1e}"


def double(*arrays):
    return [array.astype(np.float64) for array in arrays]


# ---- Poolings


def pooled(op, x):
    """The pooling of whole images, in float64."""
    axes = tuple(range(1, x.ndim - 1))
    x = x.astype(np.float64)
    if op == "l2_pool":
        return np.sqrt(np.square(x).sum(axes, keepdims=True))
    return (x.sum if op == "sum_pool" else x.mean)(axes, keepdims=True)


WHOLE = [
    (2, 224, 224, 9),
    (1, 1024, 1024, 1),
    (1, 1_000_000, 3),
    (1, 1, 1_000_000, 2),
    (1, 1_000_000, 1, 1),
    (1, 100, 100, 100, 1),
    (1, 1_000_000, 1, 1, 1),
]


@pytest.mark.parametrize("shape", WHOLE, ids=str)
@pytest.mark.parametrize("op", ["avg_pool", "sum_pool", "l2_pool"])
def test_poolings_of_large_windows(op, shape, fill):
    x = fill(*shape)
    check(OneOp(op, [x], {"pool_size": list(shape[1:-1])}).run([x]).y, pooled(op, x))


@pytest.mark.parametrize(
    "shape", [(1, 3000, 1000, 1), (1, 2_000_000, 2), (1, 120, 120, 120, 1), (1, 512, 513, 70)], ids=str
)
def test_global_average(shape, fill):
    x = fill(*shape)
    op = OneOp("global_avg_pool", [x], {"keepdims": True})
    check(op.run([x]).y, pooled("avg_pool", x))


def under_windows(values, size, axes):
    """Adds up, for each cell, the values of the windows of `size` cells, at distance 1, that cover it."""
    for axis in range(axes):
        count = values.shape[axis]
        sums = np.concatenate([np.zeros_like(np.take(values, [0], axis)), np.cumsum(values, axis)], axis)
        cells = np.arange(count + size - 1)
        first, last = np.maximum(0, cells - size + 1), np.minimum(count, cells + 1)
        values = np.take(sums, last, axis) - np.take(sums, first, axis)
    return values


@pytest.mark.parametrize(("axes", "size"), [(1, 10000), (2, 70), (3, 18)])
@pytest.mark.parametrize("op", ["avg_pool", "sum_pool", "l2_pool", "max_pool"])
def test_gradients_of_cells_under_many_windows(op, axes, size, fill):
    x = fill(1, *[2 * size - 1] * axes, 1)
    middle = (0, *[size - 1] * axes, 0)  # under every window
    x[middle] = 2
    dy = fill(1, *[size] * axes, 1)
    result = OneOp(op, [x], {"pool_size": [size] * axes, "strides": 1}, wrt=(0,)).run([x], dy)
    if op == "max_pool":
        check(result.gradients[0][middle], dy.sum(dtype=np.float64))
        return
    factor = {"avg_pool": 1 / size**axes, "sum_pool": 1.0, "l2_pool": 1 / result.y.astype(np.float64)[0, ..., 0]}[op]
    expected = under_windows(dy[0, ..., 0] * factor, size, axes)
    check(result.gradients[0][0, ..., 0], expected * x[0, ..., 0] if op == "l2_pool" else expected)


@pytest.mark.parametrize("op", ["avg_pool", "max_pool", "l2_pool"])
def test_gradients_of_few_and_of_many_windows_follow_one_rule(op):
    """Around the number of windows from which sums are kept in double: with integers both are exact, or nearly."""
    rng = np.random.default_rng(3)
    x = rng.integers(1, 9, (2, 40, 40, 5)).astype(np.float32)
    for size in (16, 17):
        n = 40 - size + 1
        dy = rng.integers(-8, 9, (2, n, n, 5)).astype(np.float32)
        one, three = (OneOp(op, [x], {"pool_size": size, "strides": 1}, wrt=(0,), threads=k) for k in (1, 3))
        found = one.run([x], dy)
        assert found.equals(three.run([x], dy))
        total = found.gradients[0].sum(dtype=np.float64)
        if op != "l2_pool":
            np.testing.assert_allclose(total, dy.sum(dtype=np.float64), atol=1e-2)
