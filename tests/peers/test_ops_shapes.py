"""Shapes, dtypes and values of what `cconv.ops` make of axes and sizes, beside Keras' for the same arguments.

Where Keras on PyTorch is no measure, since it does something else than Keras says and NumPy does, NumPy's result stands
beside the call.
"""

import numpy as np
import pytest

from cconv import ops as ours

keras = pytest.importorskip("keras")
theirs = keras.ops

A = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
R = np.random.default_rng(0).permutation(24).astype(np.float32).reshape(2, 3, 4)
WHOLE = R.astype(np.int32)
B = R > 5
ONES = np.ones((2, 1, 3, 1), np.float32)
AXES = [0, 1, 2, -1, -3]
SETS = [None, 0, -1, (0, 1), (1, 0), (-1, 0), (0, -1, 1)]
SLICES = [
    0, -1, (0, slice(1, 3)), (..., 0), (..., None), None, (0, None, ..., -1), slice(-2, None), (0, 0, 0),
    slice(None, None, 2), (0, slice(None, None, 2)), (slice(0, 2), slice(None), slice(1, 4, 2)), (..., slice(3, 0, -2)),
    (slice(None), slice(None, None, -1)), (1, ..., slice(-1, None, -3)),
]  # fmt: skip

CALLS = [
    *[("expand_dims", (A, axis), {}) for axis in [0, 3, -1, -4, (-1, -2), (0, 1), (1, 0), (-1, 0), (0, 2, 4), (1, -1)]],
    *[("squeeze", (ONES, axis), {}) for axis in [None, 1, -1, (1, 3), (3, 1), (-1, 1), (-3, -1), ()]],
    *[
        (name, (x,), {"axis": axis, "keepdims": keepdims})
        for name in ("mean", "sum", "max", "min", "prod", "var", "std", "logsumexp")
        for x in (R, WHOLE, B)
        for axis in SETS
        for keepdims in (False, True)
        if axis is not None or not keepdims
    ],
    *[("var", (x,), {"axis": ()}) for x in (R, WHOLE, B)],
    *[
        (name, (x,), {"axis": axis, "keepdims": keepdims})
        for name in ("argmax", "argmin")
        for x in (R, WHOLE)
        for axis in [None, *AXES]
        for keepdims in (False, True)
    ],
    *[("argsort", (R,), {"axis": axis}) for axis in [None, *AXES]],
    *[("transpose", (A, axes), {}) for axes in [None, (0, 1, 2), (2, 0, 1), (-1, 0, 1), (-1, -2, -3)]],
    *[
        ("moveaxis", (A, source, destination), {})
        for source, destination in [
            (0, 1),
            (0, -1),
            (-1, 0),
            ((0, 1), (1, 0)),
            ((0, 1), (-1, -2)),
            ([0], [2]),
            ((), ()),
        ]
    ],
    *[("reshape", (A, shape), {}) for shape in [(24,), (4, 6), (-1,), (-1, 4), (2, -1, 2), [6, 4]]],
    *[("concatenate", ([A, R],), {"axis": axis}) for axis in AXES],
    *[("stack", ([A, R],), {"axis": axis}) for axis in [*AXES, 3, -4]],
    ("concatenate", ([A, WHOLE],), {"axis": 0}),
    ("stack", ([WHOLE, B],), {"axis": 0}),
    *[("broadcast_to", (A, shape), {}) for shape in [(2, 3, 4), (5, 2, 3, 4)]],
    *[("pad", (x, width), {}) for x in (A, WHOLE) for width in [((1, 1), (0, 0), (2, 0)), 0]],
    *[("take", (A, indices), {"axis": axis}) for indices in ([0, 1], [[0, 1], [1, 0]], 1) for axis in [None, *AXES]],
    *[("take", (A, indices), {"axis": axis}) for indices in ([-1], np.float32([0, 1])) for axis in AXES],
    ("take_along_axis", (A, [[[0], [1], [2]], [[3], [0], [1]]]), {"axis": -1}),
    ("take_along_axis", (A, [3, 11]), {"axis": None}),
    *[("one_hot", (x, 3), {"axis": axis}) for x in ([0, 2], [[0], [2]], [True, False]) for axis in (-1, 0, 1)],
    *[("one_hot", (np.float32([1, 0]), 3), {"dtype": dtype}) for dtype in ("float32", "int32", "bool")],
    *[
        (name, (n,), {"dtype": dtype})
        for name in ("identity", "eye")
        for n in (0, 2)
        for dtype in (None, "int32", "bool")
    ],
    *[("eye", args, {}) for args in [(2, 3), (2, 3, 1), (2, 3, -1), (3, None, 2), (2, 3, 5)]],
    *[(name, (shape,), {}) for name in ("zeros", "ones") for shape in [(2, 3), (), [2], (0,)]],
    *[("full", ((2, 3), 7), {"dtype": dtype}) for dtype in (None, "int32", "bool")],
    *[("arange", args, {}) for args in [(5,), (1, 5), (1, 5, 2), (5, 1, -1), (0.0, 1.0, 0.25), (5.0,)]],
    *[("softmax", (R,), {"axis": axis}) for axis in AXES],
    *[("log_softmax", (R,), {"axis": axis}) for axis in AXES],
    *[("round", (R / 7, decimals), {}) for decimals in (0, 1, 2)],
    *[("round", (WHOLE, decimals), {}) for decimals in (1, -1)],
    *[("get_item", (A, key), {}) for key in SLICES],
]


