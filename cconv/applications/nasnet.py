"""NASNet-A (Zoph, Vasudevan, Shlens, Le: Learning Transferable Architectures for Scalable Image Recognition, 2018)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import config, layers
from ..models.model import Functional
from ..saving.name_tables import NameTable
from ..tensor import Tensor
from . import imagenet_utils
from .building import (
    channel_axis,
    check_arguments,
    halving_padding,
    image_input,
    image_shape,
    make_model,
    pooled,
    sides_of,
)
from .imagenet_utils import decode_predictions

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

_OF_OTHERS = NameTable(
    "timm",
    {},
    refused="NASNet of timm takes the largest values of windows without the zeros around an image. This model, which "
    "is Keras', takes them with the zeros, and gives other results with the same weights.",
)


def NASNetMobile(  # noqa: N802 (Keras' name)
    input_shape: Sequence[int | None] | None = None,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "nasnet_mobile",
) -> Functional:
    """Cells that a search has found: each makes of what the two before it have made five sums, beside each other.

    Args:
        input_shape: Shape of an image, at least 32x32; all sizes must be known. By default `(224, 224, 3)`.
        include_top: Whether average pooling and a dense layer follow the cells.
        weights: `None`: random weights. `"imagenet"`: those that Keras published, downloaded once. Or the path of a
            file of Keras or cconv: see `cconv.saving.load_weights`. Those of timm are for another network.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.NASNetMobile(include_top=False)
    >>> model.output_shape, model.count_params()
    ((None, 7, 7, 1056), 4269716)
    """
    given = (input_shape, include_top, weights, input_tensor, pooling, classes, classifier_activation, name)
    return _network(44, 4, 32, skips_reduction=False, side=224, given=given)


def NASNetLarge(  # noqa: N802 (Keras' name)
    input_shape: Sequence[int | None] | None = None,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "nasnet_large",
) -> Functional:
    """NASNet-A of more and wider cells, for images of 331x331.

    Args:
        input_shape, ..., name: See `NASNetMobile`; images have by default the shape `(331, 331, 3)`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> model = cconv.applications.NASNetLarge(include_top=False, input_shape=(32, 32, 3))
    >>> model.output_shape, model.count_params()
    ((None, 1, 1, 4032), 84916818)
    """
    given = (input_shape, include_top, weights, input_tensor, pooling, classes, classifier_activation, name)
    return _network(168, 6, 96, skips_reduction=True, side=331, given=given)


def _network(
    channels: int, cells: int, stem: int, skips_reduction: bool, side: int, given: tuple[Any, ...]
) -> Functional:
    """Three rows of `cells` normal cells: of `channels`, twice, and four times as many.

    The cell after a reduction reads what the reduction has read; with `skips_reduction` what the cell before it has.
    """
    input_shape, include_top, weights, input_tensor, pooling, classes, classifier_activation, name = given
    check_arguments(weights, include_top, pooling, classifier_activation)
    if not input_shape:
        input_shape = (3, side, side) if config.image_data_format() == "channels_first" else (side, side, 3)
    images = image_input(image_shape(input_shape, include_top=False), input_tensor)
    if None in sides_of(images):
        raise ValueError(
            "NASNet needs images of known size: how many zeros are put around them depends on whether it is odd. "
            f"Received: images of the shape {images.shape[1:]}"
        )
    x = layers.Conv2D(stem, 3, strides=2, use_bias=False, name="stem_conv1", kernel_initializer="he_normal")(images)
    x = _normalized(x, "stem_bn1")
    before = None
    x, before = _reduction(x, before, channels // 4, "stem_1")
    x, before = _reduction(x, before, channels // 2, "stem_2")
    for row in range(3):
        count = channels << row
        if row:
            x, read = _reduction(x, before, count, f"reduce_{row * cells}")
            before = before if skips_reduction else read
        for i in range(cells):
            x, before = _normal(x, before, count, f"{row * cells + i + (row > 0)}")
    x = layers.Activation("relu")(x)
    if include_top:
        x = layers.GlobalAveragePooling2D()(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    published = "nasnet_mobile" if side == 224 else "nasnet_large"
    return make_model(images, x, name, weights, tables=(_OF_OTHERS,), published=published)


def _normal(inputs: Tensor, before: Tensor, channels: int, number: str) -> tuple[Tensor, Tensor]:
    """A cell that leaves the size; it gives its output and its input, which the next cell reads both."""
    p = _fitted(before, inputs, channels, number)
    h = _narrowed(inputs, channels, f"normal_conv_1_{number}", f"normal_bn_1_{number}")

    def separable(x: Tensor, kernel: int, place: str) -> Tensor:
        return _separable(x, channels, kernel, f"normal_{place}_{number}")

    def mean(x: Tensor, place: str) -> Tensor:
        return layers.AveragePooling2D(3, strides=1, padding="same", name=f"normal_{place}_{number}")(x)

    def added(i: int, a: Tensor, b: Tensor) -> Tensor:
        return layers.add([a, b], name=f"normal_add_{i}_{number}")

    sums = [
        added(1, separable(h, 5, "left1"), separable(p, 3, "right1")),
        added(2, separable(p, 5, "left2"), separable(p, 3, "right2")),
        added(3, mean(h, "left3"), p),
        added(4, mean(p, "left4"), mean(p, "right4")),
        added(5, separable(h, 3, "left5"), h),
    ]
    return layers.concatenate([p, *sums], axis=channel_axis(), name=f"normal_concat_{number}"), inputs


def _reduction(inputs: Tensor, before: Tensor | None, channels: int, number: str) -> tuple[Tensor, Tensor]:
    """A cell that halves the size; it gives its output and its input."""
    p = _fitted(before, inputs, channels, number)
    h = _narrowed(inputs, channels, f"reduction_conv_1_{number}", f"reduction_bn_1_{number}")
    padded = layers.ZeroPadding2D(halving_padding(h, 3), name=f"reduction_pad_1_{number}")(h)

    def halved(x: Tensor, kernel: int, place: str) -> Tensor:
        return _separable(x, channels, kernel, f"reduction_{place}_{number}", strides=2)

    def pool(kind: type, place: str) -> Tensor:
        return kind(3, strides=2, name=f"reduction_{place}_{number}")(padded)

    one = layers.add([halved(h, 5, "left1"), halved(p, 7, "right1")], name=f"reduction_add_1_{number}")
    x = pool(layers.MaxPooling2D, "left2")
    two = layers.add([x, halved(p, 7, "right2")], name=f"reduction_add_2_{number}")
    x = pool(layers.AveragePooling2D, "left3")
    three = layers.add([x, halved(p, 5, "right3")], name=f"reduction_add3_{number}")
    x = layers.AveragePooling2D(3, strides=1, padding="same", name=f"reduction_left4_{number}")(one)
    four = layers.add([two, x])
    x = _separable(one, channels, 3, f"reduction_left4_{number}")
    five = layers.add([x, pool(layers.MaxPooling2D, "right5")], name=f"reduction_add4_{number}")
    sums = [two, three, four, five]
    return layers.concatenate(sums, axis=channel_axis(), name=f"reduction_concat_{number}"), inputs


def _fitted(before: Tensor | None, inputs: Tensor, channels: int, number: str) -> Tensor:
    """What the cell before the last has made, in the size of what the last has made, and of so many channels.

    Where it is twice as large, half of the channels come from every other pixel, half from those one to the right and
    below.
    """
    if before is None:
        return inputs
    if sides_of(before) != sides_of(inputs):
        x = layers.Activation("relu", name=f"adjust_relu_1_{number}")(before)
        first = _every_other(x, channels // 2, 1, number)
        x = layers.Cropping2D(((1, 0), (1, 0)))(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
        x = layers.concatenate([first, _every_other(x, channels // 2, 2, number)], axis=channel_axis())
        return _normalized(x, f"adjust_bn_{number}")
    if before.shape[channel_axis()] != channels:
        return _narrowed(before, channels, f"adjust_conv_projection_{number}", f"adjust_bn_{number}")
    return before


def _every_other(x: Tensor, channels: int, place: int, number: str) -> Tensor:
    x = layers.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{place}_{number}")(x)
    return _convolution(x, channels, f"adjust_conv_{place}_{number}")


def _narrowed(x: Tensor, channels: int, name: str, bn: str) -> Tensor:
    """ReLU, 1x1, batch normalization."""
    return _normalized(_convolution(layers.Activation("relu")(x), channels, name), bn)


def _convolution(x: Tensor, channels: int, name: str) -> Tensor:
    settings: dict[str, Any] = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    return layers.Conv2D(channels, 1, name=name, **settings)(x)


def _separable(x: Tensor, channels: int, kernel: int, name: str, strides: int = 1) -> Tensor:
    """Twice ReLU, a separable convolution, batch normalization; the first one with the strides."""
    for i in (1, 2):
        x = layers.Activation("relu")(x)
        step = strides if i == 1 else 1
        if step == 2:
            x = layers.ZeroPadding2D(halving_padding(x, kernel), name=f"separable_conv_1_pad_{name}")(x)
        x = layers.SeparableConv2D(
            channels,
            kernel,
            strides=step,
            padding="same" if step == 1 else "valid",
            use_bias=False,
            name=f"separable_conv_{i}_{name}",
        )(x)
        x = _normalized(x, f"separable_conv_{i}_bn_{name}")
    return x


def _normalized(x: Tensor, name: str) -> Tensor:
    return layers.BatchNormalization(axis=channel_axis(), momentum=0.9997, epsilon=1e-3, name=name)(x)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """From -1 to 1, from 0 to 255. See `cconv.applications.imagenet_utils.preprocess_input`, mode `"tf"`.

    Example:

    >>> cconv.applications.nasnet.preprocess_input(np.array([[[0, 51, 255]]], np.float32)).round(2).tolist()
    [[[-1.0, -0.6000000238418579, 1.0]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
