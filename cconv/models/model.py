"""The base of all models: a layer that can be trained, saved and summarized."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..layers.arguments import signature
from ..layers.layer import Layer
from ..layers.parts import base_config
from ..tensor import Tensor
from ..trampoline import trampolined
from ..tree import flatten, map_structure
from .config import functional_config, functional_from_config, restore, state_of
from .files import Files
from .functional import Structure, check_tensors
from .summary import print_summary, summary_html
from .trained_layer import TrainedLayer


class Model(Files, TrainedLayer):
    """A network.

    `Model(inputs, outputs)` makes a functional model of symbolic tensors. Subclasses define layers in `__init__` and
    write `call`.

    Whatever is changed in it or below it (layers, their attributes, lists of them, weights) counts from the next call
    on. Several threads may call, save and change one model: it is built once, each call sees whole weights once a
    change of them has returned, and training and evaluating one model is for one thread at a time. A signal handler
    may not train, evaluate or predict with a model that is in the middle of a step: that is a `RuntimeError`.

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
        made = Functional if cls is Model and _is_functional(args, kwargs) else cls
        return super().__new__(made, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _is_functional(args, kwargs):
            # a class of the user's may be made of tensors, too: a functional model with methods of its own
            self._connect(*args, **kwargs)
        else:
            super().__init__(*args, **kwargs)

    def _connect(self, inputs: Any, outputs: Any, name: Any = None, trainable: Any = None, **kwargs: Any) -> None:
        check_tensors(inputs, outputs)
        super().__init__(name=name, **kwargs)
        self._structure = Structure(inputs, outputs, self.name)
        self.built = True
        if trainable is not None and not trainable:
            self.trainable = False

    def _is_functional(self) -> bool:
        """Whether it was made of symbolic tensors."""
        return self._structure is not None

    def build(self, input_shape: Any) -> None:
        """Makes all weights, by tracing the model for inputs of this shape.

        Args:
            input_shape: Tuple, with `None` for the batch; a list or dictionary of tuples for several inputs.

        Example:

        >>> model = cconv.Sequential([cconv.layers.Dense(2)])
        >>> model.build((None, 4))
        >>> model.count_params()
        10
        """
        if not self._is_functional():
            self.compute_output_shape(input_shape)

    def _build_for(self, bound: dict[str, Any]) -> None:
        if type(self).build is not Model.build:
            super()._build_for(bound)
            return
        if type(self).call is Model.call:
            raise NotImplementedError(f"Model {type(self).__name__} does not have a `call()` method implemented.")
        # the call that is under way makes the weights of the layers
        shapes = [map_structure(lambda x: tuple(x.shape), x) for x in bound.values()]
        self._build_config = {"input_shape": shapes[0]} if len(shapes) == 1 else None
        self.built = True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Computes the outputs, with layers and functions of `cconv.ops`."""
        return self._structure.call(inputs, mask)

    # ---- structure

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model itself, not those inside them."""
        return list(self._structure.layers) if self._is_functional() else list(self._layers)

    def _told_settings(self) -> dict[str, Any]:
        own = {
            key: value for key, value in super()._told_settings().items() if key not in ("inputs", "outputs", "layers")
        }
        return own | {"layers": len(self.layers)}

    def _members(self) -> tuple[dict[int, Any], dict[int, Any]]:
        variables, layers = super()._members()
        own = () if self._structure is None else self._structure.layers
        return variables, {id(layer): layer for layer in own} | layers

    @property
    def operations(self) -> list[Any]:
        """The layers of a functional model, and the functions of `cconv.ops` between them."""
        if not self._is_functional():
            raise AttributeError(f"The model '{self.name}' has no operations: it is not made of symbolic tensors.")
        return list(self._structure.operations)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its place.

        Args:
            name: Its name.
            index: Its place in `layers`, instead of a name; negative ones count from the end.

        Raises:
            ValueError: There is none; the message lists those there are.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2, name="last")])
        >>> model.get_layer("last").units
        2
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
        return None if self._structure is None else self._structure.inputs

    @property
    def outputs(self) -> list[Tensor] | None:
        """The symbolic outputs; `None` where the model has none of its own."""
        return None if self._structure is None else self._structure.outputs

    @property
    def input(self) -> Any:
        """The symbolic input, in the structure given."""
        return super().input if self._structure is None else self._structure.nested_inputs

    @property
    def output(self) -> Any:
        """The symbolic output, in the structure given."""
        return super().output if self._structure is None else self._structure.nested_outputs

    @property
    def input_names(self) -> list[str] | None:
        """The names of the inputs' layers."""
        return None if self._structure is None else self._structure.input_names

    @property
    def output_names(self) -> list[str] | None:
        """The names of the layers that give the outputs."""
        return None if self._structure is None else self._structure.output_names

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

        Raises:
            ValueError: `positions` has not one share for each column, the lines are too short for the columns, or
                `layer_range` names no layer.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2, name="last")], name="small")
        >>> model.summary(line_length=50)
        Model: "small"
        ┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━┓
        ┃ Layer (type)        ┃ Output Shape   ┃ Param # ┃
        ┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━┩
        │ last (Dense)        │ (None, 2)      │      10 │
        └─────────────────────┴────────────────┴─────────┘
         Total params: 10 (40.00 B)
         Trainable params: 10 (40.00 B)
         Non-trainable params: 0 (0.00 B)
        """
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def _repr_html_(self) -> str:
        return summary_html(self)

    # ---- copies

    def describe_graph(self, training: bool = False) -> str:
        """What the model computes, before any of it is joined or reordered: a table to read, and for bug reports.

        Each line is a node: its number, op, shape, the numbers of its inputs, its name and attributes. `describe_plans`
        shows what runs instead.

        Args:
            training: Whether the model is called as in training.

        Returns:
            The table; its last nodes are the model's outputs.

        Raises:
            ValueError: The model does not know the shapes of its inputs, since it has not been built.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2, activation="relu", name="hidden")])
        >>> [line.split()[1] for line in model.describe_graph().splitlines()]
        ['op', '(input)', '(variable)', '(variable)', 'dense', 'relu']
        """
        return self._trainer.planner.describe_graph(training)

    @property
    def _saved_as_layers(self) -> tuple[str, ...]:
        """The attributes with the layers that stand in files as one list."""
        return ("_structure",) if self._is_functional() else ()

    @trampolined
    def get_config(self) -> dict[str, Any]:
        """The layers and the calls of them; of a class of the user's the arguments it was made with.

        Returns:
            A dictionary of what JSON knows, for `from_config`.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2, name="last")])
        >>> [layer["class_name"] for layer in model.get_config()["layers"]]
        ['InputLayer', 'Dense']
        """
        if self._is_functional() and _takes_tensors(type(self)):
            return (yield functional_config.steps(self))
        try:
            return super().get_config()
        except NotImplementedError:  # made of layers, say: the file can be saved and its weights loaded
            return base_config(self)

    def _writes_config(self) -> bool:
        return type(self).get_config is not Model.get_config

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (restore, state_of(self)) if self._is_functional() else super().__reduce_ex__(protocol)

    @classmethod
    @trampolined
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Model:
        """Makes a model from what `get_config` returned: the same architecture with new weights.

        Args:
            config: The dictionary.
            custom_objects: Dictionary of names to classes and functions of yours that the model uses.

        Raises:
            ValueError: It names a class that is neither cconv's, nor registered, nor among `custom_objects`.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])
        >>> cconv.Sequential.from_config(model.get_config()).output_shape
        (None, 2)
        """
        if not ("layers" in config and "input_layers" in config and "output_layers" in config):
            return cls(**config)
        return (yield functional_from_config.steps(cls, config, custom_objects))


class _FunctionalType(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        if super().__instancecheck__(instance):
            return True
        return cls is Functional and isinstance(instance, Model) and instance._is_functional()


class Functional(Model, metaclass=_FunctionalType):
    """A model from symbolic inputs to symbolic outputs; see `Model`. Any model made of them counts as an instance."""

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(inputs, outputs, name=name, **kwargs)


def _is_functional(args: tuple, kwargs: dict[str, Any]) -> bool:
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)


def _takes_tensors(cls: type) -> bool:
    """Whether instances are made of symbolic tensors, rather than make their own."""
    return cls.__init__ is Model.__init__ or list(signature(cls.__init__).parameters)[1:3] == ["inputs", "outputs"]


def _one(tensors: list[Tensor] | None, what: str) -> Any:
    if tensors is None:
        raise AttributeError(f"The model has no symbolic {what}: it is subclassed or not built yet.")
    shapes = [x.shape for x in flatten(tensors)]
    return shapes[0] if len(shapes) == 1 else shapes
