"""Checks of the arguments of `compile`, `fit` and their kin."""

from __future__ import annotations

from collections.abc import Container
from itertools import islice
from typing import Any

import numpy as np


def check_compile(steps_per_execution: int, jit_compile: str | bool | None) -> None:
    """Refuses what `compile` cannot do."""
    if isinstance(steps_per_execution, bool) or steps_per_execution != 1:
        raise ValueError(f"`steps_per_execution`: expected 1. Received: {steps_per_execution!r}")
    if jit_compile not in ("auto", False, None):
        raise ValueError(
            f"`jit_compile`: expected 'auto' or False, there is nothing to compile. Received: {jit_compile!r}"
        )


def count(name: str, value: Any, least: int = 1, optional: bool = False) -> int | None:
    """An integer of at least `least`, or `None` where it is optional."""
    if value is None and optional:
        return None
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"`{name}`: expected an integer of at least {least}. Received: {value!r}")
    return int(value)


def check_verbose(verbose: Any) -> None:
    """Refuses what is no level of `verbose`."""
    if not (verbose == "auto" or (isinstance(verbose, (bool, int, np.integer)) and 0 <= verbose <= 2)):
        raise ValueError(f"`verbose`: expected 'auto', 0, 1 or 2. Received: {verbose!r}")


def is_due(epoch: int, frequency: int | Container[int]) -> bool:
    """Whether an epoch (from 1) is among those meant: every so many, or those listed."""
    return epoch % frequency == 0 if isinstance(frequency, int) else epoch in frequency


def is_due_again(initial_epoch: int, epochs: int, frequency: int | Container[int]) -> bool:
    """Whether more than one of these epochs is due."""
    if isinstance(frequency, int):
        return epochs // frequency - initial_epoch // frequency > 1
    return len(set(islice((epoch for epoch in frequency if initial_epoch < epoch <= epochs), 2))) > 1
