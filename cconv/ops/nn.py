"""Activations, convolution, pooling, normalization and losses, named as in Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..config import standardize_data_format
from ..dtypes import of
from ..random import next_seed
from ..tensor import Tensor
from ._apply import apply, gradient, shape_of
from .arguments import number, padding_attributes, pair, positive_integer
from .operation import operation

Value = Tensor | np.ndarray


@operation("x", module="nn")
def relu(x: Any) -> Value:
    """`max(x, 0)`.

    Example:

    >>> cconv.ops.relu([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    # of whole numbers it stays one
    return apply("relu", [x]) if of(x) == "float32" else apply("maximum", [x, 0])


@operation("x", module="nn")
def relu6(x: Any) -> Value:
    """`min(max(x, 0), 6)`."""
    if of(x) != "float32":
        return apply("minimum", [apply("maximum", [x, 0]), 6])
    return apply("clip", [x], {"minimum": 0.0, "maximum": 6.0})


@operation("x", module="nn")
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Value:
    """`x` if positive, else `negative_slope * x`."""
    return apply("leaky_relu", [x], {"alpha": number(negative_slope, "negative_slope")})


@operation("x", module="nn")
def elu(x: Any, alpha: float = 1.0) -> Value:
    """`x` if positive, else `alpha * (exp(x) - 1)` (Clevert et al., 2015)."""
    return apply("elu", [x], {"alpha": number(alpha, "alpha")})


@operation("x", module="nn")
def selu(x: Any) -> Value:
    """A scaled `elu` that keeps mean and variance (Klambauer et al., 2017)."""
    return apply("multiply", [apply("elu", [x], {"alpha": 1.6732632423543772}), 1.0507009873554805])


@operation("x", module="nn")
def sigmoid(x: Any) -> Value:
    """`1 / (1 + exp(-x))`."""
    return apply("sigmoid", [x])


@operation("x", module="nn")
def silu(x: Any) -> Value:
    """`x * sigmoid(x)`, also called swish."""
    return apply("multiply", [x, apply("sigmoid", [x])])


swish = silu


@operation("x", module="nn")
def hard_sigmoid(x: Any) -> Value:
    """`x / 6 + 0.5`, limited to 0 .. 1."""
    return apply("clip", [apply("add", [apply("multiply", [x, 1 / 6]), 0.5])], {"minimum": 0.0, "maximum": 1.0})


@operation("x", module="nn")
def softplus(x: Any) -> Value:
    """`log(1 + exp(x))`."""
    return apply("softplus", [x])


@operation("x", module="nn")
def softsign(x: Any) -> Value:
    """`x / (1 + |x|)`."""
    return apply("softsign", [x])


@operation("x", module="nn")
def binary_step(x: Any) -> Value:
    """0 below 0, else 1. Its gradient is 0 everywhere."""
    return apply("binary_step", [x])


@operation("x", module="nn")
def softmax(x: Any, axis: int = -1) -> Value:
    """`exp(x)` divided by its sum over `axis`.

    Example:

    >>> cconv.ops.softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    return apply("softmax", [x], {"axis": int(axis)})


@operation("x", module="nn")
def log_softmax(x: Any, axis: int = -1) -> Value:
    """The logarithm of `softmax`."""
    return apply("log_softmax", [x], {"axis": int(axis)})


@operation("x", module="nn")
def one_hot(x: Any, num_classes: int, axis: int = -1) -> Value:
    """A new axis of size `num_classes` that is 1 at position `x`, else 0.

    Example:

    >>> cconv.ops.one_hot([1, 0], 3).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    y = apply("one_hot", [x], {"depth": positive_integer(num_classes, "num_classes")})
    rank = len(shape_of(y))
    axis = axis % rank
    if axis == rank - 1:
        return y
    axes = list(range(rank - 1))
    axes.insert(axis, rank - 1)
    return apply("transpose", [y], {"axes": axes})


def channels_last(data_format: str | None, x: Any) -> tuple[Any, bool]:
    """`x` with the channels last, and whether they came first."""
    if standardize_data_format(data_format) == "channels_last":
        return x, False
    return to_channels_last(x), True


def to_channels_last(x: Any) -> Value:
    """(n, c, h, w) -> (n, h, w, c)"""
    rank = len(shape_of(x))
    return apply("transpose", [x], {"axes": [0, *range(2, rank), 1]})


def to_channels_first(x: Any) -> Value:
    """(n, h, w, c) -> (n, c, h, w)"""
    rank = len(shape_of(x))
    return apply("transpose", [x], {"axes": [0, rank - 1, *range(1, rank - 1)]})


def pool(op: str, x: Any, pool_size: Any, strides: Any, padding: Any, data_format: str | None) -> Value:
    """One of the four poolings."""
    size = pair(pool_size, "pool_size")
    attributes = {"pool_size": size, "strides": size if strides is None else pair(strides, "strides")}
    x, first = channels_last(data_format, x)
    y = apply(op, [x], attributes | padding_attributes(padding))
    return to_channels_first(y) if first else y


@operation("inputs", module="nn")
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: str | None = None
) -> Value:
    """The largest value of every window.

    Args:
        inputs: Tensor `(n, h, w, c)`.
        pool_size: Height and width of the window: one number or two.
        strides: Steps of the window; `None`: `pool_size`.
        padding: `"valid"`, `"same"` or `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`.

    Example:

    >>> cconv.ops.max_pool(np.arange(16).reshape(1, 4, 4, 1), 2)[0, :, :, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    """
    return pool("max_pool2d", inputs, pool_size, strides, padding, data_format)


@operation("inputs", module="nn")
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: str | None = None
) -> Value:
    """The mean of every window; cells of the padding do not count. Arguments as for `max_pool`."""
    return pool("avg_pool2d", inputs, pool_size, strides, padding, data_format)


