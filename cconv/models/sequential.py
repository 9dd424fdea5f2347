"""A stack of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..layers.input_layer import InputLayer
from ..layers.layer import Layer
from ..naming import auto_name
from ..scope import untraced
from ..tensor import Tensor
from .functional import Functional, copy_model, restore, state_of
from .model import Model


class Sequential(Model):
    """A stack of layers, each with one input and one output.

    It is built when the shape of its input is known: from an `Input` (or `input_shape`) at its start, or from the first
    data.

    Args:
        layers: List of layers; more come with `add`.
        trainable: Whether training changes the weights.
        name: Name of the model.

    Example:

    >>> model = cconv.Sequential([cconv.Input((8, 8, 1)), cconv.layers.Conv2D(4, 3), cconv.layers.Flatten()])
    >>> model.add(cconv.layers.Dense(10, activation="softmax"))
    >>> model.output_shape
    (None, 10)
    """

    def __new__(cls, *args, **kwargs):
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(
        self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None, **kwargs: Any
    ) -> None:
        from .trainer import Trainer

        Trainer.__init__(self)
        Layer.__init__(self, trainable=trainable, name=name, **kwargs)
        self._stack: list[Layer] = []
        self._tensors: list[Tensor] = []  # the input, then the output of each layer, once they are known
        self._functional: Functional | None = None
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._maybe_rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Puts a layer on top."""
        if isinstance(layer, Tensor) and layer.history is not None and isinstance(layer.history[0], InputLayer):
            layer = layer.history[0]
        if isinstance(layer, type) and issubclass(layer, Layer):
            raise ValueError(
                f"Only instances of layers can be added to a Sequential model. Received the class {layer.__name__}"
            )
        if not isinstance(layer, Layer):
            if not callable(layer) or isinstance(layer, Tensor):
                raise ValueError(
                    f"Only instances of `cconv.layers.Layer` can be added to a Sequential model. Received: {layer!r} "
                    f"(of type {type(layer)})"
                )
            from ..layers.core import Lambda

            layer = Lambda(layer)
        if any(layer.name == other.name for other in self._stack):
            raise ValueError(
                f"All layers added to a Sequential model should have unique names. Name '{layer.name}' is already the "
                "name "
                f"of a layer in this model. Update the `name` argument to pass a unique name."
            )
        if self._stack and isinstance(layer, InputLayer):
            if isinstance(self._stack[0], InputLayer):
                raise ValueError(
                    f"Sequential model '{self.name}' has already been configured to use input shape "
                    f"{self._stack[0].batch_shape}. You cannot add a different Input layer to it."
                )
            raise ValueError(
                f"An Input must be the first layer of a Sequential model. '{self.name}' already has layers."
            )
        if not self._stack and not isinstance(layer, InputLayer) and getattr(layer, "_input_shape_argument", None):
            self._stack.append(InputLayer(batch_shape=layer._input_shape_argument))
        if rebuild and self._functional is not None:
            # first, so that a layer that does not fit leaves the model as it was
            output = self._extend(self._tensors[-1], layer)
            self._stack.append(layer)
            self._tensors.append(output)
            self._connect()
        else:
            self._stack.append(layer)
            self._functional = None
            if rebuild:
                self._maybe_rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the top layer off and returns it."""
        if not self.layers:
            raise ValueError(f"There are no layers in the model '{self.name}' to take off.")
        layer = self._stack.pop()
        self._tensors = self._tensors[:-1]
        if rebuild and len(self._tensors) > 1:
            self._connect()
        else:
            self._functional = None
            self.built = False
        return layer

    def _maybe_rebuild(self) -> None:
        self.built = False
        self._functional = None
        if len(self._stack) > 1 and isinstance(self._stack[0], InputLayer):
            self.build(self._stack[0].batch_shape)

    def _extend(self, x: Tensor, layer: Layer) -> Tensor:
        """The output of one more layer."""
        with untraced():
            y = layer(x)
        if not isinstance(y, Tensor):
            raise ValueError(
                f"Layers of a Sequential model should have a single output tensor. Layer '{layer.name}' returned {y!r}"
            )
        return y

    def _connect(self) -> None:
        """Makes the functional model that this one stands for."""
        auto_name("functional")  # Keras counts this model too, so the names of later ones start behind it
        self._functional = Functional(self._tensors[0], self._tensors[-1], name=self.name)
        self.built = True

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers for inputs of this shape."""
        if not self._stack:
            raise ValueError(
                f"Sequential model '{self.name}' cannot be built because it has no layers. Call `model.add(layer)`."
            )
        if isinstance(input_shape, list) and input_shape and isinstance(input_shape[0], (list, tuple)):
            if len(input_shape) != 1:
                raise ValueError(f"A Sequential model has one input. Received: input_shape={input_shape}")
            input_shape = input_shape[0]
        if isinstance(self._stack[0], InputLayer):
            first = self._stack[0]
            if input_shape is not None and not _agree(tuple(input_shape), first.batch_shape):
                raise ValueError(
                    f"Sequential model '{self.name}' has already been configured to use input shape "
                    f"{first.batch_shape}. "
                    f"You cannot build it with input_shape {tuple(input_shape)}"
                )
        else:
            if input_shape is None:
                raise ValueError("You must provide an `input_shape` argument.")
            first = InputLayer(batch_shape=(None, *tuple(input_shape)[1:]))
            self._stack = [first, *self._stack]
        tensors = [first.output]
        for layer in self._stack[1:]:
            tensors.append(self._extend(tensors[-1], layer))
        self._tensors = tensors
        self._connect()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if self._functional is None:
            raise ValueError(f"Sequential model '{self.name}' is not built yet.")
        return self._functional.call(inputs)

    @property
    def _layers(self) -> list[Layer]:
        return list(self.__dict__.get("_stack", ()))

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input's."""
        layers = self._layers
        return layers[1:] if layers and isinstance(layers[0], InputLayer) else layers

    def _structure_key(self) -> Any:
        return tuple(map(id, self._stack))

    @property
    def inputs(self) -> list[Tensor] | None:
        """The symbolic input in a list; `None` before the model is built."""
        return self._functional.inputs if self._functional else None

    @property
    def outputs(self) -> list[Tensor] | None:
        """The symbolic output in a list; `None` before the model is built."""
        return self._functional.outputs if self._functional else None

    @property
    def input(self) -> Tensor:
        """The symbolic input."""
        return self._built_functional("input").inputs[0]

    @property
    def output(self) -> Tensor:
        """The symbolic output."""
        return self._built_functional("output").outputs[0]

    def _built_functional(self, what: str) -> Functional:
        if self._functional is None:
            raise AttributeError(f"Sequential model '{self.name}' has no defined {what} yet: it is not built.")
        return self._functional

    @property
    def input_names(self) -> list[str] | None:
        """The name of the input in a list."""
        return self._functional.input_names if self._functional else None

    @property
    def output_names(self) -> list[str] | None:
        """The name of the last layer in a list."""
        return self._functional.output_names if self._functional else None

    _saved_as_layers = ("_stack", "_functional")

    def get_config(self) -> dict[str, Any]:
        from .config import sequential_config

        return sequential_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Sequential:
        from .config import sequential_from_config

        return sequential_from_config(cls, config, custom_objects)

    def __deepcopy__(self, memo: dict[int, Any]) -> Sequential:
        return copy_model(self, memo)

    def __reduce__(self) -> tuple:
        return restore, state_of(self)


def _agree(a: tuple, b: tuple) -> bool:
    return len(a) == len(b) and all(x is None or y is None or x == y for x, y in zip(a, b, strict=True))
