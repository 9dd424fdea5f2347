"""Channels weighted by what the whole image holds."""

from __future__ import annotations

from typing import Any

from .. import activations, ops
from ..ops._apply import apply
from .attention_block import AttentionBlock, checked_ratio, narrowed, pointwise
from .base_conv import positive

__all__ = ["SqueezeExcitation"]


class SqueezeExcitation(AttentionBlock):
    """Multiplies each channel by a gate, which two dense layers make of the means of all channels (Hu, Shen, Sun:
    Squeeze-and-Excitation Networks, 2017, section 3): `x * gate(W2 activation(W1 mean(x) + b1) + b2)`.

    Args:
        ratio: How many times fewer channels there are between the two layers.
        activation: Of the channels in between: name or function.
        gate_activation: What makes gates, such as `"sigmoid"`, or `"hard_sigmoid"` as in MobileNetV3.
        divisor: The channels in between are rounded to the next multiple of this (up where a tenth would be lost), at
            least so many. With 1 the fraction is cut off.
        squeezed_channels: Their number, instead of `ratio` and `divisor`.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, ..., channels)`, with one to three axes between.

    Output shape:
        The same.

    Raises:
        ValueError: A number is not positive, or the channels are not known.

    Example:

    >>> layer = cconv.layers.SqueezeExcitation(ratio=4)
    >>> layer(np.ones((1, 5, 5, 8))).shape, layer.count_params()
    ((1, 5, 5, 8), 42)
    """

    def __init__(
        self,
        ratio: float = 16,
        activation: Any = "relu",
        gate_activation: Any = "sigmoid",
        divisor: int = 1,
        squeezed_channels: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.ratio = checked_ratio(ratio)
        self.activation = activations.get(activation)
        self.gate_activation = activations.get(gate_activation)
        self.divisor = positive(divisor, "divisor")
        self.squeezed_channels = None if squeezed_channels is None else positive(squeezed_channels, "squeezed_channels")
        self.squeeze = self.excite = None

    def make(self, shape):
        channels = shape[-1]
        width = self.squeezed_channels or self._rounded(channels / self.ratio)
        self.squeeze = pointwise(width, channels, "squeeze", activation=self.activation)
        self.excite = pointwise(channels, width, "excite", activation=self.gate_activation)

    def _rounded(self, wanted: float) -> int:
        if self.divisor == 1:
            return narrowed(wanted, 1)
        width = max(self.divisor, int(wanted + self.divisor / 2) // self.divisor * self.divisor)
        return width + self.divisor if width < 0.9 * wanted else width

    def attend(self, x):
        means = apply("global_avg_pool", [x], {"keepdims": True})
        return ops.multiply(x, self.excite(self.squeeze(means)))

    def get_config(self):
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "activation": activations.serialize(self.activation),
            "gate_activation": activations.serialize(self.gate_activation),
            "divisor": self.divisor,
            "squeezed_channels": self.squeezed_channels,
        }
