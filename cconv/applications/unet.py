"""U-Net (Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import config, layers
from ..models.model import Functional
from ..tensor import Tensor
from .attention import applied, check_attention, named_attention
from .building import channel_axis, check_arguments, image_input, image_shape, make_model, relu

__all__ = ["UNet"]


def UNet(  # noqa: N802 (named as Keras' are)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    classes: int = 2,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "unet",
    *,
    depth: int = 4,
    width: int = 64,
    normalization: str | None = "batch",
    up: str = "transposed",
    attention: str | Callable[[Tensor], Tensor] | None = None,
) -> Functional:
    """A class for every pixel: an image is halved step by step and doubled again, each time beside what it was before.

    Unlike the paper's its convolutions keep the size of the image.

    Args:
        include_top: Whether a convolution of 1x1 gives classes; without it, features of `width` channels.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32, with sides that are multiples of `2**depth`. By default of any
            such size in three colors.
        classes: Number of outputs of the top for every pixel.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.
        depth: How often the image is halved.
        width: Channels of the first block; each halving doubles them.
        normalization: Behind each convolution of the blocks: `"batch"`, `"instance"` (each channel of each image by
            itself) or `None`.
        up: How the image is doubled: `"transposed"`, by a transposed convolution of 2x2, or `"resize"`: each pixel four
            times, then a convolution of 3x3. Both halve the channels.
        attention: What weights each block's result: `"se"`, `"scse"`, `"cbam"`, `"gc"`; `"nonlocal"`, only at the
            lowest block; or a function that takes a tensor and gives one of the same shape, called for every block.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.UNet(input_shape=(64, 96, 1), depth=3, width=8, attention="scse")
    >>> model.output_shape
    (None, 64, 96, 2)
    """
    check_arguments(weights, include_top, None, None)  # masks of one class are trained with a sigmoid
    check_attention(attention)
    for key, value, choices in (
        ("normalization", normalization, ("batch", "instance", None)),
        ("up", up, ("transposed", "resize")),
    ):
        if value not in choices:
            raise ValueError(f"`{key}` must be one of {choices}. Received: {key}={value!r}")
    if depth < 1 or width < 1:
        raise ValueError(f"`depth` and `width` must be at least 1. Received: depth={depth!r}, width={width!r}")
    images = image_input(image_shape(input_shape, include_top=False), input_tensor)
    _check_sides(images, depth)
    x, beside = images, []
    for i in range(depth):
        x = _block(x, width << i, f"down{i + 1}", normalization, attention)
        beside.append(x)
        x = layers.MaxPooling2D(2, name=f"down{i + 1}_pool")(x)
    x = _block(x, width << depth, "bottom", normalization, attention)
    for i in reversed(range(depth)):
        x = layers.Concatenate(channel_axis(), name=f"up{i + 1}_concat")(
            [beside[i], _doubled(x, width << i, i + 1, up)]
        )
        x = _block(x, width << i, f"up{i + 1}", normalization, attention)
    if include_top:
        x = layers.Conv2D(classes, 1, name="logits")(x)
        # over the classes, which are not the last axis of every layout
        if classifier_activation == "softmax":
            x = layers.Softmax(axis=channel_axis(), name="predictions")(x)
        elif classifier_activation is not None:
            x = layers.Activation(classifier_activation, name="predictions")(x)
    return make_model(images, x, name, weights)


def _check_sides(images: Tensor, depth: int) -> None:
    sides = images.shape[2:] if config.image_data_format() == "channels_first" else images.shape[1:3]
    if any(side is not None and side % (1 << depth) for side in sides):
        raise ValueError(
            f"The sides of images must be multiples of {1 << depth}, as depth={depth} halves them. "
            f"Received: images of shape {images.shape[1:]}"
        )


def _block(x: Tensor, channels: int, name: str, normalization: str | None, attention: Any) -> Tensor:
    """Two convolutions of 3x3, and attention."""
    for i in (1, 2):
        bias = normalization is None
        x = layers.Conv2D(channels, 3, padding="same", use_bias=bias, name=f"{name}_conv{i}")(x)
        if normalization == "batch":
            x = layers.BatchNormalization(channel_axis(), momentum=0.9, epsilon=1e-5, name=f"{name}_norm{i}")(x)
        elif normalization == "instance":
            x = layers.GroupNormalization(-1, channel_axis(), epsilon=1e-5, name=f"{name}_norm{i}")(x)
        x = relu(x, f"{name}_relu{i}")
    if attention == "nonlocal" and name != "bottom":
        return x
    if isinstance(attention, str):
        return named_attention(attention, x, name)
    return x if attention is None else applied(attention, x)


def _doubled(x: Tensor, channels: int, number: int, up: str) -> Tensor:
    if up == "transposed":
        return layers.Conv2DTranspose(channels, 2, strides=2, name=f"up{number}_up")(x)
    x = layers.UpSampling2D(2, name=f"up{number}_up")(x)
    return layers.Conv2D(channels, 3, padding="same", name=f"up{number}_narrow")(x)
