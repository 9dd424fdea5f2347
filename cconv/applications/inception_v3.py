"""Inception-v3 (Szegedy et al.: Rethinking the Inception Architecture for Computer Vision, 2015)."""

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
from .inception_parts import Style, branches, steps

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

_STYLE = Style(scale=False)
_OF_OTHERS = NameTable(
    "torchvision",
    {},
    refused="Inception-v3 of torchvision and timm counts the zeros around an image in its means of 3x3. This model, "
    "which is Keras', does not, and gives other results with the same weights.",
)
_SMALLEST = 75
_STEM = "3x3 32/2, 3x3 32 valid, 3x3 64, max/2, 1x1 80 valid, 3x3 192 valid, max/2"


def _of_5x5(channels: int) -> tuple[str, ...]:
    """A block with windows of 5x5; `channels` come from the pooling."""
    return "1x1 64", "1x1 48, 5x5 64", "1x1 64, 3x3 96, 3x3 96", f"average, 1x1 {channels}"


def _of_7x7(n: int) -> tuple[str, ...]:
    """A block with windows of 7x7, as 1x7 and 7x1; `n` channels are between."""
    twice = f"1x1 {n}, 7x1 {n}, 1x7 {n}, 7x1 {n}, 1x7 192"
    return "1x1 192", f"1x1 {n}, 1x7 {n}, 7x1 192", twice, "average, 1x1 192"


def _of_1x3(number: int) -> tuple[str, ...]:
    """A block with windows of 3x3 as 1x3 and 3x1 beside each other."""
    once = f"1x1 384, 1x3 384 + 3x1 384 = mixed9_{number}"
    return "1x1 320", once, "1x1 448, 3x3 384, 1x3 384 + 3x1 384", "average, 1x1 192"


_BLOCKS = (
    _of_5x5(32),
    _of_5x5(64),
    _of_5x5(64),
    ("3x3 384/2", "1x1 64, 3x3 96, 3x3 96/2", "max/2"),
    _of_7x7(128),
    _of_7x7(160),
    _of_7x7(160),
    _of_7x7(192),
    ("1x1 192, 3x3 320/2", "1x1 192, 1x7 192, 7x1 192, 3x3 192/2", "max/2"),
    _of_1x3(0),
    _of_1x3(1),
)


def InceptionV3(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "inception_v3",
) -> Functional:
    """Eleven blocks of convolutions side by side, of windows of 1x1 to 7x7; those of 7x7 are 1x7 and 7x1.

    Args:
        include_top: Whether average pooling and a dense layer follow the convolutions.
        weights: `None`: random weights. `"imagenet"`: those that Keras published, downloaded once. Or the path of a
            file of Keras, cconv or PyTorch: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 75x75. By default `(299, 299, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.InceptionV3()
    >>> model.output_shape, model.count_params()
    ((None, 1000), 23851784)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    settings: dict[str, Any] = {"smallest": _SMALLEST, "pools": (None, None), "published": "inception_v3"}
    settings["tables"] = (_OF_OTHERS,)
    return image_network(_features, *given, default_side=299, **settings)


def _features(images: Tensor) -> Tensor:
    """The network up to its last block."""
    x = steps(images, _STEM, _STYLE)
    for i, tables in enumerate(_BLOCKS):
        x = branches(x, tables, _STYLE, f"mixed{i}")
    return x


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """From -1 to 1, from 0 to 255. See `cconv.applications.imagenet_utils.preprocess_input`, mode `"tf"`.

    Example:

    >>> cconv.applications.inception_v3.preprocess_input(np.array([[[0, 51, 255]]], np.float32)).round(2).tolist()
    [[[-1.0, -0.6000000238418579, 1.0]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
