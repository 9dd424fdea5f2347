"""Nested tuples, lists and dictionaries of tensors, as models take and return them.

Dictionaries count in the order of their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .keras_names import getattr_of

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]


class MAP_TO_NONE:
    """What the function of `traverse` returns for what is to become `None`; `None` itself leaves it as it is.

    Example:

    >>> cconv.tree.traverse(lambda x: cconv.tree.MAP_TO_NONE if x == 1 else None, [1, 2])
    [None, 2]
    """


def is_nested(structure: Any) -> bool:
    """Whether it is a list, a tuple or a dictionary.

    Example:

    >>> cconv.tree.is_nested((1, 2))
    True
    """
    return isinstance(structure, (list, tuple, dict))


def flatten(structure: Any) -> list:
    """The leaves, left to right. `None` is a leaf.

    Example:

    >>> cconv.tree.flatten({"b": [1, 2], "a": 3})
    [3, 1, 2]
    """
    if isinstance(structure, dict):
        return [leaf for key in keys(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in flatten(item)]
    return [structure]


def map_structure(func: Callable, *structures: Any) -> Any:
    """The same structure with `func` applied to each leaf, or to those at the same place of several structures.

    Raises:
        ValueError: The structures differ.

    Example:

    >>> cconv.tree.map_structure(lambda a, b: a + b, [1, 2], [3, 4])
    [4, 6]
    """
    if len(structures) == 1:
        return _mapped(func, structures[0])
    if not structures:
        raise ValueError("`map_structure` takes one structure or more. Received: none")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    return pack(structures[0], [func(*leaves) for leaves in zip(*map(flatten, structures), strict=True)])


def _mapped(function: Callable, structure: Any) -> Any:
    if isinstance(structure, dict):
        mapped = {key: _mapped(function, structure[key]) for key in keys(structure)}
        return {key: mapped[key] for key in structure}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(_mapped(function, item) for item in structure))
    if isinstance(structure, (list, tuple)):
        return type(structure)(_mapped(function, item) for item in structure)
    return function(structure)


def pack(structure: Any, leaves) -> Any:
    """The same structure with its leaves replaced, in the order of `flatten`."""
    rest = iter(leaves)
    if not isinstance(structure, (list, tuple, dict)):
        return next(rest)
    return _mapped(lambda _: next(rest), structure)


def keys(structure: dict) -> list:
    """The keys in the order in which they count."""
    try:
        return sorted(structure)
    except TypeError:
        return list(structure)


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """The same structure with other leaves, in the order of `flatten`.

    Raises:
        ValueError: There are not as many.

    Example:

    >>> cconv.tree.pack_sequence_as([0, (0,)], [1, 2])
    [1, (2,)]
    """
    leaves = list(flat_sequence)
    if len(leaves) != len(flatten(structure)):
        raise ValueError(
            f"The structure has {len(flatten(structure))} leaves. Received: {len(leaves)} to put in their place"
        )
    return pack(structure, leaves)


def _children(structure: Any) -> list[tuple[Any, Any]]:
    """The parts of a structure with the key or number of each, in the order in which they count."""
    if isinstance(structure, dict):
        return [(key, structure[key]) for key in keys(structure)]
    return list(enumerate(structure))


def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """The leaves, each behind its path: the keys and numbers that lead to it.

    Example:

    >>> cconv.tree.flatten_with_path({"a": [1, 2]})
    [(('a', 0), 1), (('a', 1), 2)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [((key, *path), leaf) for key, part in _children(structure) for path, leaf in flatten_with_path(part)]


def assert_same_structure(a: Any, b: Any) -> None:
    """Raises ValueError unless both are nested alike, in containers of the same types.

    Example:

    >>> cconv.tree.assert_same_structure([1, (2,)], ["a", ("b",)])
    """
    if not is_nested(a) and not is_nested(b):
        return
    if type(a) is not type(b):
        raise ValueError(f"The structures differ: expected {type(a)}, received {type(b)}.")
    if len(a) != len(b):
        raise ValueError(f"The structures differ: expected {len(a)} parts of {type(a)}, received {len(b)}.")
    parts = _children(a), _children(b)
    if [key for key, _ in parts[0]] != [key for key, _ in parts[1]]:
        raise ValueError(f"The structures differ: expected the keys {list(a)}, received {list(b)}.")
    for (_, first), (_, second) in zip(*parts, strict=True):
        assert_same_structure(first, second)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raises ValueError unless the same paths lead to the leaves of both, whatever the types of the containers.

    Example:

    >>> cconv.tree.assert_same_paths({"a": [1, 2]}, {"a": (3, 4)})
    """
    first, second = ({path for path, _ in flatten_with_path(x)} for x in (a, b))
    if first != second:
        raise ValueError(
            f"The structures differ: paths of the one only {first - second}, of the other {second - first}."
        )


def map_structure_up_to(shallow_structure: Any, func: Callable, *structures: Any) -> Any:
    """`shallow_structure` with each leaf replaced by `func` of what stands there in the structures.

    Example:

    >>> cconv.tree.map_structure_up_to([0, 0], len, [[1], [2, 3]])
    [1, 2]
    """

    def parts(shallow: Any, structure: Any) -> list:
        if not is_nested(shallow):
            return [structure]
        if not is_nested(structure) or len(shallow) != len(structure):
            raise ValueError(f"The structures differ: expected {len(shallow)} parts, received {structure!r}.")
        pairs = zip(_children(shallow), _children(structure), strict=True)
        return [leaf for (_, first), (_, second) in pairs for leaf in parts(first, second)]

    columns = [parts(shallow_structure, structure) for structure in structures]
    return pack(shallow_structure, [func(*row) for row in zip(*columns, strict=True)])


def traverse(func: Callable, structure: Any, top_down: bool = True) -> Any:
    """The structure with each part, nested or not, replaced by what `func` returns for it.

    Args:
        func: Returns what takes the place of a part, `MAP_TO_NONE` for `None`, and `None` to leave it.
        structure: The structure.
        top_down: Whether the whole comes before its parts, which then are visited only where it is left.

    Example:

    >>> cconv.tree.traverse(lambda x: tuple(x) if isinstance(x, list) else None, [1, [2]], top_down=False)
    (1, (2,))
    """

    def replaced(part: Any) -> Any:
        found = func(part)
        return part if found is None else None if found is MAP_TO_NONE else found

    if top_down and func(structure) is not None:
        return replaced(structure)
    if is_nested(structure):
        if isinstance(structure, dict):
            structure = {key: traverse(func, part, top_down) for key, part in structure.items()}
        else:
            values = [traverse(func, part, top_down) for part in structure]
            structure = type(structure)(*values) if hasattr(structure, "_fields") else type(structure)(values)
    return structure if top_down else replaced(structure)


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in place of its lists.

    Example:

    >>> cconv.tree.lists_to_tuples([1, [2, 3]])
    (1, (2, 3))
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable, structure: Any) -> Any:
    """As `map_structure`, where tuples and lists of whole numbers and `None` are leaves: shapes.

    Example:

    >>> cconv.tree.map_shape_structure(len, {"a": (None, 3)})
    {'a': 2}
    """
    if isinstance(structure, (list, tuple)) and all(size is None or isinstance(size, int) for size in structure):
        return func(tuple(structure))
    if isinstance(structure, dict):
        return {key: map_shape_structure(func, part) for key, part in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)([map_shape_structure(func, part) for part in structure])
    raise ValueError(f"Cannot map function to unknown objects {structure}")


__getattr__ = getattr_of(globals())
