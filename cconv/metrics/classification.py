"""Metrics of classifiers that are the mean of a function."""

from __future__ import annotations

from typing import Any

from ..losses import functions
from ..ops.arguments import number, positive_integer
from . import accuracies
from .reduction import MeanMetricWrapper

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "Hinge",
    "KLDivergence",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "TopKCategoricalAccuracy",
]


class Accuracy(MeanMetricWrapper):
    """How often prediction and target are equal.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> cconv.metrics.Accuracy()([1, 2, 3, 4], [0, 2, 3, 4])
    0.75
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracies.accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often a prediction is on the right side of the threshold.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.
        threshold: Predictions above it mean 1.

    Example:

    >>> cconv.metrics.BinaryAccuracy()([[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]])
    0.75
    """

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(accuracies.binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = number(threshold, "threshold")


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is that of the class of the one-hot target.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> cconv.metrics.CategoricalAccuracy()([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    0.5
    """

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(accuracies.categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is that of the class with the target's number.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> cconv.metrics.SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]])
    0.5
    """

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(accuracies.sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the one-hot target is among the k largest predictions.

    Args:
        k: How many count.
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> cconv.metrics.TopKCategoricalAccuracy(k=1)([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    0.5
    """

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(accuracies.top_k_categorical_accuracy, name, dtype, k=k)
        self.k = positive_integer(k, "k")


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class with the target's number is among the k largest predictions.

    Args:
        k: How many count.
        name: Name of the metric.
        dtype: `"float32"`.
        from_sorted_ids: Whether predictions are class numbers, best first.

    Example:

    >>> cconv.metrics.SparseTopKCategoricalAccuracy(k=1)([2, 1], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    0.5
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            accuracies.sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )
        self.k = positive_integer(k, "k")
        self.from_sorted_ids = from_sorted_ids


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of yes-no decisions.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.
        from_logits: Whether predictions are logits.
        label_smoothing: Moves targets this part of the way towards 1/2.

    Example:

    >>> round(cconv.metrics.BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(
            functions.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of one-hot targets.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.
        from_logits: Whether predictions are logits.
        label_smoothing: Moves targets this part of the way towards the uniform distribution.
        axis: The axis of the classes.

    Example:

    >>> round(cconv.metrics.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            functions.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of class numbers.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.
        from_logits: Whether predictions are logits.
        ignore_class: A number that stands for "no class"; its cross-entropy is 0.
        axis: The axis of the classes.

    Example:

    >>> round(cconv.metrics.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            functions.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis


class KLDivergence(MeanMetricWrapper):
    """The mean Kullback-Leibler divergence.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> round(cconv.metrics.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]), 4)
    0.1438
    """

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(functions.kl_divergence, name, dtype)


class Hinge(MeanMetricWrapper):
    """The mean hinge loss.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> cconv.metrics.Hinge()([[0.0, 1.0]], [[0.5, 0.5]])
    1.0
    """

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(functions.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """The mean squared hinge loss.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> cconv.metrics.SquaredHinge()([[-1.0, 1.0]], [[1.0, 0.0]])
    2.5
    """

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(functions.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """The mean hinge loss of one-hot targets.

    Args:
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> cconv.metrics.CategoricalHinge()([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.0]])
    0.75
    """

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(functions.categorical_hinge, name, dtype)
