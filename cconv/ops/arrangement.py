"""The same elements in another order, or several times: turned, moved round, repeated."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Value
from ._apply import apply, is_eager, shape_of
from .arguments import axes as numbers_of_axes
from .arguments import axis as number_of_axis
from .arguments import is_integer, whole
from .operation import operation
from .tensors import convert_to_tensor
from .unknown_sizes import broadcast

__all__ = [
    "flip",
    "fliplr",
    "flipud",
    "ravel",
    "repeat",
    "roll",
    "rot90",
    "swapaxes",
    "tile",
]


@operation("x")
def ravel(x: Any) -> Value:
    """All values in one row.

    Example:

    >>> cconv.ops.ravel([[1, 2], [3, 4]]).tolist()
    [1, 2, 3, 4]
    """
    return apply("reshape", [x], {"shape": [-1]})


@operation("x")
def swapaxes(x: Any, axis1: int, axis2: int) -> Value:
    """`x` with two axes exchanged.

    Example:

    >>> cconv.ops.swapaxes(np.zeros((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    rank = len(shape_of(x))
    a, b = number_of_axis(axis1, rank, "axis1"), number_of_axis(axis2, rank, "axis2")
    order = list(range(rank))
    order[a], order[b] = b, a
    return apply("transpose", [x], {"axes": order})


@operation("x")
def flip(x: Any, axis: int | Sequence[int] | None = None) -> Value:
    """`x` with the order of its elements along `axis` (one, several, or all of them if `None`) reversed.

    Example:

    >>> cconv.ops.flip([[1, 2], [3, 4]], axis=1).tolist()
    [[2, 1], [4, 3]]
    """
    rank = len(shape_of(x))
    for place in range(rank) if axis is None else numbers_of_axes(axis, rank):
        x = _taken(x, place, np.arange(_size(x, place, "flip"))[::-1])
    return convert_to_tensor(x)


@operation("x")
def fliplr(x: Any) -> Value:
    """`x` with its second axis reversed: left and right exchanged.

    Example:

    >>> cconv.ops.fliplr([[1, 2], [3, 4]]).tolist()
    [[2, 1], [4, 3]]
    """
    return _flipped("fliplr", x, 1)


@operation("x")
def flipud(x: Any) -> Value:
    """`x` with its first axis reversed: up and down exchanged.

    Example:

    >>> cconv.ops.flipud([[1, 2], [3, 4]]).tolist()
    [[3, 4], [1, 2]]
    """
    return _flipped("flipud", x, 0)


def _flipped(op: str, x: Any, axis: int) -> Value:
    if len(shape_of(x)) <= axis:
        raise ValueError(f"`{op}` takes a tensor of {axis + 1} axes or more. Received: shape {shape_of(x)}")
    return _taken(x, axis, np.arange(_size(x, axis, op))[::-1])


def _taken(x: Any, axis: int, positions: np.ndarray) -> Value:
    return apply("take", [x, positions.astype(np.int32)], {"axis": axis})


def _size(x: Any, axis: int, op: str) -> int:
    """The size of an axis, which must be known."""
    size = shape_of(x)[axis]
    if size is None:
        raise ValueError(f"`{op}` takes axes of known size. Received: shape {shape_of(x)}, axis {axis}")
    return size


@operation("x")
def roll(x: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Value:
    """`x` moved by `shift` positions along `axis`; what leaves at one end comes in at the other.

    Args:
        x: Tensor.
        shift: Positions towards the end; below 0 towards the beginning. One for each axis, or one for all.
        axis: One axis or several; `None`: all values as one row.

    Example:

    >>> cconv.ops.roll([1, 2, 3, 4], 1).tolist()
    [4, 1, 2, 3]
    """
    shape = shape_of(x)
    if axis is None:
        if any(size is None for size in shape):
            raise ValueError(f"`roll` of all values takes a tensor of a known shape. Received: shape {shape}")
        return apply("reshape", [roll(ravel(x), shift, 0)], {"shape": list(shape)})
    axes = [number_of_axis(a, len(shape)) for a in (axis if isinstance(axis, (list, tuple)) else [axis])]
    shifts = list(shift) if isinstance(shift, (list, tuple)) else [shift] * len(axes)
    if len(shifts) != len(axes):
        raise ValueError(f"`roll` takes a `shift` for each axis. Received: shift={shift}, axis={axis}")
    for place, by in zip(axes, shifts, strict=True):
        n = _size(x, place, "roll")
        x = _taken(x, place, np.roll(np.arange(n), whole(by, "shift")))
    return x


@operation("array")
def rot90(array: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Value:
    """`array` turned by `k` times 90 degrees in the plane of two axes, from the first to the second.

    Example:

    >>> cconv.ops.rot90([[1, 2], [3, 4]]).tolist()
    [[2, 4], [1, 3]]
    """
    rank = len(shape_of(array))
    if rank < 2 or len(axes) != 2:
        raise ValueError(f"`rot90` takes a tensor of 2 axes or more, and 2 axes. Received: rank {rank}, axes={axes}")
    first, second = numbers_of_axes(list(axes), rank, "axes")
    k = whole(k, "k") % 4
    if k == 2:
        return flip(array, (first, second))
    if k == 1:
        return swapaxes(flip(array, second), first, second)
    return flip(swapaxes(array, first, second), second) if k == 3 else convert_to_tensor(array)


@operation("x")
def repeat(x: Any, repeats: int | Sequence[int], axis: int | None = None) -> Value:
    """Each element `repeats` times, one after another.

    Args:
        x: Tensor.
        repeats: How many times; a number for all, or one for each position. In a layer's call, `None` along an axis of
            size 1: the size that the layer's input has along it.
        axis: The axis; `None`: of all values in one row.

    Example:

    >>> cconv.ops.repeat([1, 2], 2).tolist()
    [1, 1, 2, 2]
    """
    if axis is None:
        x, axis = ravel(x), 0
    axis = number_of_axis(axis, len(shape_of(x)))
    if repeats is None:
        return _as_inputs(x, [None if k == axis else 1 for k in range(len(shape_of(x)))])
    counts = np.asarray(repeats)
    if counts.dtype.kind not in "iu" or (counts < 0).any() or not counts.sum():
        raise ValueError(f"`repeat` takes whole numbers of at least 0, not all 0. Received: repeats={repeats}")
    if counts.size == 1 and shape_of(x)[axis] is None:
        return _in_place(x, axis, int(counts.reshape(())), 1)
    n = _size(x, axis, "repeat")
    if counts.size not in (1, n):
        raise ValueError(f"`repeat` takes a number for each of {n} positions. Received: repeats={repeats}")
    return _taken(x, axis, np.repeat(np.arange(n), counts))


def _as_inputs(x: Any, counts: Sequence[int | None]) -> Value:
    """`x` repeated, where a count is `None`, to the size that the layer's input has along the axis."""
    shape = shape_of(x)
    shape = (1,) * (len(counts) - len(shape)) + tuple(shape)
    counts = [1] * (len(shape) - len(counts)) + list(counts)
    if any(count is None and size != 1 for count, size in zip(counts, shape, strict=True)):
        raise ValueError(
            f"Only an axis of size 1 can be repeated a number of times that is not known yet. Received: "
            f"repeats={tuple(counts)} for a tensor of shape {shape}"
        )
    sizes = [None if count is None else size for count, size in zip(counts, shape, strict=True)]
    return broadcast(x, sizes)


def _in_place(x: Any, axis: int, count: int, behind: int) -> Value:
    """`x` repeated along an axis of any size: each element (behind: 1) or the whole of it (0)."""
    shape = shape_of(x)
    new = apply("expand_dims", [x], {"axis": axis + behind})
    sizes = [-1] * (len(shape) + 1)
    sizes[axis + behind] = count
    new = apply("broadcast_to", [new], {"shape": sizes})
    if builtins.sum(size is None for size in shape) > 1:
        raise ValueError(f"Repeating takes a tensor with one axis of unknown size at most. Received: shape {shape}")
    target = [-1 if size is None else size for size in shape]
    target[axis] = -1 if shape[axis] is None else shape[axis] * count
    return apply("reshape", [new], {"shape": target})


@operation("x")
def tile(x: Any, repeats: int | Sequence[int]) -> Value:
    """The whole of `x` several times along each axis.

    Args:
        x: Tensor.
        repeats: A number for each axis, or for the last ones; more than there are axes: new ones before them. In a
            layer's call, `None` for an axis of size 1: the size that the layer's input has along it.

    Example:

    >>> cconv.ops.tile([[1, 2]], (2, 2)).tolist()
    [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    counts = [repeats] if is_integer(repeats) else list(np.ravel(repeats))
    if None in counts:
        x, counts = _as_inputs(x, counts), [1 if count is None else count for count in counts]
    if not all(is_integer(c) and c >= 0 for c in counts):
        raise ValueError(f"`tile` takes whole numbers of at least 0. Received: repeats={repeats}")
    if 0 in counts:
        if is_eager(x):
            return np.tile(convert_to_tensor(x), counts)
        raise ValueError(f"A symbolic tensor cannot be repeated 0 times. Received: repeats={repeats}")
    for _ in range(len(counts) - len(shape_of(x))):
        x = apply("expand_dims", [x], {"axis": 0})
    rank = len(shape_of(x))
    for axis, count in enumerate([1] * (rank - len(counts)) + counts):
        if count > 1:
            x = _in_place(x, axis, count, 0)
    return convert_to_tensor(x)
