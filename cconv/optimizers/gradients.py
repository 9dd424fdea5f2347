"""Gradients that were computed elsewhere: their checks, and the program that makes a step from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..program import Program
from ..tensor import Tensor
from ..warning import warn


def checked(grads: Sequence[Any], variables: Sequence[Any]) -> tuple[list[np.ndarray], list[Any]]:
    """The gradients as arrays, and their variables: those that have one.

    Raises:
        ValueError: Their number or a shape does not fit, a variable is there twice, or none has a gradient.
    """
    if len(grads) != len(variables):
        raise ValueError(f"Expected one gradient for each of {len(variables)} variables. Received: {len(grads)}")
    if len({id(variable) for variable in variables}) != len(variables):
        raise ValueError("Expected each variable once. Received one of them several times.")
    given = [variable for gradient, variable in zip(grads, variables) if gradient is not None]
    if variables and not given:
        raise ValueError("No gradients provided for any variable.")
    if len(given) < len(variables):
        missing = [variable.name for gradient, variable in zip(grads, variables) if gradient is None]
        warn(f"Gradients do not exist for variables {missing} when minimizing the loss.")
    arrays = [np.array(gradient, np.float32, order="C") for gradient in grads if gradient is not None]
    for array, variable in zip(arrays, given):
        if array.shape != tuple(variable.shape):
            raise ValueError(
                f"Expected a gradient of shape {tuple(variable.shape)} for {variable.name}. "
                f"Received: shape {array.shape}"
            )
    return arrays, given


def gradient_program(variables: Sequence[Any], core: Any) -> Program:
    """A program that takes gradients as inputs: they are those of sum(variable * input)."""
    inputs = [Tensor(variable.shape) for variable in variables]
    nodes = [variable.node() for variable in variables]
    root = None
    for x, w in zip(inputs, nodes):
        product = Tensor(w.shape, op="multiply", inputs=(w, x))
        total = Tensor((), op="sum", inputs=(product,))
        root = total if root is None else Tensor((), op="add", inputs=(root, total))
    return Program([], inputs, root=root, wrt=nodes, optimizer=core)
