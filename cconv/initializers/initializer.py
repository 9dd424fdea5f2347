"""The base of all initializers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..configured import Configured


class Initializer(Configured):
    """Base of all initializers: subclasses implement `__call__(shape, dtype=None)`.

    Example:

    >>> class Sevens(cconv.initializers.Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return 7 * np.ones(shape)
    >>> cconv.layers.Dense(1, kernel_initializer=Sevens()).kernel_initializer((1, 2)).tolist()
    [[7.0, 7.0]]
    """

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} must implement `__call__(self, shape, dtype=None)`.")

    def get_config(self) -> dict[str, Any]:
        """The arguments from which an equal initializer can be made."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        return cls(**config)

    def clone(self) -> Initializer:
        return type(self).from_config(self.get_config())


def number(value: Any, name: str, least: float | None = None) -> float:
    """Checks that an argument is a finite number."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.integer, np.floating))
        or not math.isfinite(value)
    ):
        raise ValueError(f"Argument `{name}` must be a finite number. Received: {name}={value!r}")
    if least is not None and value < least:
        raise ValueError(f"Argument `{name}` must be at least {least}. Received: {name}={value!r}")
    return value