@operation("inputs", module="nn")
def sum_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: str | None = None
) -> Value:
    """The sum of every window. Arguments as for `max_pool`."""
    return pool("sum_pool2d", inputs, pool_size, strides, padding, data_format)


@operation("inputs", module="nn")
def l2_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: str | None = None
) -> Value:
    """The Euclidean norm of every window. Arguments as for `max_pool`."""
    return pool("l2_pool2d", inputs, pool_size, strides, padding, data_format)


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


@operation("x", "mean", "variance", module="nn")
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int = -1, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Value:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, with a value of each for every position on `axis`.

    Example:

    >>> cconv.ops.batch_normalization([[1.0, 2.0]], [1.0, 1.0], [1.0, 1.0], epsilon=0.0).tolist()
    [[0.0, 1.0]]
    """
    attributes = {"axis": int(axis), "epsilon": number(epsilon, "epsilon", 0), "training": False}
    return apply("batch_norm", [x, scale, offset, mean, variance], attributes)


@operation("x", module="nn")
def dropout(x: Any, rate: float, seed: int | None = None) -> Value:
    """Sets a share `rate` of the values to 0 and multiplies the others by `1 / (1 - rate)`."""
    rate = number(rate, "rate", 0, 1, open_top=True)
    seed = next_seed() if seed is None else int(seed)
    # the attribute tells nodes of one graph apart, the run's seed one call from the next
    return apply("dropout", [x], {"rate": rate, "seed": 0 if not isinstance(x, Tensor) else seed}, seed=seed)


@operation("target", "output", module="nn")
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Value:
    """`-target * log(output) - (1 - target) * log(1 - output)`, element by element.

    Args:
        target: 0 and 1, or what lies between.
        output: Probabilities, or with `from_logits` what a sigmoid would turn into them.
        from_logits: Whether `output` is before the sigmoid.
    """
    # the op takes the mean over the last axis: here one of size 1
    target, output = (apply("expand_dims", [x], {"axis": -1}) for x in (target, output))
    return apply("binary_crossentropy", [target, output], {"from_logits": bool(from_logits)})


@operation("target", "output", module="nn")
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Value:
    """`-sum(target * log(output))` over the classes on `axis`.

    Example:

    >>> print(cconv.ops.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(4))
    [0.6931]
    """
    return apply("categorical_crossentropy", [target, output], {"from_logits": bool(from_logits), "axis": int(axis)})


@operation("target", "output", module="nn")
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Value:
    """`-log(output[target])`: cross-entropy where `target` holds the numbers of the classes."""
    rank = len(shape_of(output))
    if int(axis) % max(rank, 1) != rank - 1:
        axes = [i for i in range(rank) if i != int(axis) % rank] + [int(axis) % rank]
        output = apply("transpose", [output], {"axes": axes})
    return apply("sparse_categorical_crossentropy", [target, output], {"from_logits": bool(from_logits)})
