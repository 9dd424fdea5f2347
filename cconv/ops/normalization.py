"""Normalization: with given statistics, and with those of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..config import epsilon as default_epsilon
from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import axes as numbers_of_axes
from .arguments import number, whole
from .layout import channels_last, to_channels_first
from .operation import operation
from .reductions import var

__all__ = [
    "batch_normalization",
    "layer_normalization",
    "local_response_normalization",
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


@operation("x", module="nn")
def local_response_normalization(
    x: Any,
    size: int,
    alpha: float = 1e-4,
    beta: float = 0.75,
    bias: float = 1.0,
    alpha_over_size: bool = True,
    data_format: str | None = None,
) -> Value:
    """`x / (bias + alpha / size * s) ** beta`, `s` the sum of the squares of `size` neighbouring channels of a pixel.

    The window of channel `i` is `i - (size - 1) // 2` to `i + size // 2`, as far as there are channels (Krizhevsky et
    al., 2012; ONNX's `LRN`).

    Args:
        x: Tensor with channels on the last or the second axis, as `data_format` says.
        size: Channels in a window.
        alpha: Factor of the squares.
        beta: The exponent.
        bias: Added to their sum.
        alpha_over_size: With false `alpha` is not divided by `size`, as in TensorFlow.
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: `size` is below 1.

    Example:

    >>> cconv.ops.local_response_normalization([[3.0, 4.0]], 3, alpha=3.0, beta=0.5, bias=0.0).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    attributes = {
        "size": whole(size, "size", 1),
        "alpha": number(alpha, "alpha"),
        "beta": number(beta, "beta"),
        "bias": number(bias, "bias"),
        "alpha_over_size": bool(alpha_over_size),
    }
    x, first = channels_last(data_format, x)
    y = apply("lrn", [x], attributes)
    return to_channels_first(y) if first else y
