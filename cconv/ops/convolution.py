"""Convolution of images of one, two and three axes, and transposed, named as in Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Value
from ._apply import apply, gradient, shape_of
from .arguments import integers, padding_attributes, positive_integer, whole
from .layout import channels_last, to_channels_first
from .operation import operation

__all__ = [
    "channel_shuffle",
    "conv",
    "conv2d",
    "conv2d_input_gradient",
    "conv2d_weight_gradient",
    "conv_transpose",
    "depthwise_conv",
    "separable_conv",
]


def conv_attributes(
    rank: int, strides: Any, padding: Any, dilation_rate: Any, groups: int, algorithm: str
) -> dict[str, Any]:
    """The attributes of the op conv, for images of `rank` axes."""
    return {
        "strides": integers(strides, rank, "strides"),
        "dilation": integers(dilation_rate, rank, "dilation_rate"),
        "groups": positive_integer(groups, "groups"),
        "algorithm": algorithm,
        **padding_attributes(padding, rank=rank),
    }


def _axes_of(kernel: Any, sizes: str) -> int:
    """The number of axes of the images that a kernel is for."""
    shape = shape_of(kernel)
    if not 3 <= len(shape) <= 5:
        raise ValueError(
            f"`kernel` must have the shape (width, {sizes}), (height, width, {sizes}) or (depth, height, width, "
            f"{sizes}). Received: kernel.shape={shape}"
        )
    return len(shape) - 2


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
        algorithm: `"auto"`, `"direct"`, `"im2col"`, `"rows"` (for few channels; dilation 1, one group), `"planar"`
            (eight input channels per group at most, kernels of 16x16 and 256 numbers, dilation 1, strides of 4),
            `"depthwise"` (one input channel per group), `"grouped"` (several groups) or `"winograd"` (3x3 and 5x5
            kernels, strides and dilation 1, one group: two to four times fewer multiplications). The results agree
            but for rounding.

    Returns:
        `(n, output height, output width, filters)`.

    Example:

    >>> x = np.arange(9).reshape(1, 3, 3, 1)
    >>> w = np.arange(4).reshape(2, 2, 1, 1)
    >>> cconv.ops.conv2d(x, w)[0, :, :, 0].tolist()
    [[19.0, 25.0], [37.0, 43.0]]
    """
    return apply("conv", [x, w, bias], conv_attributes(2, strides, padding, dilation_rate, groups, algorithm))


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
    attributes = conv_attributes(2, strides, padding, dilation_rate, groups, algorithm)
    return gradient("conv", [np.zeros(tuple(input_shape), np.float32), w, None], attributes, dy, 0)


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
    attributes = conv_attributes(2, strides, padding, dilation_rate, groups, algorithm)
    return gradient("conv", [x, np.zeros(tuple(kernel_shape), np.float32), None], attributes, dy, 1)


@operation("inputs", "kernel", module="nn")
def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Value:
    """Keras' convolution of signals, images and volumes: their rank is that of the kernel.

    `y[n, i, o] = sum over a, c of x[n, i * stride + a, c] * kernel[a, c, o]`, with an `i` and `a` for each axis

    Args:
        inputs: `(n, width, c)`, `(n, height, width, c)` or `(n, depth, height, width, c)`.
        kernel: `(width, c / groups, filters)`, or with height, or depth and height before it. The number of groups
            follows from its last size but one.
        strides: Steps of the window: one number, or one for each axis.
        padding: `"valid"`, `"same"` or a pair `(before, after)` for each axis; see `conv2d`.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: Distance of the kernel's taps: one number, or one for each axis.

    Returns:
        The shape of `inputs` with other sizes, and `filters` channels.

    Example:

    >>> cconv.ops.conv(np.arange(4).reshape(1, 4, 1), np.ones((2, 1, 1)))[0, :, 0].tolist()
    [1.0, 3.0, 5.0]
    """
    rank = _axes_of(kernel, "channels / groups, filters")
    x, first = channels_last(data_format, inputs)
    channels, depth = shape_of(x)[-1] if shape_of(x) else None, shape_of(kernel)[-2]
    groups = channels // depth if channels and depth and channels % depth == 0 else 1
    y = apply("conv", [x, kernel, None], conv_attributes(rank, strides, padding, dilation_rate, groups, "auto"))
    return to_channels_first(y) if first else y


