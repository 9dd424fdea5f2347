"""Activation functions made of pieces: straight lines, a parabola."""

from __future__ import annotations

from typing import Any

from ..tensor import Value
from ._apply import apply
from .arguments import number
from .operation import operation

__all__ = [
    "hard_shrink",
    "hard_tanh",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "threshold",
]


@operation("x", module="nn")
def hard_tanh(x: Any) -> Value:
    """`x`, limited to -1 .. 1.

    Example:

    >>> cconv.ops.hard_tanh([-1.5, 0.25, 2.0]).tolist()
    [-1.0, 0.25, 1.0]
    """
    return apply("clip", [x], {"minimum": -1.0, "maximum": 1.0})


@operation("x", module="nn")
def hard_shrink(x: Any, threshold: float = 0.5) -> Value:
    """`x` where `|x| > threshold`, else 0.

    Example:

    >>> cconv.ops.hard_shrink([-1.5, 0.25, 2.0]).tolist()
    [-1.5, 0.0, 2.0]
    """
    kept = apply("greater", [apply("abs", [x]), number(threshold, "threshold", 0)])
    return apply("where", [kept, x, 0.0])


@operation("x", module="nn")
def soft_shrink(x: Any, threshold: float = 0.5) -> Value:
    """`x` moved towards 0 by `threshold`; 0 where it lies nearer.

    Example:

    >>> cconv.ops.soft_shrink([-2.0, 0.25, 1.0]).tolist()
    [-1.5, 0.0, 0.5]
    """
    threshold = number(threshold, "threshold", 0)
    return apply("subtract", [x, apply("clip", [x], {"minimum": -threshold, "maximum": threshold})])


@operation("x", module="nn")
def sparse_plus(x: Any) -> Value:
    """0 below -1, `x` above 1, between them `(x + 1)**2 / 4`.

    Example:

    >>> cconv.ops.sparse_plus([-1.5, 0.25, 2.0]).tolist()
    [0.0, 0.390625, 2.0]
    """
    inner = apply("square", [apply("add", [apply("clip", [x], {"minimum": -1.0, "maximum": 1.0}), 1.0])])
    return apply("add", [apply("multiply", [inner, 0.25]), apply("relu", [apply("subtract", [x, 1.0])])])


@operation("x", module="nn")
def sparse_sigmoid(x: Any) -> Value:
    """`(x + 1) / 2`, limited to 0 .. 1.

    Example:

    >>> cconv.ops.sparse_sigmoid([-1.5, 0.25, 2.0]).tolist()
    [0.0, 0.625, 1.0]
    """
    limited = apply("clip", [x], {"minimum": -1.0, "maximum": 1.0})
    return apply("multiply", [apply("add", [limited, 1.0]), 0.5])


@operation("x", module="nn")
def threshold(x: Any, threshold: float, default_value: float) -> Value:
    """`x` where it is above `threshold`, else `default_value`.

    Example:

    >>> cconv.ops.threshold([1.0, 2.0, 3.0], 1.5, 0.0).tolist()
    [0.0, 2.0, 3.0]
    """
    above = apply("greater", [x, number(threshold, "threshold")])
    return apply("where", [above, x, float(number(default_value, "default_value"))])
