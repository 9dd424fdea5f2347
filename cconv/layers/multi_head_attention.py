"""Attention of several heads, each of which sees its own projections of query, key and value."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

from .. import ops
from ..ops.arguments import is_integer
from ..ops.attention import masked_softmax
from .einsum_dense import EinsumDense
from .headed_attention import HeadedAttention, positive

__all__ = ["MultiHeadAttention"]


class MultiHeadAttention(HeadedAttention):
    """Attention of several heads over projections of query, key and value (Vaswani et al., 2017).

    Of each head the weights are `softmax(query . key / sqrt(key_dim))`, the result the weighted mean of the values; the
    heads' results are projected together.

    Args:
        num_heads: How many heads.
        key_dim: Size of a head's queries and keys.
        value_dim: Size of a head's values; `None`: `key_dim`.
        dropout: Share of the weights that training sets to 0.
        use_bias: Whether the projections have a bias.
        output_shape: Size of a result, or sizes; `None`: that of the query.
        attention_axes: The axes that attention goes over, counted with the batch; `None`: all between batch and
            features.
        sliding_window: With a number, a query sees only keys that are less than so far away.
        flash_attention: Must not be true: there is one way to compute it.
        kernel_initializer: First values of the projections' kernels; `bias_initializer` likewise.
        kernel_regularizer: Penalty on the kernels; `bias_regularizer` likewise.
        activity_regularizer: Penalty on the projections' outputs.
        kernel_constraint: Applied to the kernels after each update; `bias_constraint` likewise.
        use_gate: Whether the heads' results are multiplied by the sigmoid of a projection of the query.
        seed: Seed of the dropout; `None`: the model's.

    Call arguments:
        query: `(batch, t, features)`, or more axes between.
        value: `(batch, s, features)`.
        key: Likewise; `None`: the value.
        query_mask: Handed on with the output.
        value_mask: `(batch, s)`: which values count; `key_mask` likewise.
        attention_mask: `(batch, t, s)`, or with an axis of heads: which query may see which key. Where one sees none
            its result is 0 before the last projection.
        return_attention_scores: Whether to return the weights, too.
        training: Whether to drop weights.
        use_causal_mask: Whether a query sees only keys up to its own position.

    Output shape:
        `(batch, t, features)`, and the weights `(batch, heads, t, s)`.

    Raises:
        ValueError: An argument is no positive integer, or key and value differ in more than their features.

    Example:

    >>> layer = cconv.layers.MultiHeadAttention(num_heads=2, key_dim=3)
    >>> y, weights = layer(np.ones((1, 4, 5)), np.ones((1, 6, 5)), return_attention_scores=True)
    >>> y.shape, weights.shape
    ((1, 4, 5), (1, 2, 4, 6))
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, use_gate,
            seed, **kwargs,
        )  # fmt: skip
        self.num_heads = positive("num_heads", num_heads)
        self.key_dim = positive("key_dim", key_dim)
        self.value_dim = positive("value_dim", value_dim, or_none=True) or self.key_dim
        if output_shape is not None:
            output_shape = (output_shape,) if is_integer(output_shape) else tuple(output_shape)
            for size in output_shape:
                positive("output_shape", size)
        self._output_shape = output_shape
        if attention_axes is not None:
            attention_axes = (attention_axes,) if is_integer(attention_axes) else tuple(attention_axes)
        self._attention_axes = attention_axes

    @property
    def query_dense(self) -> EinsumDense | None:
        """The projection of the query; `None` before the layer is built."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense | None:
        """The projection of the key."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense | None:
        """The projection of the value."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense | None:
        """The projection of what the heads give."""
        return self._output_dense

    def build(self, query_shape, value_shape, key_shape=None):
        self._build_projections(
            query_shape, value_shape, key_shape, self.num_heads, self.num_heads, self.key_dim, self.value_dim
        )
        sizes = self._output_shape or (query_shape[-1],)
        self._output_dense = self._output(query_shape, self.num_heads, self.value_dim, sizes)

    def _equations(self, rank: int) -> tuple[str, str, int]:
        """Of the scores and of the result, for projections of this rank; and over how many axes attention goes."""
        axes = self._attention_axes or tuple(range(1, rank - 2))
        if any(not 0 < a % rank < rank - 2 for a in axes):
            raise ValueError(
                f"Layer '{self.name}': `attention_axes` must name axes between batch and features. "
                f"Received: attention_axes={axes} for inputs of rank {rank - 1}"
            )
        query = string.ascii_lowercase[:rank]
        key = "".join(c.upper() if i in {a % rank for a in axes} else c for i, c in enumerate(query))
        over = "".join(query[a % rank] for a in axes)
        shared = "".join(c for i, c in enumerate(query[:-2]) if c not in over)
        scores = f"{shared}{query[-2]}{over}{over.upper()}"
        return f"{query},{key}->{scores}", f"{scores},{key}->{query}", len(axes)

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        key = value if key is None else key
        q = ops.multiply(self._query_dense(query), 1 / math.sqrt(self.key_dim))
        k, v = self._key_dense(key), self._value_dense(value)
        score_equation, value_equation, axes = self._equations(len(q.shape))
        scores = ops.einsum(score_equation, q, k)
        masks = self._masks(query, value, value_mask, key_mask, attention_mask, use_causal_mask)
        masks = [self._beside(mask, len(scores.shape), axes) for mask in masks]
        weights = masked_softmax(scores, masks, axes=axes)
        y = ops.einsum(value_equation, self._dropout_layer(weights, training=training), v)
        return self._finished(y, weights, query, query_mask, return_attention_scores)

    def _beside(self, mask: Any, rank: int, axes: int) -> Any:
        """A mask with axes of size 1 for the heads, before those that attention goes over."""
        while 2 * axes < len(mask.shape) < rank:
            mask = ops.expand_dims(mask, len(mask.shape) - 2 * axes)
        return mask

    def get_config(self):
        config = {"num_heads": self.num_heads, "key_dim": self.key_dim, "value_dim": self.value_dim}
        config.update(output_shape=self._output_shape, attention_axes=self._attention_axes)
        return {**super().get_config(), **config, **self._shared_config()}
