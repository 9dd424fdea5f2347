"""Sums of very many terms: of a constant, where every rounding goes the same way, and of random numbers.

The relative error stays below 1e-5 in whatever adds up, forward and backward.
"""

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
    expected = under_windows(dy[0, ..., 0].astype(np.float64) * factor, size, axes)
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


# ---- Products: deep ones, and the gradients of weights over many rows

MANY = 1_000_000


def test_dense_of_many_inputs(fill):
    x, w, b = fill(3, MANY), fill(MANY, 2), np.ones(2, np.float32)
    for options in ({}, {"variables": (1, 2)}, {"variables": (1, 2), "training": True}):
        y = OneOp("dense", [x, w, b], {"activation": "leaky_relu", "alpha": 0.5}, **options).run([x, w, b]).y
        check(y, np.matmul(*double(x, w)) + 1)


def test_dense_of_many_rows(fill):
    x, w, b, dy = fill(MANY, 3), fill(3, 2), fill(2), fill(MANY, 2)
    found = OneOp("dense", [x, w, b], {}, wrt=(1, 2)).run([x, w, b], dy).gradients
    check(found[1], np.matmul(*double(x.T, dy)))
    check(found[2], dy.sum(0, dtype=np.float64))


@pytest.mark.parametrize("rows", [2, 20])
def test_dense_of_many_outputs(rows, fill):
    m = MANY // rows
    x, w, dy = fill(rows, 2), fill(2, m), fill(rows, m)
    check(OneOp("dense", [x, w, None], {}, wrt=(0,)).run([x, w, None], dy).gradients[0], np.matmul(*double(dy, w.T)))


def test_a_dense_layer_computes_the_same_whether_its_weights_are_packed_before_or_on_the_fly(fill):
    x, w, dy = fill(5, 40_000), fill(40_000, 30), fill(5, 30)
    held = OneOp("dense", [x, w, None], {}, threads=2).run([x, w, None])
    changed = OneOp("dense", [x, w, None], {}, wrt=(0, 1), threads=2).run([x, w, None], dy)
    assert np.array_equal(held.y, changed.y)
    check(held.y, np.matmul(*double(x, w)))


@pytest.mark.parametrize("transposed", [False, True])
def test_matmul(transposed, fill):
    a, b, dy = fill(2, 3, MANY), fill(2, MANY, 2), fill(2, 3, 2)
    right = np.ascontiguousarray(b.swapaxes(1, 2)) if transposed else b
    check(OneOp("matmul", [a, right], {"transpose_b": transposed}).run([a, right]).y, np.matmul(*double(a, b)))
    tall, wide, dy = fill(MANY, 3), fill(3, 2), fill(MANY, 2)
    found = OneOp("matmul", [tall, wide], {}, wrt=(1,)).run([tall, wide], dy).gradients[1]
    check(found, np.matmul(*double(tall.T, dy)))


@pytest.mark.parametrize("depth", [768, 2048, 4608, 25088, 32768])
def test_products_as_deep_as_those_of_networks(depth, fill):
    x, w = fill(3, depth), fill(depth, 40)
    for options in ({}, {"variables": (1,)}):
        check(OneOp("dense", [x, w, None], {}, **options).run([x, w, None]).y, np.matmul(*double(x, w)))


@pytest.mark.parametrize("rows", [2_000, 30_000, 100_000])
def test_gradients_of_dense_weights_over_many_rows(rows, fill):
    x, w, dy = fill(rows, 40), fill(40, 40), fill(rows, 40)
    found = OneOp("dense", [x, w, None], {}, wrt=(1,)).run([x, w, None], dy).gradients[1]
    check(found, np.matmul(*double(x.T, dy)))


@pytest.mark.parametrize("side", [32, 64, 128])
@pytest.mark.parametrize("algorithm", ["direct", "im2col"])
def test_gradients_of_pointwise_kernels(algorithm, side, fill):
    x, w, dy = fill(4, side, side, 24), fill(1, 1, 24, 24), fill(4, side, side, 24)
    found = OneOp("conv", [x, w, None], {"algorithm": algorithm}, wrt=(1,)).run([x, w, None], dy).gradients[1]
    check(found[0, 0], np.matmul(*double(x.reshape(-1, 24).T, dy.reshape(-1, 24))))


@pytest.mark.parametrize("channels", [128, 512, 2048])
@pytest.mark.parametrize("algorithm", ["direct", "im2col", "rows", "winograd"])
def test_convolutions_of_many_channels(algorithm, channels, fill):
    x, w = fill(1, 5, 5, channels), fill(3, 3, channels, 16)
    y = OneOp("conv", [x, w, None], {"algorithm": algorithm}).run([x, w, None]).y
    check(y[0, 1, 1], np.tensordot(*double(x[0, 1:4, 1:4], w), 3))


def test_products_do_not_depend_on_threads_around_the_length_that_is_long(three_threads):
    rng = np.random.default_rng(2)
    for depth in (32767, 32768, 32769, 33025):
        x, w, b = (rng.standard_normal(s).astype(np.float32) for s in ((70, depth), (depth, 37), (37,)))
        dy = rng.standard_normal((70, 37)).astype(np.float32)
        results = [
            OneOp("dense", [x, w, b], {"activation": "relu"}, wrt=(0, 1), threads=k).run([x, w, b], dy)
            for k in (1, 2, 3)
        ]
        assert results[0].equals(results[1]) and results[0].equals(results[2])
        np.testing.assert_allclose(results[0].y, np.maximum(np.matmul(*double(x, w)) + b, 0), atol=0.02)


