"""Metrics of how targets and predictions go together."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..losses.loss import squeeze_or_expand_to_same_rank
from .reduction import MeanMetricWrapper

__all__ = ["ConcordanceCorrelation", "PearsonCorrelation", "concordance_correlation", "pearson_correlation"]

_EPSILON = 1e-7


def _centered(y_true: Any, y_pred: Any, axis: Any) -> list[tuple[Any, Any]]:
    pair = [ops.cast(ops.convert_to_tensor(y), "float32") for y in (y_true, y_pred)]
    pair = squeeze_or_expand_to_same_rank(*pair)
    return [(y - ops.mean(y, axis=axis, keepdims=True), ops.mean(y, axis=axis)) for y in pair]


def pearson_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """Pearson's correlation of targets and predictions along an axis.

    Args:
        y_true, y_pred: Targets and predictions of one shape.
        axis: The axis, or several.

    Returns:
        The correlations, without that axis.

    Example:

    >>> y = [[0, 1, 0.5], [1, 1, 0.2]]
    >>> cconv.metrics.pearson_correlation(y, [[0.1, 0.9, 0.5], [1, 0.9, 0.2]]).round(4).tolist()
    [1.0, 0.9935]
    """
    (x, _), (y, _) = _centered(y_true, y_pred, axis)
    sizes = [ops.maximum(ops.sqrt(ops.sum(z * z, axis=axis)), _EPSILON) for z in (x, y)]
    return ops.sum(x * y, axis=axis) / (sizes[0] * sizes[1])


def concordance_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """Lin's concordance correlation: less than Pearson's where means or spreads differ.

    `2 cov(x, y) / (var(x) + var(y) + (mean(x) - mean(y))**2)`. Lin, "A concordance correlation coefficient to evaluate
    reproducibility", 1989.

    Args:
        y_true, y_pred: Targets and predictions of one shape.
        axis: The axis, or several.

    Returns:
        The correlations, without that axis.

    Example:

    >>> cconv.metrics.concordance_correlation([[0, 1, 0.5]], [[0.1, 0.9, 0.5]]).round(4).tolist()
    [0.9756]
    """
    (x, x_mean), (y, y_mean) = _centered(y_true, y_pred, axis)
    product, x_spread, y_spread = (ops.mean(z, axis=axis) for z in (x * y, x * x, y * y))
    return 2 * product / (x_spread + y_spread + ops.square(x_mean - y_mean) + _EPSILON)


class PearsonCorrelation(MeanMetricWrapper):
    """The mean Pearson correlation of targets and predictions.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.
        axis: The axis along which they correlate.

    Example:

    >>> metric = cconv.metrics.PearsonCorrelation(axis=-1)
    >>> round(metric([[0, 1, 0.5], [1, 1, 0.2]], [[0.1, 0.9, 0.5], [1, 0.9, 0.2]]), 4)
    0.9968
    """

    _direction = "up"

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean concordance correlation of targets and predictions.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.
        axis: The axis along which they correlate.

    Example:

    >>> metric = cconv.metrics.ConcordanceCorrelation(axis=-1)
    >>> round(metric([[0, 1, 0.5], [1, 1, 0.2]], [[0.1, 0.9, 0.5], [1, 0.9, 0.2]]), 4)
    0.9816
    """

    _direction = "up"

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
