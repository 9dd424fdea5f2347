"""The losses as functions: one number for each sample.

Most are one op of the C core, value and gradient; the others are written with `cconv.ops`.
"""

from __future__ import annotations

import math
from typing import Any

from .. import ops
from ..config import epsilon
from ..ops._apply import apply, shape_of
from .class_numbers import check_labels
from .loss import squeeze_or_expand_to_same_rank

__all__ = [
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_hinge", "cosine_similarity", "hinge", "huber", "kl_divergence", "l1_loss", "l2_loss",
    "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "sparse_categorical_crossentropy", "squared_hinge",
]  # fmt: skip


def _size(y: Any, axis: int) -> Any:
    """The size of the axis along which the classes are."""
    shape = shape_of(y)
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"Expected numbers of classes along axis {axis}. Received: shape {shape}")
    return shape[axis]


def _loss(op: str, y_true: Any, y_pred: Any, attributes: dict[str, Any] | None = None) -> Any:
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return apply(op, [y_true, y_pred], attributes)


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """`mean((y_pred - y_true)**2, axis=-1)`.

    Example:

    >>> cconv.losses.mean_squared_error([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 3.0]]).tolist()
    [0.5, 5.0]
    """
    return _loss("mean_squared_error", y_true, y_pred)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """`mean(abs(y_pred - y_true), axis=-1)`.

    Example:

    >>> cconv.losses.mean_absolute_error([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]]).tolist()
    [0.5, 0.5]
    """
    return _loss("mean_absolute_error", y_true, y_pred)


def l1_loss(y_true: Any, y_pred: Any) -> Any:
    """`sum(abs(y_pred - y_true), axis=-1)`: a sum where the mean absolute error is a mean.

    Example:

    >>> cconv.losses.l1_loss([[0.0, 1.0]], [[2.0, 0.0]]).tolist()
    [3.0]
    """
    return _loss("l1_loss", y_true, y_pred)


