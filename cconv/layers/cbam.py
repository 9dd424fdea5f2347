"""Channels weighted, then places, each by means and maxima."""

from __future__ import annotations

from typing import Any

from .. import activations, ops
from ..ops._apply import apply
from ..ops.arguments import number
from .attention_block import AttentionBlock, checked_ratio, narrowed, pointwise
from .conv import Conv1D, Conv2D, Conv3D
from .normalization import BatchNormalization

__all__ = ["CBAM"]


class CBAM(AttentionBlock):
    """Weights the channels, then the places, each by means and maxima (Woo et al.: CBAM: Convolutional Block Attention
    Module, 2018, section 3).

    The gate of the channels is `sigmoid(mlp(mean) + mlp(maximum))`, of mean and maximum over all places, with the same
    two dense layers `mlp`; that of a place is the sigmoid of a convolution over two maps: maximum and mean of the
    channels there.

    Args:
        ratio: How many times fewer channels there are between the two dense layers.
        kernel_size: Of the convolution over the two maps: one number, or one for each axis of the image.
        activation: Of the channels in between: name or function.
        batch_norm: Whether batch normalization follows that convolution, which then has no bias: so in the authors'
            networks, not in the paper's formula.
        momentum: Of the batch normalization's averages.
        epsilon: Of the batch normalization.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, ..., channels)`, with one to three axes between.

    Output shape:
        The same.

    Raises:
        ValueError: A number is out of its range, or the channels are not known.

    Example:

    >>> layer = cconv.layers.CBAM(ratio=4)
    >>> layer(np.ones((1, 9, 9, 8))).shape, layer.count_params()
    ((1, 9, 9, 8), 144)
    """

    def __init__(
        self,
        ratio: float = 16,
        kernel_size: Any = 7,
        activation: Any = "relu",
        batch_norm: bool = True,
        momentum: float = 0.99,
        epsilon: float = 1e-5,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.ratio = checked_ratio(ratio)
        self.kernel_size = tuple(kernel_size) if isinstance(kernel_size, (list, tuple)) else kernel_size
        self.activation = activations.get(activation)
        self.batch_norm = bool(batch_norm)
        self.momentum = number(momentum, "momentum", 0, 1)
        self.epsilon = number(epsilon, "epsilon", 0)
        self.squeeze = self.excite = self.place = self.norm = None

    def make(self, shape):
        channels = shape[-1]
        width = narrowed(channels, self.ratio)
        self.squeeze = pointwise(width, channels, "squeeze", activation=self.activation)
        self.excite = pointwise(channels, width, "excite")
        maps = (*shape[:-1], 2)
        self.place = _CONVOLUTION[len(shape)](
            1, self.kernel_size, padding="same", use_bias=not self.batch_norm, data_format="channels_last", name="place"
        )
        self.place.build(maps)
        if self.batch_norm:
            self.norm = BatchNormalization(momentum=self.momentum, epsilon=self.epsilon, name="norm")
            self.norm.build((*shape[:-1], 1))

    def attend(self, x):
        mean, most = (apply(f"global_{way}_pool", [x], {"keepdims": True}) for way in ("avg", "max"))
        gate = ops.add(self.excite(self.squeeze(mean)), self.excite(self.squeeze(most)))
        x = ops.multiply(x, ops.sigmoid(gate))
        maps = ops.concatenate([ops.max(x, axis=-1, keepdims=True), ops.mean(x, axis=-1, keepdims=True)], axis=-1)
        y = self.place(maps)
        if self.norm is not None:
            y = self.norm(y)
        return ops.multiply(x, ops.sigmoid(y))

    def get_config(self):
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "kernel_size": self.kernel_size,
            "activation": activations.serialize(self.activation),
            "batch_norm": self.batch_norm,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


_CONVOLUTION = {3: Conv1D, 4: Conv2D, 5: Conv3D}  # by the rank of the input
