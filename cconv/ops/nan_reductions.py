"""Reductions that leave out what is no number (NaN)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dtypes import of
from ..tensor import Value
from ._apply import apply, shape_of
from .comparison import isnan
from .cumulation import cumprod, cumsum
from .operation import operation
from .reductions import argmax, argmin, max, min, prod, sum
from .tensors import cast

__all__ = [
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]

Axis = int | Sequence[int] | None


def _filled(x: Any, value: float) -> Value:
    """`x` with a number instead of each NaN."""
    return apply("where", [isnan(x), value, x]) if of(x) == "float32" else x


def _or_nan(y: Value, x: Any, axis: Axis, keepdims: bool) -> Value:
    """`y`, and NaN where all values of `x` over the axis are."""
    if of(x) != "float32":
        return y
    return apply("where", [min(isnan(x), axis, keepdims), float("nan"), y])


@operation("x")
def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """The sum over `axis` of what is not NaN.

    Example:

    >>> cconv.ops.nansum([1.0, float("nan"), 2.0]).tolist()
    3.0
    """
    return sum(_filled(x, 0.0), axis, keepdims)


@operation("x")
def nanprod(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """The product over `axis` of what is not NaN.

    Example:

    >>> cconv.ops.nanprod([[1.0, np.nan], [3.0, 4.0]], axis=1).tolist()
    [1.0, 12.0]
    """
    return prod(_filled(x, 1.0), axis, keepdims)


@operation("x")
def nanmax(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """The largest value over `axis` that is not NaN; NaN where all are.

    Example:

    >>> cconv.ops.nanmax([[1.0, np.nan], [3.0, 4.0]], axis=1).tolist()
    [1.0, 4.0]
    """
    return _or_nan(max(_filled(x, -float("inf")), axis, keepdims), x, axis, keepdims)


@operation("x")
def nanmin(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """The smallest value over `axis` that is not NaN; NaN where all are.

    Example:

    >>> cconv.ops.nanmin([[1.0, np.nan], [3.0, 4.0]], axis=1).tolist()
    [1.0, 3.0]
    """
    return _or_nan(min(_filled(x, float("inf")), axis, keepdims), x, axis, keepdims)


@operation("x")
def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """The mean over `axis` of what is not NaN; NaN where all are.

    Example:

    >>> cconv.ops.nanmean([[1.0, np.nan], [3.0, 4.0]], axis=1).tolist()
    [1.0, 3.5]
    """
    return apply("divide", [nansum(cast(x, "float32"), axis, keepdims), _count(x, axis, keepdims)])


def _count(x: Any, axis: Axis, keepdims: bool) -> Value:
    return sum(cast(apply("equal", [x, x]), "float32"), axis, keepdims)


@operation("x")
def nanvar(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """The variance over `axis` of what is not NaN; NaN where all are.

    Example:

    >>> cconv.ops.nanvar([[1.0, np.nan], [3.0, 4.0]], axis=1).tolist()
    [0.0, 0.25]
    """
    distance = apply("subtract", [x, nanmean(x, axis, True)])
    return nanmean(apply("square", [distance]), axis, keepdims)


@operation("x")
def nanstd(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """The standard deviation over `axis` of what is not NaN; NaN where all are.

    Example:

    >>> cconv.ops.nanstd([[1.0, np.nan], [3.0, 4.0]], axis=1).tolist()
    [0.0, 0.5]
    """
    return apply("sqrt", [nanvar(x, axis, keepdims)])


@operation("x")
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """The position of the largest value that is not NaN; -1 where all are.

    Example:

    >>> cconv.ops.nanargmax([[1.0, np.nan], [3.0, 4.0]], axis=1).tolist()
    [0, 1]
    """
    return _position(argmax, x, -float("inf"), axis, keepdims)


@operation("x")
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """The position of the smallest value that is not NaN; -1 where all are.

    Example:

    >>> cconv.ops.nanargmin([[1.0, np.nan], [3.0, 4.0]], axis=1).tolist()
    [0, 0]
    """
    return _position(argmin, x, float("inf"), axis, keepdims)


def _position(function: Any, x: Any, value: float, axis: int | None, keepdims: bool) -> Value:
    found = function(_filled(x, value), axis, keepdims)
    if of(x) != "float32":
        return found
    nothing = min(isnan(x), axis, keepdims and len(shape_of(x)) > 0)
    return apply("where", [nothing, -1, found])


@operation("x")
def nancumsum(x: Any, axis: int | None = None, dtype: str | None = None) -> Value:
    """The sums of all elements so far along `axis`, NaN counting as 0.

    Example:

    >>> cconv.ops.nancumsum([[1.0, np.nan], [3.0, 4.0]], axis=1).tolist()
    [[1.0, 1.0], [3.0, 7.0]]
    """
    return cumsum(_filled(x, 0.0), axis, dtype)


@operation("x")
def nancumprod(x: Any, axis: int | None = None, dtype: str | None = None) -> Value:
    """The products of all elements so far along `axis`, NaN counting as 1.

    Example:

    >>> cconv.ops.nancumprod([[1.0, np.nan], [3.0, 4.0]], axis=1).tolist()
    [[1.0, 1.0], [3.0, 12.0]]
    """
    return cumprod(_filled(x, 1.0), axis, dtype)
