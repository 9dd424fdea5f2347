"""Distances and likenesses that are made of other functions, and what is known of determinants by their logarithm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import config
from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import number
from .linalg import matrices, norm
from .operation import operation
from .tensors import cast

__all__ = [
    "cdist",
    "logdet",
    "normalize",
    "psnr",
    "slogdet",
]


@operation("x", "y", module="math", class_name="CDist")
def cdist(x: Any, y: Any) -> Value:
    """The distances of each row of `x` from each row of `y`: (..., n, d), (..., m, d) -> (..., n, m).

    Example:

    >>> cconv.ops.cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 0.0]]).tolist()
    [[5.0, 0.0]]
    """
    if len(shape_of(x)) < 2 or len(shape_of(y)) < 2:
        raise ValueError(f"`cdist` takes rows of vectors. Received: shapes {shape_of(x)} and {shape_of(y)}")
    rows = apply("expand_dims", [cast(x, "float32")], {"axis": len(shape_of(x)) - 1})
    columns = apply("expand_dims", [cast(y, "float32")], {"axis": len(shape_of(y)) - 2})
    square = apply("sum", [apply("square", [apply("subtract", [rows, columns])])], {"axes": [-1]})
    # the root has no slope at 0
    same = apply("equal", [square, 0.0])
    return apply("where", [same, 0.0, apply("sqrt", [apply("where", [same, 1.0, square])])])


@operation("x", module="nn")
def normalize(x: Any, axis: int | Sequence[int] = -1, order: Any = 2, epsilon: float | None = None) -> Value:
    """`x` divided by its norm along `axis`.

    Args:
        x: Tensor.
        axis: The axis.
        order: The norm's `ord`; see `norm`.
        epsilon: The least divisor; `None`: `cconv.config.epsilon()`.

    Example:

    >>> cconv.ops.normalize([3.0, 4.0]).round(4).tolist()
    [0.6000000238418579, 0.800000011920929]
    """
    least = config.epsilon() if epsilon is None else number(epsilon, "epsilon", 0)
    x = cast(x, "float32")
    if order == 2:
        square = apply("sum", [apply("square", [x])], {"axes": [axis] if not isinstance(axis, (list, tuple)) else
                                                       list(axis), "keepdims": True})  # fmt: skip
        return apply("divide", [x, apply("sqrt", [apply("maximum", [square, least**2])])])
    return apply("divide", [x, apply("maximum", [norm(x, order, axis, True), least])])


@operation("x1", "x2", module="nn", class_name="PSNR")
def psnr(x1: Any, x2: Any, max_val: float) -> Value:
    """The ratio of the largest possible value to the mean squared difference, in decibels (peak signal-to-noise ratio).

    Args:
        x1: Images.
        x2: Images of the same shape.
        max_val: The largest value there can be.

    Example:

    >>> cconv.ops.psnr([0.0, 1.0], [0.0, 0.9], 1.0).round(3).tolist()
    23.010000228881836
    """
    if shape_of(x1) != shape_of(x2):
        raise ValueError(f"`psnr` takes two tensors of one shape. Received: shapes {shape_of(x1)} and {shape_of(x2)}")
    error = apply("mean", [apply("square", [apply("subtract", [x1, x2])])], {"axes": []})
    peak = 20 * np.log10(number(max_val, "max_val"))
    return apply("subtract", [float(peak), apply("multiply", [apply("log10", [error]), 10.0])])


def slogdet(x: Any) -> tuple[np.ndarray, np.ndarray]:
    """The signs of determinants and the logarithms of their sizes. Of arrays only.

    Example:

    >>> sign, value = cconv.ops.slogdet([[0.0, 1.0], [1.0, 0.0]])
    >>> float(sign)
    -1.0
    """
    sign, size = np.linalg.slogdet(*matrices("slogdet", x, square=True))
    return np.asarray(sign, np.float32), np.asarray(size, np.float32)


def logdet(x: Any) -> np.ndarray:
    """The logarithms of the determinants of positive definite matrices, NaN of others. Of arrays only.

    Example:

    >>> round(float(cconv.ops.logdet([[2.0, 0.0], [0.0, 3.0]])), 4)
    1.7918
    """
    sign, size = np.linalg.slogdet(*matrices("logdet", x, square=True))
    return np.asarray(np.where(sign > 0, size, np.where(sign < 0, np.nan, -np.inf)), np.float32)
