"""The outputs of a model: what they are called, how they nest, and what of a nested argument belongs to which.

A model's outputs are flat within: their order is that of `tree.flatten`. Labels, weights, losses and metrics may be
given as the outputs nest, with `None` or nothing where there is none, or flat: by position or by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import tree


def named(outputs: Any, own: Sequence[str]) -> Any:
    """The structure of the outputs, with a name for each: its key, or in a list its own name, behind those of what it
    is nested in.

    Args:
        outputs: The outputs, nested.
        own: A name for each, in flat order.

    Example:

    >>> from cconv.data.outputs import named
    >>> named({"a": 0, "z": [0, 0]}, ["dense", "dense_1", "dense_2"])
    {'a': 'a', 'z': ['z/dense_1', 'z/dense_2']}
    """
    names = iter(own)

    def walk(item: Any, path: tuple) -> Any:
        if isinstance(item, dict):
            found = {key: walk(item[key], (*path, key)) for key in tree.keys(item)}
            return {key: found[key] for key in item}
        if isinstance(item, (list, tuple)):
            return [walk(part, (*path, i)) for i, part in enumerate(item)]
        name = next(names)
        # a place in a list says less than a name
        parts = path if path and not isinstance(path[-1], int) else (*path[:-1], name)
        return "/".join(map(str, parts))

    return walk(outputs, ())


def deal(argument: str, value: Any, structure: Any, spread: bool = True) -> list[Any]:
    """One entry for each output, in flat order.

    Args:
        argument: What errors call the value.
        value: As the outputs nest, with holes; or flat, a list by position or a dictionary by name.
        structure: The names of the outputs, as they nest.
        spread: Whether a single value is for all outputs.

    Raises:
        KeyError: A dictionary has a key that is no output's name.
        ValueError: The value does not match the outputs.

    Example:

    >>> from cconv.data.outputs import deal
    >>> deal("loss", {"z": ["mse", None]}, {"a": "a", "z": ["z/b", "z/c"]})
    [None, 'mse', None]
    """
    names = tree.flatten(structure)
    if not tree.is_nested(structure):
        structure = [structure]
    if value is None or (spread and not tree.is_nested(value)):
        return [value] * len(names)
    found = _matched(value, structure)
    if found is not None:
        return found
    known = list(structure) if isinstance(structure, dict) else names
    if isinstance(value, dict) and not value.keys() <= set(known):
        raise KeyError(f"`{argument}`: expected the names of outputs {known} as keys. Received: {list(value)}")
    nested = f", or as they nest: {structure}" if _is_deep(structure) else ""
    count = f" {len(value)}" if isinstance(value, (list, tuple)) else ""
    raise ValueError(
        f"`{argument}`: expected one entry for each of the {len(names)} outputs {names}{nested}. "
        f"Received{count}: {value!r}"
    )


def by_output(value: Any, structure: Any, needed: Sequence[bool] | None) -> Any:
    """Labels or weights by the name of their output where they are nested, have holes, or are for one of several
    outputs; else as they are.

    Args:
        value: Arrays, in some structure.
        structure: The names of the outputs, as they nest.
        needed: For each output whether something needs its labels; None if that is not known.
    """
    if value is None or isinstance(structure, str):  # one output, as most models have
        return value
    names = tree.flatten(structure)
    if len(names) == 1:
        return value
    if not tree.is_nested(value):
        only = [name for name, need in zip(names, needed or (), strict=bool(needed)) if need]
        return {only[0]: value} if len(only) == 1 else value
    found = None
    if _is_deep(structure):
        found = _matched(value, structure)
    elif isinstance(value, (list, tuple)) and len(value) == len(names) and any(item is None for item in value):
        found = list(value)
    if found is None:
        return value
    return {name: item for name, item in zip(names, found, strict=True) if item is not None}


def _is_deep(structure: Any) -> bool:
    parts = structure.values() if isinstance(structure, dict) else structure
    return tree.is_nested(structure) and any(map(tree.is_nested, parts))


def _matched(value: Any, structure: Any) -> list[Any] | None:
    """The entries in flat order; None if the value is of another form."""
    names = tree.flatten(structure)
    if not tree.is_nested(structure):
        return [value]
    if value is None:
        return [None] * len(names)
    if isinstance(value, dict):
        if isinstance(structure, dict):
            if not value.keys() <= structure.keys():
                return None
            return _joined([_matched(value.get(key), structure[key]) for key in tree.keys(structure)])
        places = {name.rpartition("/")[2]: i for i, name in enumerate(names)}
        places.update({name: i for i, name in enumerate(names)})
        if not all(key in places for key in value):
            return None
        found: list[Any] = [None] * len(names)
        for key, item in value.items():
            found[places[key]] = item
        return found
    if not isinstance(value, (list, tuple)):
        return None
    if isinstance(structure, list) and len(value) == len(structure):
        found = _joined([_matched(item, part) for item, part in zip(value, structure, strict=True)])
        if found is not None:
            return found
    return list(value) if len(value) == len(names) else None


def _joined(parts: list[list[Any] | None]) -> list[Any] | None:
    return None if any(part is None for part in parts) else [item for part in parts for item in part]
