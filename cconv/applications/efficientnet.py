"""EfficientNet (Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019), B0 to B7."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import layers
from ..initializers import VarianceScaling
from ..models.model import Functional
from ..tensor import Tensor
from .building import channel_axis, image_network, padded_for_stride, rounded_channels
from .imagenet_utils import decode_predictions
from .torch_names import EFFICIENTNET

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]

# kernel, blocks, channels, factor of the channels within a block, stride of the first
STACKS = (
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)
DROPPED = 0.2  # share of the samples without the last block, in training; of block i so much less
_DEVIATION = (0.229, 0.224, 0.225)


def EfficientNetB0(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnetb0",
) -> Functional:
    """Sixteen inverted residual blocks with squeeze-and-excitation, for images of 224x224.

    Images are given as they are, 0 to 255: the network begins with their normalization.

    Args:
        include_top: Whether average pooling, dropout and a dense layer follow the blocks.
        weights: `None`: random weights. `"imagenet"`: those that Keras published, downloaded once. Or the path of a
            file of Keras, cconv or PyTorch: see `cconv.saving.load_weights`. Keras' for ImageNet, which have deviations
            in place of variances, are put right here, not by `load_weights`. Files of timm's `tf_efficientnet_b0` (to
            `b7`) fit; images are then normalized by ImageNet's means and deviations, for which those with `ap` in their
            names are not trained. Those of `efficientnet_b0` have the same names, but are for another padding.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.EfficientNetB0(input_shape=(64, 64, 3), classes=10)
    >>> model.output_shape, model.count_params()
    ((None, 10), 4062381)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(1.0, 1.0, 224, 0.2, *given)


def EfficientNetB1(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnetb1",
) -> Functional:
    """EfficientNet-B0 with 1.1 times the blocks, for images of 240x240.

    Args:
        include_top, ..., name: See `EfficientNetB0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.EfficientNetB1(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1280)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(1.0, 1.1, 240, 0.2, *given)


def EfficientNetB2(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnetb2",
) -> Functional:
    """EfficientNet-B0 with 1.2 times the blocks and 1.1 times the channels, for images of 260x260.

    Args:
        include_top, ..., name: See `EfficientNetB0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.EfficientNetB2(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1408)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(1.1, 1.2, 260, 0.3, *given)


def EfficientNetB3(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnetb3",
) -> Functional:
    """EfficientNet-B0 with 1.4 times the blocks and 1.2 times the channels, for images of 300x300.

    Args:
        include_top, ..., name: See `EfficientNetB0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.EfficientNetB3(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1536)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(1.2, 1.4, 300, 0.3, *given)


def EfficientNetB4(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnetb4",
) -> Functional:
    """EfficientNet-B0 with 1.8 times the blocks and 1.4 times the channels, for images of 380x380.

    Args:
        include_top, ..., name: See `EfficientNetB0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    ```python
    model = cconv.applications.EfficientNetB4(include_top=False, pooling="avg")  # to 1792 features
    ```
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(1.4, 1.8, 380, 0.4, *given)


def EfficientNetB5(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnetb5",
) -> Functional:
    """EfficientNet-B0 with 2.2 times the blocks and 1.6 times the channels, for images of 456x456.

    Args:
        include_top, ..., name: See `EfficientNetB0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    ```python
    model = cconv.applications.EfficientNetB5(include_top=False, pooling="avg")  # to 2048 features
    ```
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(1.6, 2.2, 456, 0.4, *given)


def EfficientNetB6(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnetb6",
) -> Functional:
    """EfficientNet-B0 with 2.6 times the blocks and 1.8 times the channels, for images of 528x528.

    Args:
        include_top, ..., name: See `EfficientNetB0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    ```python
    model = cconv.applications.EfficientNetB6(include_top=False, pooling="avg")  # to 2304 features
    ```
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(1.8, 2.6, 528, 0.5, *given)


