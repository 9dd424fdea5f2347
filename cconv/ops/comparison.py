"""Comparisons, logic, and the choice between two values.

Numbers below the normal ones (1.18e-38) count as 0 here, as in all arithmetic of the core; `sign` tells them from it.
"""

from __future__ import annotations

from typing import Any

from ..dtypes import of
from ..tensor import Value
from ._apply import apply
from .operation import operation

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "not_equal",
    "where",
]


@operation("x1", "x2")
def equal(x1: Any, x2: Any) -> Value:
    """Whether they are equal, element by element, as bools. Numbers below 1.18e-38 count as 0, in all comparisons."""
    return apply("equal", [x1, x2])


@operation("x1", "x2")
def not_equal(x1: Any, x2: Any) -> Value:
    """Whether they differ."""
    return apply("not_equal", [x1, x2])


@operation("x1", "x2")
def greater(x1: Any, x2: Any) -> Value:
    """Whether `x1 > x2`."""
    return apply("greater", [x1, x2])


@operation("x1", "x2")
def greater_equal(x1: Any, x2: Any) -> Value:
    """Whether `x1 >= x2`."""
    return apply("greater_equal", [x1, x2])


@operation("x1", "x2")
def less(x1: Any, x2: Any) -> Value:
    """Whether `x1 < x2`."""
    return apply("less", [x1, x2])


@operation("x1", "x2")
def less_equal(x1: Any, x2: Any) -> Value:
    """Whether `x1 <= x2`."""
    return apply("less_equal", [x1, x2])


@operation("x1", "x2")
def logical_and(x1: Any, x2: Any) -> Value:
    """Whether both hold, that is, are not 0."""
    return apply("minimum", [_as_bool(x1), _as_bool(x2)])


@operation("x1", "x2")
def logical_or(x1: Any, x2: Any) -> Value:
    """Whether one of them holds."""
    return apply("maximum", [_as_bool(x1), _as_bool(x2)])


@operation("x")
def logical_not(x: Any) -> Value:
    """Whether `x` does not hold, that is, is 0."""
    return apply("equal", [_as_bool(x), False])


def _as_bool(x: Any) -> Any:
    return x if of(x) == "bool" else apply("cast", [x], {"to": "bool"})


@operation("condition", "x1", "x2")
def where(condition: Any, x1: Any, x2: Any) -> Value:
    """`x1` where `condition` holds (is not 0), else `x2`.

    Example:

    >>> cconv.ops.where([True, False], [1, 2], 0).tolist()
    [1, 0]
    """
    return apply("where", [condition, x1, x2])
