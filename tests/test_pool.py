"""Poolings beyond the cases every op goes through: what wrong arguments get, ties, NaN, and empty batches."""

import numpy as np
import pytest
from op_harness import OneOp

import cconv
from cconv import _core

POOLS = ("max_pool", "avg_pool", "sum_pool", "l2_pool")


def run(op, x, dy=None, **attributes):
    one = OneOp(op, [x], attributes, wrt=() if dy is None else (0,))
    return one.run([x], dy)


def image(*rows):
    return np.array(rows, np.float32)[None, :, :, None]


@pytest.mark.parametrize(
    "shape, attributes, message",
    [
        ((1, 4), {"pool_size": 2}, r"expected images .* \(n, h, w, c\) .*, received shape \(1, 4\)"),
        ((1, 4, 4, 4, 4, 1), {"pool_size": 2}, r"received shape \(1, 4, 4, 4, 4, 1\)"),
        ((1, 4, 4, 1), {}, "pool_size"),
        ((1, 4, 4, 1), {"pool_size": 0}, "pool_size of at least 1, received 0"),
        ((1, 4, 4, 1), {"pool_size": (2, -1)}, "pool_size of at least 1, received -1"),
        ((1, 4, 4, 1), {"pool_size": (5, 1)}, "no larger than the padded input"),
        ((1, 4, 4, 1), {"pool_size": 2, "strides": (0, 1)}, "strides of at least 1, received 0"),
        ((1, 4, 4, 1), {"pool_size": 2, "strides": (1, 2, 3)}, "strides as 1 or 2 values, received 3"),
        ((1, 4, 4, 1), {"pool_size": 2, "padding": "full"}, "full"),
        ((1, 4, 4, 1), {"pool_size": 2, "padding": "explicit", "pads": (1, 1)}, "4 pads"),
        ((1, 4, 4, 1), {"pool_size": 2, "pads": (1, 1, 1, 1)}, "only for padding"),
        (
            (1, 4, 4, 1),
            {"pool_size": 2, "padding": "explicit", "pads": (0, 0, 2, 0)},
            "pads smaller than the pool_size",
        ),
        ((1, 4, 4, 1), {"pool_size": 2, "padding": "explicit", "pads": (0, -1, 0, 0)}, "pads of at least 0"),
        ((1, 0, 4, 1), {"pool_size": 2, "padding": "explicit", "pads": (1, 0, 1, 0)}, "at least one cell"),
        ((1, 4, 4, 1), {"pool_size": (100000, 100000), "padding": "same"}, "at most 16777216 cells"),
        ((1, 4, 4, 4, 1), {"pool_size": 2**24, "padding": "same"}, "at most 16777216 cells"),
        ((1, 4, 4), {"pool_size": (2, 2)}, "pool_size as 1 value, received 2"),
        ((1, 4, 4, 4, 1), {"pool_size": (2, 2)}, "1 or 3 values, received 2"),
        ((1, 4, 4), {"pool_size": 5}, "5 cells along the width"),
        ((1, 2, 4, 4, 1), {"pool_size": 3}, "3 cells along the depth"),
        ((1, 4, 4), {"pool_size": 6, "strides": 2, "ceil_mode": True}, "no larger than the padded input"),
        ((1, 4, 4), {"pool_size": 2, "padding": "explicit", "pads": (1, 1, 0, 0)}, "expects 2 pads"),
    ],
)
@pytest.mark.parametrize("op", POOLS)
def test_wrong_arguments(op, shape, attributes, message):
    with pytest.raises(ValueError, match=message) as caught:
        _core.infer(op, [shape], attributes, name="pool7")
    assert str(caught.value).startswith(f"pool7 ({op}): ")


def test_padding_is_never_the_maximum():
    x = -1 - np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    y = run("max_pool", x, pool_size=2, strides=2, padding="same").y
    assert y[0, :, :, 0].tolist() == [[-1, -3], [-7, -9]]


def test_padding_counts_in_no_average():
    y = run("avg_pool", np.ones((1, 3, 3, 1), np.float32), pool_size=3, strides=1, padding="same").y
    assert np.all(y == 1)


