"""What the Inception networks are made of: convolutions and poolings one after another, and side by side.

Tables say in short what is computed: `"1x1 64, 3x3 96, 3x3 96/2"` are three convolutions, of these windows, to so many
channels, the last one of stride 2; `"3x3 32 valid"` is one without padding; `"average"`, `"max"` and `"max/2"` are
poolings of 3x3; `"1x3 384 + 3x1 384"` are two convolutions of the same, put beside each other, and `"... = both"` names
the layer that does so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .. import layers
from ..layers.custom_scale import CustomScaleLayer
from ..saving.name_tables import NameTable
from ..tensor import Tensor
from .building import channel_axis


class Style(NamedTuple):
    """How a network of the family convolves and pools."""

    normalized: bool = True  # batch normalization between convolution and ReLU
    scale: bool = True  # its gamma
    epsilon: float = 1e-3
    use_bias: bool = False
    padded: bool = False  # half the windows lies outside of the image at first, in convolutions of stride 2 too
    pools: Any = "valid"  # padding of poolings of stride 2
    zeros_count: bool = False  # whether the zeros around an image count in the means of 3x3
    first: int | None = (
        None  # branches are named after their block and their number, which begins here; else not at all
    )


def convolution(
    x: Tensor, channels: int, kernel: Any, style: Style, name: str | None = None, **settings: Any
) -> Tensor:
    """Convolution, batch normalization and ReLU; with a name they are `<name>`, `<name>_bn` and `<name>_ac`."""
    if not style.normalized:
        return layers.Conv2D(channels, kernel, activation="relu", use_bias=style.use_bias, name=name, **settings)(x)
    x = layers.Conv2D(channels, kernel, use_bias=style.use_bias, name=name, **settings)(x)
    bn, ac = (None, None) if name is None else (f"{name}_bn", f"{name}_ac")
    x = layers.BatchNormalization(axis=channel_axis(), scale=style.scale, epsilon=style.epsilon, name=bn)(x)
    return layers.Activation("relu", name=ac)(x)


def maximum(x: Tensor, size: int, strides: int, style: Style, name: str | None = None) -> Tensor:
    """The largest values of windows."""
    padding = "same" if strides == 1 else style.pools
    return layers.MaxPooling2D(size, strides=strides, padding=padding, name=name)(x)


def steps(x: Tensor, table: str, style: Style, name: str | None = None) -> Tensor:
    """What a table says, one after another; with a name the layers are `<name>_0`, `<name>_1`, ..."""
    for i, step in enumerate(table.split(", ")):
        parts, _, both = step.partition(" = ")
        inner = None if name is None else f"{name}_{i}"
        if "+" in parts:
            x = branches(x, parts.split(" + "), style, both or inner)
        else:
            x = _step(x, parts.split(), style, inner)
    return x


def branches(x: Tensor, tables: Sequence[str], style: Style, name: str | None = None) -> Tensor:
    """What several tables make of the same image, side by side."""
    made = []
    for i, table in enumerate(tables):
        inner = None if style.first is None else f"{name}_branch{style.first + i}"
        made.append(steps(x, table, style, inner))
    return layers.Concatenate(axis=channel_axis(), name=name)(made)


def residual(x: Tensor, tables: Sequence[str], scale: float, style: Style, name: str, activated: bool = True) -> Tensor:
    """`scale` times what the tables make of an image, brought to its channels by 1x1, added to it."""
    y = branches(x, tables, style, f"{name}_mixed")
    y = layers.Conv2D(x.shape[channel_axis()], 1, padding="same", name=f"{name}_conv")(y)
    x = CustomScaleLayer(scale)([x, y])
    return layers.Activation("relu", name=f"{name}_ac")(x) if activated else x


def _step(x: Tensor, words: list[str], style: Style, name: str | None) -> Tensor:
    kind, strides = _strided(words[0])
    if kind == "max":
        return maximum(x, 3, strides, style, name)
    if kind == "average":
        return _average(x, style, name)
    channels, strides = _strided(words[1])
    rows, columns = map(int, kind.split("x"))
    padding: Any = "same"
    if words[2:] == ["valid"] or (strides == 2 and not style.padded):
        padding = "valid"
    elif strides == 2:
        padding = ((rows // 2, rows // 2), (columns // 2, columns // 2))
    return convolution(x, int(channels), (rows, columns), style, name, strides=strides, padding=padding)


def _strided(word: str) -> tuple[str, int]:
    """`"96/2"` -> `("96", 2)`."""
    what, _, strides = word.partition("/")
    return what, int(strides or 1)


def _average(x: Tensor, style: Style, name: str | None) -> Tensor:
    if style.zeros_count:
        return layers.AveragePooling2D(3, strides=1, name=name)(layers.ZeroPadding2D(1)(x))
    return layers.AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def modules_of(block: str, tables: Sequence[str], branch: str, first: int) -> dict[str, str]:
    """From the names of a block's convolutions to those of modules of PyTorch.

    There a branch (a pattern of its number) that is one convolution is that module, else it counts its steps; those
    beside each other follow an underscore, and have a letter. Poolings are left out.
    """
    names = {}
    for i, table in enumerate(tables, first):
        ours, theirs, steps_of = f"{block}_branch{i}", branch.format(i), table.split(", ")
        mark = "_" if "+" in table else "."
        for j, step in enumerate(steps_of):
            if "+" in step:
                names |= {f"{ours}_{j}_branch{first + k}_0": f"{theirs}_{j}{letter}" for k, letter in enumerate("ab")}
            elif step[0].isdigit():
                names[f"{ours}_{j}"] = theirs + (f"{mark}{j}" if len(steps_of) > 1 else "")
    return names


def convolutions(source: str, names: Mapping[str, str], top: Mapping[str, str], **settings: Any) -> NameTable:
    """The table of a network of convolutions and batch normalization, which are `conv` and `bn` of a module there."""
    both = {name: f"{module}.conv" for name, module in names.items()}
    both |= {f"{name}_bn": f"{module}.bn" for name, module in names.items()}
    return NameTable(source, both, top=top, **settings)