def EfficientNetB7(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnetb7",
) -> Functional:
    """EfficientNet-B0 with 3.1 times the blocks and 2.0 times the channels, for images of 600x600.

    Args:
        include_top, ..., name: See `EfficientNetB0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    ```python
    model = cconv.applications.EfficientNetB7(include_top=False, pooling="avg")  # to 2560 features
    ```
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(2.0, 3.1, 600, 0.5, *given)


def _network(width: float, depth: float, side: int, dropout: float, *given: Any) -> Functional:
    """The network with this factor of the channels and of the blocks."""
    dense = VarianceScaling(1 / 3, "fan_out", "uniform")
    model = image_network(
        lambda images: _features(images, width, depth), *given, side, dropout, dense, tables=(EFFICIENTNET,)
    )
    _square_deviations(model)
    return model


def _features(images: Tensor, width: float, depth: float) -> Tensor:
    """The network up to its last activation."""
    x = layers.Rescaling(1 / 255)(images)
    x = padded_for_stride(layers.Normalization(axis=channel_axis())(x), 3, "stem_conv_pad")
    x = _activated(_convolved(x, rounded_channels(32 * width), 3, "stem", strides=2), "stem")
    counts = [math.ceil(depth * blocks) for _, blocks, *_ in STACKS]
    done = 0
    for i, (kernel, _, channels, factor, strides) in enumerate(STACKS):
        for j in range(counts[i]):
            name, dropped = f"block{i + 1}{chr(ord('a') + j)}_", DROPPED * done / sum(counts)
            x = _block(x, rounded_channels(channels * width), kernel, factor, 1 if j else strides, dropped, name)
            done += 1
    return _activated(_convolved(x, rounded_channels(1280 * width), 1, "top", padding="same"), "top")


def _block(inputs: Tensor, channels: int, kernel: int, factor: int, strides: int, dropped: float, name: str) -> Tensor:
    """Widened by 1x1, convolved channel by channel, weighted, narrowed by 1x1, and added to the input if it fits."""
    x, before = inputs, inputs.shape[channel_axis()]
    if factor != 1:
        x = _activated(_convolved(x, factor * before, 1, f"{name}expand", padding="same"), f"{name}expand")
    if strides == 2:
        x = padded_for_stride(x, kernel, f"{name}dwconv_pad")
    settings = {"strides": strides, "padding": "valid" if strides == 2 else "same", "use_bias": False}
    x = layers.DepthwiseConv2D(kernel, **settings, depthwise_initializer=spread(), name=f"{name}dwconv")(x)
    x = layers.BatchNormalization(axis=channel_axis(), name=f"{name}bn")(x)
    x = layers.Activation("swish", name=f"{name}activation")(x)
    x = excited(x, max(1, before // 4), name)
    x = _convolved(x, channels, 1, f"{name}project", padding="same")
    return shortcut(inputs, x, dropped, name) if strides == 1 and before == channels else x


def excited(x: Tensor, channels: int, name: str, activation: str = "swish", gate: str = "sigmoid") -> Tensor:
    """Squeeze-and-excitation: factors for the channels, from their means over the image by way of fewer numbers."""
    wide = x.shape[channel_axis()]
    y = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    y = layers.Reshape((wide, 1, 1) if channel_axis() == 1 else (1, 1, wide), name=f"{name}se_reshape")(y)
    for size, function, step in ((channels, activation, "reduce"), (wide, gate, "expand")):
        settings = {"activation": function, "kernel_initializer": spread(), "name": f"{name}se_{step}"}
        y = layers.Conv2D(size, 1, padding="same", **settings)(y)
    return layers.Multiply(name=f"{name}se_excite")([x, y])


def shortcut(inputs: Tensor, x: Tensor, dropped: float, name: str) -> Tensor:
    """What a block made, added to its input; in training left out in the share `dropped` of the samples."""
    if dropped:
        x = layers.Dropout(dropped, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.Add(name=f"{name}add")([x, inputs])


def spread() -> VarianceScaling:
    """First values of convolutions."""
    return VarianceScaling(2.0, "fan_out", "truncated_normal")


def _convolved(x: Tensor, channels: int, kernel: int, name: str, **settings: Any) -> Tensor:
    """Convolution and batch normalization, named `<name>_conv` and `<name>_bn`."""
    settings = {"use_bias": False, "kernel_initializer": spread(), "name": f"{name}_conv", **settings}
    x = layers.Conv2D(channels, kernel, **settings)(x)
    return layers.BatchNormalization(axis=channel_axis(), name=f"{name}_bn")(x)


def _activated(x: Tensor, name: str) -> Tensor:
    return layers.Activation("swish", name=f"{name}_activation")(x)


def _square_deviations(model: Functional) -> None:
    """Makes variances of what Keras' weights for ImageNet hold in their place: standard deviations.

    Keras makes good for it by one more division, which is in models with these weights only.
    """
    found = next(layer for layer in model.layers if isinstance(layer, layers.Normalization)).adapt_variance
    if found.shape == (3,) and np.allclose(found.numpy(), _DEVIATION, rtol=1e-4):
        found.assign(np.square(found.numpy()))


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Images as they are: the network itself begins with their normalization.

    Example:

    >>> cconv.applications.efficientnet.preprocess_input(np.array([[[0, 51, 255]]])).tolist()
    [[[0, 51, 255]]]
    """
    return x
