"""Models as configurations, in the form Keras reads and writes, and back; copies by way of them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

from ..layers.input_layer import InputLayer
from ..layers.layer import Layer
from ..layers.parts import dtype_config
from ..layers.shapes import shape_from_config
from ..ops.operation import Node, Operation
from ..registry import CustomObjectScope
from ..saving.state import collect
from ..scope import untraced
from ..serialization import TensorReference, deserialize_object, noting_custom_objects, serialize_object
from ..tensor import Tensor
from ..trampoline import each, trampolined
from ..tree import flatten, map_structure


@trampolined
def functional_config(model: Any) -> dict[str, Any]:
    """The configuration of a functional model: its layers, and for each the calls of it that the model makes."""
    structure = model._structure
    used: dict[int, list[Node]] = {id(owner): [] for owner in structure.operations}
    numbers: dict[int, int] = {}
    for node in sorted(structure.nodes, key=lambda node: node.index):
        numbers[id(node)] = len(used[id(node.owner)])
        used[id(node.owner)].append(node)

    def reference(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        owner, _, output = x.history
        return TensorReference(x.shape, x.dtype, (owner.name, numbers[id(x.node)], output))

    def name_of(x: Tensor) -> list:
        return list(reference(x).history)

    layers = []
    for owner in structure.operations:
        if isinstance(owner, Operation):
            data = _operation_config(owner)
        else:
            data = yield serialize_object.steps(owner)
        data["name"] = owner.name
        data["inbound_nodes"] = [
            {
                "args": serialize_object(list(map_structure(reference, node.args))),
                "kwargs": serialize_object(map_structure(reference, node.kwargs)),
            }
            for node in used[id(owner)]
            if not node.is_input
        ]
        layers.append(data)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": map_structure(name_of, structure.nested_inputs),
        "output_layers": map_structure(name_of, structure.nested_outputs),
    }


def _operation_config(operation: Operation) -> dict[str, Any]:
    function = operation.function
    return {
        "module": f"keras.src.ops.{function.operation_module}",
        "class_name": function.operation_class,
        "config": serialize_object(operation.get_config()),
        "registered_name": function.operation_class,
    }


@trampolined
def functional_from_config(
    cls: type, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The functional model of a configuration.

    Raises:
        ValueError: The configuration names a layer that is not in it, or calls that need each other.
    """
    with untraced():
        return (yield _functional_from_config(cls, config, custom_objects))


def _functional_from_config(
    cls: type, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None
) -> Generator:
    owners: dict[str, Any] = {}
    waiting: list[tuple[str, Mapping[str, Any]]] = []
    for data in _list(config["layers"], "layers"):
        if not isinstance(data, Mapping):
            raise ValueError(f"The configuration of a layer must be a dictionary. Received: {data!r}")
        module = data.get("module") or ""
        if module.startswith("keras.src.ops.") or module == "keras.ops":
            owner = Operation.from_config(data["class_name"], deserialize_object(data.get("config", {})))
        else:
            owner = yield deserialize_object.steps(data, custom_objects)
        name = data.get("name") or getattr(owner, "name", None)
        if not isinstance(owner, (Layer, Operation)) or name in owners:
            raise ValueError(f"The configuration's layers must be layers with names of their own. Received: {name!r}")
        owners[name] = owner
        waiting.extend((name, call) for call in _list(data.get("inbound_nodes") or [], "inbound_nodes"))

    # what the calls made so far of each layer returned: the configuration counts from the first one it holds
    calls: dict[str, list[list[Tensor]]] = {
        name: [[owner.output]] if isinstance(owner, InputLayer) else [] for name, owner in owners.items()
    }

    def find(reference: Any) -> Tensor | None:
        try:
            name, call, output = reference
            done = calls[name]
        except (KeyError, TypeError, ValueError):
            raise ValueError(
                f"The configuration refers to {reference!r}, which is none of its layers: {sorted(owners)}"
            ) from None
        if call >= len(done):
            return None
        if call < 0 or not 0 <= output < len(done[call]):
            raise ValueError(f"The configuration refers to an output that layer '{name}' does not have: {reference!r}")
        return done[call][output]

    # several passes: a layer that is used twice may come before what its second call reads
    while waiting:
        later: list[tuple[str, Mapping[str, Any]]] = []
        for name, call in waiting:
            # the calls of one layer keep their order
            if any(name == other for other, _ in later) or not _call(
                owners[name], call, find, calls[name], custom_objects
            ):
                later.append((name, call))
        if len(later) == len(waiting):
            raise ValueError(
                f"The configuration has calls of layers that need each other: {sorted({name for name, _ in later})}"
            )
        waiting = later

    inputs, outputs = _found(config["input_layers"], find), _found(config["output_layers"], find)
    # what else there is came from a `get_config` of the class' own, whose constructor takes it
    rest = {k: v for k, v in config.items() if k not in ("layers", "input_layers", "output_layers", "dtype")}
    return cls(inputs, outputs, **{"name": None, "trainable": True} | rest)


def _found(structure: Any, find: Any) -> Any:
    """The tensors that stand for a structure of references."""
    if isinstance(structure, (list, tuple)) and len(structure) == 3 and isinstance(structure[0], str):
        found = find(structure)
        if found is None:
            raise ValueError(f"The configuration refers to a call that it does not hold: {structure!r}")
        return found
    if isinstance(structure, Mapping):
        return {key: _found(value, find) for key, value in structure.items()}
    found = [_found(value, find) for value in _list(structure, "input_layers and output_layers")]
    return tuple(found) if isinstance(structure, tuple) else found


