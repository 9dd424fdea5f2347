"""Layers around a layer."""

from __future__ import annotations

from typing import Any

from ..ops._apply import apply, shape_of
from ..serialization import deserialize_object, serialize_object
from .arguments import takes
from .layer import Layer

__all__ = ["TimeDistributed", "Wrapper"]


class Wrapper(Layer):
    """The base of layers that hold another one, as the attribute `layer`. Subclasses write `call`.

    Args:
        layer: The layer.

    Raises:
        ValueError: It is none.

    Example:

    >>> class Twice(cconv.layers.Wrapper):
    ...     def call(self, x):
    ...         return self.layer(self.layer(x))
    >>> Twice(cconv.layers.Rescaling(3.0))(np.ones((1, 2))).tolist()
    [[9.0, 9.0]]
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(f"Layer {layer!r} supplied to {type(self).__name__} isn't a supported layer type.")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
        self.built = True

    def get_config(self):
        return {**super().get_config(), "layer": serialize_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Wrapper:
        layer = config["layer"]
        return cls(**{**config, "layer": deserialize_object(layer) if isinstance(layer, dict) else layer})


class TimeDistributed(Wrapper):
    """Applies a layer to every step of a sequence, with the same weights.

    The steps of all samples are computed as one batch: in training, batch normalization takes its moments over all of
    them, and dropout draws for each step. A mask of the steps is handed on; steps outside of it are computed all the
    same.

    Args:
        layer: The layer, or a model.

    Input shape:
        `(batch, steps, ...)`, all sizes but the batch known.

    Output shape:
        `(batch, steps, ...)`, from the third axis on as the layer makes it.

    Raises:
        ValueError: The input has fewer than three axes, or a size that is not known.

    Example:

    >>> frames = np.zeros((2, 5, 8, 8, 3))
    >>> cconv.layers.TimeDistributed(cconv.layers.Conv2D(4, 3))(frames).shape
    (2, 5, 6, 6, 4)
    """

    supports_masking = True

    def build(self, input_shape):
        if len(input_shape) < 3:
            raise ValueError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, received: "
                f"{tuple(input_shape)}"
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs, training=None, mask=None):
        shape = shape_of(inputs)
        if None in shape[1:]:
            raise ValueError(
                f"Layer '{self.name}': all sizes of the input but the batch must be known. Received: shape {shape}"
            )
        kwargs = {"training": training} if takes(type(self.layer).call, "training") else {}
        if mask is not None and len(mask.shape) > 2 and takes(type(self.layer).call, "mask"):
            kwargs["mask"] = apply("reshape", [mask], {"shape": [-1, *mask.shape[2:]]})
        y = self.layer(apply("reshape", [inputs], {"shape": [-1, *shape[2:]]}), **kwargs)
        return apply("reshape", [y], {"shape": [-1, shape[1], *shape_of(y)[1:]]})
