"""Bits of whole numbers, which are int32. Of bools the same is logic."""

from __future__ import annotations

from typing import Any

from ..dtypes import of, result_type
from ..tensor import Value
from ._apply import apply
from .operation import operation

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "left_shift",
    "right_shift",
]


def _apply_to_bits(op: str, x: Any, y: Any, of_bools: str | None = None) -> Value:
    kind = result_type(of(x), of(y))
    if kind == "float32":
        raise TypeError(f"`{op}` takes whole numbers or bools. Received: types {of(x)} and {of(y)}")
    return apply(of_bools if of_bools and kind == "bool" else op, [x, y])


@operation("x", "y")
def bitwise_and(x: Any, y: Any) -> Value:
    """The bits that both have.

    Example:

    >>> cconv.ops.bitwise_and([6, 5], 3).tolist()
    [2, 1]
    """
    return _apply_to_bits("bitwise_and", x, y, "minimum")


@operation("x", "y")
def bitwise_or(x: Any, y: Any) -> Value:
    """The bits that one or both have.

    Example:

    >>> cconv.ops.bitwise_or([5, 4], 3).tolist()
    [7, 7]
    """
    return _apply_to_bits("bitwise_or", x, y, "maximum")


@operation("x", "y")
def bitwise_xor(x: Any, y: Any) -> Value:
    """The bits that one of them has, and not both.

    Example:

    >>> cconv.ops.bitwise_xor([5, 4], 1).tolist()
    [4, 5]
    """
    return _apply_to_bits("bitwise_xor", x, y, "not_equal")


@operation("x")
def bitwise_not(x: Any) -> Value:
    """All bits exchanged: `-x - 1`, of bools the opposite.

    Example:

    >>> cconv.ops.bitwise_not([0, 5]).tolist()
    [-1, -6]
    """
    if of(x) == "float32":
        raise TypeError("`bitwise_not` takes whole numbers or bools. Received: type float32")
    return apply("equal", [x, False]) if of(x) == "bool" else apply("bitwise_not", [x])


@operation("x")
def bitwise_invert(x: Any) -> Value:
    """The same as `bitwise_not`.

    Example:

    >>> cconv.ops.bitwise_invert([0, 5]).tolist()
    [-1, -6]
    """
    return bitwise_not(x)


@operation("x", "y")
def bitwise_left_shift(x: Any, y: Any) -> Value:
    """The bits of `x`, `y` places higher: `x * 2**y`. Without any left, for `y` above 31, it is 0.

    Example:

    >>> cconv.ops.bitwise_left_shift([1, 5], 2).tolist()
    [4, 20]
    """
    return _apply_to_bits("left_shift", x, y)


@operation("x", "y")
def left_shift(x: Any, y: Any) -> Value:
    """The same as `bitwise_left_shift`.

    Example:

    >>> cconv.ops.left_shift([1, 5], 2).tolist()
    [4, 20]
    """
    return _apply_to_bits("left_shift", x, y)


@operation("x", "y")
def bitwise_right_shift(x: Any, y: Any) -> Value:
    """The bits of `x`, `y` places lower: `x / 2**y`, rounded down.

    Example:

    >>> cconv.ops.bitwise_right_shift([8, -8], 1).tolist()
    [4, -4]
    """
    return _apply_to_bits("right_shift", x, y)


@operation("x", "y")
def right_shift(x: Any, y: Any) -> Value:
    """The same as `bitwise_right_shift`.

    Example:

    >>> cconv.ops.right_shift([8, -8], 1).tolist()
    [4, -4]
    """
    return _apply_to_bits("right_shift", x, y)
