"""Calls of a layer with weights that are handed over, which leave the layer as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..scope import building, is_tracing


def stateless_call(
    layer: Any, trainable: Sequence[Any], fixed: Sequence[Any], args: tuple, return_losses: bool, kwargs: dict[str, Any]
) -> tuple:
    """What `Layer.stateless_call` does.

    The layer's variables are lent the values for the length of the call, and get their own back in any case.
    """
    if not layer.built:
        raise ValueError(
            f"Layer '{layer.name}' must be built before `stateless_call()`: call it on data, or `build(input_shape)`."
        )
    if is_tracing():
        raise ValueError(f"Layer '{layer.name}': `stateless_call()` takes arrays, and cannot be part of a traced call.")
    with building:
        lent = [
            *_matched(layer, "trainable_variables", layer.trainable_variables, trainable),
            *_matched(layer, "non_trainable_variables", layer.non_trainable_variables, fixed),
        ]
        own = [(variable, variable.numpy()) for variable, _ in lent]
        try:
            for variable, value in lent:
                variable.assign(value)
            outputs = layer(*args, **kwargs)
            losses = list(layer.losses) if return_losses else []
            state = [variable.numpy() for variable in layer.non_trainable_variables]
        finally:
            for variable, value in own:
                variable.assign(value)
    return (outputs, state, losses) if return_losses else (outputs, state)


def _matched(layer: Any, name: str, variables: Sequence[Any], values: Sequence[Any]) -> list[tuple[Any, np.ndarray]]:
    if not isinstance(values, (list, tuple)) or len(values) != len(variables):
        count = len(values) if isinstance(values, (list, tuple)) else repr(values)
        raise ValueError(
            f"Argument `{name}` must be a list of arrays, one for each of the {len(variables)} in "
            f"`{type(layer).__name__}.{name}` ('{layer.name}'). Received: {count}"
        )
    pairs = [(variable, np.array(value, np.float32)) for variable, value in zip(variables, values, strict=True)]
    for variable, value in pairs:
        if variable.shape != value.shape:
            raise ValueError(
                f"Argument `{name}`: expected shape {variable.shape} for variable '{variable.path}'. "
                f"Received: an array of shape {value.shape}"
            )
    return pairs
