"""MobileNetV3 (Howard et al.: Searching for MobileNetV3, 2019), small and large."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .. import config, layers
from ..models.model import Functional
from ..saving.name_tables import NameTable
from ..tensor import Tensor
from . import torch_names
from .building import (
    channel_axis,
    check_arguments,
    check_like,
    halving_padding,
    image_shape,
    make_model,
    pooled,
    positive_alpha,
    rounded_channels,
    shaped_input,
)
from .imagenet_utils import decode_predictions

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the colors that torchvision's was trained for
_REFUSED = {
    "torchvision": "MobileNetV3 of torchvision has zeros at all edges of an image before strides, other than this "
    "model, which is Keras', and gives other results with the same weights. For such files make the model with "
    "`like='torchvision'`.",
    "timm": "MobileNetV3 of timm has other zeros around images before strides (`tf_mobilenetv3_...`) or another "
    "epsilon in its batch normalization than this model, which is torchvision's. Files of `tf_mobilenetv3_...` fit the "
    "model with `like='keras'`.",
}


class _Block(NamedTuple):
    """Kernel 5, the gate and hard swish become 3, none and ReLU in the minimalistic networks."""

    widened: float  # factor of the channels between
    channels: int
    kernel: int
    strides: int
    gated: bool
    swish: bool


_SMALL = (
    _Block(1, 16, 3, 2, gated=True, swish=False),
    _Block(72 / 16, 24, 3, 2, gated=False, swish=False),
    _Block(88 / 24, 24, 3, 1, gated=False, swish=False),
    _Block(4, 40, 5, 2, gated=True, swish=True),
    *[_Block(6, 40, 5, 1, gated=True, swish=True)] * 2,
    *[_Block(3, 48, 5, 1, gated=True, swish=True)] * 2,
    _Block(6, 96, 5, 2, gated=True, swish=True),
    *[_Block(6, 96, 5, 1, gated=True, swish=True)] * 2,
)
_LARGE = (
    _Block(1, 16, 3, 1, gated=False, swish=False),
    _Block(4, 24, 3, 2, gated=False, swish=False),
    _Block(3, 24, 3, 1, gated=False, swish=False),
    _Block(3, 40, 5, 2, gated=True, swish=False),
    *[_Block(3, 40, 5, 1, gated=True, swish=False)] * 2,
    _Block(6, 80, 3, 2, gated=False, swish=True),
    _Block(2.5, 80, 3, 1, gated=False, swish=True),
    *[_Block(2.3, 80, 3, 1, gated=False, swish=True)] * 2,
    *[_Block(6, 112, 3, 1, gated=True, swish=True)] * 2,
    _Block(6, 160, 5, 2, gated=True, swish=True),
    *[_Block(6, 160, 5, 1, gated=True, swish=True)] * 2,
)


def MobileNetV3Small(  # noqa: N802 (Keras' name)
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: str | Callable | None = "softmax",
    include_preprocessing: bool = True,
    name: str = "MobileNetV3Small",
    *,
    like: str = "keras",
) -> Functional:
    """Eleven blocks that widen, convolve each channel by itself, weigh the channels, and narrow again.

    Args:
        input_shape: Shape of an image, at least 32x32. By default images of any size in three colors.
        alpha: Factor of the channels of all blocks; of the layer before the classes only if it is greater than 1.
        minimalistic: Without windows of 5x5, weights of channels (squeeze and excitation) and hard swish.
        include_top: Whether average pooling and two 1x1 convolutions, the last one to the classes, follow.
        weights: `None`: random weights. `"imagenet"`: those that Keras published, downloaded once. Or the path of a
            file of Keras, cconv or PyTorch: see `cconv.saving.load_weights`. Files of timm's
            `tf_mobilenetv3_small_100` (or `075`, `minimal_100`, `large_...`) fit. Those of `mobilenetv3_small_100` have
            the same names, but are for another padding and another epsilon in batch normalization.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        classes: Number of outputs of the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        dropout_rate: Rate of the dropout before the last convolution; 0 for none.
        classifier_activation: Activation of the top; `None` gives logits.
        include_preprocessing: Whether the network itself brings 0 to 255 to -1 to 1; otherwise that is what it reads.
        name: Name of the model.
        like: `"keras"`, or `"torchvision"`: zeros at all edges of the image where a convolution has strides. Files of
            torchvision are trained for that, with images normalized by ImageNet's means and deviations: so are they by
            the network itself, or outside with `imagenet_utils.preprocess_input(..., mode="torch")`.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.MobileNetV3Small()
    >>> model.output_shape, model.count_params()
    ((None, 1000), 2554968)
    """
    top = (include_top, classes, pooling, dropout_rate, classifier_activation)
    return _network(
        _SMALL, 1024, input_shape, alpha, minimalistic, weights, input_tensor, include_preprocessing, name, like, *top
    )


def MobileNetV3Large(  # noqa: N802 (Keras' name)
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: str | Callable | None = "softmax",
    include_preprocessing: bool = True,
    name: str = "MobileNetV3Large",
    *,
    like: str = "keras",
) -> Functional:
    """MobileNetV3 of fifteen blocks.

    Args:
        input_shape, ..., like: See `MobileNetV3Small`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> model = cconv.applications.MobileNetV3Large(minimalistic=True, alpha=0.75)
    >>> model.output_shape
    (None, 1000)
    """
    top = (include_top, classes, pooling, dropout_rate, classifier_activation)
    return _network(
        _LARGE, 1280, input_shape, alpha, minimalistic, weights, input_tensor, include_preprocessing, name, like, *top
    )


def _network(
    blocks: Sequence[_Block],
    last: int,
    input_shape: Sequence[int | None] | None,
    alpha: float,
    minimalistic: bool,
    weights: Any,
    input_tensor: Tensor | None,
    include_preprocessing: bool,
    name: str,
    like: str,
    include_top: bool,
    classes: int,
    pooling: str | None,
    dropout_rate: float,
    classifier_activation: Any,
) -> Functional:
    """A network of these blocks, and `last` channels before the classes."""
    check_arguments(weights, include_top, pooling, classifier_activation)
    zeros_at_all_edges = check_like(like, weights)
    positive_alpha(alpha)
    # also with its top the network takes images of any size: all layers of it are convolutions
    images = shaped_input(input_shape, image_shape(input_shape, include_top=False), input_tensor)
    x, padding = _preprocessed(images, zeros_at_all_edges) if include_preprocessing else images, "same"
    if zeros_at_all_edges:
        x, padding = layers.ZeroPadding2D(1, name="conv_pad")(x), "valid"
    x = layers.Conv2D(16, 3, strides=2, padding=padding, use_bias=False, name="conv")(x)
    x = _activated(_normalized(x, "conv_bn"), not minimalistic)
    own = [block._replace(kernel=3, gated=False, swish=False) if minimalistic else block for block in blocks]
    for number, block in enumerate(own):
        channels = rounded_channels(block.channels * alpha)
        prefix = f"expanded_conv_{number}_" if number else "expanded_conv_"
        x = _block(x, block, channels, prefix, zeros_at_all_edges)
    wide = rounded_channels(6 * x.shape[channel_axis()])
    x = layers.Conv2D(wide, 1, padding="same", use_bias=False, name="conv_1")(x)
    x = _activated(_normalized(x, "conv_1_bn"), not minimalistic)
    if include_top:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        if alpha > 1.0:
            last = rounded_channels(last * alpha)
        x = _activated(layers.Conv2D(last, 1, padding="same", name="conv_2")(x), not minimalistic)
        if dropout_rate > 0:
            x = layers.Dropout(dropout_rate)(x)
        x = layers.Flatten()(layers.Conv2D(classes, 1, padding="same", name="logits")(x))
        x = layers.Activation(classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling, "avg_pool", "max_pool")
    form = "_minimalistic" if minimalistic else "" if alpha == 1 else f"_{alpha}"
    published = f"MobileNetV3{'Small' if blocks is _SMALL else 'Large'}{form}"
    return make_model(images, x, name, weights, tables=_tables(own, like), published=published)


def _tables(blocks: Sequence[_Block], like: str) -> list[NameTable]:
    """The names of layers elsewhere: of the files that fit, and of those that are for another network."""
    names = {table.source: table for table in torch_names.mobilenet_v3([(x.channels, x.gated) for x in blocks])}
    fitting, other = ("torchvision", "timm") if like == "torchvision" else ("timm", "torchvision")
    return [names[fitting], replace(names[other], refused=_REFUSED[other])]


def _preprocessed(images: Tensor, by_statistics: bool) -> Tensor:
    """Images of 0 to 255 from -1 to 1, or normalized by the means and deviations of ImageNet's colors."""
    if not by_statistics:
        return layers.Rescaling(scale=1.0 / 127.5, offset=-1.0)(images)
    if images.shape[channel_axis()] != len(_MEAN):
        raise ValueError(
            "`include_preprocessing` with `like='torchvision'` is for images of three colors. "
            f"Received: images of the shape {images.shape[1:]}"
        )
    shape = (-1, 1, 1) if channel_axis() == 1 else (-1,)
    scale = 1 / (255 * np.array(_DEVIATION))
    offset = -np.array(_MEAN) / _DEVIATION
    return layers.Rescaling(scale.reshape(shape).tolist(), offset.reshape(shape).tolist())(images)


