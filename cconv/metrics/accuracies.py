"""How often predictions are right, as functions: 1 or 0 for each sample."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..losses.loss import squeeze_or_expand_to_same_rank
from ..ops._apply import shape_of
from ..ops.arguments import positive_integer

__all__ = [
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether prediction and target are equal.

    Example:

    >>> cconv.metrics.accuracy([1, 2, 3], [1, 2, 4]).tolist()
    [1.0, 1.0, 0.0]
    """
    return _share(ops.equal(*squeeze_or_expand_to_same_rank(y_true, y_pred)))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Whether the prediction is above the threshold where the target is 1, and not where it is 0.

    Example:

    >>> cconv.metrics.binary_accuracy([[1.0], [0.0]], [[0.75], [0.75]]).tolist()
    [[1.0], [0.0]]
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return _share(ops.equal(y_true, ops.greater(y_pred, threshold)))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the class with the largest prediction is that of the one-hot target.

    Example:

    >>> cconv.metrics.categorical_accuracy([[0, 1], [1, 0]], [[0.25, 0.75], [0.25, 0.75]]).tolist()
    [1.0, 0.0]
    """
    return _share(ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the class with the largest prediction is that of the target, a class number.

    Example:

    >>> cconv.metrics.sparse_categorical_accuracy([1, 0], [[0.25, 0.75], [0.25, 0.75]]).tolist()
    [1.0, 0.0]
    """
    return _share(ops.equal(_class_numbers(y_true, y_pred), ops.argmax(y_pred, axis=-1)))


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Whether the class of the one-hot target is among the k with the largest predictions.

    Example:

    >>> cconv.metrics.top_k_categorical_accuracy([[0, 0, 1]], [[0.5, 0.125, 0.375]], k=2).tolist()
    [1.0]
    """
    return _in_top_k(ops.argmax(y_true, axis=-1), y_pred, positive_integer(k, "k"))


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """Whether the class of the target, a class number, is among the k with the largest predictions.

    Args:
        y_true: Class numbers.
        y_pred: A prediction for each class, or with `from_sorted_ids` the numbers of the classes, best first.
        k: How many count.
        from_sorted_ids: What `y_pred` holds.

    Example:

    >>> cconv.metrics.sparse_top_k_categorical_accuracy([2], [[0.5, 0.125, 0.375]], k=2).tolist()
    [1.0]
    """
    y_true, k = _class_numbers(y_true, y_pred), positive_integer(k, "k")
    if from_sorted_ids:
        _classes(y_pred)
        best = ops.get_item(y_pred, (Ellipsis, slice(0, k)))
        return _share(ops.max(ops.equal(ops.expand_dims(y_true, -1), best), axis=-1))
    return _in_top_k(y_true, y_pred, k)


def _share(right: Any) -> Any:
    """Bools as the numbers 1 and 0, of which means are shares."""
    return ops.cast(right, "float32")


def _class_numbers(y_true: Any, y_pred: Any) -> Any:
    shape = shape_of(y_true)
    return ops.squeeze(y_true, -1) if shape and len(shape) == len(shape_of(y_pred)) and shape[-1] == 1 else y_true


def _classes(y_pred: Any) -> int:
    """The number of classes that predictions are for."""
    shape = shape_of(y_pred)
    if not shape or shape[-1] is None:
        raise ValueError(f"Expected `y_pred` with a number for each class along its last axis. Received: shape={shape}")
    return shape[-1]


def _in_top_k(labels: Any, y_pred: Any, k: int) -> Any:
    """Fewer than k predictions are larger than that of the label. Not true for NaN, or for a label that is no class."""
    chosen = ops.one_hot(labels, _classes(y_pred))
    own = ops.sum(ops.multiply(chosen, y_pred), axis=-1, keepdims=True)
    larger = ops.sum(ops.greater(y_pred, own), axis=-1)
    valid = ops.multiply(ops.max(chosen, axis=-1), ops.squeeze(ops.equal(own, own), -1))
    return ops.multiply(ops.less(larger, k), valid)
