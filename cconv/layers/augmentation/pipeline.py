"""Layers one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...ops._apply import name_scope
from ...scope import is_tracing
from ...serialization import deserialize_keras_object, serialize_keras_object
from ...tensor import Tensor
from ...tree import flatten
from ..arguments import takes
from ..layer import Layer

__all__ = ["Pipeline"]


class Pipeline(Layer):
    """Several layers one after the other, for data that is images or a dictionary with images and what belongs to them.

    Args:
        layers: The layers.
        name: Of the pipeline.

    Output shape:
        What the last layer makes of it.

    Example:

    >>> augment = cconv.layers.Pipeline([cconv.layers.RandomFlip(), cconv.layers.Resizing(4, 4)])
    >>> augment(np.zeros((8, 6, 3))).shape
    (4, 4, 3)
    """

    def __init__(self, layers: Sequence[Layer], name: str | None = None) -> None:
        super().__init__(name=name)
        if not all(isinstance(layer, Layer) for layer in layers):
            raise ValueError(f"`Pipeline` takes a list of layers. Received: layers={layers!r}")
        self.layers = list(layers)
        self.built = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Applies the layers to arrays at once, and becomes part of a model on tensors."""
        if is_tracing() or any(isinstance(x, Tensor) for x in flatten(inputs)):
            return super().__call__(inputs, *args, **kwargs)
        with name_scope(self.name):
            return self.call(inputs, *args, **kwargs)

    def call(self, inputs, training=True):
        for layer in self.layers:
            inputs = layer(inputs, training=training) if takes(type(layer).call, "training") else layer(inputs)
        return inputs

    def get_config(self):
        return {"name": self.name, "layers": [serialize_keras_object(layer) for layer in self.layers]}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "layers": [deserialize_keras_object(layer) for layer in config["layers"]]})
