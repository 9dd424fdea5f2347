"""The area under a curve of rates, from counts at many thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .confusion import Counts, count, quotient

__all__ = ["AUC"]


class AUC(Counts):
    """The area under a curve of rates over all thresholds, from sums at `num_thresholds` of them.

    Args:
        num_thresholds: How many thresholds, spread evenly over [0, 1].
        curve: `"ROC"` (true positive rate over false positive rate) or `"PR"` (precision over recall).
        summation_method: `"interpolation"`, `"minoring"` (from below) or `"majoring"` (from above).
        name: Name of the metric.
        dtype: `"float32"`.
        thresholds: The thresholds themselves, instead of a number of them; 0 and 1 are added.
        multi_label: Whether each column of the predictions is a question of its own; the result is their mean.
        num_labels: How many columns there are, with `multi_label`.
        label_weights: What each column counts.
        from_logits: Whether predictions are logits instead of probabilities.

    Example:

    >>> metric = cconv.metrics.AUC(num_thresholds=3)
    >>> metric.update_state([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])
    >>> metric.result()
    0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.curve = _choice("curve", str(curve).upper(), ("ROC", "PR"))
        self.summation_method = _choice(
            "summation_method", str(summation_method).lower(), ("interpolation", "minoring", "majoring")
        )
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(
                f"Argument `num_thresholds` must be an integer > 1. Received: num_thresholds={num_thresholds}"
            )
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        self._own_thresholds = thresholds is not None
        inner = (
            sorted(thresholds)
            if thresholds is not None
            else [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        )
        outside = [t for t in inner if not 0 <= t <= 1]
        if outside:
            raise ValueError(f"Threshold values must be in [0, 1]. Received: {outside}")
        self.thresholds = [-1e-7, *inner, 1 + 1e-7]
        self.num_thresholds = len(self.thresholds)
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights = None if label_weights is None else list(label_weights)
        self.from_logits = from_logits
        self.reset_state()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        y_pred = np.asarray(y_pred, np.float32)
        if self.from_logits:
            y_pred = (0.5 * (1 + np.tanh(y_pred / 2))).astype(np.float32)
        if not self.from_logits and y_pred.size and not (np.nanmin(y_pred) >= 0 and np.nanmax(y_pred) <= 1):
            raise ValueError(
                "AUC: expected predictions in [0, 1] (or `from_logits=True`). "
                f"Received: values from {np.nanmin(y_pred)} to {np.nanmax(y_pred)}"
            )
        if self.multi_label and y_pred.ndim != 2:
            raise ValueError(f"`y_pred` must have rank 2 when `multi_label=True`. Received: shape {y_pred.shape}")
        if self.multi_label and self.num_labels not in (None, y_pred.shape[-1]):
            raise ValueError(f"Expected predictions of {self.num_labels} labels. Received: {y_pred.shape[-1]}")
        if self.label_weights is not None and not self.multi_label:
            own = np.ones(()) if sample_weight is None else np.asarray(sample_weight, np.float64)
            own = own.reshape(own.shape + (1,) * (y_pred.ndim - own.ndim))
            sample_weight = np.broadcast_to(own * np.asarray(self.label_weights, np.float64), y_pred.shape)
        self._counts = self._counts + count(y_true, y_pred, self.thresholds, sample_weight, by_label=self.multi_label)

    def reset_state(self) -> None:
        super().reset_state()
        labels = (self.num_labels or 1,) if self.multi_label else ()
        self._counts = np.zeros((4, self.num_thresholds, *labels))

    def result(self) -> float:
        true_positive, false_positive, true_negative, false_negative = self._counts
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._mean(self._interpolated_precision(true_positive, false_positive, false_negative))
        recall = quotient(true_positive, true_positive + false_negative)
        if self.curve == "ROC":
            x, y = quotient(false_positive, false_positive + true_negative), recall
        else:
            x, y = recall, quotient(true_positive, true_positive + false_positive)
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2
        else:
            heights = (np.minimum if self.summation_method == "minoring" else np.maximum)(y[:-1], y[1:])
        return self._mean(np.sum((x[:-1] - x[1:]) * heights, axis=0))

    @staticmethod
    def _interpolated_precision(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> np.ndarray:
        """Between two thresholds true positives are taken to grow linearly with all positives p: tp = a + b p. The area
        is then the integral of tp / p over d tp = b dp, which is b (dtp + a log(p1 / p0)). Davis and Goadrich, "The
        relationship between precision-recall and ROC curves", 2006."""
        p = tp + fp
        slope = quotient(tp[:-1] - tp[1:], np.maximum(p[:-1] - p[1:], 0))
        intercept = tp[1:] - slope * p[1:]
        both = (p[:-1] > 0) & (p[1:] > 0)
        ratio = np.where(both, quotient(p[:-1], p[1:]), 1)
        terms = slope * (tp[:-1] - tp[1:] + intercept * np.log(np.where(ratio > 0, ratio, 1)))
        return np.sum(quotient(terms, np.maximum(tp[1:] + fn[1:], 0)), axis=0)

    def _mean(self, areas: np.ndarray) -> float:
        if self.multi_label and self.label_weights is not None:
            return float(quotient(np.sum(areas * np.asarray(self.label_weights)), np.sum(self.label_weights)))
        return float(np.mean(areas))

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }
        if self._own_thresholds:
            config["thresholds"] = self.thresholds[1:-1]
        return config


def _choice(argument: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(f"Invalid `{argument}` argument value. Expected one of {choices}. Received: {value!r}")
    return value
