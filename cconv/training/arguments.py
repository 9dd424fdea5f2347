"""Checks of the arguments of `compile`, `fit` and their kin."""

from __future__ import annotations

from collections.abc import Container
from itertools import islice
from typing import Any

import numpy as np

#: Those of `compile` that a configuration may set.
SAVED_ARGUMENTS = (
    "optimizer",
    "loss",
    "loss_weights",
    "metrics",
    "weighted_metrics",
    "run_eagerly",
    "steps_per_execution",
    "jit_compile",
)


def check_compile(steps_per_execution: int, jit_compile: str | bool | None) -> None:
    """Refuses what `compile` cannot do."""
    count("steps_per_execution", steps_per_execution)
    if jit_compile not in ("auto", True, False, None):
        raise ValueError(f"`jit_compile`: expected 'auto', True or False. Received: {jit_compile!r}")


def check_compiled(method: str, targets: Any, optimizer: Any = None, trains: bool = False) -> None:
    """Refuses a method of a model that lacks what it needs."""
    if targets is None:
        missing = "the model has no loss and no optimizer."
        raise ValueError(f"You must call `compile()` before calling `{method}()`: {missing}")
    if trains and optimizer is None:
        raise ValueError(
            f"`{method}()` needs an optimizer. The model was compiled with `optimizer=None`: it can be evaluated."
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
