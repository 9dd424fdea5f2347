"""What VGG-16 and VGG-19 are: blocks of 3x3 convolutions that end in max pooling, then three dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import layers
from ..models.model import Functional
from ..tensor import Tensor
from . import torch_names
from .building import check_arguments, image_input, image_shape, make_model, pooled


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
) -> Functional:
    """The network of these blocks, each of so many channels and convolutions."""
    check_arguments(weights, include_top, pooling, classifier_activation)
    images = image_input(image_shape(input_shape, include_top), input_tensor)
    x = images
    for i, (channels, convolutions) in enumerate(blocks, 1):
        for j in range(1, convolutions + 1):
            x = layers.Conv2D(channels, 3, padding="same", activation="relu", name=f"block{i}_conv{j}")(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{i}_pool")(x)
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(4096, activation="relu", name="fc1")(x)
        x = layers.Dense(4096, activation="relu", name="fc2")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    published = f"vgg{sum(convolutions for _, convolutions in blocks) + 3}"
    return make_model(images, x, name, weights, tables=torch_names.vgg(blocks), published=published)
