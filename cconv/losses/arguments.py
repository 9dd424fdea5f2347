"""What the settings of the loss functions may be, by their names, which all of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..ops.arguments import number, numbers, one_axis_or_more, whole

_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "axis": one_axis_or_more,
    "alpha": lambda value, name: (numbers if np.size(value) else number)(value, name),
    "beta": number,
    "delta": lambda value, name: number(value, name, 0),
    "gamma": number,
    "ignore_class": lambda value, name: None if value is None else whole(value, name),
    "label_smoothing": lambda value, name: number(value, name, 0, 1),
}


def checked(function: Callable, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a function as they were given; those of functions of the user's may be anything.

    Raises:
        TypeError: It is no function.
        ValueError: A setting is nothing that the function could use.
    """
    if not callable(function):
        raise TypeError(f"Expected a function of (y_true, y_pred). Received: fn={function!r}")
    if is_ours(function):
        for name, value in settings.items():
            if name in _CHECKS:
                _CHECKS[name](value, name)
    return dict(settings)


def is_ours(what: Any) -> bool:
    """Whether a class or a function is one of this package."""
    return str(getattr(what, "__module__", "")).startswith("cconv.")
