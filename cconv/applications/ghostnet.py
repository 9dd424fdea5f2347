"""GhostNet (Han, Wang, Tian, Guo, Xu, Xu: GhostNet: More Features from Cheap Operations, 2020)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from .. import layers, ops
from ..models.model import Functional
from ..tensor import Tensor
from .building import (
    channel_axis,
    check_arguments,
    convolution,
    image_input,
    image_shape,
    make_model,
    pooled,
    rounded_channels,
)
from .densenet import preprocess_input
from .efficientnet import excited
from .imagenet_utils import decode_predictions
from .torch_names import GHOSTNET

__all__ = ["GhostNet", "decode_predictions", "preprocess_input"]

# kernel, channels within, channels, whether with squeeze-and-excitation, stride
_BLOCKS = (
    (3, 16, 16, False, 1),
    (3, 48, 24, False, 2),
    (3, 72, 24, False, 1),
    (5, 72, 40, True, 2),
    (5, 120, 40, True, 1),
    (3, 240, 80, False, 2),
    (3, 200, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 480, 112, True, 1),
    (3, 672, 112, True, 1),
    (5, 672, 160, True, 2),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
)


def GhostNet(  # noqa: N802 (a class's name, as of Keras' networks)
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "ghostnet",
) -> Functional:
    """Sixteen blocks in which half of the channels come of a 1x1 convolution, and a cheap 3x3 makes the others of them.

    Args:
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        alpha: Factor of the channels; published for 0.5, 1.0 and 1.3.
        include_top: Whether average pooling and two dense layers follow the blocks.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`. Files of
            timm's `ghostnet_050`, `ghostnet_100` and `ghostnet_130` fit.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.GhostNet(input_shape=(64, 64, 3), alpha=0.5, classes=10)
    >>> model.output_shape, model.count_params()
    ((None, 10), 1330086)
    """
    check_arguments(weights, include_top, pooling, classifier_activation)
    if not alpha > 0:
        raise ValueError(f"`alpha` must be positive. Received: alpha={alpha}")
    images = image_input(image_shape(input_shape, include_top), input_tensor)
    x = convolution(images, rounded_channels(16 * alpha, 4), 3, "stem", strides=2, activation="relu")
    for i, (kernel, wide, channels, squeezed, strides) in enumerate(_BLOCKS, 1):
        sizes = rounded_channels(wide * alpha, 4), rounded_channels(channels * alpha, 4)
        x = _block(x, kernel, *sizes, squeezed, strides, f"block{i}")
    x = convolution(x, rounded_channels(_BLOCKS[-1][1] * alpha, 4), 1, "head", activation="relu")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(1280, activation="relu", name="top_dense")(x)
        x = layers.Dropout(0.2, name="top_dropout")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling, "avg_pool", "max_pool")
    return make_model(images, x, name, weights, tables=(GHOSTNET,))


def _block(inputs: Tensor, kernel: int, wide: int, channels: int, squeezed: bool, strides: int, name: str) -> Tensor:
    """Two ghost modules, with a strided convolution and squeeze-and-excitation between them; added to the input."""
    x = _ghost(inputs, wide, f"{name}_ghost1", "relu")
    if strides > 1:
        x = convolution(x, None, kernel, f"{name}_depthwise", strides)
    if squeezed:
        x = excited(x, rounded_channels(wide / 4, 4), f"{name}_", "relu", "hard_sigmoid")
    x = _ghost(x, channels, f"{name}_ghost2", None)
    if strides > 1 or inputs.shape[channel_axis()] != channels:
        inputs = convolution(inputs, None, kernel, f"{name}_shortcut_depthwise", strides)
        inputs = convolution(inputs, channels, 1, f"{name}_shortcut")
    return layers.Add(name=f"{name}_add")([x, inputs])


def _ghost(x: Tensor, channels: int, name: str, activation: str | None) -> Tensor:
    """Half of the channels by 1x1, the others of these by 3x3, each of one."""
    axis, half = channel_axis(), (channels + 1) // 2
    x = convolution(x, half, 1, f"{name}_primary", activation=activation)
    x = layers.Concatenate(axis=axis, name=f"{name}_concat")(
        [x, convolution(x, None, 3, f"{name}_cheap", activation=activation)]
    )
    return x if channels == 2 * half else ops.split(x, [channels], axis=axis)[0]
