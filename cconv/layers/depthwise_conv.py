"""Depthwise convolution layers: `DepthwiseConv1D`, `DepthwiseConv2D`."""

from __future__ import annotations

from typing import Any

from .. import initializers
from ..ops.convolution import grouped_kernel
from .base_conv import BaseConv, positive
from .parts import constraint_of, regularizer_of

__all__ = ["DepthwiseConv1D", "DepthwiseConv2D", "DepthwiseConvolution2D"]


class DepthwiseConv(BaseConv):
    """Convolution of every channel apart."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        depth_multiplier = positive(depth_multiplier, "depth_multiplier")
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
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizer_of(depthwise_regularizer)
        self.depthwise_constraint = constraint_of(depthwise_constraint)
        self.kernel = None

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs):
        return self._convolve(inputs, grouped_kernel(self.kernel), groups=self.kernel.shape[-2], **self._window())

    def get_config(self):
        return {
            **super().get_config(),
            **self._window_config(),
            "depth_multiplier": self.depth_multiplier,
            **self._parts_config("depthwise"),
        }


class DepthwiseConv1D(DepthwiseConv):
    """Convolves every channel of signals or sequences apart.

    Arguments as for `DepthwiseConv2D`, with one number (or a tuple of one) for `kernel_size`, `strides` and
    `dilation_rate`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, new steps, channels * depth_multiplier)`.

    Example:

    >>> cconv.layers.DepthwiseConv1D(3)(np.zeros((1, 8, 4))).shape
    (1, 6, 4)
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """Convolves every channel apart.

    Args:
        kernel_size: Height and width of the window: one number or two.
        strides: Steps of the window: one number or two.
        padding: As for `Conv2D`.
        depth_multiplier: Number of output channels for each input channel.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: Distance of the kernel's taps: one number or two.
        activation: Name or function; `None`: none.
        use_bias: Whether there is a bias.
        depthwise_initializer: First values of the kernel.
        bias_initializer: First values of the bias.
        depthwise_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output, for each sample: it is divided by the batch size.
        depthwise_constraint: Applied to the kernel after each update.
        bias_constraint: Applied to the bias after each update.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, new height, new width, channels * depth_multiplier)`.

    Example:

    >>> cconv.layers.DepthwiseConv2D(3)(np.zeros((1, 8, 8, 4))).shape
    (1, 6, 6, 4)
    """

    rank = 2


DepthwiseConvolution2D = DepthwiseConv2D
