"""Bounds on sizes: what no memory can hold, and variables beyond what the file that declares them holds."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator, Sequence

_MOST_BYTES = 2**63 - 1  # what the core, and NumPy, can count


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


def check_count(shape: Sequence[int | None], what: str) -> None:
    """Refuses a shape whose known sizes multiply to more float32 numbers than can be counted; `what` has it.

    Raises:
        ValueError: There are too many.
    """
    if 4 * math.prod(size for size in shape if size is not None) > _MOST_BYTES:
        raise ValueError(f"{what}: the shape {tuple(shape)} is too large: it holds more than can be counted.")


def charge(shape: Sequence[int], path: str) -> None:
    """Counts a variable that is about to be made.

    Args:
        shape: Its sizes.
        path: Its name, for the error.

    Raises:
        ValueError: It is larger than anything can be, or than what is left of the limit.
    """
    check_count(shape, f"Variable '{path}'")
    if _limit.left is not None:
        _limit.left -= math.prod(shape)
        if _limit.left < 0:
            raise ValueError(f"{_limit.what}, too few for variable '{path}' of shape {tuple(shape)}.")
