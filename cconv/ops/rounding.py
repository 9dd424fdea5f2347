"""Whole numbers beside a number, and signs."""

from __future__ import annotations

import builtins
import math
from typing import Any

from ..dtypes import of
from ..tensor import Value
from ._apply import apply
from .arguments import is_integer
from .comparison import logical_or
from .operation import operation
from .tensors import cast

__all__ = [
    "ceil",
    "floor",
    "round",
    "sign",
    "signbit",
    "trunc",
]


@operation("x")
def floor(x: Any) -> Value:
    """The largest whole number not above `x`.

    Example:

    >>> cconv.ops.floor([1.5, -1.5]).tolist()
    [1.0, -2.0]
    """
    return apply("floor", [x])


@operation("x")
def ceil(x: Any) -> Value:
    """The smallest whole number not below `x`.

    Example:

    >>> cconv.ops.ceil([1.5, -1.5]).tolist()
    [2.0, -1.0]
    """
    return apply("ceil", [x])


@operation("x")
def round(x: Any, decimals: int = 0) -> Value:
    """The nearest whole number, or the nearest multiple of `10**-decimals`; halves go to the even one.

    Example:

    >>> cconv.ops.round([2.5, 0.126], 2).tolist()
    [2.5, 0.12999999523162842]
    """
    if not is_integer(decimals):
        raise ValueError(f"The `decimals` argument must be a whole number. Received: decimals={decimals!r}")
    if of(x) != "float32" and decimals >= 0:
        return apply("identity", [x])
    if decimals == 0:
        return apply("round", [x])
    scale = 10.0 ** builtins.abs(decimals)
    there, back = ("multiply", "divide") if decimals > 0 else ("divide", "multiply")
    y = apply(back, [apply("round", [apply(there, [x, scale])]), scale])
    return y if of(x) == "float32" else cast(y, "int32")


@operation("x")
def sign(x: Any) -> Value:
    """-1, 0 or 1, by the sign itself: also of numbers below the normal ones, which comparisons take for 0.

    Example:

    >>> cconv.ops.sign([-2.0, 0.0, 3.0]).tolist()
    [-1.0, 0.0, 1.0]
    """
    return apply("identity" if of(x) == "bool" else "sign", [x])


@operation("x")
def trunc(x: Any) -> Value:
    """`x` without its fraction, rounded towards 0.

    Example:

    >>> cconv.ops.trunc([1.5, -1.5]).tolist()
    [1.0, -1.0]
    """
    return apply("trunc" if of(x) == "float32" else "identity", [x])


@operation("x")
def signbit(x: Any) -> Value:
    """Whether the sign is negative, of -0.0, too.

    Example:

    >>> cconv.ops.signbit([-1.0, -0.0, 0.0]).tolist()
    [True, True, False]
    """
    if of(x) != "float32":
        return apply("less", [x, 0])
    # 1 / -0.0 is below 0; -infinity is made 0 by it, so it is asked for itself
    return logical_or(apply("less", [x, 0.0]), apply("equal", [apply("reciprocal", [x]), -math.inf]))
