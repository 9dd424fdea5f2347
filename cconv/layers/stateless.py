"""Calls of a layer with weights that are handed over, which leave the layer as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
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
        with _lending(lent):
            outputs = layer(*args, **kwargs)
            losses = list(layer.losses) if return_losses else []
            state = [variable.numpy() for variable in layer.non_trainable_variables]
    return (outputs, state, losses) if return_losses else (outputs, state)


def stateless_loss(
    model: Any, trainable: Sequence[Any], fixed: Sequence[Any], metrics: Sequence[Any], arguments: dict[str, Any]
) -> tuple:
    """What `Model.stateless_compute_loss` does, in the same way."""
    groups = ("trainable_variables", "non_trainable_variables", "metrics_variables")
    with building:
        given = zip(groups, (trainable, fixed, metrics), strict=True)
        lent = [pair for name, values in given for pair in _matched(model, name, getattr(model, name), values)]
        with _lending(lent):
            loss = model.compute_loss(**arguments)
            return loss, tuple([variable.numpy() for variable in getattr(model, name)] for name in groups)


@contextlib.contextmanager
def _lending(pairs: Sequence[tuple[Any, np.ndarray]]) -> Iterator[None]:
    """Inside, variables have other values; they get their own back in any case."""
    own = [(variable, variable.numpy()) for variable, _ in pairs]
    try:
        for variable, value in pairs:
            variable.assign(value)
        yield
    finally:
        for variable, value in own:
            variable.assign(value)


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
