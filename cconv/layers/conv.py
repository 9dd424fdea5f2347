"""Convolution layers: `Conv1D`, `Conv2D`, `Conv3D`."""

from __future__ import annotations

from typing import Any

from .. import initializers
from ..ops.arguments import padding as check_padding
from ..ops.arguments import padding_attributes
from .base_conv import BaseConv, positive
from .parts import constraint_of, regularizer_of

__all__ = ["Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D"]


class Conv(BaseConv):
    """Convolution with learned kernels, which see all channels of their group."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        filters = positive(filters, "filters")
        groups = positive(groups, "groups")
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
        return self._convolve(inputs, self.kernel, groups=self.groups, **self._window())

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            **self._window_config(),
            "groups": self.groups,
            **self._parts_config("kernel"),
        }


class Conv1D(Conv):
    """Convolves signals or sequences with learned kernels, along their one axis.

    Arguments as for `Conv2D`, with one number (or a tuple of one) for `kernel_size`, `strides` and `dilation_rate`.
    `padding` may be `((before, after),)`, or `"causal"`: zeros before the signal only, so that no output sees what
    comes later (van den Oord et al., "WaveNet", 2016).

    Input shape:
        `(batch, steps, channels)`, or `(batch, channels, steps)` with `"channels_first"`.

    Output shape:
        `(batch, new steps, filters)`, or with the filters first.

    Raises:
        ValueError: An argument is out of its range; the message says what was received.

    Example:

    >>> layer = cconv.layers.Conv1D(32, 3, padding="causal")
    >>> layer(np.zeros((1, 28, 4))).shape
    (1, 28, 32)
    >>> layer.kernel.shape
    (3, 4, 32)
    """

    rank = 1

    def _padding(self, value):
        return check_padding(value, rank=1, causal=True)

    def _window(self):
        window = {"strides": self.strides, "dilation": self.dilation_rate}
        seen = ((self.dilation_rate[0] * (self.kernel_size[0] - 1), 0),)
        return window | padding_attributes(seen if self.padding == "causal" else self.padding, rank=1)


class Conv2D(Conv):
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

    >>> layer = cconv.layers.Conv2D(32, 3, activation="relu")
    >>> layer(np.zeros((1, 28, 28, 1))).shape
    (1, 26, 26, 32)
    >>> layer.kernel.shape
    (3, 3, 1, 32)
    """

    rank = 2


class Conv3D(Conv):
    """Convolves volumes, or images over time, with learned kernels.

    Arguments as for `Conv2D`, with one number or three for `kernel_size`, `strides` and `dilation_rate`. `padding` may
    be `((front, back), (top, bottom), (left, right))`.

    Input shape:
        `(batch, depth, height, width, channels)`, or with the channels first.

    Output shape:
        `(batch, new depth, new height, new width, filters)`, or with the filters first.

    Raises:
        ValueError: An argument is out of its range; the message says what was received.

    Example:

    >>> layer = cconv.layers.Conv3D(8, (1, 3, 3), padding="same")
    >>> layer(np.zeros((1, 4, 6, 6, 2))).shape
    (1, 4, 6, 6, 8)
    >>> layer.kernel.shape
    (1, 3, 3, 2, 8)
    """

    rank = 3


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