@operation("inputs", "kernel", module="nn")
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Value:
    """Transposed convolution (Zeiler et al., 2010): the gradient of a convolution by its input, taken as a layer.

    `y[n, i * stride + a, o]` collects `sum over c of x[n, i, c] * kernel[a, o, c]`, with an `i` and `a` for each axis

    Args:
        inputs: `(n, width, c)`, `(n, height, width, c)` or `(n, depth, height, width, c)`.
        kernel: `(width, filters, c)`, or with height, or depth and height before it.
        strides: How far apart neighbouring cells lay the kernel: one number, or one for each axis.
        padding: `"valid"`: sizes become `(size - 1) * stride + max(kernel, stride)`; `"same"`: `size * stride`; or a
            pair `(before, after)` for each axis, of cells that are cut off: `(size - 1) * stride + kernel - before -
            after`. A dilated kernel counts with its gaps.
        output_padding: Sizes become `(size - 1) * stride + kernel + output_padding` with `"valid"`, with `"same"`
            `(size - 1) * stride + kernel % 2 + output_padding`: one number, less than the stride, or one for each axis.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: Distance of the kernel's taps: one number, or one for each axis.

    Example:

    >>> x = np.array([1, 2, 3]).reshape(1, 3, 1)
    >>> cconv.ops.conv_transpose(x, np.ones((3, 1, 1)), strides=2)[0, :, 0].tolist()
    [1.0, 1.0, 3.0, 2.0, 5.0, 3.0, 3.0]
    """
    rank = _axes_of(kernel, "filters, channels")
    x, first = channels_last(data_format, inputs)
    attributes = conv_attributes(rank, strides, padding, dilation_rate, 1, "auto")
    if output_padding is not None:
        attributes["output_padding"] = integers(output_padding, rank, "output_padding", 0)
    y = apply("conv_transpose", [x, kernel, None], attributes)
    return to_channels_first(y) if first else y


def grouped_kernel(kernel: Any) -> Value:
    """(..., c, m) as the kernel (..., 1, c * m) of a convolution in c groups."""
    *window, c, m = shape_of(kernel)
    return apply("reshape", [kernel], {"shape": [*window, 1, c * m]})


@operation("inputs", "kernel", module="nn")
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Value:
    """Convolves every channel apart, with kernels `(width, channels, multiplier)`, or with height before it.

    Arguments and shapes as for `conv`; the output has `channels * multiplier` channels.

    Example:

    >>> cconv.ops.depthwise_conv(np.ones((1, 4, 2)), np.ones((3, 2, 1))).tolist()
    [[[3.0, 3.0], [3.0, 3.0]]]
    """
    rank = _axes_of(kernel, "channels, multiplier")
    x, first = channels_last(data_format, inputs)
    attributes = conv_attributes(rank, strides, padding, dilation_rate, shape_of(kernel)[-2], "auto")
    y = apply("conv", [x, grouped_kernel(kernel), None], attributes)
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
    """`depthwise_conv`, then a convolution with the kernels of one cell `pointwise_kernel`.

    Example:

    >>> x, depthwise, pointwise = np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 1)), np.ones((1, 1, 3, 8))
    >>> cconv.ops.separable_conv(x, depthwise, pointwise).shape
    (1, 3, 3, 8)
    """
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)


@operation("inputs", module="nn")
def channel_shuffle(inputs: Any, groups: int, data_format: str | None = None) -> Value:
    """The channels of `groups` in turn: the first of each, the second of each, and so on (ShuffleNet).

    Args:
        inputs: Tensor of two axes or more, with channels on the last or the second one, as `data_format` says.
        groups: Into how many the channels are divided; a divisor of their number.
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: The channels cannot be divided so, or there is no axis before them.

    Example:

    >>> cconv.ops.channel_shuffle([[1, 2, 3, 4, 5, 6]], 2).tolist()
    [[1, 4, 2, 5, 3, 6]]
    """
    x, first = channels_last(data_format, inputs)
    y = apply("channel_shuffle", [x], {"groups": whole(groups, "groups")})
    return to_channels_first(y) if first else y
