"""AlexNet (Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, 2012).

And in one tower (Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import config, layers, ops
from ..models.model import Functional
from ..tensor import Tensor
from . import imagenet_utils, torch_names
from .building import check_arguments, image_input, image_shape, make_model, pooled
from .imagenet_utils import decode_predictions

__all__ = ["AlexNet", "decode_predictions", "preprocess_input"]

_SIDES = {"two_towers": (227, 67), "one_tower": (224, 63)}  # of images: usual, and least: the last pooling leaves one


def AlexNet(  # noqa: N802 (named as Keras' are)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "alexnet",
    *,
    form: str = "two_towers",
) -> Functional:
    """Five convolutions, the first of 11x11 in steps of four pixels, then three dense layers.

    Args:
        include_top: Whether the dense layers follow the convolutions.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 67x67 for two towers, 63x63 for one. By default `(227, 227, 3)` and
            `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.
        form: `"two_towers"`: three convolutions in two groups, and local response normalization before the first two
            poolings, as Caffe's file of the network has it; `"one_tower"`: other widths, no groups and no such
            normalization, and features brought to 6x6 by average pooling, as torchvision has it.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.AlexNet(include_top=False, input_shape=(227, 227, 3))
    >>> model.output_shape, model.count_params()
    ((None, 6, 6, 256), 2334080)
    """
    check_arguments(weights, include_top, pooling, classifier_activation)
    if form not in _SIDES:
        raise ValueError(f"`form` must be 'two_towers' or 'one_tower'. Received: form={form!r}")
    usual, least = _SIDES[form]
    shape = image_shape(input_shape, include_top, usual)
    sides = shape[1:] if config.image_data_format() == "channels_first" else shape[:2]
    if any(side is not None and side < least for side in sides):
        raise ValueError(f"Images must be at least {least}x{least}. Received: input_shape={input_shape}")
    images = image_input(shape, input_tensor)
    x = (_two_towers if form == "two_towers" else _one_tower)(images)
    if include_top:
        x = _dense(x, dropped_first=form == "one_tower")
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    tables = (torch_names.ALEXNET,) if form == "one_tower" else ()
    return make_model(images, x, name, weights, tables=tables)


def _two_towers(x: Tensor) -> Tensor:
    x = _normalized(_convolution(x, 1, 96, 11, strides=4))
    x = _normalized(_convolution(_halved(x, 1), 2, 256, 5, padding="same", groups=2))
    x = _convolution(_halved(x, 2), 3, 384, 3, padding="same")
    x = _convolution(x, 4, 384, 3, padding="same", groups=2)
    x = _convolution(x, 5, 256, 3, padding="same", groups=2)
    return _halved(x, 5)


def _one_tower(x: Tensor) -> Tensor:
    x = layers.ZeroPadding2D(2, name="conv1_pad")(x)
    x = _halved(_convolution(x, 1, 64, 11, strides=4), 1)
    x = _halved(_convolution(x, 2, 192, 5, padding="same"), 2)
    for i, channels in ((3, 384), (4, 256), (5, 256)):
        x = _convolution(x, i, channels, 3, padding="same")
    return _halved(x, 5)


def _convolution(x: Tensor, number: int, channels: int, kernel: int, **settings: Any) -> Tensor:
    return layers.Conv2D(channels, kernel, activation="relu", name=f"conv{number}", **settings)(x)


def _normalized(x: Tensor) -> Tensor:
    return ops.local_response_normalization(x, 5, alpha=1e-4, beta=0.75, data_format=config.image_data_format())


def _halved(x: Tensor, number: int) -> Tensor:
    return layers.MaxPooling2D(3, strides=2, name=f"pool{number}")(x)


def _dense(x: Tensor, dropped_first: bool) -> Tensor:
    """The two dense layers in the middle; dropout is before each of them in one tower, behind each in two."""
    if dropped_first:
        x = layers.AdaptiveAveragePooling2D(6, name="avg_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    for i in (6, 7):
        if dropped_first:
            x = layers.Dropout(0.5, name=f"drop{i}")(x)
        x = layers.Dense(4096, activation="relu", name=f"fc{i}")(x)
        if not dropped_first:
            x = layers.Dropout(0.5, name=f"drop{i}")(x)
    return x


def preprocess_input(x: Any, data_format: str | None = None, form: str = "two_towers") -> Any:
    """Pixels of 0 to 255 as the network of this form was trained on them.

    See `cconv.applications.imagenet_utils.preprocess_input`: mode `"caffe"` for two towers, `"torch"` for one.

    Args:
        x: Image or images: red, green and blue.
        data_format: `"channels_last"` or `"channels_first"`.
        form: That of the network.

    Example:

    >>> print(cconv.applications.alexnet.preprocess_input(np.full((1, 1, 3), 128.0)).round(2))
    [[[24.06 11.22  4.32]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="caffe" if form == "two_towers" else "torch")
