"""MobileNet (Howard et al.: Efficient Convolutional Neural Networks for Mobile Vision Applications, 2017)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import config, layers
from ..models.model import Functional
from ..tensor import Tensor
from . import imagenet_utils
from .building import channel_axis, check_arguments, image_input, image_shape, make_model, pooled, positive_alpha
from .imagenet_utils import decode_predictions

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

# channels, blocks, stride of the first
_STACKS = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2))


def MobileNet(  # noqa: N802 (Keras' name)
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str | None = None,
) -> Functional:
    """Thirteen pairs of a 3x3 convolution of each channel alone and a 1x1 convolution.

    Args:
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        alpha: Factor of the channels of all layers.
        depth_multiplier: Channels that the convolutions of 3x3 make of each.
        dropout: Rate of the dropout before the top's convolution.
        include_top: Whether average pooling and a 1x1 convolution to the classes follow.
        weights: `None`: random weights. `"imagenet"`: those that Keras published, downloaded once. Or the path of a
            file of Keras, cconv or PyTorch: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model; by default made of `alpha` and the height of images.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.MobileNet(input_shape=(128, 128, 3), alpha=0.25)
    >>> model.name, model.count_params()
    ('mobilenet_0.25_128', 475544)
    """
    check_arguments(weights, include_top, pooling, classifier_activation)
    positive_alpha(alpha)
    shape = image_shape(input_shape, include_top)
    images = image_input(shape, input_tensor)
    x = layers.Conv2D(int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(images)
    x = _activated(x, "conv1")
    number = 1
    for channels, blocks, strides in _STACKS:
        for j in range(blocks):
            x = _block(x, int(channels * alpha), number, depth_multiplier, 1 if j else strides)
            number += 1
    if include_top:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = layers.Conv2D(classes, 1, padding="same", name="conv_preds")(x)
        x = layers.Reshape((classes,), name="reshape_2")(x)
        x = layers.Activation(classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    rows = shape[1 if config.image_data_format() == "channels_first" else 0]
    usual = f"mobilenet_{alpha:0.2f}_{rows}"
    return make_model(images, x, usual if name is None else name, weights, published=usual)


def _block(x: Tensor, channels: int, number: int, depth_multiplier: int, strides: int) -> Tensor:
    """3x3 on each channel alone, then 1x1. With stride 2 a row and a column of zeros follow the image."""
    if strides == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    depthwise = layers.DepthwiseConv2D(
        3,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        depth_multiplier=depth_multiplier,
        use_bias=False,
        name=f"conv_dw_{number}",
    )
    x = _activated(depthwise(x), f"conv_dw_{number}")
    x = layers.Conv2D(channels, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    return _activated(x, f"conv_pw_{number}")


def _activated(x: Tensor, name: str) -> Tensor:
    """Batch normalization and an activation that is cut at 6."""
    return layers.ReLU(6.0, name=f"{name}_relu")(layers.BatchNormalization(axis=channel_axis(), name=f"{name}_bn")(x))


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """From -1 to 1, from 0 to 255. See `cconv.applications.imagenet_utils.preprocess_input`, mode `"tf"`.

    Example:

    >>> cconv.applications.mobilenet.preprocess_input(np.array([[[0, 51, 255]]], np.float32)).round(2).tolist()
    [[[-1.0, -0.6000000238418579, 1.0]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
