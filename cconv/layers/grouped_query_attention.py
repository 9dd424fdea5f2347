"""Attention in which several heads of the query share a head of keys and values."""

from __future__ import annotations

import math
from typing import Any

from .. import ops
from ..naming import auto_name
from ..ops.attention import attention_scores, attention_values, masked_softmax
from .headed_attention import HeadedAttention, positive

__all__ = ["GroupQueryAttention"]


class GroupQueryAttention(HeadedAttention):
    """Attention in which several heads of the query share a head of keys and values (Ainslie et al., 2023).

    Args:
        head_dim: Size of a head.
        num_query_heads: How many heads the query has.
        num_key_value_heads: How many key and value have; the query's must be a multiple.
        dropout: Share of the weights that training sets to 0.
        use_bias: Whether the projections have a bias.
        sliding_window: With a number, a query sees only keys that are less than so far away.
        flash_attention: Must not be true: there is one way to compute it.
        kernel_initializer: First values of the projections' kernels; `bias_initializer` likewise.
        kernel_regularizer: Penalty on the kernels; `bias_regularizer` likewise.
        activity_regularizer: Penalty on the projections' outputs.
        kernel_constraint: Applied to the kernels after each update; `bias_constraint` likewise.
        use_gate: Whether the heads' results are multiplied by the sigmoid of a projection of the query.
        seed: Seed of the dropout; `None`: the model's.

    Call arguments and output shape are those of `MultiHeadAttention`, of inputs `(batch, steps, features)`.

    Example:

    >>> layer = cconv.layers.GroupQueryAttention(3, num_query_heads=4, num_key_value_heads=2)
    >>> layer(np.ones((1, 4, 5)), np.ones((1, 6, 5))).shape
    (1, 4, 5)
    >>> [w.shape for w in layer.weights[::2]]
    [(5, 4, 3), (5, 2, 3), (5, 2, 3), (4, 3, 5)]
    """

    _class_name_in_files = "GroupedQueryAttention"  # Keras' class has another name within

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
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
        if kwargs.get("name") is None:
            kwargs["name"] = auto_name(self._class_name_in_files)
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, use_gate,
            seed, **kwargs,
        )  # fmt: skip
        self.head_dim = positive("head_dim", head_dim)
        self.num_query_heads = positive("num_query_heads", num_query_heads)
        self.num_key_value_heads = positive("num_key_value_heads", num_key_value_heads)
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                "`num_query_heads` must be divisible by `num_key_value_heads`. "
                f"Received: num_query_heads={num_query_heads}, num_key_value_heads={num_key_value_heads}"
            )

    def build(self, query_shape, value_shape, key_shape=None):
        heads, key_heads, size = self.num_query_heads, self.num_key_value_heads, self.head_dim
        self._build_projections(query_shape, value_shape, key_shape, heads, key_heads, size, size)
        self._output_dense = self._output(query_shape, heads, size, query_shape[-1:])

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
        q = ops.multiply(self._query_dense(query), 1 / math.sqrt(self.head_dim))
        k, v = self._key_dense(key), self._value_dense(value)
        masks = self._masks(query, value, value_mask, key_mask, attention_mask, use_causal_mask)
        masks = [ops.expand_dims(mask, 1) if len(mask.shape) == 3 else mask for mask in masks]
        weights = masked_softmax(attention_scores(q, k), masks)
        y = attention_values(self._dropout_layer(weights, training=training), v)
        return self._finished(y, weights, query, query_mask, return_attention_scores)

    def get_config(self):
        config = {
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
        }
        return {**super().get_config(), **config, **self._shared_config()}
