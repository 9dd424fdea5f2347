"""Attention: means of values, weighted by how queries and keys fit."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..ops._apply import apply
from ..ops.arguments import is_integer, number
from ..ops.attention import causal_mask, masked_softmax
from .layer import Layer
from .masking import with_masks

__all__ = ["AdditiveAttention", "Attention"]


class Attention(Layer):
    """Means of the values, with weights that are the softmax of the products of query and keys (Luong et al., 2015).

    Args:
        use_scale: Whether the scores are multiplied by a trained number, first 1.
        score_mode: `"dot"`: the scores are products of query and key; `"concat"`: a trained number times the sum of
            `tanh(query + key)`.
        dropout: Share of the weights that training sets to 0.
        seed: Seed of the dropout; `None`: the model's.

    Call arguments:
        inputs: A list of query `(batch, tq, dim)`, value `(batch, tv, dim)` and perhaps key `(batch, tv, dim)`, without
            which the value is the key.
        mask: A list of the query's mask `(batch, tq)`, where the output becomes 0, and of the value's `(batch, tv)`,
            whose steps get no weight; `None` for none.
        return_attention_scores: Whether to return the weights, too.
        training: Whether to drop weights.
        use_causal_mask: Whether a query sees only values up to its own position.

    Output shape:
        `(batch, tq, dim)`, and the weights `(batch, tq, tv)`.

    Raises:
        ValueError: The inputs are no list of two or three tensors, or the masks not as many.

    Example:

    >>> query, value = np.array([[[1.0, 0.0]]]), np.array([[[1.0, 0.0], [1.0, 2.0]]])
    >>> cconv.layers.Attention()([query, value]).tolist()
    [[[1.0, 1.0]]]
    """

    supports_masking = True

    def __init__(
        self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"Invalid value for argument score_mode. Expected one of 'dot' and 'concat'. "
                f"Received: score_mode={score_mode}"
            )
        self._setup(use_scale, dropout, seed)
        self.score_mode = score_mode
        self.concat_score_weight = None

    def _setup(self, use_scale: bool, dropout: float, seed: Any) -> None:
        if seed is not None and not is_integer(seed):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed!r}")
        self.use_scale = bool(use_scale)
        self.dropout = number(dropout, "dropout", 0, 1)
        self.seed = seed
        self.scale = None

    def build(self, input_shape):
        _check_inputs(self, input_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(name="concat_score_weight", shape=(), initializer="ones")

    def _scores(self, query, key):
        if self.score_mode == "dot":
            scores = apply("matmul", [query, key], {"transpose_b": True})
            return scores if self.scale is None else scores * self.scale
        sums = ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))
        sums = sums if self.scale is None else sums * self.scale
        return ops.sum(ops.tanh(sums), axis=-1) * self.concat_score_weight

    def call(self, inputs, mask=None, training=False, return_attention_scores=False, use_causal_mask=False):
        _check_inputs(self, inputs)
        query_mask, value_mask = _masks_of(self, mask)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        scores = self._scores(query, key)
        masks = [] if value_mask is None else [ops.expand_dims(ops.cast(value_mask, "bool"), -2)]
        if use_causal_mask:
            masks.append(causal_mask(query, key, axis=-2))
        # where nothing may be seen, everything is seen alike
        weights = masked_softmax(scores, masks, empty="uniform")
        dropped = weights
        if training and self.dropout > 0:
            seed = 0 if self.seed is None else int(self.seed)
            dropped = apply("dropout", [weights], {"rate": self.dropout, "seed": seed})
        y = ops.matmul(dropped, value)
        if query_mask is not None:
            y = y * ops.expand_dims(ops.cast(query_mask, "float32"), -1)
        if not return_attention_scores:
            return y
        return (with_masks([y], [query_mask])[0], weights)

    def compute_mask(self, inputs, previous_mask):
        return _masks_of(self, previous_mask)[0]

    def get_config(self):
        config = {**super().get_config(), "use_scale": self.use_scale, "dropout": self.dropout, "seed": self.seed}
        return {**config, "score_mode": self.score_mode}


class AdditiveAttention(Attention):
    """Means of the values, with weights that are the softmax of `sum(tanh(query + key))` (Bahdanau et al., 2015).

    Args:
        use_scale: Whether the terms of the sum are multiplied by trained numbers, one for each of `dim`.
        dropout: Share of the weights that training sets to 0.
        seed: Seed of the dropout; `None`: the model's.

    Call arguments, output shape and errors are those of `Attention`.

    Example:

    >>> query, value = np.array([[[1.0, 0.0]]]), np.array([[[1.0, 0.0], [1.0, 0.0]]])
    >>> cconv.layers.AdditiveAttention()([query, value]).tolist()
    [[[1.0, 0.0]]]
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, seed=seed, **kwargs)

    def build(self, input_shape):
        _check_inputs(self, input_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(input_shape[0][-1],), initializer="glorot_uniform")

    def _scores(self, query, key):
        terms = ops.tanh(ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3)))
        return ops.sum(terms if self.scale is None else terms * self.scale, axis=-1)

    def get_config(self):
        return {key: value for key, value in super().get_config().items() if key != "score_mode"}


def _check_inputs(layer: Layer, inputs: Any) -> None:
    kind = type(layer).__name__
    if not isinstance(inputs, list):
        raise ValueError(
            f"Layer '{layer.name}': {kind} layer must be called on a list of inputs, namely [query, value] or "
            f"[query, value, key]. Received: {inputs}"
        )
    if len(inputs) not in (2, 3):
        raise ValueError(
            f"Layer '{layer.name}': {kind} layer accepts inputs list of length 2 or 3, namely [query, value] or "
            f"[query, value, key]. Received length: {len(inputs)}"
        )


def _masks_of(layer: Layer, mask: Any) -> tuple[Any, Any]:
    """The masks of query and value."""
    if mask is None:
        return None, None
    if not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3):
        raise ValueError(
            f"Layer '{layer.name}': {type(layer).__name__} layer mask must be a list of length 2 or 3, namely "
            f"[query_mask, value_mask]. Received: mask={mask}"
        )
    return mask[0], mask[1]
