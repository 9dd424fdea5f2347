"""Comparisons, logic, and the choice between two values.

Numbers below the normal ones (1.18e-38) count as 0 here, as in all arithmetic of the core; `sign` tells them from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import of
from ..tensor import Value
from ._apply import apply, shape_of
from .arrays import on_arrays
from .operation import operation

__all__ = [
    "allclose",
    "equal",
    "greater",
    "greater_equal",
    "isclose",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "select",
    "where",
]


@operation("x1", "x2")
def equal(x1: Any, x2: Any) -> Value:
    """Whether they are equal, element by element, as bools. Numbers below 1.18e-38 count as 0, in all comparisons.

    Example:

    >>> cconv.ops.equal([1, 2], [1, 3]).tolist()
    [True, False]
    """
    return apply("equal", [x1, x2])


@operation("x1", "x2")
def not_equal(x1: Any, x2: Any) -> Value:
    """Whether they differ.

    Example:

    >>> cconv.ops.not_equal([1, 2], [1, 3]).tolist()
    [False, True]
    """
    return apply("not_equal", [x1, x2])


@operation("x1", "x2")
def greater(x1: Any, x2: Any) -> Value:
    """Whether `x1 > x2`.

    Example:

    >>> cconv.ops.greater([1, 2], [1, 1]).tolist()
    [False, True]
    """
    return apply("greater", [x1, x2])


@operation("x1", "x2")
def greater_equal(x1: Any, x2: Any) -> Value:
    """Whether `x1 >= x2`.

    Example:

    >>> cconv.ops.greater_equal([1, 2], [1, 3]).tolist()
    [True, False]
    """
    return apply("greater_equal", [x1, x2])


@operation("x1", "x2")
def less(x1: Any, x2: Any) -> Value:
    """Whether `x1 < x2`.

    Example:

    >>> cconv.ops.less([1, 2], [1, 3]).tolist()
    [False, True]
    """
    return apply("less", [x1, x2])


@operation("x1", "x2")
def less_equal(x1: Any, x2: Any) -> Value:
    """Whether `x1 <= x2`.

    Example:

    >>> cconv.ops.less_equal([1, 2], [1, 1]).tolist()
    [True, False]
    """
    return apply("less_equal", [x1, x2])


@operation("x1", "x2")
def logical_and(x1: Any, x2: Any) -> Value:
    """Whether both hold, that is, are not 0.

    Example:

    >>> cconv.ops.logical_and([True, True], [True, False]).tolist()
    [True, False]
    """
    return apply("minimum", [_as_bool(x1), _as_bool(x2)])


@operation("x1", "x2")
def logical_or(x1: Any, x2: Any) -> Value:
    """Whether one of them holds.

    Example:

    >>> cconv.ops.logical_or([False, True], [False, False]).tolist()
    [False, True]
    """
    return apply("maximum", [_as_bool(x1), _as_bool(x2)])


@operation("x")
def logical_not(x: Any) -> Value:
    """Whether `x` does not hold, that is, is 0.

    Example:

    >>> cconv.ops.logical_not([True, False]).tolist()
    [False, True]
    """
    return apply("equal", [_as_bool(x), False])


def _as_bool(x: Any) -> Any:
    return x if of(x) == "bool" else apply("cast", [x], {"to": "bool"})


@operation("condition", "x1", "x2")
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """`x1` where `condition` holds (is not 0), else `x2`; without both, of arrays, the positions where it holds.

    Example:

    >>> cconv.ops.where([True, False], [1, 2], 0).tolist()
    [1, 0]
    """
    if x1 is None and x2 is None:
        return tuple(axis.astype(np.int32) for axis in np.nonzero(on_arrays("where", condition)[0]))
    if x1 is None or x2 is None:
        raise ValueError(f"`where` takes both values or none. Received: x1={x1!r}, x2={x2!r}")
    return apply("where", [condition, x1, x2])


@operation("x1", "x2")
def logical_xor(x1: Any, x2: Any) -> Value:
    """Whether one of them holds, and not both.

    Example:

    >>> cconv.ops.logical_xor([True, True], [True, False]).tolist()
    [False, True]
    """
    return apply("not_equal", [_as_bool(x1), _as_bool(x2)])


@operation("x")
def isnan(x: Any) -> Value:
    """Whether it is a NaN.

    Example:

    >>> cconv.ops.isnan([1.0, np.inf, np.nan]).tolist()
    [False, False, True]
    """
    return apply("isnan", [x])


@operation("x")
def isinf(x: Any) -> Value:
    """Whether it is infinite, positive or negative.

    Example:

    >>> cconv.ops.isinf([1.0, np.inf, np.nan]).tolist()
    [False, True, False]
    """
    return apply("isinf", [x])


@operation("x")
def isfinite(x: Any) -> Value:
    """Whether it is neither infinite nor a NaN.

    Example:

    >>> cconv.ops.isfinite([1.0, np.inf, np.nan]).tolist()
    [True, False, False]
    """
    return apply("less", [_size(x), math.inf])


def _size(x: Any) -> Value:
    return apply("abs", [x if of(x) == "float32" else apply("cast", [x], {"to": "float32"})])


@operation("x")
def isneginf(x: Any) -> Value:
    """Whether it is negative infinity.

    Example:

    >>> cconv.ops.isneginf([np.inf, -np.inf]).tolist()
    [False, True]
    """
    return apply("equal", [x, -math.inf])


@operation("x")
def isposinf(x: Any) -> Value:
    """Whether it is positive infinity.

    Example:

    >>> cconv.ops.isposinf([np.inf, -np.inf]).tolist()
    [True, False]
    """
    return apply("equal", [x, math.inf])


@operation("x1", "x2")
def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Value:
    """Whether they differ by no more than `atol + rtol * |x2|`, element by element.

    Args:
        x1: Tensor.
        x2: Tensor of a shape that broadcasts with it.
        rtol: Part of the size of `x2`.
        atol: Absolute part.
        equal_nan: Whether two NaNs are close.

    Example:

    >>> cconv.ops.isclose([1.0, 2.0], [1.000001, 2.1]).tolist()
    [True, False]
    """
    bound = apply("add", [apply("multiply", [_size(x2), rtol]), atol])
    near = apply("less_equal", [_size(apply("subtract", [x1, x2])), bound])
    # infinities are close to themselves only, of which the difference is a NaN
    close = logical_or(apply("equal", [x1, x2]), logical_and(near, isfinite(x2)))
    return logical_or(close, logical_and(isnan(x1), isnan(x2))) if equal_nan else close


@operation("x1", "x2", class_name="AllClose")
def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Value:
    """Whether all elements are close to each other; see `isclose`.

    Example:

    >>> bool(cconv.ops.allclose([1.0, 2.0], [1.0, 2.000001]))
    True
    """
    return apply("min", [isclose(x1, x2, rtol, atol, equal_nan)], {"axes": []})


@operation("x1", "x2", class_name="IsIn")
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Value:
    """Whether each element of `x1` is among those of `x2`.

    Args:
        x1: Tensor.
        x2: Tensor of a known shape.
        assume_unique: Whether no element comes twice; the result is the same.
        invert: Whether to ask which are not among them.

    Example:

    >>> cconv.ops.isin([1, 2, 3], [3, 1]).tolist()
    [True, False, True]
    """
    among = apply("reshape", [x2], {"shape": [-1]})
    last = {"axis": len(shape_of(x1))}
    found = apply("max", [apply("equal", [apply("expand_dims", [x1], last), among])], {"axes": [-1]})
    return logical_not(found) if invert else found


@operation("x")
def isreal(x: Any) -> Value:
    """Whether there is no imaginary part: everywhere, as values have none.

    Example:

    >>> cconv.ops.isreal([1.0, 2.0]).tolist()
    [True, True]
    """
    return apply("greater_equal", [_size(apply("where", [isnan(x), 0, x])), 0])


@operation("condlist", "choicelist", "default")
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Value:
    """The elements of the first choice whose condition holds, `default` where none does.

    Args:
        condlist: Conditions.
        choicelist: A tensor for each; all broadcast.
        default: Tensor or number.

    Example:

    >>> x = np.array([0, 1, 2, 3])
    >>> cconv.ops.select([x < 1, x > 2], [x, 10 * x], -1).tolist()
    [0, -1, -1, 30]
    """
    if not condlist or len(condlist) != len(choicelist):
        raise ValueError(
            "`select` takes one condition or more, and a choice for each. "
            f"Received: {len(condlist)} conditions and {len(choicelist)} choices"
        )
    y = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        y = apply("where", [condition, choice, y])
    return y
