"""Separable convolution layers: `SeparableConv1D`, `SeparableConv2D`."""

from __future__ import annotations

from typing import Any

from .. import initializers
from ..ops._apply import apply
from ..ops.convolution import grouped_kernel
from .base_conv import BaseConv, positive
from .parts import constraint_of, regularizer_of

__all__ = ["SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D", "SeparableConvolution2D"]


class SeparableConv(BaseConv):
    """Convolution of every channel apart, then one of kernels of one cell, which mix the channels."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        filters = positive(filters, "filters")
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
        self.filters = filters
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.depthwise_regularizer = regularizer_of(depthwise_regularizer)
        self.pointwise_regularizer = regularizer_of(pointwise_regularizer)
        self.depthwise_constraint = constraint_of(depthwise_constraint)
        self.pointwise_constraint = constraint_of(pointwise_constraint)
        self.depthwise_kernel = self.pointwise_kernel = None

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self._add_bias(self.filters)

    def _apart(self, x):
        attributes = {**self._window(), "groups": self.depthwise_kernel.shape[-2]}
        return apply("conv", [x, grouped_kernel(self.depthwise_kernel), None], attributes)

    def call(self, inputs):
        return self._convolve(inputs, self.pointwise_kernel, before=self._apart)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            **self._window_config(),
            "depth_multiplier": self.depth_multiplier,
            **self._parts_config("depthwise", "pointwise"),
        }


class SeparableConv1D(SeparableConv):
    """A `DepthwiseConv1D` without bias, then a `Conv1D` of kernels of one cell, which mixes the channels.

    Arguments as for `SeparableConv2D`, with one number (or a tuple of one) for `kernel_size`, `strides` and
    `dilation_rate`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, new steps, filters)`.

    Example:

    >>> cconv.layers.SeparableConv1D(5, 3)(np.zeros((1, 8, 4))).shape
    (1, 6, 5)
    """

    rank = 1


class SeparableConv2D(SeparableConv):
    """A `DepthwiseConv2D` without bias, then a 1x1 `Conv2D` that mixes the channels.

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the window: one number or two.
        strides: Steps of the window: one number or two.
        padding: As for `Conv2D`.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: Distance of the kernel's taps: one number or two.
        depth_multiplier: Number of channels in between for each input channel.
        activation: Name or function; `None`: none.
        use_bias: Whether there is a bias.
        depthwise_initializer: First values of the depthwise kernel.
        pointwise_initializer: First values of the 1x1 kernel.
        bias_initializer: First values of the bias.
        depthwise_regularizer: Penalty on the depthwise kernel.
        pointwise_regularizer: Penalty on the 1x1 kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output, for each sample: it is divided by the batch size.
        depthwise_constraint: Applied to the depthwise kernel after each update.
        pointwise_constraint: Applied to the 1x1 kernel after each update.
        bias_constraint: Applied to the bias after each update.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, new height, new width, filters)`.

    Example:

    >>> cconv.layers.SeparableConv2D(5, 3)(np.zeros((1, 8, 8, 4))).shape
    (1, 6, 6, 5)
    """

    rank = 2


SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
