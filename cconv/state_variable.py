"""Plain numbers that are read and assigned like a variable: the state of optimizers, metrics and seed generators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class StateVariable:
    """One number or array of a state.

    Args:
        path: Name with the owner's in front.
        read: Returns the numbers.
        write: Takes others.

    Attributes:
        name: Name, for example `"kernel_momentum"`.
        path: Name with the owner's in front.
        shape: Tuple of sizes.
    """

    trainable = False

    def __init__(self, path: str, read: Callable[[], np.ndarray], write: Callable[[np.ndarray], None]) -> None:
        self.path = path
        self.name = path.rsplit("/", 1)[-1]
        self._read, self._write = read, write
        self.shape = read().shape

    @property
    def dtype(self) -> str:
        return self._read().dtype.name

    @property
    def value(self) -> np.ndarray:
        """A copy of the numbers."""
        return np.array(self._read())

    def numpy(self) -> np.ndarray:
        """A copy of the numbers."""
        return self.value

    def assign(self, value: Any) -> None:
        """Replaces the numbers; the shape must be the same."""
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ValueError(f"Expected a value of shape {self.shape} for {self.path}. Received: shape {array.shape}")
        self._write(array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._read(), dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self.value}>"
