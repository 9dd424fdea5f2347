"""ResNet-50 (He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import layers
from ..models.model import Functional
from ..tensor import Tensor
from . import imagenet_utils
from .building import channel_axis, check_arguments, image_input, image_shape, make_model, pooled

_STACKS = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # channels within a block, blocks, first stride


def ResNet50(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "resnet50",
) -> Functional:
    """A convolution of 7x7, then sixteen residual blocks of three convolutions each, in four stacks.

    Args:
        include_top: Whether average pooling and a dense layer follow the blocks.
        weights: Path of a `.weights.h5` file, of cconv or Keras; `None`: random weights. Nothing is downloaded.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.ResNet50(input_shape=(64, 64, 3), classes=10)
    >>> model.output_shape, len(model.layers)
    ((None, 10), 177)
    """
    check_arguments(weights, include_top, pooling, classifier_activation)
    images = image_input(image_shape(input_shape, include_top), input_tensor)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(images)
    x = _relu(_convolution(x, 64, 7, "conv1", strides=2), "conv1_relu")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for i, (channels, blocks, strides) in enumerate(_STACKS, 2):
        x = _block(x, channels, f"conv{i}_block1", strides, resized=True)
        for j in range(2, blocks + 1):
            x = _block(x, channels, f"conv{i}_block{j}")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling, "avg_pool", "max_pool")
    return make_model(images, x, name, weights)


def _block(x: Tensor, channels: int, name: str, strides: int = 1, resized: bool = False) -> Tensor:
    """Down to `channels` by 1x1, 3x3, up to four times as many by 1x1, added to the input.

    The input is brought to the new size by a convolution of its own in the first block of a stack (`resized`).
    """
    shortcut = _convolution(x, 4 * channels, 1, f"{name}_0", strides=strides) if resized else x
    x = _relu(_convolution(x, channels, 1, f"{name}_1", strides=strides), f"{name}_1_relu")
    x = _relu(_convolution(x, channels, 3, f"{name}_2", padding="same"), f"{name}_2_relu")
    x = _convolution(x, 4 * channels, 1, f"{name}_3")
    return _relu(layers.Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def _convolution(x: Tensor, channels: int, kernel: int, name: str, **settings: Any) -> Tensor:
    """Convolution and batch normalization, named `<name>_conv` and `<name>_bn`."""
    x = layers.Conv2D(channels, kernel, name=f"{name}_conv", **settings)(x)
    return layers.BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=f"{name}_bn")(x)


def _relu(x: Tensor, name: str) -> Tensor:
    return layers.Activation("relu", name=name)(x)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Blue, green and red less their means over ImageNet, from red, green and blue of 0 to 255.

    See `cconv.applications.imagenet_utils.preprocess_input`, mode `"caffe"`.

    Example:

    >>> print(cconv.applications.resnet50.preprocess_input(np.full((1, 1, 3), 128.0)).round(2))
    [[[24.06 11.22  4.32]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="caffe")
