"""Where symbolic tensors come from."""

from __future__ import annotations

from typing import Any

from ..ops.operation import Node
from ..tensor import Tensor, is_symbolic


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor, which models are made of.

    Example:

    >>> cconv.utils.is_keras_tensor(cconv.Input((4,)))
    True
    """
    return is_symbolic(x)


def get_source_inputs(tensor: Tensor) -> list[Tensor]:
    """The inputs that a symbolic tensor is computed from.

    Args:
        tensor: Made by `cconv.Input`, or by calling layers and functions of `cconv.ops` on such.

    Returns:
        The inputs, each once, in the order in which they are met; `[tensor]` if it is one itself.

    Raises:
        ValueError: `tensor` is no symbolic tensor.

    Example:

    >>> a, b = cconv.Input((4,), name="a"), cconv.Input((4,), name="b")
    >>> [x.name for x in cconv.utils.get_source_inputs(cconv.layers.Add()([a, b]))]
    ['a', 'b']
    """
    if not is_symbolic(tensor):
        raise ValueError(f"Expected a symbolic tensor. Received: tensor={tensor!r} (of type {type(tensor).__name__})")
    found: list[Tensor] = []
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        x = waiting.pop()
        node: Node | None = x.node
        key = id(x) if node is None else id(node)
        if key in seen:
            continue
        seen.add(key)
        if node is None or node.is_input:
            found.append(x)
        else:
            waiting.extend(reversed(node.inputs))
    return found
