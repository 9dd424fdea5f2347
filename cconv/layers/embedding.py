"""Vectors for whole numbers."""

from __future__ import annotations

from typing import Any

from .. import initializers, ops
from ..dtypes import of
from ..ops._apply import apply
from ..ops.arguments import is_integer
from .layer import Layer
from .masking import with_masks
from .parts import constraint_of, regularizer_of, serialize_part

__all__ = ["Embedding"]


class Embedding(Layer):
    """A trained vector for each whole number of 0 .. `input_dim` - 1, such as the number of a word.

    Args:
        input_dim: How many numbers there are.
        output_dim: Size of a vector.
        embeddings_initializer: First values of the vectors.
        embeddings_regularizer: Penalty on the vectors.
        embeddings_constraint: Applied to the vectors after each update.
        mask_zero: Whether the number 0 stands for a step that does not count: a mask follows the output.
        weights: A list with the array of the first values, `(input_dim, output_dim)`; `None`: the initializer's.
        quantization_config: Must be `None`.

    Input shape:
        Any, of whole numbers; fractions are cut off.

    Output shape:
        `(..., output_dim)`.

    Raises:
        ValueError: When it runs: a number is below 0 or `input_dim` or more. (Keras with PyTorch counts those below 0
            from the end, silently.)

    Example:

    >>> layer = cconv.layers.Embedding(3, 2, weights=[np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])])
    >>> layer(np.array([[2, 1]])).tolist()
    [[[3.0, 4.0], [1.0, 2.0]]]
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        for name, value in (("input_dim", input_dim), ("output_dim", output_dim)):
            if not is_integer(value) or value <= 0:
                raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
        if quantization_config is not None:
            raise ValueError(f"Quantization is not supported. Received: quantization_config={quantization_config}")
        super().__init__(**kwargs)
        self.input_dim = int(input_dim)
        self.output_dim = int(output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizer_of(embeddings_regularizer)
        self.embeddings_constraint = constraint_of(embeddings_constraint)
        self.mask_zero = self.supports_masking = bool(mask_zero)
        self.embeddings = None
        if weights is not None:
            self.build()
            self.set_weights(list(weights) if isinstance(weights, (list, tuple)) else [weights])

    def build(self, input_shape=None):
        if self.embeddings is None:
            self.embeddings = self.add_weight(
                name="embeddings",
                shape=(self.input_dim, self.output_dim),
                initializer=self.embeddings_initializer,
                regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint,
            )

    def call(self, inputs):
        y = apply("take", [self.embeddings, _whole(inputs)], {"axis": 0, "checked": True})
        return with_masks([y], [self.compute_mask(inputs, None)])[0] if self.mask_zero else y

    def compute_mask(self, inputs, previous_mask):
        return ops.not_equal(_whole(inputs), 0) if self.mask_zero else None

    def get_config(self):
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": serialize_part(self.embeddings_regularizer),
            "activity_regularizer": serialize_part(self.activity_regularizer),
            "embeddings_constraint": serialize_part(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
            "quantization_config": None,
        }


def _whole(x: Any) -> Any:
    return x if of(x) == "int32" else ops.cast(x, "int32")
