"""Small conversions of arrays that prepare labels and features."""

from typing import Any

import numpy as np

from ..ops.arguments import is_integer, number
from ..tensor import Tensor


def to_categorical(x, num_classes: int | None = None) -> np.ndarray:
    """Converts class numbers to one-hot rows.

    Args:
        x: Array-like of integers from 0 to `num_classes - 1`. A last axis of size 1 is dropped.
        num_classes: Number of classes; `max(x) + 1` by default.

    Returns:
        A float array of shape `x.shape + (num_classes,)`.

    Raises:
        ValueError: If `x` holds something other than integers in range.

    Example:

    >>> cconv.utils.to_categorical([0, 2, 1], num_classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])
    """
    values = _array(x, "to_categorical")
    if values.dtype.kind not in "biuf" or (values.dtype.kind == "f" and not np.array_equal(values, np.floor(values))):
        raise ValueError(f"Expected `x` to hold class numbers (integers). Received an array of dtype {values.dtype}")
    values = values.astype(np.int64)
    if values.ndim > 1 and values.shape[-1] == 1:
        values = values[..., 0]
    if num_classes is None:
        if not values.size:
            raise ValueError("Expected `num_classes` for an empty `x`. Received: num_classes=None")
        num_classes = int(values.max()) + 1
    if values.size and (values.min() < 0 or values.max() >= num_classes):
        raise ValueError(
            f"Expected class numbers from 0 to {num_classes - 1} (num_classes={num_classes}). "
            f"Received values from {values.min()} to {values.max()}"
        )
    rows = np.zeros((values.size, num_classes))
    rows[np.arange(values.size), values.ravel()] = 1
    return rows.reshape(values.shape + (num_classes,))


def normalize(x, axis: int = -1, order: float = 2) -> np.ndarray:
    """Divides an array by its norm along an axis; rows of zeros stay zeros.

    Args:
        x: Array to normalize.
        axis: Axis along which the norm is taken.
        order: Order of the norm: 2 is the Euclidean norm.

    Returns:
        A new array of the same shape.

    Example:

    >>> cconv.utils.normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    values = _array(x, "normalize")
    if order != float("inf"):
        number(order, "order", 0)
    if not is_integer(axis) or not -values.ndim <= axis < values.ndim:
        raise ValueError(f"Expected `axis` to be one of an array of {values.ndim} axes. Received: axis={axis!r}")
    norm = np.linalg.norm(values, order, axis, keepdims=True)
    return values / np.where(norm == 0, 1, norm)


def _array(x: Any, function: str) -> np.ndarray:
    if isinstance(x, Tensor):
        raise TypeError(f"{function}: expected an array. Received a symbolic tensor: {x!r}")
    return np.asarray(x)
