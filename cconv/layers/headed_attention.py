"""What attention layers of several heads share: projections, masks, settings."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from .. import initializers, ops
from ..ops.arguments import is_integer
from ..ops.attention import causal_mask
from .activation import Softmax
from .einsum_dense import EinsumDense
from .layer import Layer
from .masking import with_masks
from .parts import constraint_of, regularizer_of, serialize_part
from .regularization import Dropout


class HeadedAttention(Layer):
    """What layers of several heads share: projections, masks, weights, and their configuration."""

    supports_masking = True

    def __init__(
        self,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        use_gate: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if flash_attention:
            raise NotImplementedError(
                f"Layer '{self.name}': flash attention is not supported: expected None or False. Received: True"
            )
        if sliding_window is not None and (not is_integer(sliding_window) or sliding_window <= 0):
            raise ValueError(
                f"`sliding_window` must be `None` or a positive integer. Received: sliding_window={sliding_window!r}"
            )
        self.use_bias = bool(use_bias)
        self.use_gate = bool(use_gate)
        self.sliding_window = sliding_window
        self.seed = seed
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizer_of(kernel_regularizer)
        self.bias_regularizer = regularizer_of(bias_regularizer)
        self.activity_regularizer = regularizer_of(activity_regularizer)
        self.kernel_constraint = constraint_of(kernel_constraint)
        self.bias_constraint = constraint_of(bias_constraint)
        self._softmax = Softmax()
        self._dropout_layer = Dropout(dropout, seed=seed)
        self.dropout = self._dropout_layer.rate
        # in the order of Keras' weights
        self._query_dense = self._key_dense = self._gate_dense = self._value_dense = self._output_dense = None

    def _dense(
        self, name: str, equation: str, shape: Sequence[int | None], bias_axes: str, activation: Any = None
    ) -> EinsumDense:
        return EinsumDense(
            equation,
            output_shape=shape,
            activation=activation,
            bias_axes=bias_axes if self.use_bias else None,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self.activity_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            name=name,
        )

    def _projection(
        self, name: str, shape: Sequence[int | None], heads: int, size: int, activation: Any = None
    ) -> EinsumDense:
        """From `(batch, ..., features)` to `(batch, ..., heads, size)`."""
        letters = string.ascii_lowercase[: len(shape) - 1]
        c, n, h = string.ascii_lowercase[len(shape) - 1 : len(shape) + 2]
        equation = f"{letters}{c},{c}{n}{h}->{letters}{n}{h}"
        dense = self._dense(name, equation, (*shape[1:-1], heads, size), f"{n}{h}", activation)
        dense.build(shape)
        return dense

    def _output(self, shape: Sequence[int | None], heads: int, size: int, sizes: Sequence[int]) -> EinsumDense:
        """From `(batch, ..., heads, size)` to `(batch, ..., *sizes)`."""
        rank = len(shape)
        letters = string.ascii_lowercase[: rank - 1]
        n, h = string.ascii_lowercase[rank - 1 : rank + 1]
        out = string.ascii_lowercase[rank + 1 : rank + 1 + len(sizes)]
        dense = self._dense(
            "attention_output", f"{letters}{n}{h},{n}{h}{out}->{letters}{out}", (*shape[1:-1], *sizes), out
        )
        dense.build((*shape[:-1], heads, size))
        return dense

    def _build_projections(self, query, value, key, heads: int, key_heads: int, key_size: int, value_size: int) -> None:
        """In the order of Keras' weights."""
        key = value if key is None else key
        if query[0] != value[0] and None not in (query[0], value[0]):
            raise ValueError(
                f"Layer '{self.name}': query and value must have as many samples. Received: query_shape={query}, "
                f"value_shape={value}"
            )
        if len(value) != len(key) or value[1:-1] != key[1:-1]:
            raise ValueError(
                "All dimensions of `value` and `key`, except the last one, must be equal. Received: "
                f"value_shape={value} and key_shape={key} (layer '{self.name}')"
            )
        self._query_dense = self._projection("query", query, heads, key_size)
        self._key_dense = self._projection("key", key, key_heads, key_size)
        if self.use_gate:
            self._gate_dense = self._projection("gate", query, heads, value_size, "sigmoid")
        self._value_dense = self._projection("value", value, key_heads, value_size)

    def _masks(self, query, value, value_mask, key_mask, attention_mask, causal: bool) -> list[Any]:
        """Those that say which query sees which key, `(batch, t, s)`."""
        masks = [ops.expand_dims(ops.cast(m, "bool"), 1) for m in (value_mask, key_mask) if m is not None]
        if causal or self.sliding_window is not None:
            masks.append(causal_mask(query, value, self.sliding_window, causal))
        if attention_mask is not None:
            masks.append(ops.cast(attention_mask, "bool"))
        return masks

    def _finished(self, y, scores, query, query_mask, return_attention_scores: bool):
        if self._gate_dense is not None:
            y = ops.multiply(y, self._gate_dense(query))
        y = self._output_dense(y)
        if not return_attention_scores:
            return y
        return (with_masks([y], [query_mask])[0], scores)

    def compute_mask(self, inputs, previous_mask):
        return previous_mask

    def _shared_config(self) -> dict[str, Any]:
        return {
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": serialize_part(self.kernel_regularizer),
            "bias_regularizer": serialize_part(self.bias_regularizer),
            "activity_regularizer": serialize_part(self.activity_regularizer),
            "kernel_constraint": serialize_part(self.kernel_constraint),
            "bias_constraint": serialize_part(self.bias_constraint),
            "seed": self.seed,
        }


def positive(name: str, value: Any, or_none: bool = False) -> int | None:
    if value is None and or_none:
        return None
    if not is_integer(value) or value <= 0:
        raise ValueError(
            f"Received an invalid value for argument `{name}`, expected a positive integer{' or `None`' * or_none}. "
            f"Received: {name}={value!r}"
        )
    return int(value)
