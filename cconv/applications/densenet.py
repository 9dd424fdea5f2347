"""DenseNet (Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, 2017)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import layers
from ..models.model import Functional
from ..tensor import Tensor
from . import imagenet_utils, torch_names
from .building import channel_axis, image_network, normalized, relu
from .imagenet_utils import decode_predictions

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

_GROWTH = 32  # channels that each pair of convolutions adds


def DenseNet121(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "densenet121",
) -> Functional:
    """Four dense blocks, in which each pair of convolutions reads what all before it have made.

    Files of torchvision fit as they are. Its batch normalization has an epsilon of 1e-5, this one Keras' of 1.001e-5.

    Args:
        include_top: Whether average pooling and a dense layer follow the blocks.
        weights: `None`: random weights. `"imagenet"`: those that Keras published, downloaded once. Or the path of a
            file of Keras, cconv or PyTorch: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> cconv.applications.DenseNet121(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1024)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network((6, 12, 24, 16), "densenet121", given)


def DenseNet169(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "densenet169",
) -> Functional:
    """DenseNet-121 with more pairs of convolutions in its blocks.

    Args:
        include_top, ..., name: See `DenseNet121`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.DenseNet169(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1664)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network((6, 12, 32, 32), "densenet169", given)


def DenseNet201(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "densenet201",
) -> Functional:
    """DenseNet-121 with more pairs of convolutions in its blocks.

    Args:
        include_top, ..., name: See `DenseNet121`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.DenseNet201(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1920)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network((6, 12, 48, 32), "densenet201", given)


def _network(blocks: Sequence[int], published: str, given: Sequence[Any]) -> Functional:
    """The network of these blocks."""
    settings: dict[str, Any] = {"tables": (torch_names.DENSENET,), "published": published}
    return image_network(lambda images: _features(images, blocks), *given, **settings)


def _features(images: Tensor, blocks: Sequence[int]) -> Tensor:
    """The network up to its last activation; `blocks`: the pairs of convolutions in each block."""
    x = layers.ZeroPadding2D(3)(images)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = layers.ZeroPadding2D(1)(relu(normalized(x, "conv1_bn"), "conv1_relu"))
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for i, count in enumerate(blocks, 2):
        for j in range(1, count + 1):
            x = _pair(x, f"conv{i}_block{j}")
        if i <= len(blocks):
            x = _halved(x, f"pool{i}")
    return relu(normalized(x, "bn"), "relu")


def _pair(x: Tensor, name: str) -> Tensor:
    """1x1 to four times the growth, 3x3 to the growth, put beside the input."""
    y = relu(normalized(x, f"{name}_0_bn"), f"{name}_0_relu")
    y = layers.Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = relu(normalized(y, f"{name}_1_bn"), f"{name}_1_relu")
    y = layers.Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    return layers.Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, y])


def _halved(x: Tensor, name: str) -> Tensor:
    """Half the channels by 1x1, half the size by average pooling."""
    x = relu(normalized(x, f"{name}_bn"), f"{name}_relu")
    x = layers.Conv2D(x.shape[channel_axis()] // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Red, green and blue of 0 to 1, less their means over ImageNet, divided by their deviations; from 0 to 255.

    See `cconv.applications.imagenet_utils.preprocess_input`, mode `"torch"`.

    Example:

    >>> print(cconv.applications.densenet.preprocess_input(np.full((1, 1, 3), 255.0)).round(2))
    [[[2.25 2.43 2.64]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="torch")
