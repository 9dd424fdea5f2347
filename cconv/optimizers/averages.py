"""Running averages of weights: they take the weights' place, for a while or for good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


def _pairs(optimizer: Any, variables: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Variables and their averages: those that the optimizer has."""
    known = {id(variable) for variable in optimizer._trainable}
    for variable in variables:
        if id(variable) in known:
            yield variable, optimizer._core_of(variable).slots(variable.core)["average"]


def swap(optimizer: Any, variables: Sequence[Any]) -> None:
    """Exchanges weights and averages. `optimizer.holds_weights` says whether the optimizer has the weights now."""
    for variable, average in _pairs(optimizer, variables):
        value = variable.numpy()
        variable.assign(average.array)
        average.assign(np.array(value, np.float32, order="C"))
    optimizer.holds_weights = not optimizer.holds_weights


def finalize(optimizer: Any, variables: Sequence[Any]) -> None:
    """Gives the variables their averages, which the optimizer keeps, too."""
    for variable, average in _pairs(optimizer, variables):
        if optimizer.holds_weights:
            average.assign(np.array(variable.numpy(), np.float32, order="C"))
        else:
            variable.assign(average.array)
    optimizer.holds_weights = False
