"""What of a kind a model and its layers hold among their attributes."""

from __future__ import annotations

from typing import Any, TypeVar

from .. import tree

Kind = TypeVar("Kind")


def held(model: Any, kind: type[Kind]) -> list[Kind]:
    """The objects of a kind among the attributes of a model and its layers, also in lists, tuples and dictionaries."""
    found: list[Kind] = []
    for layer in model._flatten_layers():
        for name, value in vars(layer).items():
            if isinstance(value, kind):
                found.append(value)
            elif tree.is_nested(value) and name not in layer._unobserved:
                found += [leaf for leaf in tree.flatten(value) if isinstance(leaf, kind)]
    return list({id(item): item for item in found}.values())
