"""What the process remembers beside its models."""

from __future__ import annotations

from ..naming import reset_names
from ..ops import _apply


def clear_session(free_memory: bool = True) -> None:
    """Forgets the names given so far: the next convolution is "conv2d" again. Models that exist are not changed.

    Args:
        free_memory: Whether the plans of functions that ran at once are dropped, too.

    Example:

    >>> cconv.utils.clear_session()
    >>> cconv.layers.Conv2D(4, 3).name
    'conv2d'
    """
    reset_names()
    if free_memory:
        _apply._programs.clear()
