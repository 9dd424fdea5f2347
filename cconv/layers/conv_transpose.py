"""Transposed convolution layers: `Conv1DTranspose`, `Conv2DTranspose`, `Conv3DTranspose`."""

from __future__ import annotations

from typing import Any

from .. import initializers
from ..ops.arguments import integers
from .base_conv import BaseConv, positive
from .parts import constraint_of, regularizer_of

__all__ = [
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Conv3DTranspose",
    "Convolution1DTranspose",
    "Convolution2DTranspose",
    "Convolution3DTranspose",
]


class ConvTranspose(BaseConv):
    """Transposed convolution: every input cell lays a kernel on the output, weighted by its channels."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        filters = positive(filters, "filters")
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            bias_regularizer,
            bias_constraint,
            activity_regularizer,
            **kwargs,
        )
        self.filters = filters
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = integers(output_padding, self.rank, "output_padding", 0)
            if any(extra >= stride for extra, stride in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(
                    "`output_padding` must be strictly less than `strides` for all dimensions. Received: "
                    f"output_padding={self.output_padding}, strides={self.strides}"
                )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizer_of(kernel_regularizer)
        self.kernel_constraint = constraint_of(kernel_constraint)
        self.kernel = None

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self._add_bias(self.filters)

    def call(self, inputs):
        window = {**self._window(), "output_padding": self.output_padding}
        return self._convolve(inputs, self.kernel, "conv_transpose", **window)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            **self._window_config(),
            "output_padding": self.output_padding,
            **self._parts_config("kernel"),
        }


class Conv1DTranspose(ConvTranspose):
    """Transposed convolution of signals or sequences.

    Arguments as for `Conv2DTranspose`, with one number (or a tuple of one) for `kernel_size`, `strides`,
    `output_padding` and `dilation_rate`, and `((before, after),)` for what is cut off.

    Input shape:
        `(batch, steps, channels)`, or `(batch, channels, steps)` with `"channels_first"`.

    Output shape:
        `(batch, new steps, filters)`, or with the filters first.

    Raises:
        ValueError: An argument is out of its range; the message says what was received.

    Example:

    >>> cconv.layers.Conv1DTranspose(8, 3, strides=2)(np.zeros((1, 10, 4))).shape
    (1, 21, 8)
    """

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """Transposed convolution of images, also called deconvolution (Zeiler et al., "Deconvolutional Networks", 2010).

    It goes the way of a `Conv2D` backwards: every pixel lays the kernel on the output, `strides` from where its
    neighbour does, and what lies on one another is added. It enlarges images, with weights that are learned.

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the kernel: one number or two.
        strides: How far apart neighbouring pixels lay it: one number or two.
        padding: `"valid"`: the output is all that is covered, `(size - 1) * stride + max(kernel, stride)`; `"same"`:
            `size * stride`; or `((top, bottom), (left, right))`, the rows and columns that are cut off what is covered.
        output_padding: Where the output ends, see `cconv.ops.conv_transpose`: one number or two, less than the strides.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: Distance of the kernel's taps: one number or two.
        activation: Name or function; `None`: none.
        use_bias: Whether there is a bias.
        kernel_initializer: First values of the kernel.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output, for each sample: it is divided by the batch size.
        kernel_constraint: Applied to the kernel after each update.
        bias_constraint: Applied to the bias after each update.

    Input shape:
        `(batch, height, width, channels)`, or `(batch, channels, height, width)` with `"channels_first"`.

    Output shape:
        `(batch, new height, new width, filters)`, or with the filters first.

    Raises:
        ValueError: An argument is out of its range; the message says what was received.

    Example:

    >>> layer = cconv.layers.Conv2DTranspose(32, 4, strides=2, padding="same")
    >>> layer(np.zeros((1, 14, 14, 64))).shape
    (1, 28, 28, 32)
    >>> layer.kernel.shape
    (4, 4, 32, 64)
    """

    rank = 2


class Conv3DTranspose(ConvTranspose):
    """Transposed convolution of volumes.

    Arguments as for `Conv2DTranspose`, with one number or three for `kernel_size`, `strides`, `output_padding` and
    `dilation_rate`, and `((front, back), (top, bottom), (left, right))` for what is cut off.

    Input shape:
        `(batch, depth, height, width, channels)`, or with the channels first.

    Output shape:
        `(batch, new depth, new height, new width, filters)`, or with the filters first.

    Raises:
        ValueError: An argument is out of its range; the message says what was received.

    Example:

    >>> cconv.layers.Conv3DTranspose(8, 2, strides=2)(np.zeros((1, 3, 4, 5, 16))).shape
    (1, 6, 8, 10, 8)
    """

    rank = 3

    # Keras has `data_format` before `output_padding` here, and only here.
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
