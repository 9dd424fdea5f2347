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
    """The bits that one or both have."""
    return _apply_to_bits("bitwise_or", x, y, "maximum")


@operation("x", "y")
def bitwise_xor(x: Any, y: Any) -> Value:
    """The bits that one of them has, and not both."""
    return _apply_to_bits("bitwise_xor", x, y, "not_equal")


@operation("x")
def bitwise_not(x: Any) -> Value:
    """All bits exchanged: `-x - 1`, of bools the opposite."""
    if of(x) == "bool":
        return apply("equal", [x, False])
    return _apply_to_bits("bitwise_xor", x, -1)


@operation("x")
def bitwise_invert(x: Any) -> Value:
    """The same as `bitwise_not`."""
    return bitwise_not(x)


@operation("x", "y")
def bitwise_left_shift(x: Any, y: Any) -> Value:
    """The bits of `x`, `y` places higher: `x * 2**y`. Without any left, for `y` above 31, it is 0."""
    return _apply_to_bits("left_shift", x, y)


@operation("x", "y")
def left_shift(x: Any, y: Any) -> Value:
    """The same as `bitwise_left_shift`."""
    return _apply_to_bits("left_shift", x, y)


@operation("x", "y")
def bitwise_right_shift(x: Any, y: Any) -> Value:
    """The bits of `x`, `y` places lower: `x / 2**y`, rounded down."""
    return _apply_to_bits("right_shift", x, y)


@operation("x", "y")
def right_shift(x: Any, y: Any) -> Value:
    """The same as `bitwise_right_shift`."""
    return _apply_to_bits("right_shift", x, y)
