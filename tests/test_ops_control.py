"""Choices and loops: Python's on arrays, chosen and unrolled in models."""

import numpy as np
import pytest

import cconv
from cconv import ops

A = np.float32([[1, -2, 3], [4, 5, -6]])


def computed(function, *arrays):
    """What a model of the function says, which must be what it says at once."""
    inputs = [cconv.Input(batch_shape=x.shape, dtype=str(x.dtype)) for x in arrays]
    outputs = function(*inputs)
    found = cconv.Model(inputs, outputs)(list(arrays))
    np.testing.assert_allclose(np.asarray(found), np.asarray(function(*arrays)), rtol=1e-6)
    return found


@pytest.mark.parametrize("sign", [1, -1])
def test_cond(sign):
    found = computed(lambda x: ops.cond(ops.sum(x) > 0, lambda: x * 2, lambda: x - 1), sign * A)
    np.testing.assert_array_equal(found, 2 * A if sign > 0 else -A - 1)


def test_cond_of_structures():
    first, second = ops.cond(False, lambda: (1, 2), lambda: (3, 4))
    assert (first, second) == (3, 4)
    x = cconv.Input(batch_shape=(2,))
    y = ops.cond(ops.max(x) > 0, lambda: {"a": x, "b": None}, lambda: {"a": -x, "b": None})
    assert y["b"] is None
    np.testing.assert_array_equal(cconv.Model(x, y["a"])(np.float32([-1, -2])), [1, 2])
    with pytest.raises(ValueError, match="as many tensors. Received: 1 and 2"):
        ops.cond(ops.max(x) > 0, lambda: x, lambda: (x, x))
    with pytest.raises(TypeError, match="two functions"):
        ops.cond(True, 1, 2)


@pytest.mark.parametrize(("index", "factor"), [(-3, 1), (0, 1), (1, 10), (2, 100), (9, 100)])
def test_switch(index, factor):
    branches = [lambda x: x, lambda x: x * 10, lambda x: x * 100]
    found = computed(lambda x, i: ops.switch(i, branches, x), A, np.int32(index))
    np.testing.assert_array_equal(found, A * np.float32(factor))


def test_loops_at_once():
    assert ops.while_loop(lambda i: i < 3, lambda i: i + 1, 0) == 3
    assert ops.while_loop(lambda i, s: i < 9, lambda i, s: (i + 1, s * 2), [0, 1], maximum_iterations=4) == [4, 16]
    assert ops.fori_loop(2, 5, lambda i, s: s + i, 0) == 9
    assert ops.fori_loop(5, 2, lambda i, s: s + i, 7) == 7


def test_a_loop_of_known_steps_is_unrolled():
    found = computed(lambda x: ops.fori_loop(0, 3, lambda i, y: y * x + i, x), A)
    np.testing.assert_allclose(found, ((A * A) * A + 1) * A + 2, rtol=1e-6)
    found = computed(lambda x: ops.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 2), (0, x))[1], A)
    np.testing.assert_array_equal(found, 8 * A)


def test_a_loop_whose_end_the_data_decide():
    def halve(x):
        return ops.while_loop(lambda y: ops.max(y) > 1, lambda y: y / 2, x, maximum_iterations=5)

    np.testing.assert_array_equal(computed(halve, np.float32([6, 1])), [0.75, 0.125])
    np.testing.assert_array_equal(computed(halve, np.float32([64, 1])), [2, 1 / 32])
    x = cconv.Input(batch_shape=(2,))
    with pytest.raises(NotImplementedError, match="takes `maximum_iterations`"):
        ops.while_loop(lambda y: ops.max(y) > 1, lambda y: y / 2, x)
    with pytest.raises(NotImplementedError, match="known numbers as `lower` and `upper`"):
        ops.fori_loop(0, ops.cast(ops.sum(x), "int32"), lambda i, y: y, x)


@pytest.mark.parametrize("reverse", [False, True])
def test_scan(reverse):
    def sums(x):
        carry, ys = ops.scan(lambda c, row: (c + row, c * row), x[0] * 0, x, reverse=reverse)
        return ops.concatenate([ys, ops.expand_dims(carry, 0)])

    rows = A[::-1] if reverse else A
    before = np.cumsum(np.vstack([0 * A[:1], rows]), 0)
    products = before[:-1] * rows
    expected = np.vstack([products[::-1] if reverse else products, before[-1:]])
    np.testing.assert_array_equal(computed(sums, A), expected)


def test_scan_without_rows_and_of_structures():
    carry, ys = ops.scan(lambda c, _: (c * 2, c), np.int32(1), length=4)
    assert (int(carry), ys.tolist()) == (16, [1, 2, 4, 8])
    carry, ys = ops.scan(lambda c, x: (c + x["a"], {"s": x["a"] * x["b"]}), 0.0, {"a": A[0], "b": A[1]})
    assert float(carry) == 2 and ys["s"].tolist() == (A[0] * A[1]).tolist()
    with pytest.raises(ValueError, match="neither"):
        ops.scan(lambda c, x: (c, x), 0)
    with pytest.raises(ValueError, match="the same known size"):
        ops.scan(lambda c, x: (c, c), A[0], cconv.Input((3,)))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_associative_scan(n, axis, reverse):
    x = np.random.default_rng(0).integers(-3, 4, (n, 3, 2) if axis == 0 else (2, n, n)).astype(np.float32)
    found = computed(lambda v: ops.associative_scan(lambda a, b: a + b, v, reverse=reverse, axis=axis), x)
    turned = np.flip(x, axis) if reverse else x
    expected = np.cumsum(turned, axis)
    np.testing.assert_array_equal(found, np.flip(expected, axis) if reverse else expected)


def test_associative_scan_keeps_the_order():
    """Of a function that is associative, and not commutative: the later of two."""
    x = np.arange(5, dtype=np.float32)
    np.testing.assert_array_equal(ops.associative_scan(lambda a, b: b, x), x)


@pytest.mark.parametrize("function", [ops.map, ops.vectorized_map])
def test_map(function):
    np.testing.assert_array_equal(
        computed(lambda x: function(lambda row: ops.sum(row) * row, x), A), A.sum(1)[:, None] * A
    )
    first, second = function(lambda pair: (pair[0] + pair[1], pair[0]), (A, 2 * A))
    np.testing.assert_array_equal(first, 3 * A)
    np.testing.assert_array_equal(second, A)
    with pytest.raises(ValueError, match="the same known size"):
        function(lambda row: row, cconv.Input((3,)))


def test_gradients_flow_through_what_was_chosen():
    x = cconv.Input((2,))
    layer = cconv.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    y = ops.cond(ops.sum(x) > 0, lambda: layer(x), lambda: 0 * layer(x))
    model = cconv.Model(x, y)
    model.compile(cconv.optimizers.SGD(1.0), "mean_absolute_error")
    model.train_on_batch(np.float32([[-3, 1]]), np.float32([[5]]))
    np.testing.assert_array_equal(layer.kernel.numpy(), [[1], [1]])
    model.train_on_batch(np.float32([[3, 1]]), np.float32([[9]]))
    np.testing.assert_array_equal(layer.kernel.numpy(), [[4], [2]])


@pytest.mark.parametrize("bounds", [(float("inf"), 3), (0, float("nan"))])
def test_a_loop_without_an_end_is_refused(bounds):
    with pytest.raises(ValueError, match="whole numbers"):
        ops.fori_loop(*bounds, lambda i, s: s + i, 0)
