"""One pass through the elements of a data set: what each method of `Dataset` does to those that come by."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .. import tree
from ..seeds import drawing_from
from .elements import stacked
from .workers import described, in_threads

_AHEAD = 2  # elements taken from the source for each thread, so that none waits


def rows(arrays: Any) -> Iterator[Any]:
    """The rows of arrays of one length, in their structure."""
    leaves = tree.flatten(arrays)
    if arrays is leaves[0]:
        yield from arrays
    elif type(arrays) is tuple and not any(map(tree.is_nested, arrays)):
        yield from zip(*arrays)
    else:
        for row in zip(*leaves):
            yield tree.pack(arrays, row)


def called(
    function: Callable[..., Any], source: Iterable[Any], threads: int | None, seed: int, begin: Callable[[], int]
) -> Iterator[Any]:
    """What a function returns for each element, in their order; `begin` is asked for the number of the pass."""
    number = begin()

    def call(numbered: tuple[int, Any]) -> Any:
        place, element = numbered
        try:
            with drawing_from(seed, number, place):
                return function(*element) if type(element) is tuple else function(element)
        except Exception as error:
            raise described(error, f"map: element {place}") from error

    if threads is None:
        yield from map(call, enumerate(source))
    else:
        yield from in_threads(call, enumerate(source), threads, _AHEAD * threads)


def chosen(predicate: Callable[..., Any], source: Iterable[Any]) -> Iterator[Any]:
    """The elements of which a predicate is true."""
    for place, element in enumerate(source):
        try:
            keep = bool(predicate(*element) if type(element) is tuple else predicate(element))
        except Exception as error:
            raise described(error, f"filter: element {place}") from error
        if keep:
            yield element


def repeated(source: Iterable[Any], count: int | None) -> Iterator[Any]:
    """The elements so many times, each time by a pass of its own; `None`: without end."""
    for _ in itertools.repeat(None) if count is None else itertools.repeat(None, count):
        empty = True
        for element in source:
            empty = False
            yield element
        if empty:
            return


def batches(source: Iterable[Any], size: int, drop_remainder: bool) -> Iterator[Any]:
    """Elements stacked along a new first axis, `size` at a time."""
    elements = iter(source)
    for number in itertools.count():
        group = list(itertools.islice(elements, size))
        if not group or (len(group) < size and drop_remainder):
            return
        yield stacked(group, number)


def remembered(source: Iterable[Any], kept: list[list[Any]]) -> Iterator[Any]:
    """The elements of the first whole pass, which puts them into `kept`."""
    if kept:
        yield from kept[0]
        return
    seen = []
    for element in source:
        seen.append(element)
        yield element
    kept[:] = [seen]
