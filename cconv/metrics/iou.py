"""Intersection over union, from a confusion matrix: of segmentations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import ops
from ..ops.arguments import number, positive_integer, whole
from .confusion import quotient
from .metric import ArrayState, traced

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class IoU(ArrayState):
    """The intersection over union of some classes, averaged: `tp / (tp + fp + fn)` of each.

    Classes that neither targets nor predictions hold do not count. Weights that are no whole numbers count as they are.

    Args:
        num_classes: How many classes there are.
        target_class_ids: The classes that count.
        name: Name of the metric.
        dtype: `"int32"`.
        ignore_class: The number of targets that do not count, such as -1 or 255, or of a class.
        sparse_y_true: Whether targets are class numbers; else they are one-hot, or probabilities.
        sparse_y_pred: Whether predictions are class numbers; else they are probabilities or logits.
        axis: The axis of the classes where they are not class numbers.

    Raises:
        ValueError: If a class to be counted is none of `num_classes`; in a step, if a target or a prediction is none.

    Example:

    >>> metric = cconv.metrics.IoU(num_classes=2, target_class_ids=[0])
    >>> metric.update_state([0, 0, 1, 1], [0, 1, 0, 1])
    >>> round(metric.result(), 4)
    0.3333
    """

    _state = ("total_confusion_matrix",)

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dtype = str(dtype or "int32")
        self.num_classes = positive_integer(num_classes, "num_classes")
        self.target_class_ids = [whole(i, "target_class_ids", 0) for i in target_class_ids]
        if not self.target_class_ids or max(self.target_class_ids) >= num_classes:
            raise ValueError(
                f"Expected `target_class_ids` from 0 to {num_classes - 1}, at least one. "
                f"Received: {target_class_ids} for {num_classes} classes"
            )
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.reset_state()

    @property
    def _shape(self) -> tuple[int, ...]:
        return (self.num_classes, self.num_classes)

    @traced
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        self.add(*self.numbers(y_true, y_pred, sample_weight))

    def numbers(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Any]:
        pair = zip((y_true, y_pred), (self.sparse_y_true, self.sparse_y_pred))
        found = [self._class_numbers(ops.convert_to_tensor(y), sparse) for y, sparse in pair]
        return [*found, *([] if sample_weight is None else [ops.convert_to_tensor(sample_weight) * 1.0])]

    def _class_numbers(self, y: Any, sparse: bool) -> Any:
        return ops.cast(y, "int32") if sparse else ops.argmax(y, axis=self.axis)

    def add(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = (np.asarray(y).astype(np.int64) for y in (y_true, y_pred))
        weights = None
        if sample_weight is not None:
            own = np.asarray(sample_weight, np.float64)
            while own.ndim > y_true.ndim and own.shape[-1] == 1:
                own = own[..., 0]
            weights = np.broadcast_to(own.reshape(own.shape + (1,) * (y_true.ndim - own.ndim)), y_true.shape).ravel()
        y_true, y_pred = y_true.ravel(), y_pred.ravel()
        if y_true.size != y_pred.size:
            raise ValueError(
                f"Metric {self.name!r}: expected as many targets as predictions. "
                f"Received: {y_true.size} and {y_pred.size}"
            )
        if self.ignore_class is not None:
            valid = y_true != self.ignore_class
            y_true, y_pred = y_true[valid], y_pred[valid]
            weights = None if weights is None else weights[valid]
        for what, y in (("targets", y_true), ("predictions", y_pred)):
            if y.size and not 0 <= y.min() <= y.max() < self.num_classes:
                raise ValueError(
                    f"Metric {self.name!r}: expected {what} from 0 to {self.num_classes - 1}. "
                    f"Received: {y.min()} to {y.max()}"
                )
        counts = np.bincount(y_true * self.num_classes + y_pred, weights, self.num_classes**2)
        super().add(counts.reshape(self._shape))

    def result(self) -> float:
        matrix = self.total_confusion_matrix
        right = np.diag(matrix)
        union = matrix.sum(0) + matrix.sum(1) - right
        chosen = self.target_class_ids
        present = union[chosen] > 0
        return float(quotient(quotient(right, union)[chosen][present].sum(), present.sum()))

    def get_config(self) -> dict[str, Any]:
        names = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class BinaryIoU(IoU):
    """The intersection over union of two classes, which a threshold tells apart.

    Args:
        target_class_ids: The classes that count: 0, 1 or both.
        threshold: Predictions at or above it mean 1.
        name: Name of the metric.
        dtype: `"int32"`.

    Example:

    >>> metric = cconv.metrics.BinaryIoU(threshold=0.3)
    >>> metric.update_state([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])
    >>> round(metric.result(), 4)
    0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = number(threshold, "threshold")

    def numbers(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Any]:
        at_least = ops.greater_equal(ops.convert_to_tensor(y_pred) * 1.0, self.threshold)
        return super().numbers(y_true, ops.cast(at_least, "int32"), sample_weight)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["num_classes"]
        del config["ignore_class"]
        del config["sparse_y_true"]
        del config["sparse_y_pred"]
        del config["axis"]
        config["threshold"] = self.threshold
        return config


class MeanIoU(IoU):
    """The mean intersection over union of all classes.

    Args:
        num_classes: How many classes there are.
        ignore_class: The number of targets that do not count.
        sparse_y_true: Whether targets are class numbers.
        sparse_y_pred: Whether predictions are class numbers; else probabilities or logits.
        axis: The axis of the classes where they are not class numbers.
        name: Name of the metric.
        dtype: `"int32"`.

    Example:

    >>> metric = cconv.metrics.MeanIoU(num_classes=2)
    >>> metric.update_state([0, 0, 1, 1], [0, 1, 0, 1])
    >>> round(metric.result(), 4)
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        classes = range(positive_integer(num_classes, "num_classes"))
        super().__init__(num_classes, classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["target_class_ids"]
        return config


class OneHotIoU(IoU):
    """The intersection over union of some classes, with one-hot targets.

    Args:
        num_classes: How many classes there are.
        target_class_ids: The classes that count.
        ignore_class: The number of targets that do not count.
        sparse_y_pred: Whether predictions are class numbers; else probabilities or logits.
        axis: The axis of the classes where they are not class numbers.
        name: Name of the metric.
        dtype: `"int32"`.

    Example:

    >>> metric = cconv.metrics.OneHotIoU(num_classes=2, target_class_ids=[1])
    >>> metric.update_state([[1, 0], [0, 1]], [[0.9, 0.1], [0.6, 0.4]])
    >>> metric.result()
    0.0
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["sparse_y_true"]
        return config


class OneHotMeanIoU(MeanIoU):
    """The mean intersection over union of all classes, with one-hot targets.

    Args:
        num_classes: How many classes there are.
        ignore_class: The number of targets that do not count.
        sparse_y_pred: Whether predictions are class numbers; else probabilities or logits.
        axis: The axis of the classes where they are not class numbers.
        name: Name of the metric.
        dtype: `"int32"`.

    Example:

    >>> metric = cconv.metrics.OneHotMeanIoU(num_classes=2)
    >>> metric.update_state([[1, 0], [0, 1]], [[0.9, 0.1], [0.6, 0.4]])
    >>> metric.result()
    0.25
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["sparse_y_true"]
        return config
