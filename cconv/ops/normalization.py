"""Normalization: with given statistics, and with those of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..config import epsilon as default_epsilon
from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import axes as numbers_of_axes
from .arguments import number, whole
from .operation import operation
from .reductions import var

__all__ = [
    "batch_normalization",
    "layer_normalization",
    "rms_normalization",
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


@operation("x", "gamma", "beta", module="nn", class_name="LayerNorm")
def layer_normalization(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
    rms_scaling: bool = False,
) -> Value:
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta` with the mean and variance over `axis` (Ba et al., 2016).

    Args:
        x: Tensor of rank 1 or more.
        gamma: Scale, of the sizes that `x` has on `axis`, in the order of the axes; `None`: 1.
        beta: Shift, likewise; `None`: 0.
        axis: One axis or several, over which mean and variance are taken together.
        epsilon: Added to the variance; `None`: `cconv.config.epsilon()`.
        rms_scaling: With true, no mean is taken off and there is no `beta`: `x / sqrt(variance + epsilon) * gamma`.

    Example:

    >>> cconv.ops.layer_normalization([[1.0, 3.0]], epsilon=0.0).tolist()
    [[-1.0, 1.0]]
    """
    epsilon = number(default_epsilon() if epsilon is None else epsilon, "epsilon", 0)
    if not rms_scaling:
        return _by_rows(x, gamma, beta, axis, epsilon, False)
    y = apply("divide", [x, apply("sqrt", [apply("add", [var(x, axis, keepdims=True), epsilon])])])
    return y if gamma is None else apply("multiply", [y, _beside(gamma, x, axis)])


@operation("x", "scale", module="nn", class_name="RMSNorm")
def rms_normalization(x: Any, scale: Any = None, axis: int | Sequence[int] = -1, epsilon: float | None = None) -> Value:
    """`x / sqrt(mean(x ** 2) + epsilon) * scale`, the mean over `axis` (Zhang and Sennrich, 2019).

    Args:
        x: Tensor of rank 1 or more.
        scale: Of the sizes that `x` has on `axis`, in the order of the axes; `None`: 1.
        axis: One axis or several.
        epsilon: Added to the mean square; `None`: `cconv.config.epsilon()`.

    Example:

    >>> cconv.ops.rms_normalization([[3.0, -3.0]], epsilon=0.0).tolist()
    [[1.0, -1.0]]
    """
    epsilon = number(default_epsilon() if epsilon is None else epsilon, "epsilon", 0)
    return _by_rows(x, scale, None, axis, epsilon, True)


def _by_rows(x: Any, gamma: Any, beta: Any, axis: Any, epsilon: float, rms: bool) -> Value:
    """The op `layer_norm`, which takes its axes last."""
    rank = len(shape_of(x))
    axes = sorted(numbers_of_axes(axis, rank))
    if not axes:
        raise ValueError(f"The `axis` argument must name one axis or more. Received: axis={axis!r}")
    order = [i for i in range(rank) if i not in axes] + axes
    moved = order != list(range(rank))
    y = apply("transpose", [x], {"axes": order}) if moved else x
    attributes = {"axis": rank - len(axes), "epsilon": epsilon, "rms": rms}
    y = apply("layer_norm", [y, gamma, beta], attributes)
    return apply("transpose", [y], {"axes": [order.index(i) for i in range(rank)]}) if moved else y


def _beside(values: Any, x: Any, axis: Any) -> Value:
    """Values of some axes of `x` in a shape that broadcasts to it."""
    shape = shape_of(x)
    axes = numbers_of_axes(axis, len(shape))
    return apply("reshape", [values], {"shape": [n if i in axes else 1 for i, n in enumerate(shape)]})
