"""What of a model is stored, and under which names: the walk over layers and optimizer that Keras does.

A name in the file never depends on the names of the layers, which are numbered anew in every process: a layer is called
after its class and counted within the list it stands in (`layers/conv2d`, `layers/conv2d_1`), and a layer that is an
attribute of another after that attribute. The variables of each are numbered in the order they were made in.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..layers import Layer
from ..naming import to_snake_case

OPTIMIZER = "optimizer"
SEED = "cconv_training_seed"  # an attribute of the file: what dropout's masks in training are made of
_MAY_HOLD_LAYERS = (Layer, list, tuple, dict)
_BOOKKEEPING = frozenset(vars(Layer(name="any")))  # attributes of every layer: not what a user's layer is made of


class Slot(NamedTuple):
    """One array of the state: what it is for, its shape, how to get and how to set it."""

    label: str
    shape: tuple[int, ...]
    get: Callable[[], np.ndarray]
    set: Callable[[np.ndarray], None]


class Group(NamedTuple):
    """The arrays of one layer or optimizer. They are stored as `<path>/vars/0`, `<path>/vars/1`, ..."""

    path: str
    kind: str
    name: str
    slots: tuple[Slot, ...]

    @property
    def label(self) -> str:
        return f"{self.kind} {self.name!r}"


def collect(model: Any) -> list[Group]:
    """The groups of a model: its own, those of its layers, and that of its optimizer, which comes last."""
    groups = _groups_of_layers(model)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        slots = tuple(_optimizer_slots(optimizer, model.trainable_variables))
        groups.append(Group(OPTIMIZER, "Optimizer", optimizer.name, slots))
    return groups


def _groups_of_layers(model: Layer) -> list[Group]:
    groups: list[Group] = []
    visited: set[int] = set()
    rest: list[tuple[Any, str, set[int]]] = [(model, "", {id(model)})]  # with the layers that belong to the owner
    while rest:
        item, path, tracked = rest.pop()
        if not isinstance(item, Layer):
            below = [(child, f"{path}/{name}") for name, child in _named(item)]
        elif id(item) in tracked and id(item) not in visited:
            visited.add(id(item))
            variables = [*item._trainable_variables, *item._non_trainable_variables]
            groups.append(Group(path, "Layer", item.name, tuple(variable_slot(v) for v in variables)))
            tracked = {id(child) for child in item._layers}
            below = [(child, f"{path}/{name}" if path else name) for name, child in _children(item)]
        else:
            continue
        rest.extend((child, inner, tracked) for child, inner in reversed(below) if isinstance(child, _MAY_HOLD_LAYERS))
    return groups


def _named(container: Any) -> Iterator[tuple[str, Any]]:
    """The layers and containers of layers in a list, tuple or dictionary, with their names in files."""
    used: dict[str, int] = {}
    for item in container.values() if isinstance(container, dict) else container:
        if isinstance(item, _MAY_HOLD_LAYERS):
            prefix = to_snake_case(_class_name(item)) if isinstance(item, Layer) else "container"
            count = used.get(prefix, 0)
            used[prefix] = count + 1
            yield f"{prefix}_{count}" if count else prefix, item


def _children(layer: Layer) -> Iterator[tuple[str, Any]]:
    """(name, value) of the attributes that may hold layers, in the order of Keras' files: private ones come last.

    The attributes in which a model keeps its own list of layers stand there as one, `layers`, and a private one that a
    property shows under its name without the underscore stands there under that.
    """
    listed = getattr(layer, "_saved_as_layers", ())
    if listed:
        yield "layers", layer.layers
    for name in sorted(vars(layer), key=lambda name: (name.startswith("_"), name)):
        if name not in listed and name not in _BOOKKEEPING:
            value, public = vars(layer)[name], name.removeprefix("_")
            shown = isinstance(value, Layer) and isinstance(getattr(type(layer), public, None), property)
            yield (public if shown and getattr(layer, public) is value else name), value


def _class_name(layer: Layer) -> str:
    return getattr(layer, "_class_name_in_files", None) or type(layer).__name__


def variable_slot(variable: Any) -> Slot:
    """The place of a variable's array."""
    return Slot(variable.name, tuple(variable.shape), variable.numpy, variable.assign)


def _optimizer_slots(optimizer: Any, trainable: list[Any]) -> Iterator[Slot]:
    """Keras' order: the number of steps, the learning rate, then the optimizer's memory of each weight."""
    for variable in optimizer.state_of(trainable):
        slot = variable_slot(variable)
        if variable.name == "iteration":
            slot = slot._replace(get=lambda get=slot.get: np.asarray(get()).astype(np.int32))
        elif variable.name == "learning_rate":
            slot = slot._replace(set=functools.partial(_set_learning_rate, variable))
        yield slot


def _set_learning_rate(rate: Any, value: np.ndarray) -> None:
    """Leaves a rate alone that is the same but for the rounding of the file: the configuration has it exactly."""
    if rate.numpy() != np.float32(value):
        rate.assign(value)
