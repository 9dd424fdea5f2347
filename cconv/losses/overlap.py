"""Losses of masks: how much of two masks does not overlap."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..config import epsilon

__all__ = ["dice", "tversky"]


def dice(y_true: Any, y_pred: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """One minus the overlap of two masks: `1 - 2 sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`.

    Args:
        y_true, y_pred: Of the same shape.
        axis: The axes of a mask, which vanish from the shape; all of them if `None`: one number for the batch.

    Example:

    >>> round(float(cconv.losses.dice([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    0.3333
    """
    overlap = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    return 1.0 - 2.0 * overlap / (ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis) + epsilon())


def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: int | tuple[int, ...] | None = None
) -> Any:
    """Like `dice`, with weights for what is missed (`alpha`) and for what is marked falsely (`beta`).

    Salehi et al., "Tversky loss function for image segmentation", 2017.

    Args:
        y_true, y_pred, axis: See `dice`.
        alpha: Weight of what is missed.
        beta: Weight of what is marked falsely.

    Example:

    >>> round(float(cconv.losses.tversky([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    0.3333
    """
    overlap = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    missed = ops.sum(ops.multiply(ops.subtract(1.0, y_pred), y_true), axis=axis)
    false = ops.sum(ops.multiply(y_pred, ops.subtract(1.0, y_true)), axis=axis)
    return 1.0 - overlap / (overlap + missed * alpha + false * beta + epsilon())
