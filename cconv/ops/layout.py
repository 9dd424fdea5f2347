"""The place of the channels: the core has them last."""

from __future__ import annotations

from typing import Any

from ..config import standardize_data_format
from ..tensor import Value
from ._apply import apply, shape_of


def channels_last(data_format: str | None, x: Any) -> tuple[Any, bool]:
    """`x` with the channels last, and whether they came first."""
    if standardize_data_format(data_format) == "channels_last":
        return x, False
    return to_channels_last(x), True


def to_channels_last(x: Any) -> Value:
    """(n, c, ...) -> (n, ..., c)"""
    rank = len(shape_of(x))
    return apply("transpose", [x], {"axes": [0, *range(2, rank), 1]})


def to_channels_first(x: Any) -> Value:
    """(n, ..., c) -> (n, c, ...)"""
    rank = len(shape_of(x))
    return apply("transpose", [x], {"axes": [0, rank - 1, *range(1, rank - 1)]})
