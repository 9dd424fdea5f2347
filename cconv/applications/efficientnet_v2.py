"""EfficientNetV2 (Tan, Le: EfficientNetV2: Smaller Models and Faster Training, 2021), B0 to B3, S, M and L."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import layers
from ..initializers import VarianceScaling
from ..models.model import Functional
from ..tensor import Tensor
from .building import channel_axis, image_network, rounded_channels
from .efficientnet import DROPPED, excited, preprocess_input, shortcut, spread
from .imagenet_utils import decode_predictions
from .torch_names import EFFICIENTNET_V2

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]


class _Variant(NamedTuple):
    """One of the networks: its stem, its stacks, and the factors of their channels and blocks."""

    side: int  # of an image
    stem: int  # channels
    fused: Sequence[tuple[int, int, int, int]]  # blocks, channels, factor of the channels within, stride of the first
    separable: Sequence[tuple[int, int, int, int]]  # likewise
    width: float = 1.0
    depth: float = 1.0
    colors: bool = False  # whether each color is normalized by its own mean and deviation


_FUSED = ((1, 16, 1, 1), (2, 32, 4, 2), (2, 48, 4, 2))
_SEPARABLE = ((3, 96, 4, 2), (5, 112, 6, 1), (8, 192, 6, 2))
_VARIANTS = {
    "B0": _Variant(224, 32, _FUSED, _SEPARABLE, colors=True),
    "B1": _Variant(240, 32, _FUSED, _SEPARABLE, depth=1.1, colors=True),
    "B2": _Variant(260, 32, _FUSED, _SEPARABLE, width=1.1, depth=1.2, colors=True),
    "B3": _Variant(300, 32, _FUSED, _SEPARABLE, width=1.2, depth=1.4, colors=True),
    "S": _Variant(
        384,
        24,
        ((2, 24, 1, 1), (4, 48, 4, 2), (4, 64, 4, 2)),
        ((6, 128, 4, 2), (9, 160, 6, 1), (15, 256, 6, 2)),
    ),
    "M": _Variant(
        480,
        24,
        ((3, 24, 1, 1), (5, 48, 4, 2), (5, 80, 4, 2)),
        ((7, 160, 4, 2), (14, 176, 6, 1), (18, 304, 6, 2), (5, 512, 6, 1)),
    ),
    "L": _Variant(
        480,
        32,
        ((4, 32, 1, 1), (7, 64, 4, 2), (7, 96, 4, 2)),
        ((10, 192, 4, 2), (19, 224, 6, 1), (25, 384, 6, 2), (7, 640, 6, 1)),
    ),
}
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def EfficientNetV2B0(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    include_preprocessing: bool = True,
    name: str = "efficientnetv2-b0",
) -> Functional:
    """Five inverted residual blocks of full 3x3 convolutions, then sixteen of separable ones, for images of 224x224.

    Args:
        include_top: Whether average pooling, dropout and a dense layer follow the blocks.
        weights: `None`: random weights. `"imagenet"`: those that Keras published, downloaded once. Or the path of a
            file of Keras, cconv or PyTorch: see `cconv.saving.load_weights`. Files of timm's `tf_efficientnetv2_b0` (to
            `b3`, `s`, `m`, `l`) fit; with `include_preprocessing=False` images are normalized outside, as they were for
            the file.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        include_preprocessing: Whether the network begins with the normalization of images, given as 0 to 255.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.EfficientNetV2B0(input_shape=(64, 64, 3), classes=10)
    >>> model.output_shape, model.count_params()
    ((None, 10), 5932122)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network("B0", include_preprocessing, *given)


def EfficientNetV2B1(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    include_preprocessing: bool = True,
    name: str = "efficientnetv2-b1",
) -> Functional:
    """EfficientNetV2-B0 with 1.1 times the blocks, for images of 240x240.

    Args:
        include_top, ..., name: See `EfficientNetV2B0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.EfficientNetV2B1(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1280)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network("B1", include_preprocessing, *given)


def EfficientNetV2B2(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    include_preprocessing: bool = True,
    name: str = "efficientnetv2-b2",
) -> Functional:
    """EfficientNetV2-B0 with 1.2 times the blocks and 1.1 times the channels, for images of 260x260.

    Args:
        include_top, ..., name: See `EfficientNetV2B0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.EfficientNetV2B2(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1408)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network("B2", include_preprocessing, *given)


def EfficientNetV2B3(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    include_preprocessing: bool = True,
    name: str = "efficientnetv2-b3",
) -> Functional:
    """EfficientNetV2-B0 with 1.4 times the blocks and 1.2 times the channels, for images of 300x300.

    Args:
        include_top, ..., name: See `EfficientNetV2B0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    ```python
    model = cconv.applications.EfficientNetV2B3(include_top=False, pooling="avg")  # to 1536 features
    ```
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network("B3", include_preprocessing, *given)


