"""What of an optimizer is read and assigned like a variable: its slots, its counters, its learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


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
        return f"<OptimizerVariable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self.value}>"


class Iterations(OptimizerVariable, NDArrayOperatorsMixin):
    """How many steps an optimizer has made: a whole number that counts on by itself, and can be computed with.

    Args:
        path: See `OptimizerVariable`.
        core: The optimizer of the C core, which counts.
    """

    def __init__(self, path: str, core: Any) -> None:
        self._core = core  # not the optimizer, which holds this
        super().__init__(path, self._count, self._set)

    def _count(self) -> np.ndarray:
        return np.array(self._core.iterations, np.int64)

    def _set(self, value: np.ndarray) -> None:
        self._core.iterations = int(value)

    def assign_add(self, value: Any) -> None:
        """Counts so many steps more."""
        self.assign(int(self) + int(value))

    def assign_sub(self, value: Any) -> None:
        """Counts so many steps less."""
        self.assign(int(self) - int(value))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return getattr(ufunc, method)(*(int(x) if x is self else x for x in inputs), **options)

    def __eq__(self, other: object) -> Any:
        return self._core.iterations == other  # asked in every step: no array is made

    __hash__ = object.__hash__

    def __int__(self) -> int:
        return self._core.iterations

    __index__ = __int__

    def __float__(self) -> float:
        return float(self._core.iterations)

    def __format__(self, spec: str) -> str:
        return format(int(self), spec)

    def __str__(self) -> str:
        return str(int(self))


class LearningRate(float):
    """The learning rate of an optimizer: a number, which like a variable can be read and assigned."""

    def __new__(cls, value: float, optimizer: Any) -> LearningRate:
        rate = super().__new__(cls, value)
        rate._optimizer = optimizer
        return rate

    @property
    def value(self) -> np.float32:
        """The number as it is computed with."""
        return np.float32(self)

    def numpy(self) -> np.float32:
        """The number as it is computed with."""
        return self.value

    def assign(self, value: float) -> None:
        """Sets the learning rate from the next step on."""
        self._optimizer.learning_rate = value

    def __reduce__(self) -> tuple:
        return float, (float(self),)
