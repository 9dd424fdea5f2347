"""ShuffleNetV2 (Ma, Zhang, Zheng, Sun: ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design,
2018)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from .. import layers, ops
from ..models.model import Functional
from ..tensor import Tensor
from . import torch_names
from .building import channel_axis, check_arguments, convolution, image_input, image_shape, make_model, pooled
from .densenet import preprocess_input
from .imagenet_utils import decode_predictions

__all__ = ["ShuffleNetV2", "decode_predictions", "preprocess_input"]

_UNITS = (4, 8, 4)  # in each stage
_CHANNELS = {0.5: 48, 1.0: 116, 1.5: 176, 2.0: 244}  # of the first stage; then twice as many


def ShuffleNetV2(  # noqa: N802 (a class's name, as of Keras' networks)
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "shufflenet_v2",
) -> Functional:
    """Sixteen units that convolve half of the channels, put the others beside them, and shuffle both.

    Args:
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        alpha: Factor of the channels: 0.5, 1.0, 1.5 or 2.0.
        include_top: Whether average pooling and a dense layer follow the units.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.ShuffleNetV2(input_shape=(64, 64, 3), alpha=0.5, classes=10)
    >>> model.output_shape, model.count_params()
    ((None, 10), 359994)
    """
    check_arguments(weights, include_top, pooling, classifier_activation)
    if alpha not in _CHANNELS:
        raise ValueError(f"`alpha` must be one of {', '.join(map(str, _CHANNELS))}. Received: alpha={alpha!r}")
    images = image_input(image_shape(input_shape, include_top), input_tensor)
    x = convolution(images, 24, 3, "stem", strides=2, activation="relu")
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)
    for i, units in enumerate(_UNITS):
        for j in range(units):
            x = _unit(x, _CHANNELS[alpha] << i, 1 if j else 2, f"stage{i + 2}_unit{j + 1}")
    x = convolution(x, 2048 if alpha == 2 else 1024, 1, "head", activation="relu")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling, "avg_pool", "max_pool")
    return make_model(images, x, name, weights, tables=(torch_names.SHUFFLENET_V2,))


def _unit(x: Tensor, channels: int, strides: int, name: str) -> Tensor:
    """Two branches of half of the channels each: in the first nothing is done, or a 3x3 with stride and a 1x1."""
    axis, half = channel_axis(), channels // 2
    if strides == 1:
        left, x = ops.split(x, 2, axis=axis)
    else:
        left = convolution(x, None, 3, f"{name}_left_depthwise", strides)
        left = convolution(left, half, 1, f"{name}_left", activation="relu")
    x = convolution(x, half, 1, f"{name}_reduce", activation="relu")
    x = convolution(x, None, 3, f"{name}_depthwise", strides)
    x = convolution(x, half, 1, f"{name}_expand", activation="relu")
    x = layers.Concatenate(axis=axis, name=f"{name}_concat")([left, x])
    return ops.channel_shuffle(x, 2, "channels_first" if axis == 1 else "channels_last")
