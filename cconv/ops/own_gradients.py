"""Functions with a gradient of their own, for tapes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..recorded_tensor import RecordedTensor
from ..recording import record_of
from ..tensor import Tensor
from ..tree import flatten, pack
from ..variable import Variable
from .tensors import stop_gradient

__all__ = ["custom_gradient"]


class Custom:
    """A call of a function with a gradient of its own.

    Attributes:
        inputs: What gradients go on to.
        outputs: What it returned, as a list.
        first: The number of the first output in the record.
    """

    def __init__(self, name: str, inputs: list[Any], outputs: list[Any], function: Callable) -> None:
        self._name, self.inputs, self.outputs, self._function = name, inputs, outputs, function
        self.first = outputs[0].index

    def backward(self, upstream: list[Any]) -> list[Any]:
        """The gradients by the inputs, from those by the outputs."""
        shaped = [np.zeros(y.shape, np.float32) if g is None else g
                  for g, y in zip(upstream, self.outputs, strict=True)]  # fmt: skip
        given = self._function(*shaped)
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(given) != len(self.inputs):
            raise ValueError(
                f"custom_gradient: the gradient of {self._name!r} must return one gradient for each of its "
                f"{len(self.inputs)} inputs. Received: {len(given)}"
            )
        return given


def custom_gradient(f: Callable) -> Callable:
    """Gives a function a gradient of its own, for tapes.

    Args:
        f: A function of tensors that returns its result and a function, which from the gradient by each result makes
            the gradient by each argument.

    Returns:
        The function, which returns the result only.

    Raises:
        NotImplementedError: It is called on symbolic tensors: in the `call` of a layer, or to make a model.

    Example:

    >>> @cconv.ops.custom_gradient
    ... def reversed_gradient(x):
    ...     return x * 1.0, lambda dy: -dy
    >>> v = cconv.Variable([1.0, 2.0])
    >>> with cconv.GradientTape() as tape:
    ...     y = cconv.ops.sum(reversed_gradient(v * 3.0))
    >>> tape.gradient(y, v).tolist()
    [-3.0, -3.0]
    """

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Tensor) for x in flatten([args, kwargs])):
            raise NotImplementedError(
                f"custom_gradient: {getattr(f, '__name__', f)!r} was called on a symbolic tensor. A gradient of one's "
                "own is for what a GradientTape records outside of layers and models, which are traced into graphs."
            )
        outputs, function = f(*args, **kwargs)
        record = record_of()
        if record is None:
            return outputs
        ends = [stop_gradient(y) for y in flatten(outputs)]
        inputs = [x for x in flatten(args) if isinstance(x, (RecordedTensor, np.ndarray, Variable))]
        inputs = [x * 1.0 if isinstance(x, Variable) else x for x in inputs]
        record.customs.append(Custom(getattr(f, "__name__", str(f)), inputs, ends, function))
        return pack(outputs, ends)

    return call
