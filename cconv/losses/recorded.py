"""Calls of losses that a tape records: traced once for all losses that are alike, and entered as one unit."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from ..config import epsilon
from ..program import computed
from ..recorded_calls import call_key, with_symbols
from ..recorded_programs import Unit
from ..recorded_tensor import RecordedTensor
from ..recording import Record
from ..scope import building, recording
from ..tensor import Tensor

_MOST = 256
_units: dict[Hashable, Unit] = {}


def entered(loss: Any, given: tuple, record: Record) -> RecordedTensor | None:
    """The value of a loss, which is code of this package only; `None` if a setting cannot be compared.

    Args:
        loss: The loss.
        given: Targets, predictions, weights: arrays, tensors, variables or `None`.
        record: Where it is entered.
    """
    inputs: list[Any] = []
    settings = tuple([(k, type(v), tuple(v) if isinstance(v, list) else v) for k, v in loss.settings.items()])
    key = (type(loss), loss.fn, loss.name, loss.reduction, settings, epsilon(), call_key(given, inputs))
    try:
        unit = _units.get(key)
    except TypeError:
        return None
    if unit is None:
        unit = _traced(loss, given)
        if len(_units) >= _MOST:
            _units.clear()
        _units[key] = unit
    return record.unit(unit, inputs)[0]


def _traced(loss: Any, given: tuple) -> Unit:
    symbols: list[Tensor] = []
    given = with_symbols(given, symbols)
    with building, recording():
        value = loss(*given)
    return Unit([computed(value)], symbols, [])