def _call(owner: Any, call: Mapping[str, Any], find: Any, done: list[list[Tensor]], custom_objects: Any) -> bool:
    """Repeats one call of a layer; False if something it reads is not there yet."""
    args = [_revive(x, custom_objects) for x in call.get("args", ())]
    kwargs = {k: _revive(x, custom_objects) for k, x in (call.get("kwargs") or {}).items() if x is not None}
    found: dict[Any, Tensor] = {}
    for x in flatten_references([args, kwargs]):
        tensor = find(x.history)
        if tensor is None:
            return False
        found[x.history] = tensor

    def replace(x):
        return found[x.history] if isinstance(x, TensorReference) else x

    outputs = owner(*map_references(replace, args), **map_references(replace, kwargs))
    done.append([x for x in flatten(outputs) if isinstance(x, Tensor)])
    return True


def _revive(x: Any, custom_objects: Any) -> Any:
    return deserialize_object(x, custom_objects=custom_objects)


def map_references(function: Any, structure: Any) -> Any:
    """`map_structure` for which a reference (a named tuple) is a leaf."""
    if isinstance(structure, TensorReference):
        return function(structure)
    if isinstance(structure, dict):
        return {k: map_references(function, v) for k, v in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(map_references(function, v) for v in structure)
    return function(structure)


def flatten_references(structure: Any) -> list[TensorReference]:
    """The references in a structure."""
    found: list[TensorReference] = []
    map_references(lambda x: found.append(x) if isinstance(x, TensorReference) else None, structure)
    return found


@trampolined
def sequential_config(model: Any) -> dict[str, Any]:
    """The configuration of a sequential model: the list of its layers."""
    config: dict[str, Any] = {"name": model.name, "trainable": model.trainable, "dtype": dtype_config()}
    layers = model._layers if model._has_input else model.layers
    config["layers"] = yield each(serialize_object.steps, layers)
    if model._structure is not None:
        config["build_input_shape"] = model._layers[0].batch_shape
    return config


@trampolined
def sequential_from_config(
    cls: type, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The sequential model of a configuration."""
    known = ("name", "layers", "trainable", "dtype", "build_input_shape")
    model = cls(name=config.get("name"), **{k: v for k, v in config.items() if k not in known})
    with untraced():
        for data in _list(config.get("layers", []), "layers"):
            model.add((yield deserialize_object.steps(data, custom_objects)), rebuild=False)
        model._maybe_rebuild()
        shape = config.get("build_input_shape")
        if model._structure is None and shape and model._layers:
            model.build(shape_from_config(shape))
    if not config.get("trainable", True):
        model.trainable = False
    return model


class _Part(NamedTuple):
    """Stands for part `number` of a structure that was taken apart."""

    number: int


def _taken_apart(structure: Any) -> list[Any]:
    """The lists, tuples and dictionaries of a structure, the outermost first, none within another: what copies or
    pickles them needs no deep stack."""
    whole, parts = [structure], []

    def part(x: Any) -> Any:
        if not isinstance(x, (list, tuple, dict)):
            return x
        whole.append(x)
        return _Part(len(whole) - 1)

    for x in whole:  # which grows
        parts.append({key: part(value) for key, value in x.items()} if isinstance(x, dict) else type(x)(map(part, x)))
    return parts


def _put_together(parts: list[Any]) -> Any:
    """The structure that `_taken_apart` was given."""
    whole: list[Any] = [None] * len(parts)

    def value(x: Any) -> Any:
        return whole[x.number] if isinstance(x, _Part) else x

    for number in reversed(range(len(parts))):  # what stands in a part comes behind it
        x = parts[number]
        whole[number] = {key: value(y) for key, y in x.items()} if isinstance(x, dict) else type(x)(map(value, x))
    return whole[0]


class ModelState(NamedTuple):
    """What makes a model anew.

    Attributes:
        config: Its configuration, taken apart.
        compiled: The arguments of `compile`; `None` before it.
        arrays: Weights, and what the optimizer remembers.
        trainable: Of each layer, whether training changes it.
        seed: That of training.
        custom: The classes and functions of the user's, by the names that they have in the configuration.
    """

    config: list[Any]
    compiled: dict[str, Any] | None
    arrays: list[Any]
    trainable: list[bool]
    seed: int
    custom: dict[str, Any]


def state_of(model: Any) -> tuple[type, ModelState]:
    """The arguments of `restore` for a copy of the model."""
    with noting_custom_objects() as custom:
        config = _taken_apart(serialize_object(model.get_config()))
        compiled = model.get_compile_config() if model.compiled else None
    arrays = [slot.get() for group in collect(model) for slot in group.slots]
    trainable = [layer.trainable for layer in model._flatten_layers()]
    return type(model), ModelState(config, compiled, arrays, trainable, model._trainer.seed, custom)


def restore(cls: type, state: ModelState) -> Any:
    """The model of a `state_of`."""
    with CustomObjectScope(state.custom):
        model = cls.from_config(_put_together(state.config))
        for layer, trainable in zip(model._flatten_layers(), state.trainable, strict=True):
            if layer.trainable != trainable:
                layer.trainable = trainable
        if state.compiled is not None:
            model.compile_from_config(state.compiled)
    slots = [slot for group in collect(model) for slot in group.slots]
    for slot, array in zip(slots, state.arrays, strict=True):
        slot.set(array)
    model._trainer.seed = state.seed
    return model


def _list(value: Any, name: str) -> list:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"'{name}' of a model's configuration must be a list. Received: {value!r}")
    return list(value)


__all__ = ["functional_config", "functional_from_config", "sequential_config", "sequential_from_config"]
