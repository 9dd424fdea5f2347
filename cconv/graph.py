"""From symbolic tensors to graphs of the C core."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from . import _core
from .dtypes import accepted, as_numbers
from .tensor import Tensor

_RANDOM = frozenset(name for name, op in _core.ops().items() if op.random)


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


def is_random(op: str) -> bool:
    """Whether an op draws random numbers."""
    return op in _RANDOM


def acts_as_in_training(tensors: Iterable[Tensor]) -> bool:
    """Whether one of them drops at random, or is normalized by its batch: only then does a plan's `training` matter."""
    return any(is_random(t.op) or t.attributes.get("training") for t in tensors)


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
    """A key that two graphs share if they compute the same from the same variables, while these are alive."""
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


def as_input_array(x: Any) -> np.ndarray:
    """A C-contiguous array of a type the core can gather."""
    return accepted(as_numbers(x, "Input"))
