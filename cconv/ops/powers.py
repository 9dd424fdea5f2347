"""Powers and roots, element by element."""

from __future__ import annotations

from typing import Any

from ..tensor import Value
from ._apply import apply
from .operation import operation

__all__ = [
    "cbrt",
    "power",
    "reciprocal",
    "rsqrt",
    "sqrt",
    "square",
]


@operation("x1", "x2")
def power(x1: Any, x2: Any) -> Value:
    """`x1 ** x2`."""
    return apply("power", [x1, x2])


@operation("x")
def sqrt(x: Any) -> Value:
    """The square root."""
    return apply("sqrt", [x])


@operation("x", module="math")
def rsqrt(x: Any) -> Value:
    """1 over the square root."""
    return apply("reciprocal", [apply("sqrt", [x])])


@operation("x")
def square(x: Any) -> Value:
    """`x * x`."""
    return apply("square", [x])


@operation("x")
def reciprocal(x: Any) -> Value:
    """`1 / x`."""
    return apply("reciprocal", [x])


@operation("x")
def cbrt(x: Any) -> Value:
    """The cube root."""
    return apply("cbrt", [x])