@pytest.mark.parametrize(("name", "args", "settings"), CALLS, ids=lambda v: v if isinstance(v, str) else "")
def test_as_keras(name, args, settings):
    mine, right = getattr(ours, name)(*args, **settings), getattr(theirs, name)(*args, **settings)
    right = keras.ops.convert_to_numpy(right)
    mine = np.asarray(mine)
    assert (mine.shape, mine.dtype) == (right.shape, right.dtype)
    np.testing.assert_allclose(mine, right, rtol=2e-6, atol=1e-6)


NUMPY = {
    "keepdims of all": (lambda: ours.sum(R, keepdims=True), R.sum(keepdims=True)),
    "std over no axis": (lambda: ours.std(R, axis=()), np.zeros_like(R)),
    "the last of all": (lambda: ours.take(A, -1), np.float32(23)),
    "one pair for all axes": (lambda: ours.pad(A, ((1, 2),)), np.pad(A, ((1, 2),))),
    "one number for all axes": (lambda: ours.pad(A, 1), np.pad(A, 1)),
    "a class axis before the last": (lambda: ours.one_hot([0, 2], 3, axis=-2), np.eye(3, dtype=np.float32)[[0, 2]].T),
}


@pytest.mark.parametrize("case", NUMPY)
def test_as_numpy(case):
    call, right = NUMPY[case]
    mine = np.asarray(call())
    assert (mine.shape, mine.dtype) == (right.shape, right.dtype)
    np.testing.assert_allclose(mine, right, rtol=2e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ours.expand_dims(A, 5), "from -4 to 3. Received: axis=5"),
        (lambda: ours.expand_dims(A, (0, 0)), "each axis once. Received: axis=\\(0, 0\\)"),
        (lambda: ours.expand_dims(A, (0, -5)), "each axis once"),
        (lambda: ours.expand_dims(A, 1.5), "Received: axis=1.5"),
        (lambda: ours.squeeze(ONES, 0), "expected size 1 along axis 0"),
        (lambda: ours.squeeze(ONES, (1, -3)), "each axis once"),
        (lambda: ours.sum(A, axis=3), "from -3 to 2. Received: axis=3"),
        (lambda: ours.sum(A, axis=1.7), "Received: axis=1.7"),
        (lambda: ours.sum(A, axis=True), "Received: axis=True"),
        (lambda: ours.prod(A, axis=(0, -3)), "each axis once"),
        (lambda: ours.argmax(A, axis=-4), "Received: axis=-4"),
        (lambda: ours.transpose(A, (0, 1)), "each of the 3 axes"),
        (lambda: ours.transpose(A, (0, 1, -4)), "Received: axes=-4"),
        (lambda: ours.moveaxis(A, 3, 0), "Received: source=3"),
        (lambda: ours.moveaxis(A, 0, 3), "Received: destination=3"),
        (lambda: ours.moveaxis(A, (0, 1), (1,)), "a `destination` for each `source`"),
        (lambda: ours.moveaxis(A, (0, 0), (1, 2)), "each axis once"),
        (lambda: ours.concatenate([], axis=0), "one tensor or more"),
        (lambda: ours.stack([], axis=0), "one tensor or more"),
        (lambda: ours.stack([A, A], axis=4), "from -4 to 3"),
        (lambda: ours.one_hot([1], 3, axis=2), "from -2 to 1. Received: axis=2"),
        (lambda: ours.one_hot([0.5], 3), "takes whole numbers as `x`. Received: x of dtype float64, among them 0.5"),
        (lambda: ours.take(A, np.float32([0, 1.5]), axis=0), "indices of dtype float32, among them 1.5"),
        (lambda: ours.take(A, [np.nan], axis=0), "among them nan"),
        (lambda: ours.take_along_axis(A, [[[0.5]]], axis=0), "whole numbers"),
        (lambda: ours.softmax(A, axis=3), "from -3 to 2"),
        (lambda: ours.softmax(A, axis=(0, 0)), "each axis once"),
        (lambda: ours.identity(2.5), "whole numbers"),
        (lambda: ours.eye(-1), "N=-1"),
        (lambda: ours.get_item(A, slice(None, None, 0)), "slice step cannot be zero"),
        (lambda: ours.get_item(A, slice(0, 0, 2)), "cannot be empty"),
    ],
)
def test_what_means_nothing_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