@pytest.mark.parametrize("algorithm", ["direct", "im2col"])
def test_convolutions_of_large_kernels(algorithm, fill):
    x, w = fill(1, 260, 250, 3), fill(260, 250, 3, 2)
    y = OneOp("conv", [x, w, None], {"algorithm": algorithm}).run([x, w, None]).y
    check(y[0, 0, 0], np.tensordot(*double(x[0], w), 3))


WEIGHTS = [
    ("direct", (4, 300, 300, 2), 3, 1, 3),
    ("direct", (4, 300, 300, 2), 3, 1, 1),
    ("direct", (1, 300_000, 2), 3, 1, 3),
    ("im2col", (4, 300, 300, 2), 3, 1, 3),
    ("winograd", (4, 300, 300, 2), 3, 1, 3),
    ("winograd", (4, 300, 300, 2), 3, 1, 5),
    ("rows", (4, 300, 300, 2), 3, 1, 3),
    ("depthwise", (4, 300, 300, 3), 3, 3, 3),
    ("depthwise", (4, 300, 300, 3), 6, 3, 3),
    ("grouped", (4, 300, 300, 4), 4, 2, 3),
]


@pytest.mark.parametrize(("algorithm", "shape", "filters", "groups", "side"), WEIGHTS, ids=str)
def test_gradients_of_kernels_over_many_pixels(algorithm, shape, filters, groups, side, fill):
    axes, c = len(shape) - 2, shape[-1]
    x, w, b = fill(*shape), fill(*[side] * axes, c // groups, filters), fill(filters)
    dy = fill(shape[0], *(size - side + 1 for size in shape[1:-1]), filters)
    attributes = {"algorithm": algorithm, "groups": groups}
    found = OneOp("conv", [x, w, b], attributes, wrt=(1, 2)).run([x, w, b], dy).gradients
    check(found[2], dy.reshape(-1, filters).sum(0, dtype=np.float64))
    first = tuple(slice(0, size) for size in dy.shape[:-1])  # tap 0 of each axis sees these pixels
    seen, given = double(x[first].reshape(-1, groups, c // groups), dy.reshape(-1, groups, filters // groups))
    expected = np.einsum("pgc,pgo->cgo", seen, given).reshape(c // groups, filters)
    check(found[1][(0,) * axes], expected)


# ---- What was kept in double, or in blocks, all along


@pytest.mark.parametrize(("shape", "axes"), [((10**7,), [0]), ((10**6, 3), [0]), ((1000, 2, 1000), [0, 2])], ids=str)
@pytest.mark.parametrize("op", ["sum", "mean"])
def test_reductions(op, shape, axes, fill):
    x = fill(*shape)
    expected = np.asarray(getattr(np, op)(x, tuple(axes), dtype=np.float64))
    check(OneOp(op, [x], {"axes": axes}).run([x]).y, expected)


@pytest.mark.parametrize("shape", [(MANY, 3), (4, 500, 500, 2)], ids=str)
def test_batch_norm(shape, fill):
    c, axes = shape[-1], tuple(range(len(shape) - 1))
    x = fill(*shape)
    x.reshape(-1, c)[::2] += 1
    dy, ones, zeros = fill(*shape), np.ones(c, np.float32), np.zeros(c, np.float32)
    inputs = [x, ones, zeros, zeros, ones]
    found = OneOp("batch_norm", inputs, {"training": True}, wrt=(1, 2), training=True).run(inputs, dy)
    x, dy = double(x, dy)
    expected = (x - x.mean(axes)) / np.sqrt(x.var(axes) + 1e-3)
    check(found.y, expected)
    check(found.gradients[2], dy.sum(axes))
    error = np.abs(found.gradients[1] - (dy * expected).sum(axes))
    assert np.all(error <= BOUND * np.abs(dy * expected).sum(axes))


@pytest.mark.parametrize(("shape", "axis"), [((2, MANY), -1), ((MANY, 2), 0)], ids=str)
def test_softmax_of_many_classes(shape, axis, fill):
    x = fill(*shape)
    e = np.exp(double(x)[0])
    check(OneOp("softmax", [x], {"axis": axis}).run([x]).y, e / e.sum(axis, keepdims=True))


@pytest.mark.parametrize("op", ["mean_squared_error", "mean_absolute_error", "l2_loss", "binary_crossentropy"])
def test_losses_over_many_elements(op, fill):
    t, p = np.zeros((1, MANY), np.float32), fill(1, MANY) / 2
    expected = {
        "mean_squared_error": lambda q: np.square(q).mean(),
        "mean_absolute_error": lambda q: q.mean(),
        "l2_loss": lambda q: np.square(q).sum(),
        "binary_crossentropy": lambda q: -np.log(1 - np.maximum(q, 1e-7)).mean(),
    }[op](double(p)[0])
    check(OneOp(op, [t, p], {}).run([t, p]).y, np.array([expected]))
