"""A weighted mean of all places, brought back to each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import ops
from ..ops._apply import apply
from ..ops.arguments import number
from .activation import ReLU
from .attention_block import AttentionBlock, checked_ratio, narrowed, one_of, pointwise
from .sample_normalization import LayerNormalization

__all__ = ["GlobalContext"]


class GlobalContext(AttentionBlock):
    """Adds to every place what two dense layers make of a mean over all places (Cao et al.: GCNet: Non-local Networks
    Meet Squeeze-Excitation Networks and Beyond, 2019, equation 5): `x + W2 relu(norm(W1 mean))`.

    The mean is weighted by the softmax over all places of `w x + b`. The last dense layer is first zero, so that the
    block starts as the identity where it adds, and as a half where it multiplies.

    Args:
        ratio: How many times fewer channels there are between the two dense layers.
        pooling: `"attention"`, the weighted mean, or `"average"`.
        fusion: `"add"`; `"multiply"`: by the sigmoid of what the dense layers give; or a list of both, each with dense
            layers of its own: first multiplied, then added.
        epsilon: Of the layer normalization between the dense layers.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, ..., channels)`, with one to three axes between.

    Output shape:
        The same.

    Raises:
        ValueError: `ratio` is not positive, `pooling` or `fusion` none of those above, or the channels are not known.

    Example:

    >>> layer = cconv.layers.GlobalContext(ratio=4)
    >>> layer(np.ones((1, 2, 2, 8)))[0, 0, 0, :3].tolist(), layer.count_params()
    ([1.0, 1.0, 1.0], 55)
    """

    def __init__(
        self,
        ratio: float = 16,
        pooling: str = "attention",
        fusion: str | Sequence[str] = "add",
        epsilon: float = 1e-5,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.ratio = checked_ratio(ratio)
        self.pooling = one_of(pooling, ("attention", "average"), "pooling")
        given = [fusion] if isinstance(fusion, str) else list(fusion)
        self.fusion = [one_of(way, ("add", "multiply"), "fusion") for way in given]
        if not given or len(set(given)) < len(given):
            raise ValueError(f"Argument `fusion` must name 'add', 'multiply' or both. Received: fusion={fusion!r}")
        self.epsilon = number(epsilon, "epsilon", 0)
        self.score = None
        self.multiplied: list[Any] = []
        self.added: list[Any] = []

    def make(self, shape):
        channels = shape[-1]
        if self.pooling == "attention":
            self.score = pointwise(1, channels, "score")
        if "multiply" in self.fusion:
            self.multiplied = self._bottleneck(channels, "multiply")
        if "add" in self.fusion:
            self.added = self._bottleneck(channels, "add")

    def _bottleneck(self, channels: int, name: str) -> list[Any]:
        width = narrowed(channels, self.ratio)
        norm = LayerNormalization(epsilon=self.epsilon, name=f"{name}_norm")
        norm.build((None, width))
        return [
            pointwise(width, channels, f"{name}_squeeze"),
            norm,
            ReLU(name=f"{name}_relu"),
            pointwise(channels, width, f"{name}_excite", kernel_initializer="zeros"),
        ]

    def attend(self, x):
        context, y = self._mean(x), x
        if self.multiplied:
            y = ops.multiply(y, ops.sigmoid(_through(self.multiplied, context)))
        if self.added:
            y = ops.add(y, _through(self.added, context))
        return y

    def _mean(self, x):
        """The mean over all places, whose axes stay with size 1."""
        if self.pooling == "average":
            return apply("global_avg_pool", [x], {"keepdims": True})
        places = apply("reshape", [x], {"shape": [0, -1, x.shape[-1]]})
        weights = ops.softmax(self.score(places), axis=1)
        mean = apply("matmul", [weights, places], {"transpose_a": True})
        return apply("reshape", [mean], {"shape": [0, *(1 for _ in x.shape[1:-1]), x.shape[-1]]})

    def get_config(self):
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "pooling": self.pooling,
            "fusion": self.fusion,
            "epsilon": self.epsilon,
        }


def _through(parts: Sequence[Any], x: Any) -> Any:
    for part in parts:
        x = part(x)
    return x
