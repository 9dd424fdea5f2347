"""Checks of the arguments that layers and ops share: pairs, padding, rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def pair(value: Any, name: str, least: int = 1) -> tuple[int, int]:
    """One whole number for both axes, or two."""
    bound = "> 0" if least == 1 else f">= {least}"
    values = (value, value) if is_integer(value) else value
    try:
        values = tuple(values)
        fits = len(values) == 2 and all(is_integer(v) for v in values)
    except TypeError:
        fits = False
    if not fits:
        raise ValueError(f"The `{name}` argument must be a tuple of 2 integers. Received: {name}={value!r}")
    wrong = {int(v) for v in values if v < least}
    if wrong:
        raise ValueError(
            f"The `{name}` argument must be a tuple of 2 integers. "
            f"Received: {name}={value!r}, including values {wrong} that do not satisfy `value {bound}`"
        )
    return int(values[0]), int(values[1])


def padding(value: Any, explicit: bool = True) -> str | tuple[tuple[int, int], tuple[int, int]]:
    """`"valid"`, `"same"`, or `((top, bottom), (left, right))`."""
    if isinstance(value, str) and value.lower() in ("valid", "same"):
        return value.lower()
    if explicit and isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        return pair(value[0], "padding", 0), pair(value[1], "padding", 0)
    allowed = "'valid', 'same'" + (" or ((top, bottom), (left, right))" if explicit else "")
    raise ValueError(f"The `padding` argument must be one of {allowed}. Received: padding={value!r}")


def padding_attributes(value: Any, explicit: bool = True) -> dict[str, Any]:
    """The attributes `padding` and `pads` of an op."""
    value = padding(value, explicit)
    if isinstance(value, str):
        return {"padding": value}
    (top, bottom), (left, right) = value
    return {"padding": "explicit", "pads": [top, left, bottom, right]}


def positive_integer(value: Any, name: str) -> int:
    if not is_integer(value) or value <= 0:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a strictly positive integer. Received: {name}={value!r}"
        )
    return int(value)


def number(value: Any, name: str, least: float = -math.inf, most: float = math.inf, open_top: bool = False) -> float:
    """A finite number within bounds."""
    if isinstance(value, np.generic):
        value = value.item()
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not good or value < least or value > most or (open_top and value == most):
        if math.isinf(least) and math.isinf(most):
            expected = "a finite number"
        elif math.isinf(most):
            expected = f"a finite number of at least {least:g}"
        else:
            expected = f"a number between {least:g} and {most:g}" + (f" (below {most:g})" if open_top else "")
        raise ValueError(
            f"Invalid value received for argument `{name}`. Expected {expected}. Received: {name}={value!r}"
        )
    return value


def is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
