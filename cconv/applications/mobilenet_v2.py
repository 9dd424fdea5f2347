"""MobileNetV2 (Sandler et al.: MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import config, layers
from ..models.model import Functional
from ..saving.name_tables import NameTable
from ..tensor import Tensor
from . import imagenet_utils, torch_names
from .building import (
    channel_axis,
    check_arguments,
    check_like,
    image_shape,
    make_model,
    padded_for_stride,
    pooled,
    positive_alpha,
    rounded_channels,
    shaped_input,
    sides_of,
)
from .imagenet_utils import decode_predictions

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

# channels, blocks, stride of the first
_STACKS = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
_SIDES = (96, 128, 160, 192, 224)  # the sizes the network was published for


class _Form(NamedTuple):
    """In what MobileNetV2 of Keras and that of torchvision differ."""

    zeros_at_all_edges: bool
    epsilon: float
    momentum: float
    tables: tuple[NameTable, ...]


_KERAS = _Form(False, 1e-3, 0.999, torch_names.MOBILENET_V2_LIKE_KERAS)
_TORCHVISION = _Form(True, 1e-5, 0.9, (torch_names.MOBILENET_V2, torch_names.MOBILENET_V2_TIMM))


def MobileNetV2(  # noqa: N802 (Keras' name)
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str | None = None,
    *,
    like: str = "keras",
) -> Functional:
    """Seventeen blocks that widen to six times the channels, convolve each channel by 3x3, and narrow again.

    Args:
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        alpha: Factor of the channels of all layers; of the last convolution only if it is greater than 1.
        include_top: Whether average pooling and a dense layer follow the convolutions.
        weights: `None`: random weights. `"imagenet"`: those that Keras published, downloaded once. Or the path of a
            file of Keras, cconv or PyTorch: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model; by default made of `alpha` and the height of images.
        like: `"keras"`, or `"torchvision"`: zeros at all edges of the image where a convolution has strides, and an
            epsilon of 1e-5 in batch normalization. Files of torchvision and timm are trained for that, with images of
            `imagenet_utils.preprocess_input(..., mode="torch")`.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.MobileNetV2(input_shape=(96, 96, 3), alpha=0.35)
    >>> model.name, model.count_params()
    ('mobilenetv2_0.35_96', 1691208)
    """
    check_arguments(weights, include_top, pooling, classifier_activation)
    form = _TORCHVISION if check_like(like, weights) else _KERAS
    positive_alpha(alpha)
    shape = image_shape(input_shape, include_top, _default_side(input_tensor))
    images = shaped_input(input_shape, shape, input_tensor)
    x, padding = images, "same"
    if form.zeros_at_all_edges:
        x, padding = layers.ZeroPadding2D(1, name="Conv1_pad")(x), "valid"
    x = layers.Conv2D(rounded_channels(32 * alpha), 3, strides=2, padding=padding, use_bias=False, name="Conv1")(x)
    x = layers.ReLU(6.0, name="Conv1_relu")(_normalize(x, "bn_Conv1", form))
    number = 0
    for channels, blocks, strides in _STACKS:
        for j in range(blocks):
            x = _block(x, rounded_channels(int(channels * alpha)), number, strides if j == 0 else 1, form)
            number += 1
    last = rounded_channels(1280 * alpha) if alpha > 1 else 1280
    x = layers.Conv2D(last, 1, use_bias=False, name="Conv_1")(x)
    x = layers.ReLU(6.0, name="out_relu")(_normalize(x, "Conv_1_bn", form))
    if include_top:
        x = layers.GlobalAveragePooling2D()(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    rows = shape[1 if config.image_data_format() == "channels_first" else 0]
    usual = f"mobilenetv2_{alpha:0.2f}_{rows}"
    return make_model(images, x, usual if name is None else name, weights, tables=form.tables, published=usual)


def _block(inputs: Tensor, channels: int, number: int, strides: int, form: _Form) -> Tensor:
    """Widened by 1x1 (but in block 0), 3x3 on each channel alone, narrowed by 1x1; added to the input if it fits."""
    x, prefix = inputs, f"block_{number}_" if number else "expanded_conv_"
    wide = inputs.shape[channel_axis()]
    if number:
        x = layers.Conv2D(6 * wide, 1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
        x = layers.ReLU(6.0, name=f"{prefix}expand_relu")(_normalize(x, f"{prefix}expand_BN", form))
    if strides == 2:
        if form.zeros_at_all_edges:
            x = layers.ZeroPadding2D(1, name=f"{prefix}pad")(x)
        else:
            x = padded_for_stride(x, 3, f"{prefix}pad")
    padding = "same" if strides == 1 else "valid"
    x = layers.DepthwiseConv2D(3, strides=strides, padding=padding, use_bias=False, name=f"{prefix}depthwise")(x)
    x = layers.ReLU(6.0, name=f"{prefix}depthwise_relu")(_normalize(x, f"{prefix}depthwise_BN", form))
    x = layers.Conv2D(channels, 1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = _normalize(x, f"{prefix}project_BN", form)
    if strides == 1 and wide == channels:
        return layers.Add(name=f"{prefix}add")([inputs, x])
    return x


def _normalize(x: Tensor, name: str, form: _Form) -> Tensor:
    return layers.BatchNormalization(channel_axis(), momentum=form.momentum, epsilon=form.epsilon, name=name)(x)


def _default_side(input_tensor: Any) -> int:
    """The side of images where only a tensor says it; 224 if it is none of the published ones."""
    if isinstance(input_tensor, Tensor) and input_tensor.ndim == 4:
        rows, columns = sides_of(input_tensor)
        if rows == columns and rows in _SIDES:
            return rows
    return 224


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """From -1 to 1, from 0 to 255. See `cconv.applications.imagenet_utils.preprocess_input`, mode `"tf"`.

    Example:

    >>> cconv.applications.mobilenet_v2.preprocess_input(np.array([[[0, 51, 255]]], np.float32)).round(2).tolist()
    [[[-1.0, -0.6000000238418579, 1.0]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
