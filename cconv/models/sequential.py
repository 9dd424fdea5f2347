"""A stack of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..layers.core import Lambda
from ..layers.input_layer import InputLayer
from ..layers.layer import Layer
from ..naming import auto_name
from ..scope import untraced
from ..tensor import Tensor
from ..trampoline import trampolined
from .config import restore, sequential_config, sequential_from_config, state_of
from .functional import Structure
from .model import Model


class Sequential(Model):
    """A stack of layers, each with one input and one output.

    It is built when the shape of its input is known: from an `Input` (or `input_shape`) or a built model at its start,
    or from the first data. Only an `Input` says which sizes there must be: else others may come where the layers take
    them.

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

    _saved_as_layers = ("_stack", "_made")
    _unobserved = Model._unobserved | {"_made", "_connected", "_names"}
    _stack: tuple[Layer, ...] = ()
    _has_input = True  # whether the input's layer was given; else its sizes are those of the first data
    _names: set[str]  # among which are those of all layers
    _made: Structure | None = None  # of `_tensors`, once it is asked for
    _connected = False  # whether `_tensors` are those of the whole stack
    _tensors: tuple[Tensor, ...] = ()  # the input, then the output of each layer, once they are known

    def __init__(
        self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(trainable=trainable, name=name, **kwargs)
        self._names = set()
        if type(self) is Sequential:
            self._init_config = {}  # has a configuration of its own, and would keep layers that are taken off
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._maybe_rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Puts a layer on top.

        Args:
            layer: The layer, or a function, which becomes a `Lambda`.
            rebuild: Whether weights are made at once, where the shape of the input is known.

        Raises:
            ValueError: It is no layer, does not fit what is there, or another one has its name.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,))])
        >>> model.add(cconv.layers.Dense(2))
        >>> model.output_shape
        (None, 2)
        """
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
            layer = Lambda(layer)
        if layer.name in self._names and any(layer.name == other.name for other in self._stack):
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
            self._stack = (InputLayer(batch_shape=layer._input_shape_argument),)
        self._names.add(layer.name)
        if rebuild and self._connected:
            # first, so that a layer that does not fit leaves the model as it was
            output = self._extend(self._tensors[-1], layer)
            self._stack = (*self._stack, layer)
            self._tensors = (*self._tensors, output)
            self._restack()
        else:
            self._stack = (*self._stack, layer)
            self._disconnect()
            if rebuild:
                self._maybe_rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the top layer off and returns it.

        Args:
            rebuild: Whether the model stays built.

        Raises:
            ValueError: There is none.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(3), cconv.layers.Dense(2)])
        >>> _ = model.pop()
        >>> model.output_shape
        (None, 3)
        """
        if not self.layers:
            raise ValueError(f"There are no layers in the model '{self.name}' to take off.")
        layer, self._stack = self._stack[-1], self._stack[:-1]
        self._tensors = self._tensors[:-1]
        if rebuild and len(self._tensors) > 1:
            self._restack()
        else:
            self._disconnect()
            self.built = False
        return layer

    def _maybe_rebuild(self) -> None:
        self.built = False
        self._disconnect()
        first = self._stack[0] if len(self._stack) > 1 else None
        if isinstance(first, InputLayer):
            self.build(first.batch_shape)
        elif isinstance(first, Model) and first.inputs is not None and len(first.inputs) == 1:
            self.build(first.inputs[0].shape)

    def _extend(self, x: Tensor, layer: Layer) -> Tensor:
        """The output of one more layer."""
        with untraced():
            y = layer(x)
        if not isinstance(y, Tensor):
            raise ValueError(
                f"Layers of a Sequential model should have a single output tensor. Layer '{layer.name}' returned {y!r}"
            )
        return y

    def _restack(self) -> None:
        """The tensors are those of the whole stack."""
        auto_name("functional")  # Keras makes a functional model here, so the names of later ones start behind it
        self._made, self._connected = None, True
        self.built = True

    def _disconnect(self) -> None:
        self._made, self._connected = None, False

    @property
    def _structure(self) -> Structure | None:
        """The calls from the first tensor to the last; made when it is asked for, not by each `add`."""
        if self._made is None and self._connected:
            self._made = Structure(self._tensors[0], self._tensors[-1], self.name, fixed=self._has_input)
        return self._made

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
            inputs = getattr(self._stack[0], "inputs", None)  # of a built model, which says the type of its values
            first = InputLayer(batch_shape=(None, *tuple(input_shape)[1:]), dtype=inputs[0].dtype if inputs else None)
            self._stack = (first, *self._stack)
            self._has_input = False
        tensors = [first.output]
        for layer in self._stack[1:]:
            tensors.append(self._extend(tensors[-1], layer))
        self._tensors = tuple(tensors)
        self._restack()

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if self._structure is None:
            raise ValueError(f"Sequential model '{self.name}' is not built yet.")
        return self._structure.call(inputs, mask)

    def _is_functional(self) -> bool:
        return False

    def _members(self) -> tuple[dict[int, Any], dict[int, Any]]:
        return super()._members()[0], {id(layer): layer for layer in self._stack}

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input's."""
        layers = self._layers
        return layers[1:] if layers and isinstance(layers[0], InputLayer) else layers

    @trampolined
    def get_config(self) -> dict[str, Any]:
        return (yield sequential_config.steps(self))

    @classmethod
    @trampolined
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Sequential:
        return (yield sequential_from_config.steps(cls, config, custom_objects))

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return restore, state_of(self)


def _agree(a: tuple, b: tuple) -> bool:
    return len(a) == len(b) and all(x is None or y is None or x == y for x, y in zip(a, b, strict=True))
