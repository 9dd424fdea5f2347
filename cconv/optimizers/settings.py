"""Settings of optimizers that live in the core, and how the core writes them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# what stands for None in the core; of others -1
_NONE = {"ema_overwrite_frequency": 0, "gradient_accumulation_steps": 1, "warmup_steps": 0, "ns_steps": 0}


class Setting:
    """An attribute of an optimizer that lives in the core: assigning it takes effect at the next step."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Any, owner: type) -> Any:
        return self if optimizer is None else optimizer._in_core[self.name]

    def __set__(self, optimizer: Any, value: Any) -> None:
        optimizer._set_in_core(self.name, value)
        optimizer._in_core[self.name] = value


def given(names: dict[str, Any], *own: str) -> dict[str, Any]:
    """The arguments of a constructor, which is about to hand them on.

    Args:
        names: Its `locals()`.
        *own: What is not to be handed on.
    """
    return {name: value for name, value in names.items() if name not in ("self", "__class__", *own)}


def number(name: str, value: Any) -> float:
    """A number.

    Raises:
        TypeError: It is none.
        ValueError: It is NaN.
    """
    try:
        found = float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"Expected a number for `{name}`. Received: {name}={value!r}") from error
    if math.isnan(found):
        raise ValueError(f"Expected a number for `{name}`. Received: {name}=nan")
    return found


def for_core(name: str, value: Any) -> Any:
    """A setting as the core takes it."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if value is None:
        return _NONE.get(name, -1.0)
    return int(value) if name in _NONE else number(name, value)


def check_averaging(use_ema: bool, momentum: Any, overwrite_frequency: Any, accumulation_steps: Any) -> None:
    """Checks the settings of averages and of accumulation, which every optimizer has.

    Raises:
        ValueError: If one is out of range.
    """
    if use_ema and not (isinstance(momentum, (int, float, np.number)) and 0 <= momentum <= 1):
        raise ValueError(f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={momentum}")
    counts = (
        ("ema_overwrite_frequency", overwrite_frequency, 1),
        ("gradient_accumulation_steps", accumulation_steps, 2),
    )
    for name, value, least in counts:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if value is not None and not (whole and value >= least):
            raise ValueError(f"`{name}` must be an integer >= {least} or None. Received: {name}={value!r}")
