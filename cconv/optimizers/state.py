"""What of an optimizer is read and assigned like a variable: its slots, its counters, its learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class OptimizerVariable:
    """One number or array of an optimizer's state.

    Attributes:
        name: Name, for example `"kernel_momentum"`.
        path: Name with the optimizer's in front.
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
        return f"<OptimizerVariable path={self.path}, shape={self.shape}>"


class LearningRate(float):
    """The learning rate of an optimizer: a number, which like a variable can be read and assigned."""

    def __new__(cls, value: float, optimizer: Any) -> LearningRate:
        rate = super().__new__(cls, value)
        rate._optimizer = optimizer
        return rate

    def numpy(self) -> np.float32:
        return np.float32(self)

    def assign(self, value: float) -> None:
        self._optimizer.learning_rate = value

    def __reduce__(self) -> tuple:
        return float, (float(self),)
