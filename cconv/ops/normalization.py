"""Normalization with given statistics."""

from __future__ import annotations

from typing import Any

from ..tensor import Value
from ._apply import apply
from .arguments import number, whole
from .operation import operation

__all__ = [
    "batch_normalization",
]


@operation("x", "mean", "variance", module="nn", class_name="BatchNorm")
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int = -1, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Value:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, with a value of each for every position on `axis`.

    Example:

    >>> cconv.ops.batch_normalization([[1.0, 2.0]], [1.0, 1.0], [1.0, 1.0], epsilon=0.0).tolist()
    [[0.0, 1.0]]
    """
    attributes = {"axis": whole(axis, "axis"), "epsilon": number(epsilon, "epsilon", 0), "training": False}
    return apply("batch_norm", [x, scale, offset, mean, variance], attributes)