def l2_loss(y_true: Any, y_pred: Any) -> Any:
    """`sum((y_pred - y_true)**2, axis=-1)`: a sum where the mean squared error is a mean.

    Example:

    >>> cconv.losses.l2_loss([[0.0, 1.0]], [[2.0, 0.0]]).tolist()
    [5.0]
    """
    return _loss("l2_loss", y_true, y_pred)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """`100 * mean(abs((y_true - y_pred) / y_true), axis=-1)`, with the divisor kept away from 0.

    Example:

    >>> cconv.losses.mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]).tolist()
    [25.0]
    """
    return _loss("mean_absolute_percentage_error", y_true, y_pred)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """`mean((log(y_true + 1) - log(y_pred + 1))**2, axis=-1)`; negative numbers count as (almost) 0.

    Example:

    >>> round(float(cconv.losses.mean_squared_logarithmic_error([[0.0]], [[1.718281828]])[0]), 5)
    1.0
    """
    return _loss("mean_squared_logarithmic_error", y_true, y_pred)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(maximum(1 - y_true * y_pred, 0), axis=-1)` for labels -1 and 1; labels 0 and 1 are converted to these.

    Example:

    >>> cconv.losses.hinge([[0.0, 1.0]], [[0.5, 0.5]]).tolist()
    [1.0]
    """
    return _loss("hinge", y_true, y_pred)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(maximum(1 - y_true * y_pred, 0)**2, axis=-1)`, labels as for `hinge`.

    Example:

    >>> cconv.losses.squared_hinge([[-1.0, 1.0]], [[1.0, 0.0]]).tolist()
    [2.5]
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    binary = ops.min(ops.equal(y_true, 0) + ops.equal(y_true, 1))
    signs = ops.add(y_true, binary * ops.subtract(y_true, 1.0))  # 2 y_true - 1 if binary
    return ops.mean(ops.square(ops.maximum(1.0 - ops.multiply(signs, y_pred), 0.0)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """`maximum(neg - pos + 1, 0)`, where pos is the prediction of the true class and neg the largest of the others.

    Args:
        y_true: One-hot rows.
        y_pred: Of the same shape.

    Example:

    >>> cconv.losses.categorical_hinge([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.0]]).tolist()
    [0.75]
    """
    positive = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    negative = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=-1)
    return ops.maximum(negative - positive + 1.0, 0.0)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """`sum(y_true * log(y_true / y_pred), axis=-1)`, both kept within [1e-7, 1].

    Example:

    >>> round(float(cconv.losses.kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])[0]), 4)
    0.1438
    """
    return _loss("kl_divergence", y_true, y_pred)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """`mean(y_pred - y_true * log(y_pred), axis=-1)`.

    Example:

    >>> cconv.losses.poisson([[0.0, 3.0]], [[2.0, 1.0]]).round(3)
    array([1.5], dtype=float32)
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, ops.log(ops.add(y_pred, epsilon())))), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Half the squared error where it is at most `delta`, from there on a straight line; the mean over the last axis.

    Args:
        y_true, y_pred: Of the same shape.
        delta: Where the square becomes a line.

    Example:

    >>> cconv.losses.huber([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
    [1.5]
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    error = ops.subtract(y_pred, y_true)
    size, delta = ops.abs(error), float(delta)
    return ops.mean(ops.where(size <= delta, 0.5 * ops.square(error), delta * size - 0.5 * delta * delta), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """`mean(log(cosh(y_pred - y_true)), axis=-1)`, arranged so that nothing overflows.

    Example:

    >>> cconv.losses.log_cosh([[0.0, 0.0]], [[0.0, 1000.0]]).round(2)
    array([499.65], dtype=float32)
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    size = ops.abs(ops.subtract(y_pred, y_true))  # log(cosh(x)) is even
    less = ops.expm1(-ops.minimum(size, 1.0))  # cosh(x) - 1 = less**2 / (2 + 2 less): near 0 no digit is lost
    near = ops.log1p(ops.square(less) / (2.0 + 2.0 * less))
    return ops.mean(ops.where(size < 1.0, near, size + ops.softplus(-2.0 * size) - math.log(2.0)), axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between target and prediction: -1 if they point the same way.

    Args:
        y_true, y_pred: Of the same shape.
        axis: The axis of the vectors; it vanishes from the shape.

    Example:

    >>> cconv.losses.cosine_similarity([[0.0, 2.0], [1.0, 1.0]], [[0.0, 3.0], [-1.0, -1.0]]).round(4)
    array([-1.,  1.], dtype=float32)
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return -ops.sum(_normalize(y_true, axis) * _normalize(y_pred, axis), axis=axis)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """`mean(-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred), axis=axis)`.

    Args:
        y_true: Targets 0 or 1, or anything between.
        y_pred: Probabilities, or logits if `from_logits`. Probabilities that come from a sigmoid are replaced by its
            input and treated as logits, which is exact where the sigmoid is 0 or 1 to the last digit.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: Between 0 and 1; moves targets this part of the way towards 1/2.
        axis: The axis of the mean.

    Example:

    >>> cconv.losses.binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(4)
    array([0.6931], dtype=float32)
    """
    attributes = {"from_logits": bool(from_logits), "label_smoothing": _number(label_smoothing)}
    if axis in (-1, len(shape_of(y_pred)) - 1):
        return _loss("binary_crossentropy", y_true, y_pred, attributes)
    return ops.mean(_each(y_true, y_pred, attributes), axis=axis)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """`-sum(y_true * log(y_pred), axis=axis)`.

    Args:
        y_true: A probability for each class, usually one-hot.
        y_pred: Probabilities, or logits if `from_logits`. Probabilities that come from a softmax over `axis` are
            replaced by its input and treated as logits: softmax and cross-entropy are then one op.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: Between 0 and 1; moves targets this part of the way towards the uniform distribution.
        axis: The axis of the classes.

    Example:

    >>> cconv.losses.categorical_crossentropy([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.25]]).round(4)
    array([0.6931], dtype=float32)
    """
    if isinstance(axis, bool):
        raise ValueError(f"`axis` must be of type `int`. Received: axis={axis} of type {type(axis)}")
    attributes = {"from_logits": bool(from_logits), "label_smoothing": _number(label_smoothing), "axis": axis}
    return apply("categorical_crossentropy", [y_true, y_pred], attributes)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """`-log(y_pred[y_true])`.

    Args:
        y_true: The number of the true class, of the shape of `y_pred` without `axis`, or with 1 there.
        y_pred: As for `categorical_crossentropy`.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A number that stands for "no class": its loss is 0.
        axis: The axis of the classes.

    Raises:
        ValueError: A label is the number of none of the classes.

    Example:

    >>> cconv.losses.sparse_categorical_crossentropy([1, 0], [[0.25, 0.5, 0.25], [1.0, 0.0, 0.0]]).round(4)
    array([0.6931, 0.    ], dtype=float32)
    """
    check_labels(y_true, y_pred, ignore_class, axis)
    rank = len(shape_of(y_pred))
    if axis not in (-1, rank - 1):
        if len(shape_of(y_true)) == rank:
            y_true = ops.squeeze(y_true, axis)
        y_pred = ops.moveaxis(y_pred, axis, -1)
    attributes = {"from_logits": bool(from_logits)}
    if ignore_class is None:
        return apply("sparse_categorical_crossentropy", [y_true, y_pred], attributes)
    valid = ops.not_equal(y_true, ignore_class)
    values = apply("sparse_categorical_crossentropy", [ops.where(valid, y_true, 0.0), y_pred], attributes)
    return ops.where(_without_axis(valid, y_pred, -1), values, 0.0)


def _counted(y_true: Any, y_pred: Any, ignore_class: int | None = None, axis: int = -1, **settings: Any) -> Any:
    """1 for each label that counts, 0 where it is the ignored class; None if all do."""
    return None if ignore_class is None else _without_axis(ops.not_equal(y_true, ignore_class), y_pred, axis)


def _without_axis(labels: Any, y_pred: Any, axis: int) -> Any:
    return ops.squeeze(labels, axis) if len(shape_of(labels)) == len(shape_of(y_pred)) else labels


# losses and metrics made of a function ask it what counts, and those whose call was traced before what may be given
sparse_categorical_crossentropy.mask, sparse_categorical_crossentropy.check = _counted, check_labels


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """The binary cross-entropy times `(1 - p)**gamma`, p the probability given to the truth: easy samples count less.

    Lin et al., "Focal loss for dense object detection", 2017.

    Args:
        y_true, y_pred, from_logits, label_smoothing, axis: See `binary_crossentropy`.
        apply_class_balancing: Whether targets of 1 count `alpha` and those of 0 count `1 - alpha`.
        alpha: The weight of targets of 1.
        gamma: How much less easy samples count; with 0 all count alike.

    Example:

    >>> cconv.losses.binary_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(4)
    array([0.1733], dtype=float32)
    """
    if label_smoothing:
        y_true = ops.add(ops.multiply(y_true, 1.0 - label_smoothing), 0.5 * label_smoothing)
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    hit = ops.multiply(y_true, y_pred) + ops.multiply(ops.subtract(1.0, y_true), ops.subtract(1.0, y_pred))
    values = ops.power(1.0 - hit, gamma) * _each(y_true, y_pred, {"from_logits": False})
    if apply_class_balancing:
        values = values * (ops.multiply(y_true, 2 * alpha - 1) + (1 - alpha))
    return ops.mean(values, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`alpha * (1 - y_pred)**gamma` times the categorical cross-entropy, summed over the classes.

    Args:
        y_true, y_pred, from_logits, label_smoothing, axis: See `categorical_crossentropy`.
        alpha: Weight of the classes: a number, or one for each.
        gamma: How much less easy samples count; with 0 all count alike.

    Example:

    >>> cconv.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(4)
    array([0.0433], dtype=float32)
    """
    if label_smoothing:
        y_true = ops.add(ops.multiply(y_true, 1.0 - label_smoothing), label_smoothing / _size(y_true, axis))
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    output = ops.divide(y_pred, ops.sum(y_pred, axis=axis, keepdims=True))
    output = ops.clip(output, epsilon(), 1.0 - epsilon())
    return ops.sum(alpha * ops.power(1.0 - output, gamma) * ops.multiply(y_true, -ops.log(output)), axis=axis)


def _each(y_true: Any, y_pred: Any, attributes: dict[str, Any]) -> Any:
    """The binary cross-entropy of every element."""
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return apply("binary_crossentropy", [ops.expand_dims(y_true, -1), ops.expand_dims(y_pred, -1)], attributes)


def _normalize(x: Any, axis: int) -> Any:
    """x divided by its length along `axis`."""
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.divide(x, ops.sqrt(ops.maximum(squares, epsilon() ** 2)))


def _number(value: Any) -> float:
    value = float(value)
    if not 0 <= value <= 1:
        raise ValueError(f"`label_smoothing` must be a number between 0 and 1. Received: label_smoothing={value}")
    return value