def _block(inputs: Tensor, block: _Block, channels: int, prefix: str, zeros_at_all_edges: bool) -> Tensor:
    """Widened by 1x1 (but in the first block), each channel convolved alone, weighed, narrowed; added if it fits."""
    x, before = inputs, inputs.shape[channel_axis()]
    wide = rounded_channels(before * block.widened)
    if prefix != "expanded_conv_":
        x = layers.Conv2D(wide, 1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
        x = _activated(_normalized(x, f"{prefix}expand_bn"), block.swish)
    if block.strides == 2:
        zeros = block.kernel // 2 if zeros_at_all_edges else halving_padding(x, block.kernel)
        x = layers.ZeroPadding2D(zeros, name=f"{prefix}depthwise_pad")(x)
    depthwise = layers.DepthwiseConv2D(
        block.kernel,
        strides=block.strides,
        padding="same" if block.strides == 1 else "valid",
        use_bias=False,
        name=f"{prefix}depthwise",
    )
    x = _activated(_normalized(depthwise(x), f"{prefix}depthwise_bn"), block.swish)
    if block.gated:
        x = _weighed(x, wide, f"{prefix}squeeze_excite_")
    x = layers.Conv2D(channels, 1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = _normalized(x, f"{prefix}project_bn")
    if block.strides == 1 and before == channels:
        return layers.Add(name=f"{prefix}add")([inputs, x])
    return x


def _weighed(x: Tensor, channels: int, prefix: str) -> Tensor:
    """Squeeze and excitation: channels times numbers of 0 to 1 that two convolutions make of all channels' means."""
    y = layers.GlobalAveragePooling2D(keepdims=True, name=f"{prefix}avg_pool")(x)
    y = layers.Conv2D(rounded_channels(0.25 * channels), 1, padding="same", name=f"{prefix}conv")(y)
    y = layers.ReLU(name=f"{prefix}relu")(y)
    y = layers.Conv2D(channels, 1, padding="same", name=f"{prefix}conv_1")(y)
    y = layers.ReLU(6.0)(y + 3.0) * (1.0 / 6.0)
    return layers.Multiply(name=f"{prefix}mul")([x, y])


def _normalized(x: Tensor, name: str) -> Tensor:
    return layers.BatchNormalization(axis=channel_axis(), epsilon=1e-3, momentum=0.999, name=name)(x)


def _activated(x: Tensor, swish: bool) -> Tensor:
    return layers.Activation("hard_swish")(x) if swish else layers.ReLU()(x)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """The images as they are: the network itself scales them, unless `include_preprocessing` is false.

    Args:
        x: Images.
        data_format: `"channels_last"`, `"channels_first"` or `None`; nothing depends on it.

    Example:

    >>> cconv.applications.mobilenet_v3.preprocess_input(np.array([[[0, 51, 255]]])).tolist()
    [[[0, 51, 255]]]
    """
    config.standardize_data_format(data_format)
    return x
