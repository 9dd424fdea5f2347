"""Labels that are numbers of classes: which of them are none."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops._apply import is_at_hand, is_eager, shape_of


def check_class_numbers(y: Any, classes: int, ignore_class: int | None = None, where: str = "y_true") -> None:
    """Refuses labels that are the number of no class.

    Args:
        y: Array of labels, samples first.
        classes: How many classes there are.
        ignore_class: A number that is allowed besides.
        where: What errors call the labels.

    Raises:
        ValueError: A label is no whole number, or it is out of range; the message tells the first one.

    Example:

    >>> from cconv.losses.class_numbers import check_class_numbers
    >>> check_class_numbers([0, 2, -1], classes=3, ignore_class=-1)
    """
    y = np.asarray(y)
    if y.dtype.kind == "f":
        broken = y != np.floor(y)
        if broken.any():
            raise ValueError(f"{where}: expected class numbers (integers). Received {_first(y, broken)}.")
    outside = (y < 0) | (y >= classes)
    if ignore_class is not None:
        outside &= y != ignore_class
    if outside.any():
        raise ValueError(
            f"{where}: expected class numbers from 0 to {classes - 1}, since there are {classes} classes. "
            f"Received values from {y.min()} to {y.max()}, first {_first(y, outside)}."
        )


def check_labels(y_true: Any, y_pred: Any, ignore_class: int | None = None, axis: int = -1, **settings: Any) -> None:
    """Refuses labels of a cross-entropy, as far as they can be looked at; the arguments are those of the loss.

    Raises:
        ValueError: A label is the number of none of the classes, or there is no such axis.
    """
    shape = shape_of(y_pred)
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"Expected an axis of y_pred, whose shape is {shape}. Received: axis={axis}")
    if is_eager(y_pred) and is_at_hand(y_true):
        check_class_numbers(y_true, shape[axis], ignore_class)


def _first(y: np.ndarray, wrong: np.ndarray) -> str:
    """The first wrong label, and where it stands."""
    at = np.unravel_index(int(np.argmax(wrong)), y.shape)
    place = f" for sample {at[0]}" if at else ""
    return f"{y[at]}{place}{f' at {tuple(map(int, at[1:]))}' if len(at) > 1 and y[0].size > 1 else ''}"
