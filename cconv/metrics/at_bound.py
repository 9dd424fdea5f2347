"""One rate at a bound for another, over all thresholds: precision at recall and its kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.arguments import number, positive_integer, whole
from .confusion import Counts, count, quotient

__all__ = ["PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"]


class _AtBound(Counts):
    """Base of metrics that are the best rate at thresholds where another rate is at least a bound."""

    def __init__(
        self, bound_name: str, bound: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if not 0 <= number(bound, bound_name) <= 1:
            raise ValueError(f"Argument `{bound_name}` must be in the range [0, 1]. Received: {bound_name}={bound}")
        self._bound_name = bound_name
        setattr(self, bound_name, bound)
        self.num_thresholds = positive_integer(num_thresholds, "num_thresholds")
        self.class_id = None if class_id is None else whole(class_id, "class_id", 0)
        self.thresholds = [0.5] if num_thresholds == 1 else [i / (num_thresholds - 1) for i in range(num_thresholds)]
        self.reset_state()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        self._counts += count(y_true, y_pred, self.thresholds, sample_weight, class_id=self.class_id)

    def reset_state(self) -> None:
        super().reset_state()
        self._counts = np.zeros((4, self.num_thresholds))

    def get_config(self) -> dict[str, Any]:
        own = {"num_thresholds": self.num_thresholds, "class_id": self.class_id}
        return {**super().get_config(), **own, self._bound_name: getattr(self, self._bound_name)}

    def _best(self, rate: np.ndarray, other: np.ndarray, bound: float) -> float:
        return float(np.max(rate[other >= bound], initial=0.0))

    def _precision(self) -> np.ndarray:
        return quotient(self.true_positives, self.true_positives + self.false_positives)

    def _recall(self) -> np.ndarray:
        return quotient(self.true_positives, self.true_positives + self.false_negatives)

    def _specificity(self) -> np.ndarray:
        return quotient(self.true_negatives, self.true_negatives + self.false_positives)


class PrecisionAtRecall(_AtBound):
    """The best precision at thresholds where recall is at least a bound.

    Args:
        recall: The bound, in [0, 1].
        num_thresholds: How many thresholds, spread evenly over [0, 1].
        class_id: If given, only this class counts.
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> metric = cconv.metrics.PrecisionAtRecall(0.5)
    >>> metric.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    >>> round(metric.result(), 4)
    RESULT
    """

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__("recall", recall, num_thresholds, class_id, name, dtype)

    def result(self) -> float:
        return self._best(self._precision(), self._recall(), self.recall)


class RecallAtPrecision(_AtBound):
    """The best recall at thresholds where precision is at least a bound.

    Args:
        precision: The bound, in [0, 1].
        num_thresholds: How many thresholds, spread evenly over [0, 1].
        class_id: If given, only this class counts.
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> metric = cconv.metrics.RecallAtPrecision(0.5)
    >>> metric.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    >>> round(metric.result(), 4)
    RESULT
    """

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__("precision", precision, num_thresholds, class_id, name, dtype)

    def result(self) -> float:
        return self._best(self._recall(), self._precision(), self.precision)


class SensitivityAtSpecificity(_AtBound):
    """The best sensitivity (recall) at thresholds where specificity is at least a bound.

    Args:
        specificity: The bound, in [0, 1].
        num_thresholds: How many thresholds, spread evenly over [0, 1].
        class_id: If given, only this class counts.
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> metric = cconv.metrics.SensitivityAtSpecificity(0.5)
    >>> metric.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    >>> round(metric.result(), 4)
    RESULT
    """

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__("specificity", specificity, num_thresholds, class_id, name, dtype)

    def result(self) -> float:
        return self._best(self._recall(), self._specificity(), self.specificity)


class SpecificityAtSensitivity(_AtBound):
    """The best specificity at thresholds where sensitivity (recall) is at least a bound.

    Args:
        sensitivity: The bound, in [0, 1].
        num_thresholds: How many thresholds, spread evenly over [0, 1].
        class_id: If given, only this class counts.
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> metric = cconv.metrics.SpecificityAtSensitivity(0.5)
    >>> metric.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    >>> round(metric.result(), 4)
    RESULT
    """

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__("sensitivity", sensitivity, num_thresholds, class_id, name, dtype)

    def result(self) -> float:
        return self._best(self._specificity(), self._recall(), self.sensitivity)
