"""Poolings beyond the cases every op goes through: what wrong arguments get, ties, NaN, and empty batches."""

import numpy as np
import pytest
from op_harness import OneOp

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
        ((1, 4, 4), {"pool_size": 2}, r"expected x of rank 4 \(n, h, w, c\), received shape \(1, 4, 4\)"),
        ((1, 4, 4, 1), {}, "pool_size"),
        ((1, 4, 4, 1), {"pool_size": 0}, r"pool_size of at least 1, received \(0, 0\)"),
        ((1, 4, 4, 1), {"pool_size": (2, -1)}, r"pool_size of at least 1, received \(2, -1\)"),
        ((1, 4, 4, 1), {"pool_size": (5, 1)}, "no larger than the padded input"),
        ((1, 4, 4, 1), {"pool_size": 2, "strides": (0, 1)}, "strides of at least 1, received 0"),
        ((1, 4, 4, 1), {"pool_size": 2, "strides": (1, 2, 3)}, "1 or 2 strides, received 3"),
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


def test_average_as_tensorflow_counts_it():
    """A published example of Keras: the windows at the end average fewer cells."""
    y = run("avg_pool", image([1, 2, 3], [4, 5, 6], [7, 8, 9]), pool_size=2, strides=1, padding="same").y
    assert y[0, :, :, 0].tolist() == [[3, 4, 4.5], [6, 7, 7.5], [7.5, 8.5, 9]]


def test_equal_maxima_send_the_gradient_to_the_first():
    x = image([5, 5, 1], [5, 5, 1], [1, 1, 1])
    dx = run("max_pool", x, np.array([[[[1], [10]], [[100], [1000]]]], np.float32), pool_size=2, strides=1).gradients[0]
    assert dx[0, :, :, 0].tolist() == [[1, 10, 0], [100, 1000, 0], [0, 0, 0]]


@pytest.mark.parametrize("op", [*POOLS, "global_avg_pool", "global_max_pool"])
def test_nan_stays_in_its_windows(op):
    x = np.random.default_rng(1).random((1, 4, 4, 3)).astype(np.float32)
    x[0, 1, 0, 1] = np.nan
    y = run(op, x, **({} if op.startswith("global") else {"pool_size": 2})).y.reshape(-1, 3)
    assert np.isnan(y[0, 1]) and np.isnan(y).sum() == 1


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


@pytest.mark.parametrize("op", ["global_avg_pool", "global_max_pool"])
def test_global_pools_refuse_empty_images(op):
    with pytest.raises(ValueError, match=r"at least one cell, received shape \(2, 0, 3, 4\)"):
        _core.infer(op, [(2, 0, 3, 4)])
    assert _core.infer(op, [(None, None, None, 4)], {"keepdims": True}) == (None, 1, 1, 4)


@pytest.mark.parametrize("op", [*POOLS, "global_avg_pool", "global_max_pool"])
def test_no_images_and_no_channels(op):
    attributes = {} if op.startswith("global") else {"pool_size": 2}
    for shape in ((0, 4, 4, 2), (2, 4, 4, 0)):
        x = np.zeros(shape, np.float32)
        dy = np.zeros(_core.infer(op, [shape], attributes), np.float32)
        assert run(op, x, dy, **attributes).gradients[0].shape == shape
