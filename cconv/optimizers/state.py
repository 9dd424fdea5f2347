"""What of an optimizer is read and assigned like a variable: its slots, its counters, its learning rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..state_variable import StateVariable


class OptimizerVariable(StateVariable):
    """One number or array of an optimizer's state."""


class Iterations(OptimizerVariable, NDArrayOperatorsMixin):
    """How many steps an optimizer has made: a whole number that counts on by itself, and can be computed with.

    Args:
        path: See `OptimizerVariable`.
        core: The optimizer of the C core, which counts.
        every: How many of its steps count as one.
    """

    def __init__(self, path: str, core: Any, every: int = 1) -> None:
        self._core = core  # not the optimizer, which holds this; nor do the functions hold what holds them
        self._every = every

        def count(value: np.ndarray) -> None:
            core.iterations = int(value) * every

        super().__init__(path, lambda: np.array(core.iterations // every, np.int64), count)

    def assign_add(self, value: Any) -> None:
        """Counts so many steps more."""
        self.assign(int(self) + int(value))

    def assign_sub(self, value: Any) -> None:
        """Counts so many steps less."""
        self.assign(int(self) - int(value))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return getattr(ufunc, method)(*(int(x) if x is self else x for x in inputs), **options)

    def __eq__(self, other: object) -> Any:
        return self._core.iterations // self._every == other  # asked in every step: no array is made

    __hash__ = object.__hash__

    def __int__(self) -> int:
        return self._core.iterations // self._every

    __index__ = __int__

    def __float__(self) -> float:
        return float(int(self))

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


def state_of(optimizer: Any, variables: Sequence[Any]) -> list[OptimizerVariable]:
    """What `Optimizer.state_of` returns, for variables whose slots are there."""

    def set_rate(value: np.ndarray) -> None:
        optimizer.learning_rate = float(value)

    found: list[OptimizerVariable] = [optimizer._iterations]
    if not callable(optimizer._learning_rate):
        read_rate = lambda: np.array(float(optimizer._learning_rate), np.float32)  # noqa: E731
        found.append(OptimizerVariable(f"{optimizer.name}/learning_rate", read_rate, set_rate))
    slots = [optimizer._core_of(variable).slots(variable.core) for variable in variables]
    for group in (("average",), ("gradient_accumulator",), *optimizer._slot_order):
        for variable, own in zip(variables, slots):
            path = str(getattr(variable, "path", variable.name)).replace("/", "_")
            for name in group:
                if name in own:
                    found.append(OptimizerVariable(f"{optimizer.name}/{path}_{name}", *_access(own[name])))
    return found


def _access(core: Any) -> tuple[Callable[[], np.ndarray], Callable[[np.ndarray], None]]:
    return lambda: core.array, lambda value: core.assign(np.array(value, np.float32, order="C"))
