"""The elements of data sets: structures of arrays, and batches of them; how many are asked for; their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .. import tree
from .._core import get_num_threads
from ..array_like import to_numpy

AUTOTUNE = -1  # as many threads as the core has; two elements ahead


def arrays_of(value: Any) -> Any:
    """The same structure of tuples and dictionaries, with what is in it as arrays."""
    if isinstance(value, dict):
        return {key: arrays_of(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(arrays_of, value))
    return value if hasattr(value, "shape") and hasattr(value, "__getitem__") and _is_file(value) else to_numpy(value)


def _is_file(value: Any) -> bool:
    """Whether rows are read one at a time: a data set of an HDF5 file."""
    return hasattr(value, "chunks") and not hasattr(value, "compute")


def stacked(group: list[Any], number: int) -> Any:
    """The batch of a group of elements; `number` is what errors call it."""
    first = group[0]
    try:
        if type(first) is tuple and not any(map(tree.is_nested, first)):
            return tuple(_stack(column) for column in zip(*group, strict=True))
        if not tree.is_nested(first):
            return _stack(group)
        columns = zip(*map(tree.flatten, group), strict=True)
        return tree.pack(first, [_stack(column) for column in columns])
    except ValueError as error:
        raise ValueError(f"batch: elements of batch {number} do not fit each other: {error}") from error


def _stack(items: Iterable[Any]) -> np.ndarray:
    return np.stack([to_numpy(item) for item in items])


def count_of(method: str, name: str, value: Any, least: int = 1) -> int:
    """An argument of a method that counts something, after checks."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{method}: expected `{name}` to be a whole number from {least} on. Received: {value!r}")
    return int(value)


def threads_of(value: Any) -> int | None:
    """The number of threads of a `num_parallel_calls`; `None` for the one that asks."""
    if value is None:
        return None
    return get_num_threads() if value == AUTOTUNE else count_of("map", "num_parallel_calls", value)


def mixed(source: Iterable[Any], buffer_size: int, seed: int, begin: Callable[[], int]) -> Iterator[Any]:
    """The elements of a source, each drawn from the next `buffer_size` that are left; `begin` is asked for the number
    of the pass."""
    # Not default_rng: NumPy promises that RandomState's streams never change.
    random = np.random.RandomState(np.random.SeedSequence((seed, begin())).generate_state(4))
    buffer: list[Any] = []
    for element in source:
        if len(buffer) < buffer_size:
            buffer.append(element)
            continue
        place = random.randint(buffer_size)
        drawn, buffer[place] = buffer[place], element
        yield drawn
    order = np.arange(len(buffer))
    random.shuffle(order)
    for place in order:
        yield buffer[place]
