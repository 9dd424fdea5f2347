"""Convolutions in which each channel has a kernel of its own."""

from __future__ import annotations

from typing import Any

from .. import activations, initializers
from ..ops import convolution, layout
from ..ops._apply import apply
from ..ops.arguments import padding_attributes
from .base_conv import BaseConv, positive
from .parts import constraint_of, regularizer_of, serialize_part

__all__ = ["DepthwiseConv2D", "DepthwiseConvolution2D", "SeparableConv2D", "SeparableConvolution2D"]


class DepthwiseConv2D(BaseConv):
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
        activity_regularizer: Penalty on the output.
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

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: Any = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
        x, first = layout.channels_last(self.data_format, inputs)
        y, activate = self._convolve(x, convolution.depthwise_kernel(self.kernel), self.kernel.shape[2])
        return self._finish(y, first, activate)

    def get_config(self):
        return {
            **super().get_config(),
            **self._base_config(),
            "depth_multiplier": self.depth_multiplier,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "depthwise_regularizer": serialize_part(self.depthwise_regularizer),
            "bias_regularizer": serialize_part(self.bias_regularizer),
            "depthwise_constraint": serialize_part(self.depthwise_constraint),
            "bias_constraint": serialize_part(self.bias_constraint),
        }


class SeparableConv2D(BaseConv):
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
        activity_regularizer: Penalty on the output.
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

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
            shape=(1, 1, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self._add_bias(self.filters)

    def call(self, inputs):
        x, first = layout.channels_last(self.data_format, inputs)
        attributes = {
            "strides": self.strides,
            "dilation": self.dilation_rate,
            "groups": self.depthwise_kernel.shape[2],
            **padding_attributes(self.padding),
        }
        y = apply("conv2d", [x, convolution.depthwise_kernel(self.depthwise_kernel), None], attributes)
        fused = activations.fused(self.activation)
        y = apply("conv2d", [y, self.pointwise_kernel, self.bias], fused)
        return self._finish(y, first, fused is None)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            **self._base_config(),
            "depth_multiplier": self.depth_multiplier,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "pointwise_initializer": initializers.serialize(self.pointwise_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "depthwise_regularizer": serialize_part(self.depthwise_regularizer),
            "pointwise_regularizer": serialize_part(self.pointwise_regularizer),
            "bias_regularizer": serialize_part(self.bias_regularizer),
            "depthwise_constraint": serialize_part(self.depthwise_constraint),
            "pointwise_constraint": serialize_part(self.pointwise_constraint),
            "bias_constraint": serialize_part(self.bias_constraint),
        }


DepthwiseConvolution2D = DepthwiseConv2D
SeparableConvolution2D = SeparableConv2D
