"""Exponentials and logarithms, and the error function, which is made of them."""

from __future__ import annotations

import math
from typing import Any

from ..tensor import Value
from ._apply import apply
from .operation import operation

__all__ = [
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "logaddexp2",
]


@operation("x", module="math")
def erf(x: Any) -> Value:
    """The error function, `2 / sqrt(pi)` times the integral of `exp(-t**2)` from 0 to `x`.

    Example:

    >>> cconv.ops.erf([0.0, 1.0]).round(4).tolist()
    [0.0, 0.8427000045776367]
    """
    return apply("erf", [x])


@operation("x", module="math")
def erfc(x: Any) -> Value:
    """`1 - erf(x)`, which keeps its digits where `x` is large.

    Example:

    >>> print(cconv.ops.erfc([0.0, 1.0]).round(4))
    [1.     0.1573]
    """
    return apply("erfc", [x])


@operation("x", module="math")
def erfinv(x: Any) -> Value:
    """The number whose `erf` is `x`; infinite at -1 and 1, NaN beyond.

    Example:

    >>> print(cconv.ops.erfinv([0.0, 0.8427]).round(4))
    [0. 1.]
    """
    return apply("erfinv", [x])


@operation("x")
def exp(x: Any) -> Value:
    """The exponential function.

    Example:

    >>> print(cconv.ops.exp([0.0, 1.0]).round(4))
    [1.     2.7183]
    """
    return apply("exp", [x])


@operation("x")
def exp2(x: Any) -> Value:
    """2 to the power `x`.

    Example:

    >>> cconv.ops.exp2([3.0, -1.0]).tolist()
    [8.0, 0.5]
    """
    return apply("exp2", [x])


@operation("x")
def expm1(x: Any) -> Value:
    """`exp(x) - 1`, which keeps its digits where `x` is small.

    Example:

    >>> print(cconv.ops.expm1([0.0, 1.0]).round(4))
    [0.     1.7183]
    """
    return apply("expm1", [x])


@operation("x")
def log(x: Any) -> Value:
    """The natural logarithm.

    Example:

    >>> print(cconv.ops.log([1.0, 10.0]).round(4))
    [0.     2.3026]
    """
    return apply("log", [x])


@operation("x")
def log10(x: Any) -> Value:
    """The logarithm to the base 10.

    Example:

    >>> print(cconv.ops.log10([1.0, 1000.0]).round(4))
    [0. 3.]
    """
    return apply("log10", [x])


@operation("x")
def log1p(x: Any) -> Value:
    """`log(1 + x)`, which keeps its digits where `x` is small.

    Example:

    >>> print(cconv.ops.log1p(1e-10))
    1e-10
    """
    return apply("log1p", [x])


@operation("x")
def log2(x: Any) -> Value:
    """The logarithm to the base 2.

    Example:

    >>> cconv.ops.log2([1.0, 8.0]).tolist()
    [0.0, 3.0]
    """
    return apply("log2", [x])


@operation("x1", "x2")
def logaddexp(x1: Any, x2: Any) -> Value:
    """`log(exp(x1) + exp(x2))`, without overflow.

    Example:

    >>> cconv.ops.logaddexp(1000.0, 1000.0).round(3).tolist()
    1000.6929931640625
    """
    return apply("logaddexp", [x1, x2])


@operation("x1", "x2")
def logaddexp2(x1: Any, x2: Any) -> Value:
    """`log2(2**x1 + 2**x2)`, without overflow.

    Example:

    >>> cconv.ops.logaddexp2([2.0, 3.0], [2.0, 3.0]).tolist()
    [3.0, 4.0]
    """
    y = apply("logaddexp", [apply("multiply", [x, math.log(2)]) for x in (x1, x2)])
    return apply("multiply", [y, 1 / math.log(2)])
