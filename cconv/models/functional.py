"""What models made of symbolic tensors hold: a graph of calls of layers, run again wherever the model is called."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .. import ops
from ..data import Slots, named
from ..dtypes import of
from ..layers.input_layer import InputLayer
from ..layers.layer import Layer
from ..layers.masking import with_masks
from ..ops.operation import Node
from ..tensor import Tensor
from ..tree import flatten, map_structure, pack


class Structure:
    """The calls of layers that lead from symbolic inputs to symbolic outputs.

    Args:
        inputs: Symbolic tensor, or a list or dictionary of them.
        outputs: Symbolic tensor, or a list or dictionary of them, computed from the inputs.
        name: Name of the model, for errors.
        fixed: Whether the sizes that the inputs have are those that calls must have; else the layers decide.

    Attributes:
        inputs, outputs: The tensors, as lists.
        nested_inputs, nested_outputs: The same, as they were given.
        nodes: The calls, in an order to run them.
        operations: The layers, and the functions of `cconv.ops` between them, in Keras' order.
        layers: The layers among them.

    Raises:
        ValueError: The outputs cannot be computed from the inputs; two layers have one name.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str, fixed: bool = True) -> None:
        if any(x.history is None or not isinstance(x.history[0], InputLayer) for x in flatten(inputs)):
            inputs, outputs = _cut(inputs, outputs)
        self._name = name
        self._fixed = fixed
        self.nested_inputs = inputs
        self.nested_outputs = outputs
        self.inputs: list[Tensor] = flatten(inputs)
        self.outputs: list[Tensor] = flatten(outputs)
        self.nodes, self.operations = _in_order(self.inputs, self.outputs)
        self._tensors = [node.outputs for node in self.nodes]  # the nodes do not hold them
        self.layers = [layer for layer in self.operations if isinstance(layer, Layer)]
        shapes = [x.shape if self._fixed else (None,) * len(x.shape) for x in self.inputs]
        self._input_types = (tuple(shapes), tuple([x.dtype for x in self.inputs]))
        names = [operation.name for operation in self.operations]
        if len(set(names)) < len(names):
            n, times = Counter(names).most_common(1)[0]
            raise ValueError(
                f'The name "{n}" is used {times} times in the model. All layer names should be unique. '
                f"Received: {names}"
            )

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs' layers."""
        return [x.history[0].name for x in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that give the outputs."""
        return [x.history[0].name for x in self.outputs]

    def input_slots(self) -> Slots:
        """What data must fit."""
        names = sorted(self.nested_inputs) if isinstance(self.nested_inputs, dict) else self.input_names
        return Slots(tuple(names), *self._input_types)

    def output_slots(self) -> Slots:
        """What labels are for."""
        structure = named(self.nested_outputs, self.output_names)
        return Slots(tuple(flatten(structure)), None, structure=structure)

    def nest_inputs(self, inputs: list[Any]) -> Any:
        """A list of inputs in the structure that `call` takes."""
        return pack(self.nested_inputs, inputs)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Repeats the calls with other inputs, each with its mask if there are any."""
        given = self._standardize(inputs)
        if mask is not None:
            given = with_masks(given, mask)
        values = {id(x): y for x, y in zip(self.inputs, given, strict=True)}
        for node in self.nodes:
            if node.is_input:
                continue
            args, kwargs = node.arguments(values)
            outputs = node.owner(*args, **kwargs)
            for x, y in zip(node.outputs, _tensors(outputs), strict=True):
                values[id(x)] = y
        return map_structure(lambda x: values[id(x)], self.nested_outputs)

    def _standardize(self, inputs: Any) -> list[Tensor]:
        """The inputs as a list in the order of the model's, their shapes checked."""
        if isinstance(inputs, dict):
            names = list(self.nested_inputs) if isinstance(self.nested_inputs, dict) else self.input_names
            missing = [name for name in names if name not in inputs]
            if missing:
                raise ValueError(
                    f"Model '{self._name}' expected inputs named {names}. Received: {list(inputs)} (missing: {missing})"
                )
            if isinstance(self.nested_inputs, dict):
                given = flatten({name: inputs[name] for name in names})
            else:
                given = [inputs[name] for name in names]
        else:
            given = flatten(inputs)
        if len(given) != len(self.inputs):
            raise ValueError(
                f"Model '{self._name}' expected {len(self.inputs)} input(s) {self.input_names}. Received {len(given)} "
                "instead, "
                f"of shapes {[getattr(x, 'shape', x) for x in given]}"
            )
        return [self._fit(x, i) for i, x in enumerate(given)]

    def _fit(self, x: Any, i: int) -> Any:
        """Input i with a missing or extra last axis of size 1 put right, as Keras does; or an error."""
        expected, shape = self.inputs[i].shape, tuple(x.shape)
        if len(shape) == len(expected) - 1 and expected[-1] == 1:
            x = ops.expand_dims(x, -1)
        elif len(shape) == len(expected) + 1 and shape[-1] == 1:
            x = ops.squeeze(x, -1)
        shape = tuple(x.shape)
        # the batch may have any size
        if len(shape) != len(expected) or any(
            self._fixed and e is not None and s is not None and e != s
            for e, s in zip(expected[1:], shape[1:], strict=True)
        ):
            name = f" with name '{self.input_names[i]}'" if self._fixed else ""  # else the name was made up here
            raise ValueError(
                f"Input {i}{name} of layer '{self._name}' is incompatible with the layer: "
                f"expected shape={expected}, found shape={shape}"
            )
        dtype = self.inputs[i].dtype
        return x if of(x) == dtype else ops.cast(x, dtype)


def check_tensors(inputs: Any, outputs: Any) -> None:
    """Refuses what no model can be made of, before one gets its name."""
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
            node = tensor.node
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
    made = {id(y) for node in ordered for y in node.outputs}
    for x in inputs:
        if id(x) not in made and x.history is not None:
            node = x.node
            ordered.insert(0, node)
            depths[id(node)] = owner_depths[id(node.owner)] = 0
            owners[id(node.owner)] = node.owner
            found[id(node.owner)] = -1
    operations = sorted(owners.values(), key=lambda owner: (-owner_depths[id(owner)], found[id(owner)]))
    return ordered, operations