def EfficientNetV2S(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    include_preprocessing: bool = True,
    name: str = "efficientnetv2-s",
) -> Functional:
    """Ten inverted residual blocks of full 3x3 convolutions, then thirty of separable ones, for images of 384x384.

    Args:
        include_top, ..., name: See `EfficientNetV2B0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    ```python
    model = cconv.applications.EfficientNetV2S(include_top=False, pooling="avg")  # to 1280 features
    ```
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network("S", include_preprocessing, *given)


def EfficientNetV2M(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    include_preprocessing: bool = True,
    name: str = "efficientnetv2-m",
) -> Functional:
    """EfficientNetV2-S with 13 and 44 blocks, for images of 480x480.

    Args:
        include_top, ..., name: See `EfficientNetV2B0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    ```python
    model = cconv.applications.EfficientNetV2M(include_top=False, pooling="avg")  # to 1280 features
    ```
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network("M", include_preprocessing, *given)


def EfficientNetV2L(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    include_preprocessing: bool = True,
    name: str = "efficientnetv2-l",
) -> Functional:
    """EfficientNetV2-S with 18 and 61 blocks, for images of 480x480.

    Args:
        include_top, ..., name: See `EfficientNetV2B0`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    ```python
    model = cconv.applications.EfficientNetV2L(include_top=False, pooling="avg")  # to 1280 features
    ```
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network("L", include_preprocessing, *given)


def _network(variant: str, include_preprocessing: bool, *given: Any) -> Functional:
    facts = _VARIANTS[variant]
    dense = VarianceScaling(1 / 3, "fan_out", "uniform")
    made = lambda images: _features(images, facts, include_preprocessing)  # noqa: E731
    return image_network(made, *given, facts.side, 0.2, dense, tables=(EFFICIENTNET_V2,))


def _features(images: Tensor, facts: _Variant, include_preprocessing: bool) -> Tensor:
    """The network up to its last activation."""

    def channels(wanted: int) -> int:
        return rounded_channels(wanted * facts.width, kept=0)

    x = _normalized(images, facts.colors) if include_preprocessing else images
    x = _convolved(x, channels(facts.stem), 3, "stem", strides=2)
    blocks = sum(count for count, *_ in (*facts.fused, *facts.separable))
    done = 0
    for i, (count, wanted, factor, strides) in enumerate((*facts.fused, *facts.separable)):
        block = _fused_block if i < len(facts.fused) else _separable_block
        for j in range(math.ceil(facts.depth * count)):
            name, dropped = f"block{i + 1}{chr(ord('a') + j)}_", DROPPED * done / blocks
            before, stride = x, 1 if j else strides
            x = block(x, channels(wanted), factor, stride, name)
            if stride == 1 and before.shape == x.shape:
                x = shortcut(before, x, dropped, name)
            done += 1
    return _convolved(x, channels(1280), 1, "top")


def _normalized(images: Tensor, colors: bool) -> Tensor:
    if colors and images.shape[channel_axis()] == len(_MEAN):
        x = layers.Rescaling(1 / 255)(images)
        return layers.Normalization(channel_axis(), mean=_MEAN, variance=[each**2 for each in _DEVIATION])(x)
    return layers.Rescaling(1 / 128, -1)(images)


def _fused_block(x: Tensor, channels: int, factor: int, strides: int, name: str) -> Tensor:
    """Widened by 3x3, narrowed by 1x1; for factor 1 only one 3x3."""
    if factor == 1:
        return _convolved(x, channels, 3, f"{name}project", strides=strides)
    x = _convolved(x, factor * x.shape[channel_axis()], 3, f"{name}expand", strides=strides)
    return _convolved(x, channels, 1, f"{name}project", activated=False)


def _separable_block(x: Tensor, channels: int, factor: int, strides: int, name: str) -> Tensor:
    """Widened by 1x1, convolved channel by channel, weighted, narrowed by 1x1."""
    before = x.shape[channel_axis()]
    x = _convolved(x, factor * before, 1, f"{name}expand")
    settings = {"strides": strides, "padding": "same", "use_bias": False, "depthwise_initializer": spread()}
    x = layers.DepthwiseConv2D(3, **settings, name=f"{name}dwconv2")(x)
    x = layers.BatchNormalization(axis=channel_axis(), momentum=0.9, name=f"{name}bn")(x)
    x = layers.Activation("swish", name=f"{name}activation")(x)
    x = excited(x, max(1, before // 4), name)
    return _convolved(x, channels, 1, f"{name}project", activated=False)


def _convolved(x: Tensor, channels: int, kernel: int, name: str, activated: bool = True, strides: int = 1) -> Tensor:
    """Convolution, batch normalization and activation, named `<name>_conv`, `<name>_bn`, `<name>_activation`."""
    settings = {"strides": strides, "padding": "same", "use_bias": False, "kernel_initializer": spread()}
    x = layers.Conv2D(channels, kernel, **settings, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(axis=channel_axis(), momentum=0.9, name=f"{name}_bn")(x)
    return layers.Activation("swish", name=f"{name}_activation")(x) if activated else x
