"""Checks of the arguments that layers and ops share: whole numbers for each axis, padding, rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..scope import current_name


def integers(value: Any, count: int, name: str, least: int = 1) -> tuple[int, ...]:
    """One whole number for all of `count` axes, or one for each."""
    bound = "> 0" if least == 1 else f">= {least}"
    expected = f"a tuple of {count} integer{'s' * (count > 1)}"
    values = (value,) * count if is_integer(value) else value
    try:
        values = tuple(values) if len(values) == count else ()
        fits = len(values) == count and all(is_integer(v) for v in values)
    except TypeError:
        fits = False
    if not fits:
        raise ValueError(f"The `{name}` argument must be {expected}. Received: {name}={value!r}")
    wrong = {int(v) for v in values if v < least}
    if wrong:
        raise ValueError(
            f"The `{name}` argument must be {expected}. "
            f"Received: {name}={value!r}, including values {wrong} that do not satisfy `value {bound}`"
        )
    return tuple(int(v) for v in values)


def pair(value: Any, name: str, least: int = 1) -> tuple[int, int]:
    """One whole number for both, or two."""
    first, second = integers(value, 2, name, least)
    return first, second


def sides(value: Any, rank: int, name: str) -> tuple[tuple[int, int], ...]:
    """Cells before and after each of `rank` axes: one number for all, one for each axis, or a pair for each axis."""
    axes = (value,) * rank if is_integer(value) else value
    if not isinstance(axes, (list, tuple)) or len(axes) != rank:
        raise ValueError(
            f"The `{name}` argument must be an integer, or {rank} integers or pairs of integers, one for each axis. "
            f"Received: {name}={value!r}"
        )
    return tuple(pair(axis, name, 0) for axis in axes)


def padding(
    value: Any, explicit: bool = True, rank: int = 2, causal: bool = False
) -> str | tuple[tuple[int, int], ...]:
    """`"valid"`, `"same"`, perhaps `"causal"`, or a pair `(before, after)` for each of `rank` axes."""
    names = ("valid", "same", "causal") if causal else ("valid", "same")
    if isinstance(value, str) and value.lower() in names:
        return value.lower()
    if explicit and isinstance(value, Sequence) and not isinstance(value, str) and len(value) == rank:
        return tuple(pair(axis, "padding", 0) for axis in value)
    pairs = ("((before, after),)", "((top, bottom), (left, right))", "((front, back), (top, bottom), (left, right))")
    allowed = ", ".join(map(repr, names)) + (f" or {pairs[rank - 1]}" if explicit else "")
    raise ValueError(f"The `padding` argument must be one of {allowed}. Received: padding={value!r}")


def padding_attributes(value: Any, explicit: bool = True, rank: int = 2) -> dict[str, Any]:
    """The attributes `padding` and `pads` of an op."""
    value = padding(value, explicit, rank)
    if isinstance(value, str):
        return {"padding": value}
    return {"padding": "explicit", "pads": pads(value)}


def pads(axes: Sequence[tuple[int, int]]) -> list[int]:
    """The attribute `pads` of an op: of pairs `(before, after)` all before, then all after."""
    return [before for before, _ in axes] + [after for _, after in axes]


def axis(value: Any, rank: int, name: str = "axis") -> int:
    """The number of an axis of `rank`, counted from the first: one below 0 counts from the last.

    Raises:
        ValueError: It is no whole number, or there is no such axis.
    """
    if not is_integer(value) or not -rank <= value < rank:
        owner = current_name()
        there_are = f"from {-rank} to {rank - 1}" if rank else "and a scalar has none"
        raise ValueError(
            f"{owner + ': ' if owner else ''}The `{name}` argument must be the number of an axis, {there_are}. "
            f"Received: {name}={value!r}"
        )
    return int(value) % rank


def axes(value: Any, rank: int, name: str = "axis") -> list[int]:
    """The numbers of several axes, or of one, in the order given; each may come once."""
    found = [axis(v, rank, name) for v in (value if isinstance(value, (list, tuple)) else [value])]
    if len(set(found)) < len(found):
        raise ValueError(f"The `{name}` argument must name each axis once. Received: {name}={value} of {rank} axes.")
    return found


def positive_integer(value: Any, name: str) -> int:
    if not is_integer(value) or value <= 0:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a strictly positive integer. Received: {name}={value!r}"
        )
    return int(value)


def number(value: Any, name: str, least: float = -math.inf, most: float = math.inf, open_top: bool = False) -> float:
    """A finite number within bounds."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim):
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


def numbers(value: Any, name: str, least: float = -math.inf) -> Any:
    """A finite number, or a list, tuple or array of them."""
    for item in np.ravel(value).tolist() if isinstance(value, (list, tuple, np.ndarray)) else [value]:
        number(item, name, least)
    return value


def whole(value: Any, name: str, least: float = -math.inf) -> int:
    """A whole number."""
    if not is_integer(value) or value < least:
        expected = "an integer" if math.isinf(least) else f"an integer of at least {least}"
        raise ValueError(
            f"Invalid value received for argument `{name}`. Expected {expected}. Received: {name}={value!r}"
        )
    return int(value)


def one_axis_or_more(value: Any, name: str) -> Any:
    """An axis, several, or `None`, as they were given."""
    several = value if isinstance(value, (list, tuple)) else () if value is None else (value,)
    for axis in several:
        if not is_integer(axis) or abs(axis) >= 2**31:
            raise ValueError(
                f"Invalid value received for argument `{name}`. Expected an integer, several, or None. "
                f"Received: {name}={value!r}"
            )
    return value


def is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
