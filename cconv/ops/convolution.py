"""Convolutions and their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Value
from ._apply import apply, gradient, shape_of
from .arguments import padding_attributes, pair, positive_integer
from .layout import channels_last, to_channels_first
from .operation import operation

__all__ = [
    "conv",
    "conv2d",
    "conv2d_input_gradient",
    "conv2d_weight_gradient",
    "depthwise_conv",
    "separable_conv",
]


def conv_attributes(strides: Any, padding: Any, dilation_rate: Any, groups: int, algorithm: str) -> dict[str, Any]:
    """The attributes of the op conv2d."""
    return {
        "strides": pair(strides, "strides"),
        "dilation": pair(dilation_rate, "dilation_rate"),
        "groups": positive_integer(groups, "groups"),
        "algorithm": algorithm,
        **padding_attributes(padding),
    }


@operation("x", "w", "bias", module="nn")
def conv2d(
    x: Any,
    w: Any,
    strides: Any = 1,
    padding: Any = "valid",
    dilation_rate: Any = 1,
    groups: int = 1,
    bias: Any = None,
    algorithm: str = "auto",
) -> Value:
    """Two-dimensional convolution, as neural networks use the word: the kernel is not flipped (cross-correlation).

    `y[n, i, j, o] = bias[o] + sum over a, b, c of x[n, i * stride + a, j * stride + b, c] * w[a, b, c, o]`

    Args:
        x: Images `(n, h, w, channels)`.
        w: Kernels `(height, width, channels / groups, filters)`.
        strides: Steps of the window: one number or two.
        padding: `"valid"` (none), `"same"` (the output has the size of the input divided by the stride, rounded up; an
            odd zero goes to the end) or `((top, bottom), (left, right))`.
        dilation_rate: Distance of the kernel's taps: one number or two.
        groups: The channels are split into this many groups, convolved apart.
        bias: `(filters,)` or `None`.
        algorithm: `"auto"`, `"direct"`, `"im2col"`, `"rows"` (for few channels; dilation 1, one group), `"depthwise"`
            (one input channel per group), `"grouped"` (several groups) or `"winograd"` (3x3 kernels, strides and
            dilation 1, one group: up to four times fewer multiplications). The results agree but for rounding.
            Winograd's spreads a NaN or an infinity to neighbouring pixels, as NaN.

    Returns:
        `(n, output height, output width, filters)`.

    Example:

    >>> x = np.arange(9).reshape(1, 3, 3, 1)
    >>> w = np.arange(4).reshape(2, 2, 1, 1)
    >>> cconv.ops.conv2d(x, w)[0, :, :, 0].tolist()
    [[19.0, 25.0], [37.0, 43.0]]
    """
    return apply("conv2d", [x, w, bias], conv_attributes(strides, padding, dilation_rate, groups, algorithm))


def conv2d_input_gradient(
    dy: Any,
    w: Any,
    input_shape: Sequence[int],
    strides: Any = 1,
    padding: Any = "valid",
    dilation_rate: Any = 1,
    groups: int = 1,
    algorithm: str = "auto",
) -> np.ndarray:
    """The gradient of `sum(dy * conv2d(x, w))` by `x`: the full correlation of `dy` with the rotated kernels.

    `dx[n, p, q, c] = sum over the i, j, a, b, o with i * stride + a = p and j * stride + b = q of dy[n, i, j, o] * w[a,
    b, c, o]`

    Args:
        dy: Gradient of the output, `(n, output height, output width, filters)`.
        w: Kernels, as given to `conv2d`.
        input_shape: Shape of `x`.
        strides: As given to `conv2d`; `padding`, `dilation_rate`, `groups` and `algorithm` likewise.

    Example:

    >>> dx = cconv.ops.conv2d_input_gradient(np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 1)), (1, 3, 3, 1))
    >>> dx[0, :, :, 0].tolist()
    [[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]
    """
    attributes = conv_attributes(strides, padding, dilation_rate, groups, algorithm)
    return gradient("conv2d", [np.zeros(tuple(input_shape), np.float32), w, None], attributes, dy, 0)


def conv2d_weight_gradient(
    x: Any,
    dy: Any,
    kernel_shape: Sequence[int],
    strides: Any = 1,
    padding: Any = "valid",
    dilation_rate: Any = 1,
    groups: int = 1,
    algorithm: str = "auto",
) -> np.ndarray:
    """The gradient of `sum(dy * conv2d(x, w))` by `w`: the correlation of the input with `dy`.

    `dw[a, b, c, o] = sum over n, i, j of x[n, i * stride + a, j * stride + b, c] * dy[n, i, j, o]`

    Args:
        x: Images, as given to `conv2d`.
        dy: Gradient of the output, `(n, output height, output width, filters)`.
        kernel_shape: Shape of `w`.
        strides: As given to `conv2d`; `padding`, `dilation_rate`, `groups` and `algorithm` likewise.

    Example:

    >>> x = np.arange(9).reshape(1, 3, 3, 1)
    >>> cconv.ops.conv2d_weight_gradient(x, np.ones((1, 2, 2, 1)), (2, 2, 1, 1))[:, :, 0, 0].tolist()
    [[8.0, 12.0], [20.0, 24.0]]
    """
    attributes = conv_attributes(strides, padding, dilation_rate, groups, algorithm)
    return gradient("conv2d", [x, np.zeros(tuple(kernel_shape), np.float32), None], attributes, dy, 1)


@operation("inputs", "kernel", module="nn")
def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Value:
    """Keras' convolution of images; groups follow from the kernel's third size. See `conv2d`."""
    x, first = channels_last(data_format, inputs)
    channels, depth = shape_of(x)[-1], shape_of(kernel)[-2] if len(shape_of(kernel)) == 4 else None
    groups = channels // depth if channels and depth and channels % depth == 0 else 1
    y = apply("conv2d", [x, kernel, None], conv_attributes(strides, padding, dilation_rate, groups, "auto"))
    return to_channels_first(y) if first else y


def depthwise_kernel(kernel: Any) -> Value:
    """(kh, kw, c, m) as the kernel (kh, kw, 1, c * m) of a convolution in c groups."""
    kh, kw, c, m = shape_of(kernel)
    return apply("reshape", [kernel], {"shape": [kh, kw, 1, c * m]})


@operation("inputs", "kernel", module="nn")
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Value:
    """Convolves every channel apart, with kernels `(height, width, channels, multiplier)`."""
    x, first = channels_last(data_format, inputs)
    if len(shape_of(kernel)) != 4:
        raise ValueError(
            "`kernel` must have the shape (height, width, channels, multiplier). Received: "
            f"kernel.shape={shape_of(kernel)}"
        )
    attributes = conv_attributes(strides, padding, dilation_rate, shape_of(kernel)[2], "auto")
    y = apply("conv2d", [x, depthwise_kernel(kernel), None], attributes)
    return to_channels_first(y) if first else y


@operation("inputs", "depthwise_kernel", "pointwise_kernel", module="nn")
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Value:
    """`depthwise_conv`, then a convolution with the 1x1 kernels `pointwise_kernel`."""
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)
