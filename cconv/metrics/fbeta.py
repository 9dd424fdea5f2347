"""F scores: means of precision and recall."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..ops._apply import shape_of
from ..ops.arguments import number
from .metric import ArrayState, traced

__all__ = ["F1Score", "FBetaScore"]

_EPSILON = 1e-7


class FBetaScore(ArrayState):
    """The weighted harmonic mean of precision and recall, of each class or averaged.

    `(1 + beta**2) * precision * recall / (beta**2 * precision + recall)`. Shapes: (n, classes).

    Args:
        average: `None`: one score for each class; `"micro"`: one of all classes together; `"macro"`: the mean of the
            classes' scores; `"weighted"`: their mean weighted by how often a class is the target.
        beta: How many times recall counts what precision does.
        threshold: Predictions above it are positive; `None`: the largest of each sample is.
        name: Name of the metric.
        dtype: `"float32"`.

    Raises:
        ValueError: If an argument is out of range; in a step, if targets and predictions are not of this shape.

    Example:

    >>> metric = cconv.metrics.FBetaScore(beta=2.0, threshold=0.5)
    >>> metric.update_state([[1, 1], [1, 0], [0, 1]], [[0.2, 0.6], [0.6, 0.2], [0.6, 0.8]])
    >>> metric.result().round(4).tolist()
    [0.5, 1.0]
    """

    _state = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                "Invalid `average` argument value. Expected one of: (None, 'micro', 'macro', 'weighted'). "
                f"Received: average={average!r}"
            )
        if number(beta, "beta") <= 0:
            raise ValueError(f"Invalid `beta` argument value. It should be > 0. Received: beta={beta}")
        if threshold is not None and not 0 < number(threshold, "threshold") <= 1:
            raise ValueError(
                "Invalid `threshold` argument value. It should verify 0 < threshold <= 1. "
                f"Received: threshold={threshold}"
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.reset_state()

    @traced
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        self.add(*self.numbers(y_true, y_pred, sample_weight))

    def numbers(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Any]:
        y_true, y_pred = (ops.cast(ops.convert_to_tensor(y), "float32") for y in (y_true, y_pred))
        shapes = [shape_of(y) for y in (y_true, y_pred)]
        if any(len(shape) != 2 for shape in shapes) or shapes[0][1] != shapes[1][1]:
            raise ValueError(
                f"{type(self).__name__} expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                f"y_true.shape={shapes[0]} and y_pred.shape={shapes[1]}."
            )
        if self.threshold is None:
            largest = ops.greater_equal(y_pred, ops.max(y_pred, axis=-1, keepdims=True))
            chosen = ops.where(largest, ops.cast(ops.greater(ops.abs(y_pred), 1e-9), "float32"), 0.0)
        else:
            chosen = ops.cast(ops.greater(y_pred, self.threshold), "float32")
        axis = None if self.average == "micro" else 0
        weights = None if sample_weight is None else _column(sample_weight)

        def total(values: Any) -> Any:
            return ops.sum(values if weights is None else values * weights, axis=axis)

        return [total(chosen * y_true), total(chosen * (1 - y_true)), total((1 - chosen) * y_true), total(y_true)]

    def result(self) -> Any:
        tp, fp, fn = self.true_positives, self.false_positives, self.false_negatives
        precision, recall = tp / (tp + fp + _EPSILON), tp / (tp + fn + _EPSILON)
        square = self.beta**2
        score = (1 + square) * precision * recall / (square * precision + recall + _EPSILON)
        if self.average == "weighted":
            weights = self.intermediate_weights
            return float(np.sum(score * weights / (np.sum(weights) + _EPSILON)))
        return np.asarray(score) if self.average is None else float(np.mean(score))

    def get_config(self) -> dict[str, Any]:
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **own}


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall, of each class or averaged: `FBetaScore` with `beta=1`.

    Args:
        average: `None`, `"micro"`, `"macro"` or `"weighted"`, see `FBetaScore`.
        threshold: Predictions above it are positive; `None`: the largest of each sample is.
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> metric = cconv.metrics.F1Score(average="macro")
    >>> metric.update_state([[1, 0], [0, 1], [0, 1]], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    >>> round(metric.result(), 4)
    0.6667
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["beta"]
        return config


def _column(sample_weight: Any) -> Any:
    """Weights of samples as a column beside their classes."""
    weights = ops.convert_to_tensor(sample_weight)
    return ops.expand_dims(weights, -1) if len(shape_of(weights)) == 1 else weights
