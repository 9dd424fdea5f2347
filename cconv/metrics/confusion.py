"""Metrics made of true and false, positives and negatives, at one or many thresholds. Counted with NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..losses.loss import squeeze_or_expand_to_same_rank
from ..ops.arguments import positive_integer, whole
from .metric import Metric

__all__ = ["FalseNegatives", "FalsePositives", "Precision", "Recall", "TrueNegatives", "TruePositives"]


def count(
    y_true: Any,
    y_pred: Any,
    thresholds: Sequence[float],
    sample_weight: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    by_label: bool = False,
) -> np.ndarray:
    """True positives, false positives, true negatives and false negatives: (4, thresholds), or (4, thresholds, labels).

    A prediction is positive if it is larger than the threshold. The thresholds are increasing.
    """
    y_true, y_pred = (np.asarray(x, np.float32) for x in (y_true, y_pred))
    y_pred, y_true = (np.asarray(x) for x in squeeze_or_expand_to_same_rank(y_pred, y_true))
    if y_true.shape != y_pred.shape:
        raise ValueError(f"Expected targets of the predictions' shape {y_pred.shape}. Received: shape {y_true.shape}")
    weights = np.ones(y_pred.shape)
    if sample_weight is not None:
        own = np.asarray(sample_weight, np.float64)
        if own.ndim == y_pred.ndim + 1 and own.shape[-1] == 1:
            own = own[..., 0]
        weights = weights * own.reshape(own.shape + (1,) * (y_pred.ndim - own.ndim))
        if weights.shape != y_pred.shape:
            raise ValueError(f"Expected weights for predictions of shape {y_pred.shape}. Received: shape {own.shape}")
    if top_k is not None:
        best = np.argsort(-y_pred, axis=-1, kind="stable")[..., :top_k]
        kept = np.full_like(y_pred, -1e10)
        np.put_along_axis(kept, best, np.take_along_axis(y_pred, best, -1), -1)
        y_pred = kept
    if class_id is not None:
        if y_pred.ndim < 2 or not 0 <= class_id < y_pred.shape[-1]:
            raise ValueError(
                f"Expected predictions of shape (samples, classes) for `class_id`. Received: {y_pred.shape}"
            )
        y_true, y_pred, weights = (x[..., class_id] for x in (y_true, y_pred, weights))
    labels = y_pred.shape[-1] if by_label else 1
    columns = [np.reshape(x, (-1, labels)) for x in (y_true, y_pred, weights)]
    counts = _count_labels(*columns, np.asarray(thresholds, np.float32))
    return counts if by_label else counts[..., 0]


def _count_labels(y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """(4, thresholds, labels) of arrays (samples, labels): all labels in one pass."""
    labels, ranges = y_pred.shape[1], len(levels) + 1
    below = np.searchsorted(levels, y_pred, side="left")  # how many thresholds the prediction is above
    below[np.isnan(y_pred)] = 0
    place = ((y_true == 0) * ranges + below) * labels + np.arange(labels)
    per_range = np.bincount(place.ravel(), weights.ravel(), minlength=2 * ranges * labels).reshape(2, ranges, labels)
    true_positive, false_positive = per_range[:, ::-1].cumsum(1)[:, ::-1][:, 1:]
    false_negative, true_negative = per_range.cumsum(1)[:, :-1]
    return np.stack([true_positive, false_positive, true_negative, false_negative])


def quotient(a: Any, b: Any) -> np.ndarray:
    """a / b, and 0 where b is 0."""
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    return np.divide(a, b, out=np.zeros(a.shape), where=b != 0)


class Counts(Metric):
    """Base of the metrics whose state is four counts for each threshold."""

    _state = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    _counts: np.ndarray  # in this order

    @property
    def true_positives(self) -> np.ndarray:
        return self._counts[0]

    @property
    def false_positives(self) -> np.ndarray:
        return self._counts[1]

    @property
    def true_negatives(self) -> np.ndarray:
        return self._counts[2]

    @property
    def false_negatives(self) -> np.ndarray:
        return self._counts[3]

    def _write(self, name: str, value: np.ndarray) -> None:
        if self._counts.shape[1:] != value.shape:  # the number of labels is known from the first batch on
            self._counts = np.zeros((4, *value.shape))
        getattr(self, name)[...] = value


class ConfusionMetric(Counts):
    """Base of the metrics that count at thresholds the user chose.

    Args:
        thresholds: A number or a list of numbers in [0, 1]; predictions above it are positive. Default: 0.5.
        top_k: If given, the k largest predictions of a sample are positive, whatever their size.
        class_id: If given, only this class counts.
        name: Name of the metric.
        dtype: `"float32"`.
    """

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = None if top_k is None else positive_integer(top_k, "top_k")
        self.class_id = None if class_id is None else whole(class_id, "class_id", 0)
        default = 0.5 if top_k is None else -1e10
        given = default if thresholds is None else thresholds
        self.thresholds = list(given) if isinstance(given, (list, tuple, np.ndarray)) else [given]
        outside = [t for t in self.thresholds if t is None or not 0 <= t <= 1] if thresholds is not None else []
        if outside:
            raise ValueError(f"Threshold values must be in [0, 1]. Received: {outside}")
        self._order = np.argsort(self.thresholds, kind="stable")
        self.reset_state()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        levels = np.asarray(self.thresholds, np.float64)[self._order]
        found = count(y_true, y_pred, levels, sample_weight, self.top_k, self.class_id)
        self._counts[:, self._order] += found

    def reset_state(self) -> None:
        super().reset_state()
        self._counts = np.zeros((4, len(self.thresholds)))

    def _single(self, values: np.ndarray) -> Any:
        return float(values[0]) if len(self.thresholds) == 1 else np.array(values)

    def get_config(self) -> dict[str, Any]:
        config = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **config}


class _Count(ConfusionMetric):
    which = 0
    _state = ("accumulator",)

    def __init__(
        self, thresholds: float | Sequence[float] | None = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(thresholds, name=name, dtype=dtype)

    @property
    def accumulator(self) -> np.ndarray:
        return self._counts[self.which]

    def result(self) -> Any:
        return self._single(self.accumulator)

    def get_config(self) -> dict[str, Any]:
        return {**Metric.get_config(self), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """How many positive predictions are right. Arguments as for `Precision`.

    Example:

    >>> cconv.metrics.TruePositives()([0, 1, 1, 1], [1, 0, 1, 1])
    2.0
    """

    which = 0


class FalsePositives(_Count):
    """How many positive predictions are wrong. Arguments as for `Precision`.

    Example:

    >>> cconv.metrics.FalsePositives()([0, 1, 0, 0], [0, 0, 1, 1])
    2.0
    """

    which = 1


class TrueNegatives(_Count):
    """How many negative predictions are right. Arguments as for `Precision`.

    Example:

    >>> cconv.metrics.TrueNegatives()([0, 1, 0, 0], [1, 1, 0, 0])
    2.0
    """

    which = 2


class FalseNegatives(_Count):
    """How many negative predictions are wrong. Arguments as for `Precision`.

    Example:

    >>> cconv.metrics.FalseNegatives()([0, 1, 1, 1], [0, 1, 0, 0])
    2.0
    """

    which = 3


class Precision(ConfusionMetric):
    """Of the positive predictions, the part that is right.

    Args:
        thresholds: A number or a list of numbers in [0, 1]; predictions above it are positive. Default: 0.5.
        top_k: If given, the k largest predictions of a sample are positive, whatever their size.
        class_id: If given, only this class counts.
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> round(cconv.metrics.Precision()([0, 1, 1, 1], [1, 0, 1, 1]), 4)
    0.6667
    """

    _state = ("true_positives", "false_positives")

    def result(self) -> Any:
        return self._single(quotient(self.true_positives, self.true_positives + self.false_positives))


class Recall(ConfusionMetric):
    """Of the positive targets, the part that is predicted so.

    Args:
        thresholds: A number or a list of numbers in [0, 1]; predictions above it are positive. Default: 0.5.
        top_k: If given, the k largest predictions of a sample are positive, whatever their size.
        class_id: If given, only this class counts.
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> round(cconv.metrics.Recall()([0, 1, 1, 1], [1, 0, 1, 1]), 4)
    0.6667
    """

    _state = ("true_positives", "false_negatives")

    def result(self) -> Any:
        return self._single(quotient(self.true_positives, self.true_positives + self.false_negatives))
