"""The base of all models: a layer that can be trained, saved and summarized."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..layers.layer import Layer
from ..serialization import serialize_object
from ..tensor import Tensor
from ..tree import flatten, map_structure
from .trainer import Trainer


class Model(Trainer, Layer):
    """A network.

    `Model(inputs, outputs)` makes a functional model of symbolic tensors. Subclasses define layers in `__init__` and
    write `call`.

    Args:
        inputs: Symbolic tensor, or a list or dictionary of them.
        outputs: Symbolic tensor, or a list or dictionary of them, computed from the inputs.
        name: Name of the model.
        trainable: Whether training changes the weights.

    Example:

    >>> inputs = cconv.Input((4,))
    >>> outputs = cconv.layers.Dense(3, activation="softmax")(inputs)
    >>> model = cconv.Model(inputs, outputs)
    >>> model.output_shape
    (None, 3)

    A subclass:

    >>> class Twice(cconv.Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.dense = cconv.layers.Dense(4)
    ...
    ...     def call(self, x):
    ...         return self.dense(self.dense(x))
    >>> Twice()(np.zeros((1, 4))).shape
    (1, 4)
    """

    def __new__(cls, *args, **kwargs):
        if cls is Model and _is_functional(args, kwargs):
            from .functional import Functional

            return Functional.__new__(Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _is_functional(args, kwargs):
            # a subclass that is given inputs and outputs is a functional model with methods of its own
            from .functional import Functional

            _make_functional(type(self), Functional)
            Functional.__init__(self, *args, **kwargs)
            return
        Trainer.__init__(self)
        Layer.__init__(self, *args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs, with layers and functions of `cconv.ops`."""
        raise TypeError(f"Model {type(self).__name__} does not have a `call()` method implemented.")

    def build(self, input_shape: Any) -> None:
        """Makes all weights, by tracing the model for inputs of this shape (a tuple, or a list of them)."""
        self.compute_output_shape(input_shape)

    def _build_for(self, bound: dict[str, Any]) -> None:
        if type(self).build is not Model.build:
            super()._build_for(bound)
            return
        # the call that is under way makes the weights of the layers
        shapes = [map_structure(lambda x: tuple(x.shape), x) for x in bound.values()]
        self._build_config = {"input_shape": shapes[0]} if len(shapes) == 1 else None
        self.built = True

    # ---- structure

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model itself, not those inside them."""
        return list(self._layers)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its place.

        Raises:
            ValueError: There is none; the message lists those there are.
        """
        if (name is None) == (index is None):
            raise ValueError(f"Provide either a layer name or layer index. Received: index={index}, name={name}")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(self.layers)} layers."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in self.layers]}.")

    @property
    def inputs(self) -> list[Tensor] | None:
        """The symbolic inputs; `None` where the model has none of its own (subclassed, or not built yet)."""
        return None

    @property
    def outputs(self) -> list[Tensor] | None:
        """The symbolic outputs; `None` where the model has none of its own."""
        return None

    @property
    def input_names(self) -> list[str] | None:
        """The names of the inputs' layers."""
        return None

    @property
    def output_names(self) -> list[str] | None:
        """The names of the layers that give the outputs."""
        return None

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or a list of shapes."""
        return _one(self.inputs, "inputs")

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or a list of shapes."""
        return _one(self.outputs, "outputs")

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Callable | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: list[str] | None = None,
    ) -> None:
        """Prints a table of the layers, their output shapes and numbers of weights.

        Args:
            line_length: Characters in a line.
            positions: Ends of the columns, as shares of a line.
            print_fn: Called with the text, instead of printing it.
            expand_nested: Whether the layers of models inside the model are listed too.
            show_trainable: Whether a column says if training changes the layer.
            layer_range: Names (regular expressions) of the first and the last layer to list.
        """
        from .summary import print_summary

        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    # ---- copies, files

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Model:
        """Makes a model from what `get_config` returned."""
        if not ("layers" in config and "input_layers" in config and "output_layers" in config):
            return cls(**config)
        from .config import functional_from_config

        return functional_from_config(cls, config, custom_objects)

    def save(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Saves configuration, weights and the state of training as a `.keras` file."""
        from ..saving import save_model

        save_model(self, filepath, overwrite=overwrite, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Saves the weights as a `.weights.h5` file."""
        from ..saving import save_weights

        save_weights(self, filepath, overwrite=overwrite)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Loads weights from a `.weights.h5` or `.keras` file."""
        from ..saving import load_weights

        load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """The configuration as text, for `cconv.models.model_from_json`."""
        return json.dumps(serialize_object(self), **kwargs)


def _is_functional(args: tuple, kwargs: dict[str, Any]) -> bool:
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)


def _make_functional(cls: type, functional: type) -> type:
    """Puts `Functional` in the place of `Model` among the ancestors of a user's class."""
    if cls is Model:
        return functional
    if issubclass(cls, Model) and not issubclass(cls, functional):
        cls.__bases__ = tuple(_make_functional(base, functional) for base in cls.__bases__)
    return cls


def _one(tensors: list[Tensor] | None, what: str) -> Any:
    if tensors is None:
        raise AttributeError(f"The model has no symbolic {what}: it is subclassed or not built yet.")
    shapes = [x.shape for x in flatten(tensors)]
    return shapes[0] if len(shapes) == 1 else shapes
