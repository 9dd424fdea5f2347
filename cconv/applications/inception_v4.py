"""Inception-v4 (Szegedy et al.: Inception-v4, Inception-ResNet and the Impact of Residual Connections, 2016)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from ..models.model import Functional
from ..saving.name_tables import NameTable
from ..tensor import Tensor
from . import imagenet_utils
from .building import image_network
from .imagenet_utils import decode_predictions
from .inception_parts import Style, branches, convolutions, modules_of, steps

__all__ = ["InceptionV4", "decode_predictions", "preprocess_input"]

_STYLE = Style(first=0)
_SMALLEST = 75
_STEM = "3x3 32/2, 3x3 32 valid, 3x3 64"
_A = ("1x1 96", "1x1 64, 3x3 96", "1x1 64, 3x3 96, 3x3 96", "average, 1x1 96")
_B = (
    "1x1 384",
    "1x1 192, 1x7 224, 7x1 256",
    "1x1 192, 7x1 192, 1x7 224, 7x1 224, 1x7 256",
    "average, 1x1 128",
)
_C = (
    "1x1 256",
    "1x1 384, 1x3 256 + 3x1 256",
    "1x1 384, 3x1 448, 1x3 512, 1x3 256 + 3x1 256",
    "average, 1x1 256",
)
_BLOCKS = (
    ("mixed_3a", ("max/2", "3x3 96/2")),
    ("mixed_4a", ("1x1 64, 3x3 96 valid", "1x1 64, 1x7 64, 7x1 64, 3x3 96 valid")),
    ("mixed_5a", ("3x3 192/2", "max/2")),
    *((f"mixed_5{i}", _A) for i in "bcde"),
    ("mixed_6a", ("3x3 384/2", "1x1 192, 3x3 224, 3x3 256/2", "max/2")),
    *((f"mixed_6{i}", _B) for i in "bcdefgh"),
    ("mixed_7a", ("1x1 192, 3x3 192/2", "1x1 256, 1x7 256, 7x1 320, 3x3 320/2", "max/2")),
    *((f"mixed_7{i}", _C) for i in "bcd"),
)


def InceptionV4(  # noqa: N802 (the paper's name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "inception_v4",
    dropout: float = 0.2,
) -> Functional:
    """Seventeen blocks of convolutions side by side, three of them already before the first ones of its predecessor.

    Args:
        include_top: Whether average pooling and a dense layer follow the convolutions.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`. Files of
            timm's `inception_v4` fit.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 75x75. By default `(299, 299, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.
        dropout: Rate of the dropout before the dense layer; 0 for none.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.InceptionV4(include_top=False, input_shape=(75, 75, 3))
    >>> model.output_shape, model.count_params()
    ((None, 1, 1, 1536), 41205984)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    settings: dict[str, Any] = {"smallest": _SMALLEST, "dropout": dropout, "tables": (_table(),)}
    return image_network(_features, *given, default_side=299, **settings)


def _features(images: Tensor) -> Tensor:
    """The network up to its last block."""
    x = steps(images, _STEM, _STYLE, "stem")
    for name, tables in _BLOCKS:
        x = branches(x, tables, _STYLE, name)
    return x


def _table() -> NameTable:
    """The names of layers in files of timm, which counts the convolutions of the stem and the blocks together."""
    names = {f"stem_{i}": f"features.{i}" for i in range(3)}
    for at, (name, tables) in enumerate(_BLOCKS, 3):
        names |= modules_of(name, tables, f"features.{at}.branch{{}}", 0)
    for name, at in (("mixed_3a_branch1", 3), ("mixed_5a_branch0", 5)):
        names[f"{name}_0"] = f"features.{at}.conv"
    return convolutions("timm", names, {"predictions": "last_linear"})


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """From -1 to 1, from 0 to 255. See `cconv.applications.imagenet_utils.preprocess_input`, mode `"tf"`.

    Example:

    >>> cconv.applications.inception_v4.preprocess_input(np.array([[[0, 51, 255]]], np.float64)).tolist()
    [[[-1.0, -0.6, 1.0]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
