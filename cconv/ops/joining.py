"""Tensors put together and taken apart along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import axis as number_of_axis
from .arguments import is_integer
from .operation import operation

__all__ = [
    "append",
    "array_split",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "split",
    "unstack",
    "vsplit",
    "vstack",
]


@operation("x1", "x2")
def append(x1: Any, x2: Any, axis: int | None = None) -> Value:
    """`x2` after `x1` along `axis` (`None`: the values of both in one row).

    Example:

    >>> cconv.ops.append([1, 2], [3]).tolist()
    [1, 2, 3]
    """
    if axis is None:
        x1, x2 = (apply("reshape", [x], {"shape": [-1]}) for x in (x1, x2))
    return _joined([x1, x2], 0 if axis is None else axis)


def _joined(xs: Sequence[Any], axis: int) -> Value:
    if not xs:
        raise ValueError("Joining takes one tensor or more. Received: none")
    return apply("concatenate", list(xs), {"axis": number_of_axis(axis, len(shape_of(xs[0])))})


def _of_rank(x: Any, rank: int) -> Value:
    """At least this many axes: one of 1 before a vector's, others of 1 behind."""
    shape = list(shape_of(x))
    if len(shape) >= rank:
        return x
    if not shape:
        return apply("reshape", [x], {"shape": [1] * rank})
    if len(shape) == 1 and rank > 1:
        x = apply("expand_dims", [x], {"axis": 0})
    while len(shape_of(x)) < rank:
        x = apply("expand_dims", [x], {"axis": -1})
    return x


@operation("xs")
def hstack(xs: Sequence[Any]) -> Value:
    """The tensors side by side: along the second axis, vectors along their only one.

    Example:

    >>> cconv.ops.hstack([[1, 2], [3]]).tolist()
    [1, 2, 3]
    """
    xs = [_of_rank(x, 1) for x in xs]
    return _joined(xs, 1 if xs and len(shape_of(xs[0])) > 1 else 0)


@operation("xs")
def vstack(xs: Sequence[Any]) -> Value:
    """The tensors one below another: along the first axis, vectors as rows.

    Example:

    >>> cconv.ops.vstack([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    return _joined([_of_rank(x, 2) for x in xs], 0)


@operation("xs")
def dstack(xs: Sequence[Any]) -> Value:
    """The tensors one behind another: along the third axis, which matrices and vectors get.

    Example:

    >>> cconv.ops.dstack([[1, 2], [3, 4]]).tolist()
    [[[1, 3], [2, 4]]]
    """
    return _joined([_of_rank(x, 3) for x in xs], 2)


def _split(op: str, x: Any, indices_or_sections: Any, axis: int, even: bool = True) -> list[Value]:
    shape = shape_of(x)
    axis = number_of_axis(axis, len(shape))
    size = shape[axis]
    if size is None:
        raise ValueError(f"`{op}` takes an axis of known size. Received: shape {shape}, axis={axis}")
    if is_integer(indices_or_sections):
        count = int(indices_or_sections)
        if count < 1 or (even and size % count):
            raise ValueError(
                f"`{op}` takes a number of parts of at least 1{', which divides the axis' if even else ''}. "
                f"Received: indices_or_sections={count} for axis {axis} of shape {shape}"
            )
        ends = np.cumsum([0, *(size // count + (k < size % count) for k in range(count))]).tolist()
    else:
        ends = [slice(None, int(i)).indices(size)[1] for i in np.asarray(indices_or_sections).tolist()]
        ends = [0, *ends, size]
    parts = []
    for begin, end in zip(ends[:-1], ends[1:], strict=True):
        if end <= begin:
            raise ValueError(
                f"`{op}`: no part can be empty. Received: indices_or_sections={indices_or_sections} for axis {axis} of "
                f"shape {shape}"
            )
        starts, sizes = [0] * len(shape), [-1] * len(shape)
        starts[axis], sizes[axis] = begin, end - begin
        parts.append(apply("slice", [x], {"begin": starts, "size": sizes}))
    return parts


@operation("x")
def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Value]:
    """The parts of `x` along `axis`, as a list.

    Args:
        x: Tensor.
        indices_or_sections: How many parts of equal size, or the positions at which new ones begin.
        axis: The axis, of known size.

    Raises:
        ValueError: The axis cannot be split into that many, or a part is empty.

    Example:

    >>> [part.tolist() for part in cconv.ops.split(np.arange(5), [2, 3])]
    [[0, 1], [2], [3, 4]]
    """
    return _split("split", x, indices_or_sections, axis)


@operation("x")
def array_split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Value]:
    """As `split`, but the first parts are one longer where the axis cannot be split evenly.

    Example:

    >>> [part.tolist() for part in cconv.ops.array_split(np.arange(5), 2)]
    [[0, 1, 2], [3, 4]]
    """
    return _split("array_split", x, indices_or_sections, axis, even=False)


@operation("x")
def vsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Value]:
    """The parts of `x` along the first axis; see `split`.

    Example:

    >>> [part.tolist() for part in cconv.ops.vsplit(np.arange(4).reshape(2, 2), 2)]
    [[[0, 1]], [[2, 3]]]
    """
    return _split("vsplit", x, indices_or_sections, 0)


@operation("x")
def hsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Value]:
    """The parts of `x` along the second axis, of a vector along its only one; see `split`.

    Example:

    >>> [part.tolist() for part in cconv.ops.hsplit(np.arange(4).reshape(2, 2), 2)]
    [[[0], [2]], [[1], [3]]]
    """
    return _split("hsplit", x, indices_or_sections, 0 if len(shape_of(x)) == 1 else 1)


@operation("x")
def dsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Value]:
    """The parts of `x` along the third axis; see `split`.

    Example:

    >>> [part.shape for part in cconv.ops.dsplit(np.zeros((1, 2, 4)), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return _split("dsplit", x, indices_or_sections, 2)


@operation("x", module="core")
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Value]:
    """The slices of `x` at each position of `axis`, without that axis, as a list.

    Args:
        x: Tensor.
        num: The size of the axis, if it is not known.
        axis: The axis.

    Example:

    >>> [part.tolist() for part in cconv.ops.unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    shape = shape_of(x)
    axis = number_of_axis(axis, len(shape))
    count = shape[axis] if num is None else num
    if count is None or (shape[axis] is not None and count != shape[axis]):
        raise ValueError(
            f"`unstack` takes an axis of known size, or its size as `num`. "
            f"Received: shape {shape}, axis={axis}, num={num}"
        )
    begin, sizes = [0] * len(shape), [-1] * len(shape)
    sizes[axis] = 1
    parts = []
    for k in range(count):
        begin[axis] = k
        parts.append(apply("squeeze", [apply("slice", [x], {"begin": list(begin), "size": sizes})], {"axes": [axis]}))
    return parts
