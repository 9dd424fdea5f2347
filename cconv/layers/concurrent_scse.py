"""Channels weighted by what the whole image holds, and places by what their channels hold, at once."""

from __future__ import annotations

from typing import Any

from .. import activations, ops
from ..ops._apply import apply
from .attention_block import AttentionBlock, checked_ratio, narrowed, one_of, pointwise

__all__ = ["ConcurrentSCSE"]


class ConcurrentSCSE(AttentionBlock):
    """The image with its channels weighted, combined with the image with its places weighted (Roy, Navab, Wachinger:
    Concurrent Spatial and Channel Squeeze & Excitation in Fully Convolutional Networks, 2018, section 3).

    The gates of the channels are those of `SqueezeExcitation`; that of a place is `sigmoid(w x + b)` of its channels.

    Args:
        ratio: How many times fewer channels there are between the two dense layers.
        combination: `"add"`, `"max"`, `"multiply"` (element by element) or `"concat"`, which gives twice as many
            channels: those weighted as channels, then those weighted by place.
        activation: Of the channels in between: name or function.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, ..., channels)`, with one to three axes between.

    Output shape:
        The same; with twice the channels for `"concat"`.

    Raises:
        ValueError: `ratio` is not positive, `combination` none of those above, or the channels are not known.

    Example:

    >>> cconv.layers.ConcurrentSCSE(combination="concat")(np.ones((1, 5, 5, 8))).shape
    (1, 5, 5, 16)
    """

    def __init__(
        self,
        ratio: float = 2,
        combination: str = "add",
        activation: Any = "relu",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.ratio = checked_ratio(ratio)
        self.combination = one_of(combination, tuple(_COMBINE), "combination")
        self.activation = activations.get(activation)
        self.squeeze = self.excite = self.place = None

    def make(self, shape):
        channels = shape[-1]
        width = narrowed(channels, self.ratio)
        self.squeeze = pointwise(width, channels, "squeeze", activation=self.activation)
        self.excite = pointwise(channels, width, "excite", activation="sigmoid")
        self.place = pointwise(1, channels, "place", activation="sigmoid")

    def attend(self, x):
        means = apply("global_avg_pool", [x], {"keepdims": True})
        by_channel = ops.multiply(x, self.excite(self.squeeze(means)))
        by_place = ops.multiply(x, self.place(x))
        return _COMBINE[self.combination](by_channel, by_place)

    def get_config(self):
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "combination": self.combination,
            "activation": activations.serialize(self.activation),
        }


_COMBINE = {
    "add": ops.add,
    "max": ops.maximum,
    "multiply": ops.multiply,
    "concat": lambda a, b: ops.concatenate([a, b], axis=-1),
}
