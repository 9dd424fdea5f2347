"""Xception (Chollet: Xception: Deep Learning with Depthwise Separable Convolutions, 2017)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import layers
from ..models.model import Functional
from ..saving.name_tables import NameTable
from ..tensor import Tensor
from . import imagenet_utils
from .building import channel_axis, image_network
from .imagenet_utils import decode_predictions

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

_OF_OTHERS = NameTable(
    "timm",
    {},
    refused="Xception of timm (`legacy_xception`) has other windows where it halves images of even sides, and another "
    "epsilon in its batch normalization, than this model, which is Keras': it gives other results with the same "
    "weights.",
)
_SMALLEST = 71
_ENTRY = ((128, 128), (256, 256), (728, 728))  # channels of the separable convolutions of each block
_EXIT = (728, 1024)


def Xception(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "xception",
) -> Functional:
    """Thirty-four separable convolutions, most of them in twelve residual blocks.

    Args:
        include_top: Whether average pooling and a dense layer follow the convolutions.
        weights: `None`: random weights. `"imagenet"`: those that Keras published, downloaded once. Or the path of a
            file of Keras or cconv: see `cconv.saving.load_weights`. Those of timm are for another network.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 71x71. By default `(299, 299, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.Xception()
    >>> model.output_shape, model.count_params()
    ((None, 1000), 22910480)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    settings: dict[str, Any] = {"smallest": _SMALLEST, "pools": (None, None), "published": "xception"}
    settings["tables"] = (_OF_OTHERS,)
    return image_network(_features, *given, default_side=299, **settings)


def _features(images: Tensor) -> Tensor:
    """The network up to its last activation."""
    x = images
    for i, (channels, strides) in enumerate(((32, 2), (64, 1)), 1):
        x = layers.Conv2D(channels, 3, strides=strides, use_bias=False, name=f"block1_conv{i}")(x)
        x = _relu(_normalized(x, f"block1_conv{i}_bn"), f"block1_conv{i}_act")
    for number, channels in enumerate(_ENTRY, 2):
        x = _halved(x, channels, f"block{number}", begins_with_relu=number > 2)
    for number in range(5, 13):
        y = x
        for i in range(1, 4):
            y = _separable(_relu(y, f"block{number}_sepconv{i}_act"), 728, f"block{number}_sepconv{i}")
        x = layers.add([y, x])
    x = _halved(x, _EXIT, "block13")
    for i, channels in enumerate((1536, 2048), 1):
        x = _relu(_separable(x, channels, f"block14_sepconv{i}"), f"block14_sepconv{i}_act")
    return x


def _halved(x: Tensor, channels: Sequence[int], name: str, begins_with_relu: bool = True) -> Tensor:
    """Two separable convolutions and pooling to half the size, and a 1x1 convolution beside them."""
    settings = {"strides": 2, "padding": "same", "use_bias": False}
    shortcut = _normalized(layers.Conv2D(channels[-1], 1, **settings)(x))
    for i, count in enumerate(channels, 1):
        if i > 1 or begins_with_relu:
            x = _relu(x, f"{name}_sepconv{i}_act")
        x = _separable(x, count, f"{name}_sepconv{i}")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.add([x, shortcut])


def _separable(x: Tensor, channels: int, name: str) -> Tensor:
    """A separable convolution and batch normalization."""
    return _normalized(layers.SeparableConv2D(channels, 3, padding="same", use_bias=False, name=name)(x), f"{name}_bn")


def _normalized(x: Tensor, name: str | None = None) -> Tensor:
    return layers.BatchNormalization(axis=channel_axis(), name=name)(x)


def _relu(x: Tensor, name: str) -> Tensor:
    return layers.Activation("relu", name=name)(x)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """From -1 to 1, from 0 to 255. See `cconv.applications.imagenet_utils.preprocess_input`, mode `"tf"`.

    Example:

    >>> cconv.applications.xception.preprocess_input(np.array([[[0, 51, 255]]], np.float32)).round(2).tolist()
    [[[-1.0, -0.6000000238418579, 1.0]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
