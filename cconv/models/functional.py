"""Models made of symbolic tensors: a graph of calls of layers, run again wherever the model is called."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..dtypes import of
from ..layers.input_layer import InputLayer
from ..layers.layer import Layer
from ..ops.operation import Node, node_of
from ..saving.serialization import CustomObjectScope, serialize_object
from ..tensor import Tensor
from ..tree import flatten, map_structure, pack
from .model import Model


class Functional(Model):
    """A model from symbolic inputs to symbolic outputs; see `Model`."""

    def __new__(cls, *args, **kwargs):
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", None)
        for what, structure in (("inputs", inputs), ("outputs", outputs)):
            for x in flatten(structure):
                if not isinstance(x, Tensor):
                    raise ValueError(
                        f"All `{what}` values must be symbolic tensors, made by `cconv.Input` or by calling layers on "
                        "them. "
                        f"Received: {what}={structure!r} including invalid value {x!r} of type {type(x).__name__}"
                    )
        if not flatten(inputs) or not flatten(outputs):
            raise ValueError(
                f"A model needs at least one input and one output. Received: inputs={inputs}, outputs={outputs}"
            )
        if len({id(x) for x in flatten(inputs)}) != len(flatten(inputs)):
            raise ValueError(f"The inputs of a model must differ. Received: inputs={inputs}")
        super().__init__(name=name, **kwargs)
        if any(x.history is None or not isinstance(x.history[0], InputLayer) for x in flatten(inputs)):
            inputs, outputs = _cut(inputs, outputs)
        self._inputs_struct = inputs
        self._outputs_struct = outputs
        self._inputs = flatten(inputs)
        self._outputs = flatten(outputs)
        self._nodes, self._operations = _in_order(self._inputs, self._outputs)
        names = [operation.name for operation in self._operations]
        if len(set(names)) < len(names):
            n, times = Counter(names).most_common(1)[0]
            raise ValueError(
                f'The name "{n}" is used {times} times in the model. All layer names should be unique. '
                f"Received: {names}"
            )
        self.built = True
        if trainable is not None and not trainable:
            self.trainable = False

    # ---- structure

    @property
    def _layers(self) -> list[Layer]:
        own = [layer for layer in self.__dict__.get("_operations", ()) if isinstance(layer, Layer)]
        return own + [layer for layer in super()._layers if not any(layer is known for known in own)]

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model itself, not those inside them."""
        return [layer for layer in self._operations if isinstance(layer, Layer)]

    def _structure_key(self) -> Any:
        return ()  # what it is made of is settled when it is made

    @property
    def operations(self) -> list[Any]:
        """The layers, and the functions of `cconv.ops` between them."""
        return list(self._operations)

    @property
    def inputs(self) -> list[Tensor]:
        """The symbolic inputs."""
        return self._inputs

    @property
    def outputs(self) -> list[Tensor]:
        """The symbolic outputs."""
        return self._outputs

    @property
    def input(self) -> Any:
        """The symbolic input, in the structure given."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic output, in the structure given."""
        return self._outputs_struct

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs' layers."""
        return [x.history[0].name for x in self._inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that give the outputs."""
        return [x.history[0].name for x in self._outputs]

    # ---- the call

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        given = self._standardize(inputs)
        values = {id(x): y for x, y in zip(self._inputs, given, strict=True)}
        for node in self._nodes:
            if node.is_input:
                continue
            args, kwargs = node.arguments(values)
            outputs = node.owner(*args, **kwargs)
            for x, y in zip(node.outputs, _tensors(outputs), strict=True):
                values[id(x)] = y
        return map_structure(lambda x: values[id(x)], self._outputs_struct)

    def _standardize(self, inputs: Any) -> list[Tensor]:
        """The inputs as a list in the order of the model's, their shapes checked."""
        if isinstance(inputs, dict):
            names = list(self._inputs_struct) if isinstance(self._inputs_struct, dict) else self.input_names
            missing = [name for name in names if name not in inputs]
            if missing:
                raise ValueError(
                    f"Model '{self.name}' expected inputs named {names}. Received: {list(inputs)} (missing: {missing})"
                )
            if isinstance(self._inputs_struct, dict):
                given = flatten({name: inputs[name] for name in names})
            else:
                given = [inputs[name] for name in names]
        else:
            given = flatten(inputs)
        if len(given) != len(self._inputs):
            raise ValueError(
                f"Model '{self.name}' expected {len(self._inputs)} input(s) {self.input_names}. Received {len(given)} "
                "instead, "
                f"of shapes {[getattr(x, 'shape', x) for x in given]}"
            )
        return [self._fit(x, i) for i, x in enumerate(given)]

    def _fit(self, x: Any, i: int) -> Any:
        """Input i with a missing or extra last axis of size 1 put right, as Keras does; or an error."""
        from .. import ops

        expected, shape = self._inputs[i].shape, tuple(x.shape)
        if len(shape) == len(expected) - 1 and expected[-1] == 1:
            x = ops.expand_dims(x, -1)
        elif len(shape) == len(expected) + 1 and shape[-1] == 1:
            x = ops.squeeze(x, -1)
        shape = tuple(x.shape)
        # the batch may have any size
        if len(shape) != len(expected) or any(
            e is not None and s is not None and e != s for e, s in zip(expected[1:], shape[1:], strict=True)
        ):
            raise ValueError(
                f"Input {i} with name '{self.input_names[i]}' of layer '{self.name}' is incompatible with the layer: "
                f"expected shape={expected}, found shape={shape}"
            )
        dtype = self._inputs[i].dtype
        return x if of(x) == dtype else ops.cast(x, dtype)

    # ---- configuration

    def get_config(self) -> dict[str, Any]:
        from .config import functional_config

        if type(self).get_config is Functional.get_config and not _is_plain_functional(type(self)):
            return Layer.get_config(self)
        return functional_config(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        return copy_model(self, memo)

    def __reduce__(self) -> tuple:
        return restore, state_of(self)


def state_of(model: Model) -> tuple:
    """What makes a model anew: class, configuration, weights, arguments of `compile`, classes of its layers."""
    classes = {type(layer).__name__: type(layer) for layer in model._flatten_layers(include_self=False)}
    compiled = model.get_compile_config() if model.compiled else None
    return type(model), serialize_object(model.get_config()), model.get_weights(), compiled, classes


def restore(cls: type, config: dict[str, Any], weights: list, compiled: dict | None, classes: dict[str, type]) -> Model:
    """The model of a `state_of`."""
    own = {name: found for name, found in classes.items() if not found.__module__.startswith("cconv.")}
    with CustomObjectScope(own):
        model = cls.from_config(config)
        if compiled is not None:
            model.compile_from_config(compiled)
    if weights:
        model.set_weights(weights)
    return model


def copy_model(model: Model, memo: dict[int, Any]) -> Model:
    """An independent model with the same weights."""
    memo[id(model)] = made = restore(*state_of(model))
    return made


def _is_plain_functional(cls: type) -> bool:
    return cls.__init__ in (Functional.__init__, Model.__init__)


def _tensors(outputs: Any) -> list:
    return [y for y in flatten(outputs) if hasattr(y, "shape")]


def _cut(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """New inputs in the place of tensors that other layers made, and the outputs computed from them."""
    old = flatten(inputs)
    new = []
    for x in old:
        if x.history is not None and isinstance(x.history[0], InputLayer):
            new.append(x)
        else:
            name = None if x.history is None else f"{x.history[0].name}_input"
            new.append(InputLayer(batch_shape=x.shape, dtype=x.dtype, name=name).output)
    nodes, _ = _in_order(old, flatten(outputs))
    values = {id(x): y for x, y in zip(old, new, strict=True)}
    for node in nodes:
        if node.is_input or all(id(x) in values for x in node.outputs):
            continue
        args, kwargs = node.arguments(values)
        for x, y in zip(node.outputs, _tensors(node.owner(*args, **kwargs)), strict=True):
            values[id(x)] = y
    return pack(inputs, new), map_structure(lambda x: values[id(x)], outputs)


def _in_order(inputs: list[Tensor], outputs: list[Tensor]) -> tuple[list[Node], list[Any]]:
    """The calls between inputs and outputs in the order to run them, and their layers in the order Keras lists them.

    Keras sorts by depth, the longest way to an output, and among equals by when the walk back from the outputs met
    them. The order of layers is that of the weights, so it must be the same here.
    """
    ends = {id(x) for x in inputs}
    found: dict[int, int] = {}
    finished: dict[int, Node] = {}
    ordered: list[Node] = []
    for output in outputs:
        stack = [(output, False)]
        while stack:
            tensor, ready = stack.pop()
            if tensor.history is None:
                raise ValueError(
                    f"The outputs need {tensor!r}, which no `cconv.Input` and no layer outside of another made: "
                    "the graph of layers is disconnected."
                )
            node = node_of(tensor)
            if id(node) in finished:
                continue
            if ready:
                finished[id(node)] = node
                ordered.append(node)
                continue
            found.setdefault(id(node.owner), len(found))
            if node.is_input and id(tensor) not in ends:
                raise ValueError(
                    f"The outputs need the input '{tensor.name}', which is not among the inputs: the graph of layers "
                    "is "
                    f"disconnected. Inputs: {[x.name for x in inputs]}"
                )
            stack.append((tensor, True))
            if id(tensor) not in ends:
                stack.extend((x, False) for x in reversed(node.inputs))
    depths: dict[int, int] = {}
    owner_depths: dict[int, int] = {}
    owners: dict[int, Any] = {}
    for node in reversed(ordered):
        depth = max(depths.get(id(node), 0), owner_depths.get(id(node.owner), 0))
        depths[id(node)] = owner_depths[id(node.owner)] = depth
        owners[id(node.owner)] = node.owner
        if not any(id(x) in ends for x in node.outputs):
            for parent in node.parents():
                depths[id(parent)] = max(depth + 1, depths.get(id(parent), 0))
    for x in inputs:
        if id(x) not in {id(y) for node in ordered for y in node.outputs} and x.history is not None:
            node = node_of(x)
            ordered.insert(0, node)
            depths[id(node)] = owner_depths[id(node.owner)] = 0
            owners[id(node.owner)] = node.owner
            found[id(node.owner)] = -1
    operations = sorted(owners.values(), key=lambda owner: (-owner_depths[id(owner)], found[id(owner)]))
    return ordered, operations
