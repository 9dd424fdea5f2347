"""All variables of a model as nested dictionaries, by the parts of their paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def variables_of(model: Any) -> dict[str, list[Any]]:
    """The variables by what they are for."""
    optimizer = model.optimizer
    return {
        "trainable_variables": model.trainable_variables,
        "non_trainable_variables": model.non_trainable_variables,
        "optimizer_variables": [] if optimizer is None else list(optimizer.variables),
        "metrics_variables": model.metrics_variables,
    }


def state_tree(model: Any) -> dict[str, dict[str, Any]]:
    """What `Model.get_state_tree` returns."""
    return {kind: _nested(model, variables) for kind, variables in variables_of(model).items()}


def _nested(model: Any, variables: list[Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for variable in variables:
        *parts, name = variable.path.split("/")
        place = tree
        for part in parts:
            place = place.setdefault(part, {})
        if name in place:
            raise ValueError(f"Model '{model.name}' has two variables of the path '{variable.path}'.")
        place[name] = np.array(variable.value)
    return tree


def set_state_tree(model: Any, tree: Mapping[str, Any]) -> None:
    """What `Model.set_state_tree` does."""
    found = variables_of(model)
    values = []
    for kind, part in tree.items():
        if kind not in found:
            raise ValueError(f"Unknown variable name: {kind!r}. Expected some of {sorted(found)}.")
        known = {variable.path: variable for variable in found[kind]}
        for path, value in _paths(part):
            if path not in known:
                raise ValueError(f"Model '{model.name}' has no variable '{path}' among its {kind}: {sorted(known)}")
            variable, array = known[path], np.asarray(value)
            if array.shape != np.shape(variable.value):
                raise ValueError(
                    f"Variable '{path}' of model '{model.name}': expected shape {np.shape(variable.value)}. "
                    f"Received: an array of shape {array.shape}"
                )
            values.append((variable, array))
    for variable, array in values:  # all of them or none
        variable.assign(array)


def _paths(tree: Any, before: str = "") -> list[tuple[str, Any]]:
    if not isinstance(tree, Mapping):
        return [(before, tree)]
    return [found for name, part in tree.items() for found in _paths(part, f"{before}/{name}" if before else name)]
