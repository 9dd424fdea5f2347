"""From symbolic tensors to graphs of the C core, and plans for them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from . import _core
from .dtypes import accepted, as_numbers
from .tensor import Tensor


def in_order(outputs: Iterable[Tensor], stop: Iterable[Tensor] = ()) -> list[Tensor]:
    """Every tensor that `outputs` need, each after the ones it reads. Those in `stop` are not looked behind."""
    done: set[int] = set()
    order: list[Tensor] = []
    ends = {id(tensor) for tensor in stop}
    for output in outputs:
        stack = [(output, False)]
        while stack:
            tensor, ready = stack.pop()
            if id(tensor) in done:
                continue
            if ready or id(tensor) in ends:
                done.add(id(tensor))
                order.append(tensor)
                continue
            stack.append((tensor, True))
            stack.extend((x, False) for x in reversed(tensor.inputs) if x is not None and id(x) not in done)
    return order


def build_graph(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> tuple[_core.Graph, dict[int, int]]:
    """Makes the C graph that computes `outputs` from `inputs`.

    Args:
        outputs: The tensors wanted.
        inputs: Symbolic inputs, in the order in which a run will be given their arrays. All become inputs of the graph,
            read or not.

    Returns:
        The graph, and the number of each tensor's node by `id(tensor)`. Variables are found as `id(variable.node())`.

    Raises:
        ValueError: An output needs an input that is not among `inputs`.
    """
    graph = _core.Graph()
    ids: dict[int, int] = {}
    for tensor in inputs:
        if id(tensor) in ids:
            raise ValueError(f"The inputs of a graph must differ. Received twice: {tensor!r}")
        ids[id(tensor)] = graph.input(tensor.shape, tensor.name, tensor.dtype)
    for tensor in in_order(outputs, inputs):
        if id(tensor) in ids:
            continue
        if tensor.op == "input":
            raise ValueError(f"The outputs need {tensor!r}, which is not among the inputs {list(inputs)!r}.")
        if tensor.op == "variable":
            ids[id(tensor)] = graph.variable(tensor.value.core, tensor.name)
        elif tensor.op == "constant":
            ids[id(tensor)] = graph.constant(tensor.value, tensor.name)
        else:
            nodes = [0 if x is None else ids[id(x)] for x in tensor.inputs]
            ids[id(tensor)] = graph.add(tensor.op, nodes, tensor.attributes, tensor.name)
    return graph, ids


def signature(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> Hashable:
    """A key that two graphs share if they compute the same from the same variables."""
    numbers: dict[int, int] = {id(tensor): -1 - i for i, tensor in enumerate(inputs)}
    parts: list[Hashable] = [tuple((tensor.shape, tensor.dtype) for tensor in inputs)]
    for tensor in in_order(outputs, inputs):
        if id(tensor) in numbers:
            continue
        numbers[id(tensor)] = len(parts)
        if tensor.op == "variable":
            parts.append(("variable", id(tensor.value)))
        elif tensor.op == "constant":
            parts.append(("constant", tensor.shape, tensor.dtype, tensor.value.tobytes()))
        else:
            reads = tuple(0 if x is None else numbers[id(x)] for x in tensor.inputs)
            parts.append((tensor.op, reads, freeze(tensor.attributes)))
    parts.append(tuple(numbers[id(tensor)] for tensor in outputs))
    return tuple(parts)


def freeze(attributes: dict[str, Any]) -> Hashable:
    """Attributes as something that can be a key of a dictionary."""
    return tuple(
        (k, tuple(v) if isinstance(v, (list, tuple, np.ndarray)) else v) for k, v in sorted(attributes.items())
    )


class PlanCache:
    """The plans used last, each with a lock: a plan serves one thread at a time.

    At most `size` are kept, and of those that say how much memory they hold at most `budget` bytes (the newest stays
    anyway).
    """

    def __init__(self, size: int, budget: int = 1 << 28) -> None:
        self.size = size
        self.budget = budget
        self._plans: OrderedDict[Hashable, tuple[threading.Lock, Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._newest: tuple[Hashable, Any] | None = None  # the last found: it stands at the end already

    def find(self, key: Hashable) -> Any:
        """The plan of `key`, if it is there."""
        newest = self._newest
        if newest is not None and newest[0] == key:
            return newest[1]
        with self._lock:
            found = self._plans.get(key)
            if found is None:
                return None
            self._plans.move_to_end(key)
            self._newest = key, found[1]
            return found[1]

    def get(self, key: Hashable, make) -> tuple[threading.Lock, Any]:
        """The lock and the plan of `key`; `make()` makes what is not there yet."""
        with self._lock:
            found = self._plans.get(key)
            if found is not None:
                self._newest = None
                self._plans.move_to_end(key)
                return found
        made = (threading.Lock(), make())
        with self._lock:
            self._newest = None
            found = self._plans.setdefault(key, made)
            self._plans.move_to_end(key)
            while len(self._plans) > self.size or (len(self._plans) > 1 and self._bytes() > self.budget):
                self._plans.popitem(last=False)
        return found

    def _bytes(self) -> int:
        return sum(
            getattr(value[0] if isinstance(value, tuple) else value, "bytes", 0) for _, value in self._plans.values()
        )

    def items(self) -> list[tuple[Hashable, Any]]:
        """The keys and plans, those used longest ago first."""
        with self._lock:
            return [(key, made) for key, (_, made) in self._plans.items()]

    def clear(self) -> None:
        with self._lock:
            self._newest = None
            self._plans.clear()

    def __len__(self) -> int:
        return len(self._plans)

    def __deepcopy__(self, memo):
        return PlanCache(self.size)

    def __reduce__(self):
        return PlanCache, (self.size,)


def as_input_array(x: Any) -> np.ndarray:
    """A C-contiguous array of a type the core can gather."""
    return accepted(as_numbers(x, "Input"))
