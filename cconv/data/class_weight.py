"""From a weight for each class to one for each sample."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .stored import StoredArray


def class_weights(y: np.ndarray | StoredArray, class_weight: Any) -> np.ndarray:
    """The weight of each sample, from its class number or its one-hot row. Classes that are not listed weigh 1.

    Args:
        y: Labels: class numbers, with or without a last axis of size 1, or rows whose largest number is the class'.
        class_weight: Dictionary from class number to weight.

    Raises:
        TypeError: `class_weight` is no dictionary.
        ValueError: It holds something other than class numbers and finite weights, or the labels are of another form.
    """
    if not isinstance(class_weight, Mapping):
        raise TypeError(f"`class_weight`: expected a dictionary {{class: weight}}. Received: {class_weight!r:.60}")
    weights = {}
    for key, weight in class_weight.items():
        number, value = _as_float(key), _as_float(weight)
        if number is None or not number.is_integer() or value is None:
            raise ValueError(
                "`class_weight`: expected class numbers as keys and finite numbers as weights. "
                f"Received: {key!r}: {weight!r}"
            )
        weights[int(number)] = value
    parts = y.parts() if isinstance(y, StoredArray) else [y]
    return np.concatenate([_of_labels(part, weights) for part in parts])


def _of_labels(y: np.ndarray, weights: Mapping[int, float]) -> np.ndarray:
    classes = np.argmax(y, axis=-1) if y.ndim > 1 and y.shape[-1] != 1 else y
    if classes.size != len(y):
        raise ValueError(f"`class_weight`: expected one class per sample. Received labels of shape {y.shape}.")
    values, where = np.unique(np.round(classes).astype(np.int64), return_inverse=True)
    return np.array([weights.get(int(v), 1.0) for v in values], np.float32)[where.ravel()]


def _as_float(value: Any) -> float | None:
    """A finite number of any kind: Python's, NumPy's, a tensor of one element; else `None`."""
    if isinstance(value, (str, bytes)):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
