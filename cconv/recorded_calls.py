"""Calls of layers that a tape records: traced once, and entered as one unit while nothing has changed."""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from typing import Any

from .array_like import is_array_like
from .changes import Watch
from .dtypes import of, of_array
from .graph import as_input_array, signature
from .program import computed
from .recorded_programs import Unit
from .recorded_tensor import RecordedTensor
from .recording import Record
from .scope import building, current_training, recording
from .tensor import Tensor
from .tree import flatten, map_structure
from .variable import Variable

_MOST_CALLS = 16  # of one layer: shapes, modes
_VALUE = object()  # stands for a tensor in a structure of outputs


class TracedCall:
    """A call for inputs of some shapes.

    Attributes:
        unit: What is recorded.
        structure: How the outputs nest.
        masked: The numbers of those that have a mask.
        count: How many of the unit's outputs these and the masks are; then come penalties.
        penalties: The layers below, by weak reference, and how many each of them added.
    """

    def __init__(
        self, unit: Unit, structure: Any, masked: list[int], count: int, penalties: list[tuple[Any, int]]
    ) -> None:
        self.unit, self.structure, self.masked, self.count = unit, structure, masked, count
        self.penalties = [(weakref.ref(part), n) for part, n in penalties]


class RecordedCalls:
    """What a layer keeps of its calls within tapes. It is told of changes, as planners are."""

    def __init__(self) -> None:
        self._found: dict[Hashable, TracedCall] = {}
        self._units: dict[Hashable, Unit] = {}
        self._watch = Watch()

    def forget(self, name: str) -> None:
        self._found = {}

    def call(self, layer: Any, args: tuple, kwargs: dict[str, Any], record: Record) -> Any:
        """Records a call; returns tensors in the structure that the layer returns."""
        inputs: list[Any] = []
        key = (current_training(), call_key(args, inputs), call_key(kwargs, inputs))
        try:
            traced = self._found.get(key)
        except TypeError:  # an argument that cannot be compared
            traced = key = None
        if traced is None or not self._watch.holds():
            traced = self._trace(layer, args, kwargs, key)
        values = record.unit(traced.unit, inputs)
        at = traced.count
        for i, mask in zip(traced.masked, values[at - len(traced.masked) : at], strict=True):
            values[i].mask = mask
        for reference, n in traced.penalties:
            part, losses, at = reference(), values[at : at + n], at + n
            if part is not None:
                part._array_calls.losses = losses
        rest = iter(values)
        return map_structure(lambda y: next(rest) if y is _VALUE else y, traced.structure)

    def _trace(self, layer: Any, args: tuple, kwargs: dict[str, Any], key: Hashable) -> TracedCall:
        symbols: list[Tensor] = []
        given, named = with_symbols(args, symbols), with_symbols(kwargs, symbols)
        with building, recording() as assigned:
            outputs = layer(*given, **named)
            changes = [value for _, value in assigned.values()]
        parts = layer._tell_changes(self)
        results = [y for y in flatten(outputs) if isinstance(y, Tensor)]
        masked = [i for i, y in enumerate(results) if y.mask is not None]
        tensors = [computed(y) for y in (*results, *(results[i].mask for i in masked))]
        penalties = [(part, len(part._traced_losses)) for part in parts]
        count, tensors = len(tensors), tensors + [computed(x) for part in parts for x in part._traced_losses]
        mark = signature([*tensors, *changes], symbols)
        unit = self._units.get(mark)
        if unit is None:
            if len(self._units) >= _MOST_CALLS:
                self._units.clear()
            unit = self._units[mark] = Unit(tensors, symbols, changes)
        structure = map_structure(lambda y: _VALUE if isinstance(y, Tensor) else y, outputs)
        traced = TracedCall(unit, structure, masked, count, penalties)
        if not self._watch.holds():
            self._found = {}
        self._watch = Watch([layer], self, layer)
        self._watch.observed.clear()
        if key is not None:
            if len(self._found) >= _MOST_CALLS:
                self._found = {}
            self._found[key] = traced
        return traced


def _is_input(x: Any) -> bool:
    return isinstance(x, (RecordedTensor, Variable)) or is_array_like(x)


def call_key(x: Any, inputs: list[Any]) -> Hashable:
    """What of an argument decides how it is traced; its arrays are put into `inputs`."""
    if _is_input(x):
        inputs.append(x)
        mask = x.mask if isinstance(x, RecordedTensor) else None
        if mask is not None:
            inputs.append(mask)
        return (_VALUE, tuple(x.shape), of(x), mask is None)
    if isinstance(x, dict):
        return (dict, *[(name, call_key(x[name], inputs)) for name in sorted(x, key=str)])
    if isinstance(x, (list, tuple)):
        return (type(x), *[call_key(item, inputs) for item in x])
    return (type(x), x)  # 1, 1.0 and True are equal


def with_symbols(x: Any, symbols: list[Tensor]) -> Any:
    """An argument with symbolic tensors in the place of its arrays; these are put into `symbols`, as by `call_key`."""
    if isinstance(x, dict):
        made = {name: with_symbols(x[name], symbols) for name in sorted(x, key=str)}
        return {name: made[name] for name in x}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(with_symbols(item, symbols) for item in x))
    if isinstance(x, (list, tuple)):
        return type(x)(with_symbols(item, symbols) for item in x)
    if not _is_input(x):
        return x
    dtype = x.dtype if isinstance(x, (RecordedTensor, Variable)) else of_array(as_input_array(x).dtype)
    symbol = Tensor(x.shape, dtype=dtype)
    symbols.append(symbol)
    if isinstance(x, RecordedTensor) and x.mask is not None:
        symbol.mask = Tensor(x.mask.shape, dtype=x.mask.dtype)
        symbols.append(symbol.mask)
    return symbol
