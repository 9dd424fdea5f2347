"""Sums and means, and the metrics that are the mean of a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from .. import ops
from ..losses.arguments import checked
from ..losses.loss import apply_mask, function_mask
from ..recorded_tensor import RecordedTensor
from ..serialization import deserialize_object, serialize_object
from .metric import Metric, ones_like, samplewise, total, traced

__all__ = ["Mean", "MeanMetricWrapper", "Sum"]


class Sum(Metric):
    """The sum of all values.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> metric = cconv.metrics.Sum()
    >>> metric.update_state([1.0, 3.0, 5.0])
    >>> metric.result()
    9.0
    """

    _state = ("total",)

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = 0.0

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds values, each times its weight."""
        values, _ = samplewise(values, sample_weight, ops.sum)
        self.total += float(total(values))

    def result(self) -> float:
        return self.total

    def reset_state(self) -> None:
        super().reset_state()
        self.total = 0.0


class Mean(Metric):
    """The mean of all values.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> metric = cconv.metrics.Mean()
    >>> metric.update_state([1.0, 3.0, 5.0, 7.0], sample_weight=[1.0, 1.0, 0.0, 0.0])
    >>> metric.result()
    2.0
    """

    _state = ("total", "count")

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = 0.0
        self.count = 0.0

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes in values, each with its weight."""
        if sample_weight is None and isinstance(values, RecordedTensor) and values.shape == ():  # a step's loss
            self.add(values, 1.0)
        else:
            self.add(*self.sums(values, sample_weight))

    def sums(self, values: Any, sample_weight: Any) -> tuple[Any, Any]:
        """The sum of the values and the number (or the weight) of the samples."""
        values, weights = samplewise(values, sample_weight, ops.mean)
        return total(values), total(ones_like(values) if weights is None else weights)

    def add(self, value: Any, count: Any) -> None:
        own = self.__dict__  # nobody is told of what is added up, in every step
        own["total"] += float(value)
        own["count"] += float(count)

    def result(self) -> float:
        return self.total / self.count if self.count != 0 else 0.0

    def reset_state(self) -> None:
        super().reset_state()
        self.__dict__.update(total=0.0, count=0.0)


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions.

    Args:
        fn: A function of `(y_true, y_pred, **kwargs)`, written with `cconv.ops`, that returns a number for each sample
            (or several, whose mean is taken).
        name: Name of the metric; by default that of the function.
        dtype: `"float32"`.
        **kwargs: Passed on to `fn`.

    Example:

    >>> def worst(y_true, y_pred):
    ...     return cconv.ops.max(cconv.ops.abs(y_true - y_pred), axis=-1)
    >>> metric = cconv.metrics.MeanMetricWrapper(worst)
    >>> metric.update_state(np.zeros((2, 2)), np.array([[1.0, 3.0], [0.0, 1.0]]))
    >>> metric.result()
    2.0
    """

    def __init__(self, fn: Callable, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name or getattr(fn, "__name__", None), dtype=dtype)
        self._fn = fn
        self._fn_kwargs = checked(fn, kwargs)

    @traced
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        self.add(*self.numbers(y_true, y_pred, sample_weight))

    def numbers(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[Any, Any]:
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        steps = getattr(y_pred, "mask", None)  # of a layer such as `Masking`
        sample_weight = apply_mask(sample_weight, None if steps is None else ops.cast(steps, "float32"), "sum")
        if sample_weight is not None:  # without weights a sample that does not count is one of 0, as in Keras
            mask = function_mask(self._fn, y_true, y_pred, self._fn_kwargs)
            sample_weight = apply_mask(sample_weight, mask, "sum")
        return self.sums(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def _settings(self) -> dict[str, Any]:
        own = {"fn": self._fn, **self._fn_kwargs} if type(self) is MeanMetricWrapper else {}
        return {**own, **super()._settings()}

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        names = inspect.signature(type(self).__init__).parameters
        if "fn" in names:
            config["fn"] = serialize_object(self._fn)
        config.update({key: value for key, value in self._fn_kwargs.items() if key in names or "kwargs" in names})
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Metric:
        return cls(**deserialize_object(dict(config)))
