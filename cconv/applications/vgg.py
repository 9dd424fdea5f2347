"""What VGG-11 to VGG-19 are: blocks of 3x3 convolutions that end in max pooling, then three dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import layers
from ..models.model import Functional
from ..tensor import Tensor
from . import torch_names
from .building import channel_axis, check_arguments, image_input, image_shape, make_model, pooled, relu


def vgg(
    blocks: Sequence[tuple[int, int]],
    include_top: bool,
    weights: Any,
    input_tensor: Tensor | None,
    input_shape: Sequence[int | None] | None,
    pooling: str | None,
    classes: int,
    classifier_activation: Any,
    name: str,
    batch_norm: bool = False,
) -> Functional:
    """The network of these blocks, each of so many channels and convolutions."""
    check_arguments(weights, include_top, pooling, classifier_activation)
    images = image_input(image_shape(input_shape, include_top), input_tensor)
    x = images
    for i, (channels, convolutions) in enumerate(blocks, 1):
        for j in range(1, convolutions + 1):
            x = _convolution(x, channels, f"block{i}_conv{j}", batch_norm)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{i}_pool")(x)
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(4096, activation="relu", name="fc1")(x)
        x = layers.Dense(4096, activation="relu", name="fc2")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    published = f"vgg{sum(convolutions for _, convolutions in blocks) + 3}{'_bn' if batch_norm else ''}"
    return make_model(images, x, name, weights, tables=torch_names.vgg(blocks, batch_norm), published=published)


def _convolution(x: Tensor, channels: int, name: str, batch_norm: bool) -> Tensor:
    """A convolution with its activation; batch normalization, if any, is torchvision's."""
    if not batch_norm:
        return layers.Conv2D(channels, 3, padding="same", activation="relu", name=name)(x)
    x = layers.Conv2D(channels, 3, padding="same", name=name)(x)
    x = layers.BatchNormalization(axis=channel_axis(), momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)
    return relu(x, f"{name}_relu")
