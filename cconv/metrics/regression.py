"""Metrics of regressions that are the mean of a function."""

from __future__ import annotations

import math
from typing import Any

from .. import ops
from ..losses import functions
from ..losses.loss import squeeze_or_expand_to_same_rank
from .metric import traced
from .reduction import Mean, MeanMetricWrapper

__all__ = [
    "CosineSimilarity",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "RootMeanSquaredError",
    "cosine_similarity",
]


class MeanSquaredError(MeanMetricWrapper):
    """The mean of squared differences.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> cconv.metrics.MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]])
    2.0
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(functions.mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of absolute differences.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> cconv.metrics.MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]])
    1.0
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(functions.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of differences in percent of the target.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> cconv.metrics.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]])
    25.0
    """

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(functions.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of squared differences of `log(1 + y)`.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> round(cconv.metrics.MeanSquaredLogarithmicError()([[0.0]], [[1.718281828]]), 5)
    1.0
    """

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(functions.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """The mean of the logarithm of the hyperbolic cosine of the difference.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> round(cconv.metrics.LogCoshError()([[0.0, 0.0]], [[0.0, 1000.0]]), 2)
    499.65
    """

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(functions.log_cosh, name, dtype)


class Poisson(MeanMetricWrapper):
    """The mean Poisson loss.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> round(cconv.metrics.Poisson()([[0.0, 3.0]], [[2.0, 1.0]]), 3)
    1.5
    """

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(functions.poisson, name, dtype)


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between target and prediction: 1 if they point the same way.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.
        axis: The axis of the vectors.

    Example:

    >>> round(cconv.metrics.CosineSimilarity()([[0.0, 2.0]], [[0.0, 3.0]]), 4)
    1.0
    """

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)
        self.axis = axis


class RootMeanSquaredError(Mean):
    """The root of the mean of squared differences.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> cconv.metrics.RootMeanSquaredError()([[0.0, 0.0]], [[1.0, 7.0]])
    5.0
    """

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    @traced
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        self.add(*self.numbers(y_true, y_pred, sample_weight))

    def numbers(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[Any, Any]:
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.sums(ops.square(ops.subtract(y_pred, y_true)), sample_weight)

    def result(self) -> float:
        return math.sqrt(super().result())


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between target and prediction; the loss of that name is its negative.

    Example:

    >>> cconv.metrics.cosine_similarity([[0.0, 2.0]], [[0.0, 3.0]]).round(4).tolist()
    [1.0]
    """
    return -functions.cosine_similarity(y_true, y_pred, axis)
