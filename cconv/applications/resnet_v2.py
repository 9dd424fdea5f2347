"""ResNet V2 (He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks, 2016) of 50, 101 and 152 layers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import layers
from ..models.model import Functional
from ..tensor import Tensor
from . import imagenet_utils
from .building import image_network, normalized, relu
from .imagenet_utils import decode_predictions

__all__ = ["ResNet101V2", "ResNet152V2", "ResNet50V2", "decode_predictions", "preprocess_input"]


def ResNet50V2(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "resnet50v2",
) -> Functional:
    """ResNet-50 with normalization and activation before each convolution, so that sums pass through unchanged.

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

    >>> cconv.applications.ResNet50V2(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 2048)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return image_network(lambda images: _features(images, (3, 4, 6, 3)), *given, published="resnet50v2")


def ResNet101V2(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "resnet101v2",
) -> Functional:
    """ResNet-101 with normalization and activation before each convolution.

    Args:
        include_top, ..., name: See `ResNet50V2`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.ResNet101V2(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 2048)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return image_network(lambda images: _features(images, (3, 4, 23, 3)), *given, published="resnet101v2")


def ResNet152V2(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "resnet152v2",
) -> Functional:
    """ResNet-152 with normalization and activation before each convolution.

    Args:
        include_top, ..., name: See `ResNet50V2`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.ResNet152V2(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 2048)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return image_network(lambda images: _features(images, (3, 8, 36, 3)), *given, published="resnet152v2")


def _features(images: Tensor, blocks: Sequence[int]) -> Tensor:
    """The network up to its last activation; `blocks`: their number in each stack, whose last one has the stride."""
    x = layers.ZeroPadding2D(3, name="conv1_pad")(images)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for i, count in enumerate(blocks):
        for j in range(1, count + 1):
            strides = 2 if j == count and i < len(blocks) - 1 else 1
            x = _block(x, 64 << i, f"conv{i + 2}_block{j}", strides, widened=j == 1)
    return relu(normalized(x, "post_bn"), "post_relu")


def _block(x: Tensor, channels: int, name: str, strides: int, widened: bool) -> Tensor:
    """Down to `channels` by 1x1, 3x3, up to four times as many by 1x1, added to the input.

    The input is brought to that number by a convolution of its own in the first block of a stack (`widened`).
    """
    before = relu(normalized(x, f"{name}_preact_bn"), f"{name}_preact_relu")
    if widened:
        shortcut = layers.Conv2D(4 * channels, 1, strides=strides, name=f"{name}_0_conv")(before)
    else:
        shortcut = layers.MaxPooling2D(1, strides=strides)(x) if strides > 1 else x
    y = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_1_conv")(before)
    y = relu(normalized(y, f"{name}_1_bn"), f"{name}_1_relu")
    y = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(y)
    y = layers.Conv2D(channels, 3, strides=strides, use_bias=False, name=f"{name}_2_conv")(y)
    y = relu(normalized(y, f"{name}_2_bn"), f"{name}_2_relu")
    y = layers.Conv2D(4 * channels, 1, name=f"{name}_3_conv")(y)
    return layers.Add(name=f"{name}_out")([shortcut, y])


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Red, green and blue of -1 to 1, from 0 to 255.

    See `cconv.applications.imagenet_utils.preprocess_input`, mode `"tf"`.

    Example:

    >>> print(cconv.applications.resnet_v2.preprocess_input(np.full((1, 1, 3), 255.0)))
    [[[1. 1. 1.]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
