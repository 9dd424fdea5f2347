"""What stands at the end of a residual branch: a weight for each channel, the chance to be left out."""

from __future__ import annotations

from typing import Any

from ..initializers import Constant
from ..ops._apply import apply, shape_of
from ..ops.arguments import number, whole
from ..ops.random import dropped
from ..seeds import SeedGenerator
from .layer import Layer
from .regularization import BaseNoise

__all__ = ["LayerScale", "StochasticDepth"]


class LayerScale(Layer):
    """`x * gamma`, with one weight for each channel (Touvron et al.: Going Deeper with Image Transformers, 2021).

    Args:
        init_values: First value of all weights.
        projection_dim: The number of channels.

    Input shape:
        Any, with `projection_dim` on the last axis.

    Output shape:
        The same.

    Raises:
        ValueError: An argument is out of its range, or the input has another number of channels.

    Example:

    >>> cconv.layers.LayerScale(0.5, 2)(np.array([[2.0, 4.0]])).tolist()
    [[1.0, 2.0]]
    """

    supports_masking = True

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = number(init_values, "init_values")
        self.projection_dim = whole(projection_dim, "projection_dim")

    def build(self, input_shape):
        if input_shape[-1] != self.projection_dim:
            raise ValueError(
                f"Layer '{self.name}': expected {self.projection_dim} channels (projection_dim) on the last axis. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        self.gamma = self.add_weight(
            name="variable",  # as in Keras
            shape=(self.projection_dim,),
            initializer=Constant(self.init_values),
        )

    def call(self, inputs):
        return apply("multiply", [inputs, self.gamma])

    def get_config(self):
        return {**super().get_config(), "init_values": self.init_values, "projection_dim": self.projection_dim}


class StochasticDepth(BaseNoise):
    """In training, sets whole samples to 0, and multiplies the others by `1 / (1 - rate)` (Huang et al.: Deep Networks
    with Stochastic Depth, 2016).

    Args:
        drop_path_rate: The share of the samples, at least 0 and below 1.
        seed: Integer or `SeedGenerator` of its own; `None`: the model's.

    Output shape:
        That of the input.

    Raises:
        ValueError: `drop_path_rate` is out of its range.

    Example:

    >>> y = cconv.layers.StochasticDepth(0.5)(np.ones((100, 3)), training=True)
    >>> sorted(set(y.sum(axis=1).tolist()))
    [0.0, 6.0]
    """

    def __init__(self, drop_path_rate: float, seed: int | SeedGenerator | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.drop_path_rate = number(drop_path_rate, "drop_path_rate", 0, 1, open_top=True)

    def call(self, inputs, training=None):
        if not training or self.drop_path_rate == 0:
            return inputs
        sizes = shape_of(inputs)
        return dropped(inputs, self.drop_path_rate, [sizes[0], *[1] * (len(sizes) - 1)], self._stream)

    def get_config(self):
        config = {**super().get_config(), "drop_path_rate": self.drop_path_rate}
        if self.seed is None:
            del config["seed"]  # which Keras' layer does not take
        return config
