"""Calls of layers on arrays: traced, run, and run again without tracing where nothing has changed."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from ..array_like import is_array_like
from ..dtypes import of_array
from ..graph import as_input_array, signature
from ..program import Program, ProgramCache, computed
from ..recorded_calls import RecordedCalls
from ..recording import record_of
from ..scope import building, recording
from ..seeds import next_seed
from ..tensor import Tensor
from ..tree import flatten, map_structure
from ..variable import Variable
from .tracked import is_container

_MOST_CACHED = 4  # shapes of one layer


class ArrayCalls:
    """What a layer keeps of its calls on arrays.

    Attributes:
        cached: Calls on one array, by its shape and kind of numbers, that need not be traced again.
        losses: The values of what the last call, or step of training, gave to `add_loss`.
    """

    def __init__(self) -> None:
        self._programs = ProgramCache(8)
        self._recorded: RecordedCalls | None = None
        self.cached: dict[tuple[tuple[int, ...], str], CachedCall] = {}
        self.losses: list[np.ndarray] = []

    def forget(self, name: str) -> None:
        # a new dictionary: a call that is being traced in another thread then leaves its result in the old one
        self.cached = {}

    def call(self, layer: Any, args: tuple, kwargs: dict[str, Any], leaves: list[Any]) -> Any:
        """Traces the layer for arrays of these shapes and runs the graph; or records the call."""
        record = record_of(*leaves)
        if record is not None:
            if self._recorded is None:
                self._recorded = RecordedCalls()
            return self._recorded.call(layer, args, kwargs, record)
        arrays: list[np.ndarray] = []
        symbols: list[Tensor] = []

        def replace(x):
            if isinstance(x, Variable):
                x = x.value
            if not is_array_like(x):
                return x
            x = as_input_array(x)
            arrays.append(x)
            symbols.append(Tensor(x.shape, dtype=of_array(x.dtype)))
            return symbols[-1]

        cached = None
        if len(args) == 1 and not kwargs and type(args[0]) is np.ndarray and _is_fixed(layer):
            layer._tell_changes(self)
            cached, given = self.cached, (args[0].shape, args[0].dtype.kind)
        args, kwargs = map_structure(replace, args), map_structure(replace, kwargs)
        with building, recording() as assigned:
            outputs = layer(*args, **kwargs)
            changes = [value for _, value in assigned.values()]
        tensors = [computed(y) for y in flatten(outputs) if isinstance(y, Tensor)]
        parts = layer._flatten_layers()
        penalties = [(part, len(part._traced_losses)) for part in parts if part._traced_losses]
        count, tensors = len(tensors), tensors + [computed(x) for part, _ in penalties for x in part._traced_losses]
        if not tensors and not changes:
            return outputs
        key = signature([*tensors, *changes], symbols)
        program = self._programs.get(key, lambda: Program(tensors, symbols, assigned=changes))
        structure = map_structure(lambda y: _VALUE if isinstance(y, Tensor) else y, outputs)
        if cached is not None and not program.training and not penalties:
            if len(cached) >= _MOST_CACHED:
                cached.clear()
            cached[given] = CachedCall(program, structure)
        values = program.run(arrays, seed=next_seed() if program.training else 0)
        for part in parts:
            part._array_calls.losses = []
        for part, losses in penalties:
            part._array_calls.losses, count = values[count : count + losses], count + losses
        return _arranged(structure, values)


class CachedCall:
    """A call on one array of a known shape, to be repeated without tracing.

    Attributes:
        program: Tells the program, or `None` if it is gone: how long programs are kept is for the cache to say.
    """

    __slots__ = ("program", "_structure")

    def __init__(self, program: Program, structure: Any) -> None:
        self.program = weakref.ref(program)
        self._structure = structure

    def run(self, program: Program, x: np.ndarray) -> Any:
        return _arranged(self._structure, program.run([as_input_array(x)]))


_VALUE = object()  # stands for a computed array in a structure of outputs


def _arranged(structure: Any, arrays: list[np.ndarray]) -> Any:
    if structure is _VALUE:
        return arrays[0]
    values = iter(arrays)
    return map_structure(lambda y: next(values) if y is _VALUE else y, structure)


def _is_fixed(layer: Any) -> bool:
    """Whether attributes alone decide what a call computes, and none can change without being set.

    It is not so where code of the user's is called, or where an attribute is a list.
    """
    return all(
        type(part).__module__.startswith("cconv.")
        and part.activity_regularizer is None
        and all(_is_settled(value) for name, value in vars(part).items() if _is_read(name))
        for part in layer._flatten_layers()
    )


def _is_read(name: str) -> bool:
    """Whether a call may read an attribute of a layer of ours."""
    return not name.startswith("_") and not name.endswith(("_initializer", "_regularizer", "_constraint"))


def _is_settled(value: Any) -> bool:
    if is_container(value) or isinstance(value, np.ndarray):
        return False
    return not callable(value) or str(getattr(value, "__module__", "")).startswith("cconv.")
