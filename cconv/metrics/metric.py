"""The base of all metrics: numbers that are gathered batch by batch and reported at the end of an epoch.

A metric is computed where that is cheapest. Those that reduce a batch to a few sums do it in the graph of the model
(`traced`): a step hands the sums to Python. All others, also those that users write, get the batch's targets and
predictions as arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import ops
from ..changes import Observed
from ..config import standardize_dtype
from ..configured import Configured
from ..losses.loss import squeeze_or_expand_to_same_rank
from ..naming import auto_name
from ..ops._apply import apply, shape_of
from ..state_variable import StateVariable
from ..tensor import Tensor
from ..variable import Variable

__all__ = ["Metric"]


def traced(update_state: Callable) -> Callable:
    """Marks an `update_state` that is `add(*numbers(...))`, so that a model may compute the numbers in its graph. One
    that overrides it is not marked, and is called with arrays."""
    update_state.traced = True
    return update_state


def _of_arrays(update_state: Callable) -> Callable:
    """The same method, which says so where it is given symbolic tensors."""

    @functools.wraps(update_state)
    def update(self: Metric, *args: Any, **kwargs: Any) -> None:
        for x in (*args, *kwargs.values()):
            if isinstance(x, Tensor):
                raise TypeError(f"Metric {self.name!r} takes arrays only. Received a symbolic tensor: {x!r}")
        update_state(self, *args, **kwargs)

    return update


class Metric(Configured, Observed):
    """Base class of metrics.

    Subclass it and write `update_state(y_true, y_pred, sample_weight=None)`, which is called with the arrays of each
    batch, and `result()`. Variables made by `add_variable` are zero at the start of every epoch.

    Args:
        dtype: `"float32"`.
        name: Name, as it is shown and logged.

    Example:

    >>> class LargestError(cconv.metrics.Metric):
    ...     def __init__(self, name="largest_error"):
    ...         super().__init__(name=name)
    ...         self.largest = self.add_variable((), name="largest")
    ...
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.largest.assign(max(float(self.largest), abs(y_true - y_pred).max()))
    ...
    ...     def result(self):
    ...         return float(self.largest)
    >>> metric = LargestError()
    >>> metric.update_state(np.array([1.0, 2.0]), np.array([1.5, 2.0]))
    >>> metric.result()
    0.5
    """

    _state: tuple[str, ...] = ()  # attributes that hold numbers of the batches so far
    # what batches change, or is only shown: no plan depends on it
    _unobserved = frozenset({"_variables", "_counts", "name"})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._unobserved = Metric._unobserved.union(cls._state)
        if "update_state" in vars(cls):
            cls.update_state = _of_arrays(vars(cls)["update_state"])

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or auto_name(type(self).__name__)
        self.dtype = standardize_dtype(dtype)
        self._variables: list[Variable] = []

    # ---- What users call and write

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes in a batch; for subclasses to write.

        Args:
            y_true: Targets of the batch, `(n, ...)`.
            y_pred: Predictions.
            sample_weight: What each sample counts; `None`: 1.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define `update_state(y_true, y_pred, sample_weight=None)`."
        )

    def result(self) -> Any:
        """The value so far; for subclasses to write."""
        raise NotImplementedError(f"{type(self).__name__} must define `result()`.")

    def reset_state(self) -> None:
        """Forgets all batches."""
        for variable in self._variables:
            variable.assign(np.zeros(variable.shape, np.float32))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Takes in a batch and returns the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def add_variable(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """A variable of the metric's state.

        Args:
            shape: Its sizes.
            initializer: Function of the shape, its name, or an array; `None`: zeros.
            dtype: `"float32"`.
            name: Name within the metric.

        Raises:
            RuntimeError: `super().__init__()` has not been called.
        """
        if not hasattr(self, "_variables"):
            raise RuntimeError("You forgot to call `super().__init__()` in the `__init__()` method. Go add it!")
        start = np.zeros(tuple(shape), np.float32) if initializer is None else initializer
        variable = Variable(start, shape=tuple(shape), dtype=dtype, trainable=False, name=name or "variable")
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """The same as `add_variable`."""
        return self.add_variable(shape, initializer, dtype, name)

    @property
    def variables(self) -> list[Variable | StateVariable]:
        """The state: what the class itself keeps, then the variables of `add_variable`."""
        return [*(self._variable(name) for name in self._state), *self._variables]

    def _variable(self, name: str) -> StateVariable:
        read, write = (lambda: np.asarray(getattr(self, name))), (lambda value: self._write(name, value))
        return StateVariable(f"{self.name}/{name}", read, write)

    def _write(self, name: str, value: np.ndarray) -> None:
        setattr(self, name, value.item())

    # ---- What a model calls

    def state(self) -> list[np.ndarray]:
        """The values of `variables`, for `resume`."""
        return [variable.numpy() for variable in self.variables]

    def resume(self, state: Sequence[np.ndarray]) -> None:
        """Goes on from the state of another metric with the same settings."""
        for name, value in zip(self._state, state):
            self._write(name, value)
        for variable, value in zip(self._variables, state[len(self._state) :], strict=True):
            variable.assign(value)

    @property
    def is_traced(self) -> bool:
        """Whether its numbers are computed in the model's graph."""
        return getattr(type(self).update_state, "traced", False)

    def batch_values(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[Any, ...]:
        """What a batch contributes, as tensors of the model's graph; `accumulate` takes their values."""
        if self.is_traced:
            return tuple(self.numbers(y_true, y_pred, sample_weight))
        given = (y_true, y_pred) if sample_weight is None else (y_true, y_pred, sample_weight)
        return tuple(apply("identity", [x]) for x in given)

    def accumulate(self, values: Sequence[np.ndarray]) -> None:
        """Takes in the values of what `batch_values` returned."""
        if self.is_traced:
            self.add(*values)
        elif len(values) == 3:
            self.update_state(values[0], values[1], sample_weight=values[2])
        else:
            self.update_state(values[0], values[1])

    def numbers(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Sequence[Any]:
        """The few numbers a batch comes down to, written with `cconv.ops`, for a `traced` update_state."""
        raise NotImplementedError(f"{type(self).__name__} must define `numbers(y_true, y_pred, sample_weight)`.")

    def add(self, *numbers: Any) -> None:
        """Adds the numbers of a batch to the state."""
        raise NotImplementedError(f"{type(self).__name__} must define `add(*numbers)`.")

    # ---- Configuration

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Metric:
        return cls(**config)


class ArrayState(Metric):
    """Base of the metrics whose state is arrays (float64), to which the arrays of each batch are added."""

    _shape: tuple[int, ...] = ()  # of each, where it is known before the first batch

    def add(self, *numbers: Any) -> None:
        for name, value in zip(self._state, numbers, strict=True):
            setattr(self, name, getattr(self, name) + np.asarray(value, np.float64))

    def reset_state(self) -> None:
        super().reset_state()
        for name in self._state:
            setattr(self, name, np.zeros(np.shape(getattr(self, name, np.zeros(self._shape)))))

    def _write(self, name: str, value: np.ndarray) -> None:
        setattr(self, name, np.array(value, np.float64))


def ones_like(x: Any) -> Any:
    """Ones, as many as x has elements, even where x is not a number."""
    return ops.where(ops.equal(x, x), 1.0, 1.0)


def samplewise(values: Any, sample_weight: Any, reduce: Callable) -> tuple[Any, Any]:
    """One number and one weight for each sample: the other axes are reduced, those of the weights after weighting."""
    if sample_weight is not None:
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        rank, weight_rank = len(shape_of(values)), len(shape_of(sample_weight))
        if rank > weight_rank:
            values = reduce(values, axis=list(range(weight_rank, rank)))
        if shape_of(sample_weight) != shape_of(values):
            sample_weight = ops.multiply(sample_weight, ones_like(values))
        values = ops.multiply(values, sample_weight)
        if weight_rank > 1:
            sample_weight = reduce(sample_weight, axis=list(range(1, weight_rank)))
    rank = len(shape_of(values))
    return (reduce(values, axis=list(range(1, rank))) if rank > 1 else values), sample_weight


def total(x: Any) -> Any:
    """The sum of all elements."""
    return ops.sum(x) if len(shape_of(x)) else x
