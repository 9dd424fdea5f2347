"""Weights by the names of other frameworks: which layer of a model is which module of PyTorch's.

A table has patterns of names. The rest (what the weights of a layer are called there, and how their axes lie) follows
from the kind of layer. Every weight of the model must come from the file, and every tensor of the file go into the
model: what does not fit is told, and nothing is loaded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..layers import Dense, DepthwiseConv1D, DepthwiseConv2D
from ..naming import to_snake_case
from ..warning import warn
from .state import Slot, variable_slot
from .tensor_files import StoredTensor

_SUFFIXES = {  # of a weight's name here: there
    "kernel": "weight", "depthwise_kernel": "weight", "pointwise_kernel": "weight", "embeddings": "weight",
    "gamma": "weight", "alpha": "weight", "bias": "bias", "beta": "bias", "moving_mean": "running_mean",
    "moving_variance": "running_var",
}  # fmt: skip
_AROUND = ("module.", "_orig_mod.", "model.", "net.", "backbone.")  # in front of all names of a wrapped model
_COUNTERS = ".num_batches_tracked"  # of batch normalization, which needs them for nothing here
_TOLD = 5  # names of a kind in an error


@dataclass(frozen=True)
class NameTable:
    """The names of a network's layers in files of PyTorch.

    In patterns `{i}` stands for a number, and `{i-1}` on the right side for one less: `"conv{i}_block{j}_1_conv":
    "layer{i-1}.{j-1}.conv1"`. `{j:a}` stands for a letter, which is 0, 1, ... on the right side. With `layer/weight` on
    the left side, the right one is the whole name of a tensor. The first pattern that a name fits is taken. `conv2d#3`
    is the fourth of the model's layers of this class that were given no name, in the order in which they were made.

    Attributes:
        source: Whose names these are, for errors.
        layers: From the names of layers here to those of modules there.
        top: The same for the classifier; a model without one leaves it in the file.
        folded: From the names of convolutions here to those of the batch normalizations there that follow them, and
            that the model does not have: they become part of kernel and bias.
        gammas: From the names of convolutions without bias and of the batch normalizations without gamma that follow
            them here to those of normalizations there, which have one: it becomes part of kernel and moving average.
        flattened: From the names of dense layers that follow a `Flatten` to the number of channels of its images, which
            lie first there and last here. There, the layer may be a convolution of the whole image.
        kept: Patterns of layers that keep the weights they have.
        given: From `layer/weight` here, which no file has, to its value.
        ignored: Regular expressions of the beginnings of names there that no layer here needs.
        renamed: Regular expressions of older names there, and what they are replaced by.
        zero_biases: Whether a bias that is not there is zero, but in dense layers.
        epsilon: That of the batch normalizations in `folded`.
        note: What to say, as a warning, when weights are loaded by this table.
        refused: Why files of this source are none of the network's, although it bears the name.
    """

    source: str
    layers: Mapping[str, str]
    top: Mapping[str, str] = field(default_factory=dict)
    folded: Mapping[str, str] = field(default_factory=dict)
    gammas: Mapping[str, str] = field(default_factory=dict)
    flattened: Mapping[str, int] = field(default_factory=dict)
    kept: Sequence[str] = ()
    given: Mapping[str, Sequence[float]] = field(default_factory=dict)
    ignored: Sequence[str] = ()
    renamed: Sequence[tuple[str, str]] = ()
    zero_biases: bool = False
    epsilon: float = 1e-5
    note: str = ""
    refused: str = ""


def as_table(names: Mapping[str, str] | NameTable) -> NameTable:
    """A table from the names alone."""
    if isinstance(names, NameTable):
        return names
    if not isinstance(names, Mapping) or not all(isinstance(x, str) for item in names.items() for x in item):
        raise ValueError(f"`names` must be a dictionary of texts. Received: names={names!r}")
    return NameTable("`names`", names)


class _Weight(NamedTuple):
    """A weight of a model, the tensors it is made of with the shapes they should have, and how it is made."""

    layer: str
    slot: Slot
    sources: tuple[tuple[str, tuple[int, ...]], ...]
    make: Callable[..., np.ndarray]


class _Fit(NamedTuple):
    """What comes of a table: weights that can be loaded, and complaints by layer; names that are left over."""

    table: NameTable
    weights: list[_Weight]
    tensors: dict[str, StoredTensor]
    missing: dict[str, list[str]]
    wrong: dict[str, list[str]]
    left: list[str]

    @property
    def complaints(self) -> int:
        return sum(map(len, [*self.missing.values(), *self.wrong.values(), self.left]))


def assign_named(
    model: Any,
    tensors: Mapping[str, StoredTensor],
    tables: Sequence[NameTable],
    where: str,
    skip_mismatch: bool = False,
    by_name: bool = False,
) -> None:
    """Checks the tensors of a file against the weights of a model, and only then assigns them.

    Args:
        model: A built model.
        tensors: Those of the file.
        tables: The names that the file may have; the table that fits best is taken.
        where: What errors call the file.
        skip_mismatch: Whether layers that do not fit are left as they are, with a warning.
        by_name: Whether layers that the file does not have at all, and tensors that the model does not have, are fine.

    Raises:
        ValueError: The file does not fit, or there is no table, or one that refuses it.
    """
    if not tables:
        raise ValueError(
            f"{where} has the names of another framework, and none are known for the model {model.name!r}. Give them: "
            "`model.load_weights(path, names={'conv1': 'features.0', 'dense': 'classifier'})`, from the names of the "
            "model's layers to those of the file's modules."
        )
    fit = min((_fit(model, tensors, table) for table in tables), key=lambda found: found.complaints)
    if fit.table.refused:
        raise ValueError(f"{where} has the names of another framework. {fit.table.refused} Nothing is loaded.")
    skipped = set()
    if by_name:
        files = {layer for layer in fit.missing if _has_some(fit, layer)}
        skipped |= set(fit.missing) - files
    complaining = {layer for layer in {**fit.missing, **fit.wrong} if layer not in skipped}
    if skip_mismatch:
        for layer in sorted(complaining):
            warn(f"Layer {layer!r} is not loaded. {where}: {_told(fit, {layer}, ())}.")
        skipped |= complaining
    else:
        left = () if by_name else fit.left
        if complaining or left:
            raise ValueError(
                f"{where} does not fit the model {model.name!r} by the names of {fit.table.source}: "
                f"{_told(fit, complaining, left)}. Nothing is loaded."
            )
    weights = [weight for weight in fit.weights if weight.layer not in skipped]
    values = [weight.make(*(_read(fit.tensors, *source) for source in weight.sources)) for weight in weights]
    for weight, value in zip(weights, values, strict=True):
        weight.slot.set(np.asarray(value, np.float32, order="C"))
    if fit.table.note:
        warn(fit.table.note)


def _fit(model: Any, tensors: Mapping[str, StoredTensor], table: NameTable) -> _Fit:
    listed = [x for x in model._flatten_layers(False) if x._trainable_variables or x._non_trainable_variables]
    layers = {layer.name: layer for layer in listed}
    if len(layers) != len(listed):
        raise ValueError(f"The model {model.name!r} has several layers of one name: they cannot be told apart by name.")
    table = _with_given_names(table, layers)
    has_top = any(_looked_up(table.top, name) is not None for name in layers)
    found = _needed(tensors, table, has_top)
    fit = _Fit(table, [], found, {}, {}, [])
    used: dict[str, str] = {}
    for name, layer in layers.items():
        if any(_match(pattern, name) is not None for pattern in table.kept):
            continue
        for weight in _weights(layer, table, found):
            absent = [theirs for theirs, _ in weight.sources if theirs not in found]
            if absent:
                fit.missing.setdefault(name, []).extend(absent)
            for i, (theirs, expected) in enumerate(weight.sources):
                if used.setdefault(theirs, name) != name and i == 0:  # others are factors, which may be shared
                    raise ValueError(f"The names of {table.source} have {theirs!r} for {used[theirs]!r} and {name!r}.")
                if theirs in found and not _is_shape(found[theirs].shape, expected):
                    shape = found[theirs].shape
                    fit.wrong.setdefault(name, []).append(f"{theirs!r}: expected {expected}, found {shape}")
            fit.weights.append(weight)
    fit.left.extend(theirs for theirs in found if theirs not in used)
    return fit


def _with_given_names(table: NameTable, layers: Mapping[str, Any]) -> NameTable:
    """The table with the names that layers have been given for `conv2d#3` and the like."""
    numbers: dict[str, list[tuple[int, str]]] = {}
    for name, layer in layers.items():
        kind = to_snake_case(type(layer).__name__)
        if found := re.fullmatch(rf"{kind}(?:_(\d+))?", name):
            numbers.setdefault(kind, []).append((int(found[1] or 0), name))
    given = {f"{kind}#{i}": name for kind, all_ in numbers.items() for i, (_, name) in enumerate(sorted(all_))}
    fields = {"layers": table.layers, "gammas": table.gammas}
    return replace(table, **{key: {given.get(k, k): v for k, v in names.items()} for key, names in fields.items()})


def _needed(tensors: Mapping[str, StoredTensor], table: NameTable, has_top: bool) -> dict[str, StoredTensor]:
    """The tensors that should be in the model, by the names that the table knows."""
    names = {name: name for name in tensors}
    while prefix := next((p for p in _AROUND if names and all(name.startswith(p) for name in names)), None):
        names = {name.removeprefix(prefix): original for name, original in names.items()}
    found = {}
    heads = () if has_top else tuple(f"{prefix}." for prefix in table.top.values())
    for name, original in names.items():
        for old, new in table.renamed:
            name = re.sub(old, new, name)
        ignored = any(re.match(pattern, name) for pattern in table.ignored)
        if not ignored and not name.endswith(_COUNTERS) and not name.startswith(heads):
            found[name] = tensors[original]
    return found


def _weights(layer: Any, table: NameTable, found: Mapping[str, StoredTensor]) -> Iterator[_Weight]:
    prefix = _looked_up({**table.layers, **table.top}, layer.name)
    norm, gamma = _looked_up(table.folded, layer.name), _looked_up(table.gammas, layer.name)
    channels = _looked_up(table.flattened, layer.name) or 0
    for variable in (*layer._trainable_variables, *layer._non_trainable_variables):
        slot, kind = variable_slot(variable), variable.name
        whole = _looked_up(table.layers, f"{layer.name}/{kind}")
        name = whole or f"{prefix or f'(no name for {layer.name})'}.{_SUFFIXES.get(kind, kind)}"
        given = _looked_up(table.given, f"{layer.name}/{kind}")
        if given is not None:
            yield _Weight(layer.name, slot, (), partial(_filled, f"{layer.name}/{kind}", given, slot.shape))
            continue
        stored = found[name].shape if name in found else ()
        if (
            kind == "kernel"
            and len(stored) > 2
            and stored[1] == channels
            and math.prod(stored) == math.prod(slot.shape)
        ):
            expected, turned = stored, _turned(layer, kind, slot.shape, channels)[1]  # a convolution of the whole image
        else:
            expected, turned = _turned(layer, kind, slot.shape, channels)
        if table.zero_biases and kind == "bias" and name not in found and not isinstance(layer, Dense):
            sources, make = (), lambda shape=slot.shape: np.zeros(shape, np.float32)
        else:
            sources, make = ((name, expected),), turned
        if norm is not None and kind in ("kernel", "bias"):
            sources, make = _folded(sources, make, kind, f"{norm}.", slot.shape[-1:], table.epsilon)
        if gamma is not None and kind in ("kernel", "moving_mean"):
            sources, make = (*sources, (f"{gamma}.weight", slot.shape[-1:])), partial(_scaled, make)
        yield _Weight(layer.name, slot, sources, make)


def _filled(path: str, value: Sequence[float], shape: tuple[int, ...]) -> np.ndarray:
    """A weight that is not in the file."""
    if shape and shape[-1] != len(value):
        raise ValueError(f"{path!r} is known for {len(value)} channels, the model has {shape[-1]}. Nothing is loaded.")
    return np.broadcast_to(np.asarray(value, np.float32), shape) if shape else np.float32(value[0])


def _turned(
    layer: Any, kind: str, shape: tuple[int, ...], channels: int
) -> tuple[tuple[int, ...], Callable[[np.ndarray], np.ndarray]]:
    """The shape of a weight there, and what brings it into the one here."""
    if kind == "depthwise_kernel" or (kind == "kernel" and isinstance(layer, (DepthwiseConv1D, DepthwiseConv2D))):
        *space, c, m = shape
        return (c * m, 1, *space), lambda x: np.moveaxis(x.reshape(c, m, *space), (0, 1), (-2, -1))
    if kind in ("kernel", "pointwise_kernel"):
        *space, inputs, outputs = shape
        expected = (outputs, inputs, *space)
        if channels:
            return expected, lambda x: x.reshape(outputs, channels, -1).transpose(2, 1, 0).reshape(shape)
        return expected, lambda x: np.moveaxis(x.reshape(expected), (0, 1), (-1, -2))
    return tuple(n for n in shape if n != 1) or (1,), lambda x: x.reshape(shape)


def _folded(
    sources: tuple, make: Callable[..., np.ndarray], kind: str, norm: str, shape: tuple[int, ...], epsilon: float
) -> tuple[tuple, Callable[..., np.ndarray]]:
    """What a batch normalization after a convolution makes of its kernel or its bias."""
    count = len(sources)

    def folded(*tensors: np.ndarray) -> np.ndarray:
        value, (gamma, variance, *shift) = make(*tensors[:count]), (x.astype(np.float64) for x in tensors[count:])
        scale = gamma / np.sqrt(variance + epsilon)
        return value * scale if kind == "kernel" else (value - shift[0]) * scale + shift[1]

    theirs = ("weight", "running_var") if kind == "kernel" else ("weight", "running_var", "running_mean", "bias")
    return (*sources, *((norm + name, shape) for name in theirs)), folded


def _scaled(make: Callable[..., np.ndarray], *tensors: np.ndarray) -> np.ndarray:
    """A kernel or a moving average times the gamma of a batch normalization, which is the last of the tensors."""
    return make(*tensors[:-1]) * tensors[-1]


def _match(pattern: str, name: str) -> dict[str, int] | None:
    """The numbers in a name that a pattern fits; None if it does not."""
    if "{" not in pattern:
        return {} if pattern == name else None
    parts = re.split(r"\{(\w+(?::a)?)\}", pattern)
    known: set[str] = set()
    expression = ""
    for i, part in enumerate(parts):
        if i % 2 == 0:
            expression += re.escape(part)
        else:
            key, _, letter = part.partition(":")
            expression += f"(?P={key})" if key in known else f"(?P<{key}>{'[a-z]' if letter else '[0-9]+'})"
            known.add(key)
    found = re.fullmatch(expression, name)
    if found is None:
        return None
    return {key: int(x) if x.isdigit() else ord(x) - ord("a") for key, x in found.groupdict().items()}


def _looked_up(patterns: Mapping[str, Any], name: str) -> Any:
    """What stands behind the first pattern that a name fits, with its numbers put in; None if there is none."""
    for pattern, value in patterns.items():
        numbers = _match(pattern, name)
        if numbers is not None:
            if not isinstance(value, str):
                return value
            return re.sub(r"\{(\w+?)([+-]\d+)?\}", lambda m, n=numbers: str(n[m[1]] + int(m[2] or 0)), value)
    return None


def _is_shape(found: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether shapes are the same but for axes of one: at the end, or anywhere around a row of numbers."""
    if len(expected) == 1:
        return (tuple(n for n in found if n != 1) or (1,)) == expected
    return _without_last_ones(found) == _without_last_ones(expected)


def _without_last_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    end = len(shape)
    while end > 1 and shape[end - 1] == 1:
        end -= 1
    return shape[:end]


def _read(tensors: Mapping[str, StoredTensor], name: str, expected: tuple[int, ...]) -> np.ndarray:
    return tensors[name].read().reshape(expected)


def _has_some(fit: _Fit, layer: str) -> bool:
    return any(name in fit.tensors for weight in fit.weights if weight.layer == layer for name, _ in weight.sources)


def _told(fit: _Fit, layers: set[str], left: Sequence[str]) -> str:
    """The complaints about some layers, and the names that are left over."""
    kinds = {
        "missing": [repr(name) for layer, names in fit.missing.items() if layer in layers for name in names],
        "of another shape": [text for layer, texts in fit.wrong.items() if layer in layers for text in texts],
        "left over": [repr(name) for name in left],
    }
    told = []
    for kind, items in kinds.items():
        items = list(dict.fromkeys(items))
        more = f", ... ({len(items)} in all)" if len(items) > _TOLD else ""
        told += [f"{kind}: {', '.join(items[:_TOLD])}{more}"] if items else []
    return "; ".join(told)
