"""`.h5` and `.hdf5` files of whole models: as Keras 1 and 2 wrote them, and as Keras 3 still does.

The configuration is text in an attribute; the weights lie in a group for each layer, in the order that another
attribute names. Layers are told apart by their place in the model, not by name, unless that is asked for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..serialization import serialize_object, to_json
from ..warning import warn
from .hdf5 import ArrayFile, h5py
from .keras1_weights import of_keras1
from .legacy_config import legacy, legacy_training
from .state import OPTIMIZER, Slot, collect, variable_slot

SUFFIXES = (".h5", ".hdf5")
_WEIGHTS, _OPTIMIZER, _TOP = "model_weights", "optimizer_weights", "top_level_model_weights"
_MOST_OF_AN_ATTRIBUTE = 64000  # bytes that HDF5 lets an attribute of names have
_KERAS_VERSION = "3.15.1"


def is_legacy(file: ArrayFile) -> bool:
    """Whether an HDF5 file has weights in this form."""
    return bool(file.names("", "layer_names") or file.names(_WEIGHTS, "layer_names"))


class _Layer(NamedTuple):
    """A layer of a model and its weights, or those that a file has for one."""

    name: str
    kind: str
    weights: list[Any]


def _of_model(model: Any) -> Iterator[_Layer]:
    for layer in model.layers:
        variables = [*layer.trainable_variables, *layer.non_trainable_variables]
        yield _Layer(layer.name, type(layer).__name__, [variable_slot(v) for v in variables])
    own = [*model._trainable_variables, *model._non_trainable_variables]
    if own:
        yield _Layer(_TOP, type(model).__name__, [variable_slot(v) for v in own])


def _of_file(file: ArrayFile) -> Iterator[_Layer]:
    root = _WEIGHTS if file.names(_WEIGHTS, "layer_names") else ""
    prefix = f"{root}/" if root else ""
    names = file.names(root, "layer_names")
    for name in [*names, *([_TOP] if _TOP not in names and file.has(f"{prefix}{_TOP}") else [])]:
        paths = [f"{prefix}{name}/{weight}" for weight in file.names(f"{prefix}{name}", "weight_names")]
        missing = [path for path in paths if path not in file.arrays]
        if missing:
            raise ValueError(f"{file.where}: expected an array at {missing[0]!r}, found none.")
        yield _Layer(name, "", [file.arrays[path] for path in paths])


def assign_legacy(model: Any, file: ArrayFile, by_name: bool = False, skip_mismatch: bool = False) -> None:
    """Checks the weights of a file against those of a model, and only then assigns them.

    Args:
        model: A built model.
        file: The file, open for reading.
        by_name: Whether layers are found by their names, and others are left as they are; else by their place.
        skip_mismatch: Whether layers whose weights do not fit are left as they are, with a warning.

    Raises:
        ValueError: The file has other weights than the model.
    """
    with file.reading():
        ours = [layer for layer in _of_model(model) if layer.weights]
        theirs = [layer for layer in _of_file(file) if layer.weights]
        if by_name:
            known = {layer.name: layer for layer in theirs}
            pairs = [(layer, known[layer.name]) for layer in ours if layer.name in known]
        else:
            if len(ours) != len(theirs):
                raise ValueError(
                    f"{file.where}: expected weights for the model's {len(ours)} layers with weights, received those "
                    f"of {len(theirs)}. {_differing(ours, theirs)}Nothing is loaded."
                )
            pairs = list(zip(ours, theirs, strict=True))
        first_keras = file.text("", "keras_version", _WEIGHTS).startswith("1.")
        backend = file.text("", "backend", _WEIGHTS)
        assignments = []
        for layer, found in pairs:
            try:
                values = _values(layer, found, first_keras, backend, file.where)
            except ValueError as error:
                if not skip_mismatch:
                    raise
                warn(f"Layer {layer.name!r} is not loaded. {error}")
                continue
            assignments += zip(layer.weights, values, strict=True)
    for slot, value in assignments:
        slot.set(value)


def _differing(ours: list[_Layer], theirs: list[_Layer]) -> str:
    """The names that only the model or only the file has."""
    texts = ""
    for who, some, others in (("the model", ours, theirs), ("the file", theirs, ours)):
        names = [layer.name for layer in some if layer.name not in {other.name for other in others}]
        texts += f"Only {who} has {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}. " if names else ""
    return texts


def _values(layer: _Layer, found: _Layer, first_keras: bool, backend: str, where: str) -> list[np.ndarray]:
    shapes = [tuple(array.shape) for array in found.weights]
    if not first_keras and shapes != [slot.shape for slot in layer.weights]:
        expected = ", ".join(f"{slot.label} {slot.shape}" for slot in layer.weights)
        raise ValueError(
            f"{where}: layer {layer.name!r}: expected {len(layer.weights)} weights ({expected}), received those of "
            f"layer {found.name!r}: {len(shapes)}, of shapes {shapes}."
        )
    values = [np.asarray(array[()]) for array in found.weights]
    if not first_keras:
        return values
    return of_keras1(layer.kind, values, [slot.shape for slot in layer.weights], backend, f"{where}: {found.name!r}")


def assign_optimizer(model: Any, file: ArrayFile) -> None:
    """The state of the optimizer, if the file has one that fits; else a warning."""
    with file.reading():
        names = file.names(_OPTIMIZER, "weight_names")
        group = next((group for group in collect(model) if group.path == OPTIMIZER), None)
        if not names or group is None:
            return
        arrays = [file.arrays.get(f"{_OPTIMIZER}/{name}") for name in names]
        if None in arrays:
            warn(f"{file.where}: the state of the optimizer is not loaded: the file lacks arrays that it names.")
            return
        count = len(model.trainable_variables)
        slots = list(group.slots)
        if len(arrays) < len(slots) and all(slot.shape == () for slot in slots[: len(arrays)]):
            slots = slots[: len(arrays)]  # it had not made a step yet
        elif len(arrays) != len(slots):  # Keras 2 has the rate in the configuration only
            slots = [slot for slot in slots if slot.label != "learning_rate"]
        if _is_slot_by_slot(file):
            slots = _slot_by_slot(slots, count)
        if [tuple(array.shape) for array in arrays] != [slot.shape for slot in slots]:
            warn(
                f"{file.where}: the state of the optimizer is not loaded: expected {len(slots)} arrays for "
                f"{group.name!r}, received {len(arrays)}, which do not have their shapes. Training begins anew."
            )
            return
        values = [np.asarray(array[()]) for array in arrays]
    for slot, value in zip(slots, values, strict=True):
        slot.set(value)


def _is_slot_by_slot(file: ArrayFile) -> bool:
    """Whether the first kind of state of all weights comes first, as before Keras 2.11."""
    numbers = file.text("", "keras_version", _WEIGHTS).split(".")[:2]
    version = tuple(int(number) if number.isdigit() else 0 for number in numbers)
    return (0,) < version < (2, 11)


def _slot_by_slot(slots: list[Slot], count: int) -> list[Slot]:
    head = [slot for slot in slots if slot.label == "iteration"]
    rest = slots[len(head) :]
    each = len(rest) // count if count else 0
    return head + [rest[k] for kind in range(each) for k in range(kind, len(rest), each)]


def write_legacy(file: Any, model: Any, userblock_size: int) -> None:
    """Writes a model to an empty file that is open for writing and reading; so many bytes in front are left free."""
    config = to_json(legacy(serialize_object(model)), model.name)
    with h5py().File(file, "w", userblock_size=userblock_size) as h5:
        h5.attrs["keras_version"], h5.attrs["backend"] = _KERAS_VERSION, "cconv"
        h5.attrs["model_config"] = config
        write_weights(h5.create_group(_WEIGHTS), model)
        if getattr(model, "compiled", False) and model.optimizer is not None:
            h5.attrs["training_config"] = json.dumps(legacy_training(model.get_compile_config()))
            group = next(group for group in collect(model) if group.path == OPTIMIZER)
            _write(h5.create_group(_OPTIMIZER), group.slots, group.name)


def write_weights(group: Any, model: Any) -> None:
    """Writes the weights of a model into a group of an HDF5 file."""
    group.attrs["keras_version"], group.attrs["backend"] = _KERAS_VERSION, "cconv"
    layers = list(_of_model(model))
    _write_names(group, "layer_names", [layer.name for layer in layers if layer.name != _TOP])
    if not any(layer.name == _TOP for layer in layers):
        layers.append(_Layer(_TOP, "", []))
    for layer in layers:
        _write(group.create_group(layer.name), layer.weights, layer.name)


def _write(group: Any, slots: Any, owner: str) -> None:
    names: list[str] = []
    for slot in slots:
        name, count = f"{owner}/{slot.label}", 1
        while name in names:
            name, count = f"{owner}/{slot.label}_{count}", count + 1
        names.append(name)
        group.create_dataset(name, data=slot.get())
    _write_names(group, "weight_names", names)


def _write_names(group: Any, attribute: str, names: list[str]) -> None:
    """An attribute of names; in several, numbered ones where HDF5 would not take them in one."""
    array = np.array([name.encode() for name in names], dtype="S") if names else np.zeros(0)
    if array.nbytes <= _MOST_OF_AN_ATTRIBUTE:
        group.attrs[attribute] = array
        return
    for number, part in enumerate(np.array_split(array, -(-array.nbytes // _MOST_OF_AN_ATTRIBUTE))):
        group.attrs[f"{attribute}{number}"] = part


def check_suffix(path: str | os.PathLike) -> bool:
    """Whether a name is that of a file in this form."""
    path = os.fspath(path)
    return path.endswith(SUFFIXES) and not path.endswith(".weights.h5")


def configurations(file: ArrayFile) -> tuple[Any, Mapping[str, Any] | None, str]:
    """What a file says of its model: configuration, arguments of `compile`, version of Keras.

    Raises:
        ValueError: It says nothing: it is a file of weights.
    """
    text = file.text("", "model_config")
    if not text:
        raise ValueError(
            f"{file.where}: expected the configuration of a model, found none: a file of weights only. Make the model, "
            "and use its `load_weights`."
        )
    training = file.text("", "training_config")
    return _json(text, file.where), _json(training, file.where) if training else None, file.text("", "keras_version")


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: expected JSON, found something else ({error}).") from error
