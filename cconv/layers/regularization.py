"""Layers that only act in training."""

from __future__ import annotations

from typing import Any

from ..ops._apply import apply
from ..ops.arguments import is_integer, number
from .layer import Layer

__all__ = ["Dropout"]


class Dropout(Layer):
    """In training, sets a share of the values to 0 and multiplies the others by `1 / (1 - rate)`.

    Args:
        rate: The share, at least 0 and below 1.
        noise_shape: Must be `None`.
        seed: Seed of its own; `None`: the model's.

    Example:

    >>> layer = cconv.layers.Dropout(0.5)
    >>> layer(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    >>> sorted(set(layer(np.ones((1, 100)), training=True)[0].tolist()))
    [0.0, 2.0]
    """

    supports_masking = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = number(rate, "rate", 0, 1, open_top=True)
        if noise_shape is not None:
            raise ValueError(f"`noise_shape` is not supported: expected None. Received: noise_shape={noise_shape}")
        if seed is not None and not is_integer(seed):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed!r}")
        self.noise_shape = None
        self.seed = seed
        self.built = True

    def call(self, inputs, training=None):
        if not training or self.rate == 0:
            return inputs
        return apply("dropout", [inputs], {"rate": self.rate, "seed": 0 if self.seed is None else int(self.seed)})

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": None}
