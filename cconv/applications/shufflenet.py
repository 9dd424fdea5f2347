"""ShuffleNet (Zhang, Zhou, Lin, Sun: ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile
Devices, 2017)."""

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
    relu,
    rounded_channels,
)
from .densenet import preprocess_input
from .imagenet_utils import decode_predictions

__all__ = ["ShuffleNet", "decode_predictions", "preprocess_input"]

_UNITS = (4, 8, 4)  # in each stage
_CHANNELS = {
    1: 144,
    2: 200,
    3: 240,
    4: 272,
    8: 384,
}  # of the first stage, for each number of groups; then twice as many
_STEM = {0.5: 12, 1.0: 24, 1.5: 24, 2.0: 48}  # for each factor of the channels


def ShuffleNet(  # noqa: N802 (a class's name, as of Keras' networks)
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    groups: int = 3,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "shufflenet",
) -> Functional:
    """Sixteen units of 1x1 convolutions in groups of channels, which are shuffled in between, and a 3x3 on each.

    Args:
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        alpha: Factor of the channels: 0.5, 1.0, 1.5 or 2.0. Those of the first stage are rounded to a multiple of four
            times the groups.
        groups: Of the 1x1 convolutions: 1, 2, 3, 4 or 8.
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

    >>> model = cconv.applications.ShuffleNet(input_shape=(64, 64, 3), alpha=0.5, classes=10)
    >>> model.output_shape, model.count_params()
    ((None, 10), 254364)
    """
    check_arguments(weights, include_top, pooling, classifier_activation)
    for given, name_of, known in ((alpha, "alpha", _STEM), (groups, "groups", _CHANNELS)):
        if given not in known:
            raise ValueError(f"`{name_of}` must be one of {', '.join(map(str, known))}. Received: {name_of}={given!r}")
    images = image_input(image_shape(input_shape, include_top), input_tensor)
    stem = -(-_STEM[alpha] // groups) * groups
    x = convolution(images, stem, 3, "stem", strides=2, activation="relu")
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)
    channels = rounded_channels(_CHANNELS[groups] * alpha, 4 * groups)
    for i, units in enumerate(_UNITS):
        for j in range(units):
            # the few channels of the stem are in no groups
            first = 1 if i == j == 0 else groups
            x = _unit(x, channels << i, first, groups, 1 if j else 2, f"stage{i + 2}_unit{j + 1}")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(classes, activation=classifier_activation, use_bias=False, name="predictions")(x)
    else:
        x = pooled(x, pooling, "avg_pool", "max_pool")
    return make_model(images, x, name, weights)


def _unit(inputs: Tensor, channels: int, first: int, groups: int, strides: int, name: str) -> Tensor:
    """1x1 in groups, shuffled, 3x3 on each channel, 1x1 in groups: added to the input, or put beside its means."""
    axis = channel_axis()
    made = channels - inputs.shape[axis] if strides > 1 else channels
    x = convolution(inputs, channels // 4, 1, f"{name}_reduce", groups=first, activation="relu")
    if groups > 1:
        x = ops.channel_shuffle(x, groups, "channels_first" if axis == 1 else "channels_last")
    x = convolution(x, None, 3, f"{name}_depthwise", strides)
    x = convolution(x, made, 1, f"{name}_expand", groups=groups)
    if strides == 1:
        return relu(layers.Add(name=f"{name}_add")([inputs, x]), f"{name}_relu")
    means = layers.ZeroPadding2D(1, name=f"{name}_pool_pad")(inputs)
    means = layers.AveragePooling2D(3, strides=2, name=f"{name}_pool")(means)
    return layers.Concatenate(axis=axis, name=f"{name}_concat")([means, relu(x, f"{name}_relu")])
