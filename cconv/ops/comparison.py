"""Comparisons, logic, and the choice between two values."""

from __future__ import annotations

from typing import Any

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
    """1 where equal, else 0."""
    return apply("equal", [x1, x2])


@operation("x1", "x2")
def not_equal(x1: Any, x2: Any) -> Value:
    """1 where different, else 0."""
    return apply("not_equal", [x1, x2])


@operation("x1", "x2")
def greater(x1: Any, x2: Any) -> Value:
    """1 where `x1 > x2`, else 0."""
    return apply("greater", [x1, x2])


@operation("x1", "x2")
def greater_equal(x1: Any, x2: Any) -> Value:
    """1 where `x1 >= x2`, else 0."""
    return apply("greater_equal", [x1, x2])


@operation("x1", "x2")
def less(x1: Any, x2: Any) -> Value:
    """1 where `x1 < x2`, else 0."""
    return apply("less", [x1, x2])


@operation("x1", "x2")
def less_equal(x1: Any, x2: Any) -> Value:
    """1 where `x1 <= x2`, else 0."""
    return apply("less_equal", [x1, x2])


@operation("x1", "x2")
def logical_and(x1: Any, x2: Any) -> Value:
    """1 where both are not 0, else 0."""
    return apply("multiply", [apply("not_equal", [x1, 0]), apply("not_equal", [x2, 0])])


@operation("x1", "x2")
def logical_or(x1: Any, x2: Any) -> Value:
    """1 where one is not 0, else 0."""
    return apply("maximum", [apply("not_equal", [x1, 0]), apply("not_equal", [x2, 0])])


@operation("x")
def logical_not(x: Any) -> Value:
    """1 where `x` is 0, else 0."""
    return apply("equal", [x, 0])


@operation("condition", "x1", "x2")
def where(condition: Any, x1: Any, x2: Any) -> Value:
    """`x1` where `condition` is not 0, else `x2`.

    Example:

    >>> cconv.ops.where([True, False], [1, 2], 0).tolist()
    [1.0, 0.0]
    """
    return apply("where", [condition, x1, x2])
