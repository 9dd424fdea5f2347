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
    "steps_per_execution",
    "jit_compile",
)


def check_compile(model: Any, run_eagerly: bool, steps_per_execution: int, jit_compile: str | bool | None) -> None:
    """Refuses what `compile` cannot do, and models with steps of their own."""
    if run_eagerly:
        raise ValueError("`run_eagerly=True` is not supported: models always run as a graph.")
    count("steps_per_execution", steps_per_execution)
    if jit_compile not in ("auto", True, False, None):
        raise ValueError(f"`jit_compile`: expected 'auto', True or False. Received: {jit_compile!r}")
    for method in ("train_step", "test_step", "predict_step", "compute_loss"):
        if hasattr(type(model), method):
            raise ValueError(
                f"{type(model).__name__} defines `{method}`, which is not supported: a step is one call into "
                "the core. Write a custom loss, metric or layer instead."
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
