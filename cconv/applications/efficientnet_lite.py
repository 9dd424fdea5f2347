"""EfficientNet-Lite (Liu: Higher accuracy on vision models with EfficientNet-Lite, 2020), 0 to 4.

EfficientNet (Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019) without squeeze-
and-excitation, with ReLU up to 6 as activation, and with the same first and last layers in all sizes, for integer
arithmetic.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import layers
from ..initializers import VarianceScaling
from ..models.model import Functional
from ..saving.name_tables import NameTable
from ..tensor import Tensor
from .building import channel_axis, image_network, rounded_channels
from .efficientnet import DROPPED, STACKS, shortcut, spread
from .imagenet_utils import decode_predictions, floating
from .torch_names import EFFICIENTNET_LITE

__all__ = [
    "EfficientNetLite0",
    "EfficientNetLite1",
    "EfficientNetLite2",
    "EfficientNetLite3",
    "EfficientNetLite4",
    "decode_predictions",
    "preprocess_input",
]


def EfficientNetLite0(  # noqa: N802 (a class's name, as of Keras' networks)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnet_lite0",
) -> Functional:
    """Sixteen inverted residual blocks without squeeze-and-excitation, for images of 224x224.

    Args:
        include_top: Whether average pooling, dropout and a dense layer follow the blocks.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.EfficientNetLite0(input_shape=(64, 64, 3), classes=10)
    >>> model.output_shape, model.count_params()
    ((None, 10), 3425834)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(1.0, 1.0, 224, 0.2, *given)


def EfficientNetLite1(  # noqa: N802 (a class's name, as of Keras' networks)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnet_lite1",
) -> Functional:
    """EfficientNet-Lite0 with 1.1 times the blocks, for images of 240x240.

    Args:
        include_top, ..., name: See `EfficientNetLite0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.EfficientNetLite1(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1280)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(1.0, 1.1, 240, 0.2, *given)


def EfficientNetLite2(  # noqa: N802 (a class's name, as of Keras' networks)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnet_lite2",
) -> Functional:
    """EfficientNet-Lite0 with 1.2 times the blocks and 1.1 times the channels, for images of 260x260.

    Args:
        include_top, ..., name: See `EfficientNetLite0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.EfficientNetLite2(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1280)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(1.1, 1.2, 260, 0.3, *given)


def EfficientNetLite3(  # noqa: N802 (a class's name, as of Keras' networks)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnet_lite3",
) -> Functional:
    """EfficientNet-Lite0 with 1.4 times the blocks and 1.2 times the channels, for images of 280x280.

    Args:
        include_top, ..., name: See `EfficientNetLite0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.EfficientNetLite3(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1280)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(1.2, 1.4, 280, 0.3, *given)


def EfficientNetLite4(  # noqa: N802 (a class's name, as of Keras' networks)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnet_lite4",
) -> Functional:
    """EfficientNet-Lite0 with 1.8 times the blocks and 1.4 times the channels, for images of 300x300.

    Args:
        include_top, ..., name: See `EfficientNetLite0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.EfficientNetLite4(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1280)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(1.4, 1.8, 300, 0.3, *given)


def _network(width: float, depth: float, side: int, dropout: float, *given: Any) -> Functional:
    """The network with this factor of the channels and of the blocks."""
    dense, blocks = VarianceScaling(1 / 3, "fan_out", "uniform"), list(_blocks(depth))
    return image_network(
        lambda images: _features(images, width, blocks), *given, side, dropout, dense, tables=_tables(blocks)
    )


def _blocks(depth: float) -> Iterator[tuple[int, int, str]]:
    """Of each block: its stack and its place there, counted from 0, and the name that its layers begin with."""
    last = len(STACKS) - 1
    for i, (_, blocks, *_) in enumerate(STACKS):
        for j in range(blocks if i in (0, last) else math.ceil(depth * blocks)):
            yield i, j, f"block{i + 1}{chr(ord('a') + j)}_"


def _tables(blocks: Sequence[tuple[int, int, str]]) -> tuple[NameTable, ...]:
    """The names of layers in the files of the port to PyTorch, which counts all blocks, and of timm."""
    port = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    parts = ("expand_conv", "expand_bn", "dwconv", "bn", "project_conv", "project_bn")
    there = ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")
    for number, (*_, name) in enumerate(blocks):
        port |= {name + part: f"_blocks.{number}.{module}" for part, module in zip(parts, there, strict=True)}
    return NameTable("efficientnet_lite_pytorch", port, top={"predictions": "_fc"}), EFFICIENTNET_LITE


def _features(images: Tensor, width: float, blocks: Sequence[tuple[int, int, str]]) -> Tensor:
    """The network up to its last activation."""
    x = _activated(_convolved(images, 32, 3, "stem", strides=2), "stem_")
    for done, (i, j, name) in enumerate(blocks):
        kernel, _, channels, factor, strides = STACKS[i]
        dropped = DROPPED * done / len(blocks)
        x = _block(x, rounded_channels(channels * width), kernel, factor, 1 if j else strides, dropped, name)
    return _activated(_convolved(x, 1280, 1, "top"), "top_")


def _block(inputs: Tensor, channels: int, kernel: int, factor: int, strides: int, dropped: float, name: str) -> Tensor:
    """Widened by 1x1, convolved channel by channel, narrowed by 1x1, and added to the input if it fits."""
    x, before = inputs, inputs.shape[channel_axis()]
    if factor != 1:
        x = _activated(_convolved(x, factor * before, 1, f"{name}expand"), f"{name}expand_")
    settings = {"strides": strides, "padding": "same", "use_bias": False, "depthwise_initializer": spread()}
    x = layers.DepthwiseConv2D(kernel, **settings, name=f"{name}dwconv")(x)
    x = _activated(layers.BatchNormalization(axis=channel_axis(), name=f"{name}bn")(x), name)
    x = _convolved(x, channels, 1, f"{name}project")
    return shortcut(inputs, x, dropped, name) if strides == 1 and before == channels else x


def _convolved(x: Tensor, channels: int, kernel: int, name: str, strides: int = 1) -> Tensor:
    """Convolution and batch normalization, named `<name>_conv` and `<name>_bn`."""
    settings = {"strides": strides, "padding": "same", "use_bias": False, "kernel_initializer": spread()}
    x = layers.Conv2D(channels, kernel, **settings, name=f"{name}_conv")(x)
    return layers.BatchNormalization(axis=channel_axis(), name=f"{name}_bn")(x)


def _activated(x: Tensor, name: str) -> Tensor:
    return layers.ReLU(6.0, name=f"{name}activation")(x)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """About -1 to 1, from 0 to 255: `(x - 127) / 128`, whatever the layout.

    Example:

    >>> cconv.applications.efficientnet_lite.preprocess_input(np.array([[[0, 127, 255]]])).tolist()
    [[[-0.9921875, 0.0, 1.0]]]
    """
    return (floating(x) - 127.0) / 128.0