def test_averages_that_count_padding_count_no_cell_behind_it():
    """In ceil mode: of the last window one cell is in the image, one is padding, one is behind it."""
    x = np.full((1, 4, 1), 6, np.float32)
    settings = {"pool_size": 3, "strides": 2, "padding": "explicit", "pads": (1, 1), "ceil_mode": True}
    assert run("avg_pool", x, **settings).y.ravel().tolist() == [6, 6, 6]
    assert run("avg_pool", x, count_include_pad=True, **settings).y.ravel().tolist() == [4, 6, 3]


@pytest.mark.parametrize(
    "size, pool_size, stride, pads, floor, ceil",
    [
        (8, 3, 2, (0, 0), 3, 4),
        (7, 3, 2, (0, 0), 3, 3),
        (5, 3, 3, (1, 1), 2, 2),  # a third window would begin in the padding
        (4, 3, 2, (1, 1), 2, 3),
        (6, 2, 4, (0, 0), 2, 2),
        (6, 1, 4, (0, 0), 2, 2),  # a third one would begin behind the image
    ],
)
def test_ceil_mode(size, pool_size, stride, pads, floor, ceil):
    settings = {"pool_size": pool_size, "strides": stride, "padding": "explicit", "pads": pads}
    if pads == (0, 0):
        settings = {"pool_size": pool_size, "strides": stride}
    for op in POOLS:
        assert _core.infer(op, [(1, size, 1)], settings) == (1, floor, 1)
        assert _core.infer(op, [(1, size, 1)], {**settings, "ceil_mode": True}) == (1, ceil, 1)


def test_average_as_tensorflow_counts_it():
    """A published example of Keras: the windows at the end average fewer cells."""
    y = run("avg_pool", image([1, 2, 3], [4, 5, 6], [7, 8, 9]), pool_size=2, strides=1, padding="same").y
    assert y[0, :, :, 0].tolist() == [[3, 4, 4.5], [6, 7, 7.5], [7.5, 8.5, 9]]


def test_equal_maxima_send_the_gradient_to_the_first():
    x = image([5, 5, 1], [5, 5, 1], [1, 1, 1])
    dx = run("max_pool", x, np.array([[[[1], [10]], [[100], [1000]]]], np.float32), pool_size=2, strides=1).gradients[0]
    assert dx[0, :, :, 0].tolist() == [[1, 10, 0], [100, 1000, 0], [0, 0, 0]]


@pytest.mark.parametrize("shape", [(1, 4, 3), (1, 4, 4, 3), (1, 4, 4, 4, 3)])
@pytest.mark.parametrize("op", [*POOLS, "global_avg_pool", "global_max_pool"])
def test_nan_stays_in_its_windows(op, shape):
    x = np.random.default_rng(1).random(shape).astype(np.float32)
    x.reshape(-1, 3)[0, 1] = np.nan
    y = run(op, x, **({} if op.startswith("global") else {"pool_size": 2})).y.reshape(-1, 3)
    assert np.isnan(y[0, 1]) and np.isnan(y).sum() == 1


@pytest.mark.parametrize("plane", [0, 1, 2])
def test_nan_in_any_plane_is_the_maximum(plane):
    x = np.random.default_rng(1).random((1, 3, 2, 2, 9)).astype(np.float32)
    x[0, plane, 1, 0, 4] = np.nan
    result = run("max_pool", x, np.ones((1, 1, 1, 1, 9), np.float32), pool_size=(3, 2, 2), activation="relu")
    assert np.isnan(result.y).ravel().tolist() == [i == 4 for i in range(9)]
    finite = np.nan_to_num(x, nan=2).reshape(12, 9)
    others = np.arange(9) != 4
    np.testing.assert_array_equal(result.gradients[0].reshape(12, 9)[:, others], (finite == finite.max(0))[:, others])


