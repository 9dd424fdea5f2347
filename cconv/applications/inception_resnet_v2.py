"""Inception-ResNet-v2 (Szegedy et al.: Inception-v4, Inception-ResNet and the Impact of Residual Connections, 2016)."""

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
from .inception_parts import Style, branches, convolution, modules_of, residual, steps

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]

_STYLE = Style(scale=False)
_SMALLEST = 75
_STEM = "3x3 32/2, 3x3 32 valid, 3x3 64, max/2, 1x1 80 valid, 3x3 192 valid, max/2"
_FIRST = ("1x1 96", "1x1 48, 5x5 64", "1x1 64, 3x3 96, 3x3 96", "average, 1x1 64")
_BLOCK35 = ("1x1 32", "1x1 32, 3x3 32", "1x1 32, 3x3 48, 3x3 64")
_BLOCK17 = ("1x1 192", "1x1 128, 1x7 160, 7x1 192")
_BLOCK8 = ("1x1 192", "1x1 192, 1x3 224, 3x1 256")
_TO_17 = ("3x3 384/2", "1x1 256, 3x3 256, 3x3 384/2", "max/2")
_TO_8 = ("1x1 256, 3x3 384/2", "1x1 256, 3x3 288/2", "1x1 256, 3x3 288, 3x3 320/2", "max/2")


def InceptionResNetV2(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "inception_resnet_v2",
) -> Functional:
    """Forty blocks of convolutions side by side, a part of what they compute added to their input.

    Args:
        include_top: Whether average pooling and a dense layer follow the convolutions.
        weights: `None`: random weights. `"imagenet"`: those that Keras published, downloaded once. Or the path of a
            file of Keras, cconv or PyTorch: see `cconv.saving.load_weights`. Files of timm's
            `inception_resnet_v2` fit.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 75x75. By default `(299, 299, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.InceptionResNetV2(include_top=False, input_shape=(75, 75, 3))
    >>> model.output_shape, model.count_params()
    ((None, 1, 1, 1536), 54336736)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    settings: dict[str, Any] = {"smallest": _SMALLEST, "pools": (None, None), "published": "inception_resnet_v2"}
    settings["tables"] = (_table(),)
    return image_network(_features, *given, default_side=299, **settings)


def _features(images: Tensor) -> Tensor:
    """The network up to its last convolution."""
    x = branches(steps(images, _STEM, _STYLE), _FIRST, _STYLE, "mixed_5b")
    for i in range(1, 11):
        x = residual(x, _BLOCK35, 0.17, _STYLE, f"block35_{i}")
    x = branches(x, _TO_17, _STYLE, "mixed_6a")
    for i in range(1, 21):
        x = residual(x, _BLOCK17, 0.1, _STYLE, f"block17_{i}")
    x = branches(x, _TO_8, _STYLE, "mixed_7a")
    for i in range(1, 10):
        x = residual(x, _BLOCK8, 0.2, _STYLE, f"block8_{i}")
    x = residual(x, _BLOCK8, 1.0, _STYLE, "block8_10", activated=False)
    return convolution(x, 1536, 1, _STYLE, "conv_7b", padding="same")


def _table() -> NameTable:
    """The names of layers in files of timm. Here most have none, so they are counted; and no gammas, so they go into
    the kernels."""
    stem = ("1a", "2a", "2b", "3b", "4a")
    modules = [f"conv2d_{name}" for name in stem]
    for module, tables, count in (
        ("mixed_5b", _FIRST, 0),
        ("repeat", _BLOCK35, 10),
        ("mixed_6a", _TO_17, 0),
        ("repeat_1", _BLOCK17, 20),
        ("mixed_7a", _TO_8, 0),
        ("repeat_2", _BLOCK8, 9),
        ("block8", _BLOCK8, 0),
    ):
        for inner in [f"{module}.{i}" for i in range(count)] or [module]:
            modules += modules_of("", tables, f"{inner}.branch{{}}", 0).values()
    convolutions = {f"conv2d#{i}": module for i, module in enumerate(modules)} | {"conv_7b": "conv2d_7b"}
    norms = {f"batch_normalization#{i}": module for i, module in enumerate(modules)} | {"conv_7b_bn": "conv2d_7b"}
    names = {name: f"{module}.conv" for name, module in convolutions.items()}
    gammas = {name: f"{module}.bn" for name, module in (convolutions | norms).items()}
    names |= {name: gammas[name] for name in norms} | {
        "block8_10_conv": "block8.conv2d",
        "block35_{i}_conv": "repeat.{i-1}.conv2d",
        "block17_{i}_conv": "repeat_1.{i-1}.conv2d",
        "block8_{i}_conv": "repeat_2.{i-1}.conv2d",
    }
    return NameTable("timm", names, top={"predictions": "classif"}, gammas=gammas)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """From -1 to 1, from 0 to 255. See `cconv.applications.imagenet_utils.preprocess_input`, mode `"tf"`.

    Example:

    >>> cconv.applications.inception_resnet_v2.preprocess_input(np.array([[[0, 51, 255]]], np.float64)).tolist()
    [[[-1.0, -0.6, 1.0]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
