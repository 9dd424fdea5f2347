"""MixNet (Tan, Le: MixConv: Mixed Depthwise Convolutional Kernels, 2019), S, M and L."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import layers, ops
from ..models.model import Functional
from ..tensor import Tensor
from .building import channel_axis, convolution, image_network, rounded_channels
from .densenet import preprocess_input
from .efficientnet import excited, spread
from .imagenet_utils import decode_predictions
from .torch_names import mixnet

__all__ = ["MixNetL", "MixNetM", "MixNetS", "decode_predictions", "preprocess_input"]

# For each stack of blocks: their number, the sizes of the kernels, how many parts the 1x1 convolutions before and after
# are divided into, the stride of the first, the factor of the channels within, the channels, and the share of them that
# squeeze-and-excitation has (then the activation is swish, else ReLU).
_SMALL = (
    (1, (3,), 2, 2, 2, 6, 24, 0),
    (1, (3,), 2, 2, 1, 3, 24, 0),
    (1, (3, 5, 7), 1, 1, 2, 6, 40, 0.5),
    (3, (3, 5), 2, 2, 1, 6, 40, 0.5),
    (1, (3, 5, 7), 1, 2, 2, 6, 80, 0.25),
    (2, (3, 5), 1, 2, 1, 6, 80, 0.25),
    (1, (3, 5, 7), 2, 2, 1, 6, 120, 0.5),
    (2, (3, 5, 7, 9), 2, 2, 1, 3, 120, 0.5),
    (1, (3, 5, 7, 9, 11), 1, 1, 2, 6, 200, 0.5),
    (2, (3, 5, 7, 9), 1, 2, 1, 6, 200, 0.5),
)
_MEDIUM = (
    (1, (3, 5, 7), 2, 2, 2, 6, 32, 0),
    (1, (3,), 2, 2, 1, 3, 32, 0),
    (1, (3, 5, 7, 9), 1, 1, 2, 6, 40, 0.5),
    (3, (3, 5), 2, 2, 1, 6, 40, 0.5),
    (1, (3, 5, 7), 1, 1, 2, 6, 80, 0.25),
    (3, (3, 5, 7, 9), 2, 2, 1, 6, 80, 0.25),
    (1, (3,), 1, 1, 1, 6, 120, 0.5),
    (3, (3, 5, 7, 9), 2, 2, 1, 3, 120, 0.5),
    (1, (3, 5, 7, 9), 1, 1, 2, 6, 200, 0.5),
    (3, (3, 5, 7, 9), 1, 2, 1, 6, 200, 0.5),
)


def MixNetS(  # noqa: N802 (a class's name, as of Keras' networks)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "mixnet_s",
) -> Functional:
    """Sixteen inverted residual blocks whose channels are convolved by kernels of several sizes, each a part of them.

    Args:
        include_top: Whether average pooling, dropout and a dense layer follow the blocks.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`. Files of
            timm's `mixnet_s` (and so on) fit. Those of `tf_mixnet_s` have the same names, but are for another padding.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.MixNetS(input_shape=(64, 64, 3), classes=10)
    >>> model.output_shape, model.count_params()
    ((None, 10), 2645168)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(_SMALL, 16, 1.0, 0.2, *given)


def MixNetM(  # noqa: N802 (a class's name, as of Keras' networks)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "mixnet_m",
) -> Functional:
    """Eighteen blocks such as those of MixNet-S, with more parts.

    Args:
        include_top, ..., name: See `MixNetS`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.MixNetM(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1536)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(_MEDIUM, 24, 1.0, 0.25, *given)


def MixNetL(  # noqa: N802 (a class's name, as of Keras' networks)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "mixnet_l",
) -> Functional:
    """MixNet-M with 1.3 times the channels.

    Args:
        include_top, ..., name: See `MixNetS`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.MixNetL(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1536)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network(_MEDIUM, 24, 1.3, 0.25, *given)


def _network(stacks: Sequence[tuple], stem: int, width: float, dropout: float, *given: Any) -> Functional:
    """The network of these stacks, with this factor of the channels. Two of them are a stage in files of timm."""
    parts = [[(len(kernels), *pointwise[:2])] * count for count, kernels, *pointwise in stacks]
    table = mixnet([one + two for one, two in zip(parts[::2], parts[1::2], strict=True)])
    return image_network(lambda images: _features(images, stacks, stem, width), *given, 224, dropout, tables=(table,))


def _features(images: Tensor, stacks: Sequence[tuple], stem: int, width: float) -> Tensor:
    """The network up to its last activation."""
    stem = rounded_channels(stem * width)
    x = convolution(images, stem, 3, "stem", strides=2, activation="relu")
    y = convolution(convolution(x, None, 3, "block1_depthwise", activation="relu"), stem, 1, "block1_project")
    x = layers.Add(name="block1_add")([x, y])
    number = 1
    for count, kernels, expanding, projecting, strides, factor, channels, share in stacks:
        for j in range(count):
            number += 1
            parts = (kernels, expanding, projecting)
            x = _block(x, rounded_channels(channels * width), parts, 1 if j else strides, factor, share, number)
    return convolution(x, 1536, 1, "head", activation="relu")


def _block(
    inputs: Tensor,
    channels: int,
    parts: tuple[Sequence[int], int, int],
    strides: int,
    factor: int,
    share: float,
    number: int,
) -> Tensor:
    """Widened by 1x1, convolved channel by channel, weighted, narrowed by 1x1, and added to the input if it fits."""
    kernels, expanding, projecting = parts
    before, name = inputs.shape[channel_axis()], f"block{number}_"
    activation = "swish" if share else "relu"
    x = _normalized(_pointwise(inputs, factor * before, expanding, f"{name}expand"), f"{name}expand", activation)
    x = _normalized(_mixed(x, kernels, strides, f"{name}depthwise"), f"{name}depthwise", activation)
    if share:
        x = excited(x, round(before * share), name)
    x = _normalized(_pointwise(x, channels, projecting, f"{name}project"), f"{name}project")
    return layers.Add(name=f"{name}add")([x, inputs]) if strides == 1 and before == channels else x


def _mixed(x: Tensor, kernels: Sequence[int], strides: int, name: str) -> Tensor:
    """Each channel is convolved by itself, by the kernel of the part it belongs to."""

    def convolved(part: Tensor, i: int, kernel: int) -> Tensor:
        if strides > 1:
            part = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad_{i}")(part)
        settings = {"padding": "valid" if strides > 1 else "same", "strides": strides, "use_bias": False}
        settings |= {"depthwise_initializer": spread(), "name": f"{name}_conv_{i}"}
        return layers.DepthwiseConv2D(kernel, **settings)(part)

    parts = _split(x, len(kernels))
    return _joined([convolved(part, i, kernel) for i, (part, kernel) in enumerate(zip(parts, kernels, strict=True))])


def _pointwise(x: Tensor, channels: int, count: int, name: str) -> Tensor:
    """Convolution by 1x1 of each of so many parts of the channels."""
    sizes = _sizes(channels, count)
    made = []
    for i, part in enumerate(_split(x, count)):
        settings = {"use_bias": False, "kernel_initializer": spread(), "name": f"{name}_conv_{i}"}
        made.append(layers.Conv2D(sizes[i], 1, **settings)(part))
    return _joined(made)


def _sizes(channels: int, count: int) -> list[int]:
    """Parts of the same size; what remains belongs to the first."""
    rest = [channels // count] * (count - 1)
    return [channels - sum(rest), *rest]


def _split(x: Tensor, count: int) -> list[Tensor]:
    sizes = _sizes(x.shape[channel_axis()], count)
    return ops.split(x, [sum(sizes[:i]) for i in range(1, count)], axis=channel_axis()) if count > 1 else [x]


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=channel_axis())


def _normalized(x: Tensor, name: str, activation: str | None = None) -> Tensor:
    x = layers.BatchNormalization(axis=channel_axis(), momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)
    return layers.Activation(activation, name=f"{name}_activation")(x) if activation else x
