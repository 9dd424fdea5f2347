"""Nested tuples, lists and dictionaries of tensors, as models take and return them.

Dictionaries count in the order of their keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def is_nested(structure: Any) -> bool:
    return isinstance(structure, (list, tuple, dict))


def flatten(structure: Any) -> list:
    """The leaves, left to right. `None` is a leaf."""
    if isinstance(structure, dict):
        return [leaf for key in keys(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in flatten(item)]
    return [structure]


def map_structure(function: Callable, structure: Any) -> Any:
    """The same structure with `function` applied to each leaf."""
    if isinstance(structure, dict):
        mapped = {key: map_structure(function, structure[key]) for key in keys(structure)}
        return {key: mapped[key] for key in structure}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(map_structure(function, item) for item in structure))
    if isinstance(structure, (list, tuple)):
        return type(structure)(map_structure(function, item) for item in structure)
    return function(structure)


def pack(structure: Any, leaves) -> Any:
    """The same structure with its leaves replaced, in the order of `flatten`."""
    rest = iter(leaves)
    if not isinstance(structure, (list, tuple, dict)):
        return next(rest)
    return map_structure(lambda _: next(rest), structure)


def keys(structure: dict) -> list:
    """The keys in the order in which they count."""
    try:
        return sorted(structure)
    except TypeError:
        return list(structure)
