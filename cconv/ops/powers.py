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
    """`x1 ** x2`.

    Example:

    >>> cconv.ops.power([2.0, 3.0], 2.0).tolist()
    [4.0, 9.0]
    """
    return apply("power", [x1, x2])


@operation("x")
def sqrt(x: Any) -> Value:
    """The square root.

    Example:

    >>> cconv.ops.sqrt([4.0, 9.0]).tolist()
    [2.0, 3.0]
    """
    return apply("sqrt", [x])


@operation("x", module="math")
def rsqrt(x: Any) -> Value:
    """1 over the square root.

    Example:

    >>> cconv.ops.rsqrt([4.0, 0.25]).tolist()
    [0.5, 2.0]
    """
    return apply("reciprocal", [apply("sqrt", [x])])


@operation("x")
def square(x: Any) -> Value:
    """`x * x`.

    Example:

    >>> cconv.ops.square([3, -4]).tolist()
    [9, 16]
    """
    return apply("square", [x])


@operation("x")
def reciprocal(x: Any) -> Value:
    """`1 / x`.

    Example:

    >>> cconv.ops.reciprocal([2.0, -4.0]).tolist()
    [0.5, -0.25]
    """
    return apply("reciprocal", [x])


@operation("x")
def cbrt(x: Any) -> Value:
    """The cube root.

    Example:

    >>> cconv.ops.cbrt([8.0, -27.0]).tolist()
    [2.0, -3.0]
    """
    return apply("cbrt", [x])
