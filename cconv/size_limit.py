"""A bound on the variables that are made: a file that declares more than it holds must not take the memory for it."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator, Sequence


class _Limit(threading.local):
    left: int | None = None
    what = ""


_limit = _Limit()


@contextlib.contextmanager
def size_limit(elements: int, what: str) -> Iterator[None]:
    """Inside, variables of more than so many elements in all are an error, raised before memory is asked for.

    Args:
        elements: The limit.
        what: What sets it, for the error: "the file holds".
    """
    before = _limit.left, _limit.what
    _limit.left, _limit.what = elements, f"{what} {elements} elements"
    try:
        yield
    finally:
        _limit.left, _limit.what = before


def charge(shape: Sequence[int], path: str) -> None:
    """Counts a variable that is about to be made.

    Args:
        shape: Its sizes.
        path: Its name, for the error.

    Raises:
        ValueError: It is larger than what is left of the limit.
    """
    if _limit.left is not None:
        _limit.left -= math.prod(shape)
        if _limit.left < 0:
            raise ValueError(f"{_limit.what}, too few for variable '{path}' of shape {tuple(shape)}.")
