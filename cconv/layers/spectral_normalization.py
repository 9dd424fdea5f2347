"""A layer whose weights have a spectral norm of one."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import initializers, ops
from .layer import Layer
from .wrapping import Wrapper

__all__ = ["SpectralNormalization"]


class SpectralNormalization(Wrapper):
    """Keeps the spectral norm of a layer's weights near one, in training (Miyato et al., "Spectral Normalization for
    Generative Adversarial Networks", 2018, section 2.1 and algorithm 1).

    The weights are seen as a matrix with a row for each element of a slice along the last axis. A training step first
    improves the estimate of the largest singular value by power iteration, divides the weights by it, and lets the
    layer compute with the result. The divided weights stay: the optimizer changes them, and no gradient flows through
    the division. Weights that are all zero are left alone. Outside of training the layer is called as it is.

    Args:
        layer: The layer: one with an attribute `kernel` or `embeddings`, such as `Conv2D`, `Dense` and `Embedding`.
        power_iterations: Steps of the power iteration for each step of training.

    Input shape:
        That of the layer.

    Output shape:
        That of the layer.

    Raises:
        ValueError: It is no layer, or has no such weights once it is built; or `power_iterations` is no positive
            integer.

    Example:

    >>> cconv.utils.set_random_seed(1)
    >>> layer = cconv.layers.SpectralNormalization(cconv.layers.Dense(4), power_iterations=20)
    >>> y = layer(np.ones((2, 3)), training=True)
    >>> np.linalg.svd(layer.layer.kernel.numpy())[1].max().round(3).tolist()
    1.0
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if not isinstance(power_iterations, (int, np.integer)) or power_iterations <= 0:
            raise ValueError(
                "`power_iterations` should be greater than zero, and an integer. "
                f"Received: `power_iterations={power_iterations!r}`"
            )
        self.power_iterations = int(power_iterations)

    def build(self, input_shape):
        super().build(input_shape)
        self.kernel = getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))
        if self.kernel is None:
            raise ValueError(
                f"Layer '{self.name}': expected a layer with an attribute `kernel` or `embeddings`. "
                f"Received: {type(self.layer).__name__} object has no attribute 'kernel' nor 'embeddings'"
            )
        self.vector_u = self.add_weight(
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            name="vector_u",
        )

    def call(self, inputs, training=False):
        if training:
            vector_u, kernel = self.normalized_weights()
            some = ops.any(ops.not_equal(self.kernel, 0.0))
            self.vector_u.assign(ops.where(some, vector_u, self.vector_u))
            self.kernel.assign(ops.where(some, kernel, self.kernel))
        return self.layer(inputs)

    def normalized_weights(self):
        """The vector of the power iteration after its next steps, and the weights divided by the norm it gives."""
        matrix = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        u = self.vector_u
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.matmul(u, ops.transpose(matrix)))
            u = ops.normalize(ops.matmul(v, matrix))
        norm = ops.matmul(ops.matmul(v, matrix), ops.transpose(u))
        return u, self.kernel / ops.reshape(norm, ())

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}
