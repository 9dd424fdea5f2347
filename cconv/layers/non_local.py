"""Every place sees every other."""

from __future__ import annotations

import math
from typing import Any

from .. import ops
from ..ops._apply import apply
from ..ops.arguments import integers, number
from .attention_block import AttentionBlock, one_of, pointwise
from .base_conv import positive
from .normalization import BatchNormalization

__all__ = ["NonLocal"]

_MODES = ("embedded_gaussian", "gaussian", "dot_product", "concatenation")


class NonLocal(AttentionBlock):
    """Adds to every place a mean of what all places hold, weighted by how they fit together (Wang et al.: Non-local
    Neural Networks, 2018, sections 3.2 and 3.3).

    With `t`, `p` and `g` linear functions of the channels of a place, the weights of place `j` for place `i` are,
    before the values `g(x[j])` are added up and brought back to all channels:

    - `"embedded_gaussian"`: the softmax over `j` of `t(x[i]) p(x[j])`;
    - `"gaussian"`: the softmax over `j` of `x[i] x[j]`;
    - `"dot_product"`: `t(x[i]) p(x[j])`, divided by the number of places `j`;
    - `"concatenation"`: `relu(w [t(x[i]), p(x[j])])`, divided by the number of places `j`.

    What is added is first zero, by the scale of the last batch normalization or, without it, by the last kernel: the
    block starts as the identity. Memory does not grow with the square of the number of places.

    Args:
        mode: How the weights are made.
        channels: Number of the channels of `t`, `p` and `g`; `None`: half those of the image.
        sub_sample: Whether `p` and `g` (of `"gaussian"`, the image and `g`) are max-pooled: true means by 2 along the
            last two axes, or the only one; or numbers to pool by, one for each axis of the image.
        use_scale: Whether the products of the two Gaussian modes are divided by the square root of their length, as
            the authors' program does; the paper's formulas do not.
        batch_norm: Whether batch normalization follows the last linear function.
        momentum: Of its averages.
        epsilon: Of the batch normalization.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, ..., channels)`, with one to three axes between: sequences, images, volumes or videos.

    Output shape:
        The same.

    Raises:
        ValueError: `mode` is none of those above, `use_scale` is given for another than the Gaussian modes, a number is
            not positive, or the channels are not known.

    Example:

    >>> layer = cconv.layers.NonLocal()
    >>> layer(np.ones((1, 2, 2, 4)))[0, 0, 0].tolist()
    [1.0, 1.0, 1.0, 1.0]
    >>> [w.path for w in layer.trainable_weights][-2:]
    ['non_local/norm/gamma', 'non_local/norm/beta']
    """

    def __init__(
        self,
        mode: str = "embedded_gaussian",
        channels: int | None = None,
        sub_sample: Any = False,
        use_scale: bool = False,
        batch_norm: bool = True,
        momentum: float = 0.99,
        epsilon: float = 1e-5,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.mode = one_of(mode, _MODES, "mode")
        self.channels = None if channels is None else positive(channels, "channels")
        self.sub_sample = tuple(sub_sample) if isinstance(sub_sample, (list, tuple)) else sub_sample
        self.use_scale = bool(use_scale)
        if self.use_scale and "gaussian" not in mode:
            raise ValueError(
                f"Argument `use_scale` is for the modes 'embedded_gaussian' and 'gaussian'. Received: mode={mode!r}"
            )
        self.batch_norm = bool(batch_norm)
        self.momentum = number(momentum, "momentum", 0, 1)
        self.epsilon = number(epsilon, "epsilon", 0)
        self._pool: tuple[int, ...] | None = None
        self.query = self.key = self.query_score = self.key_score = self.value = self.output_projection = None
        self.norm = None

    def make(self, shape):
        outer = shape[-1]
        inner = self.channels or max(1, outer // 2)
        self._pool = self._pool_of(len(shape) - 2)
        if self.mode != "gaussian":
            self.query = pointwise(inner, outer, "query")
            self.key = pointwise(inner, outer, "key")
        if self.mode == "concatenation":
            self.query_score = pointwise(1, inner, "query_score", use_bias=False)
            self.key_score = pointwise(1, inner, "key_score", use_bias=False)
        self.value = pointwise(inner, outer, "value")
        first = "glorot_uniform" if self.batch_norm else "zeros"
        self.output_projection = pointwise(outer, inner, "output_projection", kernel_initializer=first)
        if self.batch_norm:
            self.norm = BatchNormalization(
                momentum=self.momentum, epsilon=self.epsilon, gamma_initializer="zeros", name="norm"
            )
            self.norm.build(shape)

    def _pool_of(self, axes: int) -> tuple[int, ...] | None:
        """What `sub_sample` means for images of so many axes; `None`: nothing is pooled."""
        if self.sub_sample is False or self.sub_sample is None:
            return None
        if self.sub_sample is True:
            return (1, 2, 2)[3 - axes :]
        return integers(self.sub_sample, axes, "sub_sample")

    def attend(self, x):
        query, key, settings = self._scored(x)
        values = self._pooled(self.value(x))
        y = apply("attention", [_places(query), _places(key), _places(values)], settings)
        y = apply("reshape", [y], {"shape": [0, *x.shape[1:-1], y.shape[-1]]})
        y = self.output_projection(y)
        return ops.add(x, y if self.norm is None else self.norm(y))

    def _scored(self, x):
        """Two images whose products are the scores, and how the scores become weights."""
        if self.mode == "gaussian":
            query, key = x, self._pooled(x)
        else:
            query, key = self.query(x), self._pooled(self.key(x))
        if self.mode == "concatenation":
            a, b = self.query_score(query), self.key_score(key)  # a + b is the product of [a, 1] and [1, b]
            query = ops.concatenate([a, ops.ones_like(a)], axis=-1)
            key = ops.concatenate([ops.ones_like(b), b], axis=-1)
        activation = {"dot_product": "linear", "concatenation": "relu"}.get(self.mode, "softmax")
        scale = query.shape[-1] ** -0.5 if self.use_scale else 1.0
        return query, key, {"activation": activation, "scale": scale}

    def _pooled(self, x):
        if self._pool is None:
            return x
        return ops.max_pool(x, self._pool, self._pool, "valid", "channels_last")

    def get_config(self):
        return {
            **super().get_config(),
            "mode": self.mode,
            "channels": self.channels,
            "sub_sample": self.sub_sample,
            "use_scale": self.use_scale,
            "batch_norm": self.batch_norm,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


def _places(x: Any) -> Any:
    """`(batch, ..., channels)` to `(batch, places, channels)`; how many they are must be known."""
    sizes = x.shape[1:-1]
    if None in sizes:
        raise ValueError(f"`NonLocal` needs to know the sizes of the image. Received: shape {x.shape}")
    return apply("reshape", [x], {"shape": [0, math.prod(sizes), x.shape[-1]]})
