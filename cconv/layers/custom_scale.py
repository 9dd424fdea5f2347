"""The sum by which Inception-ResNet adds what a block computes to its input."""

from __future__ import annotations

from typing import Any

from ..registry import register_public
from .layer import Layer

__all__ = ["CustomScaleLayer"]


class CustomScaleLayer(Layer):
    """The first of two inputs plus `scale` times the second: part of `cconv.applications.InceptionResNetV2`.

    Args:
        scale: Factor of the second input.

    Example:

    >>> from cconv.layers.custom_scale import CustomScaleLayer
    >>> CustomScaleLayer(0.5)([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[1.5, 1.5]]
    """

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs):
        return inputs[0] + inputs[1] * self.scale

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


# No public layer of Keras: it stands in files of whole models, under the module that Keras defines it in.
register_public("keras.src.applications.inception_resnet_v2", globals())
