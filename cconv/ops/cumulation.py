"""Sums and products of all elements so far, differences of neighbours, areas under curves."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import of
from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import axis as number_of_axis
from .arguments import whole
from .operation import operation
from .tensors import cast

__all__ = [
    "cumprod",
    "cumsum",
    "diff",
    "trapezoid",
]


@operation("x")
def cumsum(
    x: Any, axis: int | None = None, dtype: str | None = None, exclusive: bool = False, reverse: bool = False
) -> Value:
    """The sums of all elements so far along `axis` (`None`: of all values in one row).

    Args:
        x: Tensor.
        axis: The axis.
        dtype: What is summed: float32 or int32; `None`: the type of `x`, of bools int32.
        exclusive: With true a sum is without the element itself: the first one is 0.
        reverse: With true sums begin at the last element.

    Example:

    >>> cconv.ops.cumsum([1, 2, 3]).tolist()
    [1, 3, 6]
    >>> cconv.ops.cumsum([1, 2, 3], exclusive=True, reverse=True).tolist()
    [5, 3, 0]
    """
    return _cumulate("cumsum", x, axis, dtype, exclusive=bool(exclusive), reverse=bool(reverse))


@operation("x")
def cumprod(x: Any, axis: int | None = None, dtype: str | None = None) -> Value:
    """The products of all elements so far along `axis`; see `cumsum`.

    Example:

    >>> cconv.ops.cumprod([1, 2, 3, 4]).tolist()
    [1, 2, 6, 24]
    """
    return _cumulate("cumprod", x, axis, dtype)


def _cumulate(op: str, x: Any, axis: int | None, dtype: str | None, **settings: bool) -> Value:
    x = x if dtype is None else cast(x, dtype)
    if axis is None:
        return apply(op, [apply("reshape", [x], {"shape": [-1]})], {"axis": 0, **settings})
    return apply(op, [x], {"axis": number_of_axis(axis, len(shape_of(x))), **settings})


@operation("a")
def diff(a: Any, n: int = 1, axis: int = -1) -> Value:
    """Each element less the one before it along `axis`, `n` times; of bools whether they differ.

    Example:

    >>> cconv.ops.diff([1, 4, 9, 16]).tolist()
    [3, 5, 7]
    """
    axis = number_of_axis(axis, len(shape_of(a)))
    for _ in range(whole(n, "n", 0)):
        after, before = _without(a, axis, first=True), _without(a, axis, first=False)
        a = apply("not_equal" if of(a) == "bool" else "subtract", [after, before])
    return a if n else apply("identity", [a])


def _without(x: Any, axis: int, first: bool) -> Value:
    """`x` without its first or its last element along an axis."""
    shape = shape_of(x)
    size = shape[axis]
    if size is None or size < 2:
        raise ValueError(
            f"Differences take two elements or more along axis {axis}, of a known number. Received: shape {shape}"
        )
    begin, sizes = [0] * len(shape), [-1] * len(shape)
    begin[axis], sizes[axis] = int(first), size - 1
    return apply("slice", [x], {"begin": begin, "size": sizes})


@operation("y", "x")
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Value:
    """The area under `y` along `axis` by the trapezoidal rule.

    Args:
        y: Heights.
        x: Where they are: a tensor of the shape of `y`, or of one axis; `None`: `dx` apart.
        dx: The distance, without `x`.
        axis: The axis.

    Example:

    >>> cconv.ops.trapezoid([1.0, 2.0, 3.0]).tolist()
    4.0
    """
    rank = len(shape_of(y))
    axis = number_of_axis(axis, rank)
    width = dx
    if x is not None:
        one = len(shape_of(x)) == 1
        width = diff(x, axis=0 if one else axis)
        if one and rank > 1:
            width = apply("reshape", [width], {"shape": [-1 if k == axis else 1 for k in range(rank)]})
    both = apply("add", [_without(y, axis, first=True), _without(y, axis, first=False)])
    area = apply("multiply", [apply("multiply", [both, np.float32(0.5)]), width])
    return apply("sum", [area], {"axes": [axis], "keepdims": False})