@pytest.mark.parametrize("op", POOLS)
def test_an_image_is_a_volume_of_one_plane(op):
    """And a sequence an image of one row: the same bits."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((2, 9, 8, 19)).astype(np.float32)
    settings = {"strides": (2, 1), "padding": "same"}
    dy = rng.standard_normal((2, 5, 8, 19)).astype(np.float32)
    flat = run(op, x, dy, pool_size=(3, 2), **settings)
    deep = run(op, x[:, None], dy[:, None], pool_size=(1, 3, 2), strides=(1, 2, 1), padding="same")
    assert flat.y.tobytes() == deep.y.tobytes() and flat.gradients[0].tobytes() == deep.gradients[0].tobytes()
    row = run(op, x[:, :1].copy(), dy[:, :1].copy(), pool_size=(1, 2), strides=1, padding="same")
    sequence = run(op, x[:, 0].copy(), dy[:, 0].copy(), pool_size=2, strides=1, padding="same")
    assert row.y.tobytes() == sequence.y.tobytes()
    assert row.gradients[0].tobytes() == sequence.gradients[0].tobytes()


def test_norm_of_zeros_has_no_gradient():
    result = run("l2_pool", np.zeros((1, 2, 2, 3), np.float32), np.ones((1, 1, 1, 3), np.float32), pool_size=2)
    assert not result.y.any() and not result.gradients[0].any()


def test_what_a_window_larger_than_a_byte_saves():
    """More than 255 cells: places take four bytes. The maximum sits in the last cell."""
    x = np.arange(16 * 17, dtype=np.float32).reshape(1, 16, 17, 1)
    dx = run("max_pool", x, np.ones((1, 1, 1, 1), np.float32), pool_size=(16, 17)).gradients[0]
    assert dx[0, 15, 16, 0] == 1 and dx.sum() == 1


@pytest.mark.parametrize("op", POOLS)
def test_unknown_sizes_are_passed_on(op):
    assert _core.infer(op, [(None, None, 9, 3)], {"pool_size": 2}) == (None, None, 4, 3)
    assert _core.infer(op, [(None, None, None, None)], {"pool_size": 2, "padding": "same"}) == (None,) * 4
    assert _core.infer(op, [(None, 9, 3)], {"pool_size": 2}) == (None, 4, 3)
    settings = {"pool_size": (2, 3, 4), "strides": (1, 2, 3), "ceil_mode": True}
    assert _core.infer(op, [(None, 9, None, 9, 3)], settings) == (None, 8, None, 3, 3)


@pytest.mark.parametrize("op", ["global_avg_pool", "global_max_pool"])
def test_global_pools_refuse_empty_images(op):
    with pytest.raises(ValueError, match=r"at least one cell, received shape \(2, 0, 3, 4\)"):
        _core.infer(op, [(2, 0, 3, 4)])
    assert _core.infer(op, [(None, None, None, 4)], {"keepdims": True}) == (None, 1, 1, 4)
    assert _core.infer(op, [(None, None, 4)], {"keepdims": True}) == (None, 1, 4)
    assert _core.infer(op, [(None, 2, None, 3, 4)]) == (None, 4)
    with pytest.raises(ValueError, match=r"expected images .*received shape \(2, 4\)"):
        _core.infer(op, [(2, 4)])


@pytest.mark.parametrize("op", [*POOLS, "global_avg_pool", "global_max_pool"])
def test_no_images_and_no_channels(op):
    attributes = {} if op.startswith("global") else {"pool_size": 2}
    for shape in ((0, 4, 4, 2), (2, 4, 4, 0), (0, 4, 2), (2, 4, 0), (0, 4, 4, 4, 2), (2, 4, 4, 4, 0)):
        x = np.zeros(shape, np.float32)
        dy = np.zeros(_core.infer(op, [shape], attributes), np.float32)
        assert run(op, x, dy, **attributes).gradients[0].shape == shape


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_norms_of_windows(p):
    x = np.random.default_rng(0).standard_normal((2, 5, 7, 3)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 3), (1, 2))[:, :, ::2]
    expected = (np.abs(windows) ** p).sum((-2, -1)) ** (1 / p)
    y = cconv.ops.lp_pool(x, p, (2, 3), (1, 2))
    np.testing.assert_allclose(y, expected, rtol=1e-5)
    first = cconv.ops.lp_pool(np.moveaxis(x, -1, 1), p, (2, 3), (1, 2), data_format="channels_first")
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), y)


def test_a_norm_of_zeros_has_no_slope():
    x = cconv.Variable(np.float32([[[0], [0], [3], [-4]]]))
    with cconv.GradientTape() as tape:
        y = cconv.ops.lp_pool(x, 3, 2)
    slope = np.asarray(tape.gradient(y, x))[0, :, 0]
    root = (27 + 64) ** (1 / 3)
    np.testing.assert_allclose(slope, [0, 0, 9 / root**2, -16 / root**2], rtol=1e-5)
    with pytest.raises(ValueError, match="at least 1"):
        cconv.ops.lp_pool(x, 0.5, 2)
