"""Convolutions of images."""

from __future__ import annotations

from typing import Any

from .. import activations, initializers
from ..config import standardize_data_format
from ..ops import nn
from ..ops._apply import apply
from ..ops.arguments import is_integer, padding_attributes, pair
from ..ops.arguments import padding as check_padding
from .input_spec import InputSpec
from .layer import Layer
from .parts import constraint_of, regularizer_of, serialize_part


class BaseConv(Layer):
    """What convolutions have in common: the window, the bias and the activation."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        bias_initializer: Any = "zeros",
        bias_regularizer: Any = None,
        bias_constraint: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.strides = pair(strides, "strides")
        self.padding = check_padding(padding)
        self.data_format = standardize_data_format(data_format)
        self.dilation_rate = pair(dilation_rate, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizer_of(bias_regularizer)
        self.bias_constraint = constraint_of(bias_constraint)
        self.input_spec = InputSpec(ndim=4)
        self.bias = None

    def _channels(self, input_shape) -> int:
        """The number of input channels, which must be known; from then on inputs must have it."""
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"Layer '{self.name}': the channel dimension of the inputs should be defined. Found `None`. "
                f"Full input shape received: input_shape={tuple(input_shape)}"
            )
        self.input_spec = InputSpec(ndim=4, axes={axis: channels})
        return channels

    def _add_bias(self, size: int) -> None:
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(size,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _convolve(self, x, kernel, groups: int):
        """Convolution and bias."""
        attributes = {
            "strides": self.strides,
            "dilation": self.dilation_rate,
            "groups": groups,
            **padding_attributes(self.padding),
        }
        return apply("conv2d", [x, kernel, self.bias], attributes)

    def _finish(self, y, first: bool):
        return self.activation(nn.to_channels_first(y) if first else y)

    def _base_config(self) -> dict[str, Any]:
        return {
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }


class Conv2D(BaseConv):
    """Convolves images with learned kernels (cross-correlation: the kernels are not flipped).

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the window: one number or two.
        strides: Steps of the window: one number or two.
        padding: `"valid"` (none), `"same"` (output size = input size / stride, rounded up) or
            `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: Distance of the kernel's taps: one number or two.
        groups: The channels are split into this many groups, convolved apart.
        activation: Name or function; `None`: none.
        use_bias: Whether there is a bias.
        kernel_initializer: First values of the kernel.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        bias_constraint: Applied to the bias after each update.

    Input shape:
        `(batch, height, width, channels)`, or `(batch, channels, height, width)` with `"channels_first"`.

    Output shape:
        `(batch, new height, new width, filters)`, or with the filters first.

    Raises:
        ValueError: An argument is out of its range; the message says what was received.

    Example:

    >>> layer = cconv.layers.Conv2D(32, 3, activation="relu")
    >>> layer(np.zeros((1, 28, 28, 1))).shape
    (1, 26, 26, 32)
    >>> layer.kernel.shape
    (3, 3, 1, 32)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        groups: int = 1,
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
        filters = _positive(filters, "filters")
        groups = _positive(groups, "groups")
        if filters % groups:
            raise ValueError(
                "The number of filters must be evenly divisible by the number of groups. "
                f"Received: groups={groups}, filters={filters}."
            )
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
        self.groups = groups
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizer_of(kernel_regularizer)
        self.kernel_constraint = constraint_of(kernel_constraint)
        self.kernel = None

    def build(self, input_shape):
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"Layer '{self.name}': the number of input channels must be evenly divisible by the number of groups. "
                f"Received: groups={self.groups}, input_channels={channels} (full shape is {tuple(input_shape)})."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self._add_bias(self.filters)

    def call(self, inputs):
        x, first = nn.channels_last(self.data_format, inputs)
        return self._finish(self._convolve(x, self.kernel, self.groups), first)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            **self._base_config(),
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": serialize_part(self.kernel_regularizer),
            "bias_regularizer": serialize_part(self.bias_regularizer),
            "kernel_constraint": serialize_part(self.kernel_constraint),
            "bias_constraint": serialize_part(self.bias_constraint),
        }


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
        depth_multiplier = _positive(depth_multiplier, "depth_multiplier")
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
        x, first = nn.channels_last(self.data_format, inputs)
        y = self._convolve(x, nn.depthwise_kernel(self.kernel), self.kernel.shape[2])
        return self._finish(y, first)

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
        filters = _positive(filters, "filters")
        depth_multiplier = _positive(depth_multiplier, "depth_multiplier")
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
        x, first = nn.channels_last(self.data_format, inputs)
        attributes = {
            "strides": self.strides,
            "dilation": self.dilation_rate,
            "groups": self.depthwise_kernel.shape[2],
            **padding_attributes(self.padding),
        }
        y = apply("conv2d", [x, nn.depthwise_kernel(self.depthwise_kernel), None], attributes)
        return self._finish(apply("conv2d", [y, self.pointwise_kernel, self.bias]), first)

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


def _positive(value: Any, name: str) -> int:
    if not is_integer(value) or value <= 0:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a strictly positive value. Received {name}={value!r}."
        )
    return int(value)


Convolution2D = Conv2D
DepthwiseConvolution2D = DepthwiseConv2D
SeparableConvolution2D = SeparableConv2D
