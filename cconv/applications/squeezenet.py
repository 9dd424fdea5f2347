"""SqueezeNet (Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer: SqueezeNet: AlexNet-level accuracy with 50x fewer
parameters and <0.5MB model size, 2016)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from .. import layers
from ..initializers import RandomNormal
from ..models.model import Functional
from ..tensor import Tensor
from . import torch_names
from .building import channel_axis, check_arguments, image_input, image_shape, make_model, pooled, relu
from .densenet import preprocess_input
from .imagenet_utils import decode_predictions

__all__ = ["SqueezeNet", "decode_predictions", "preprocess_input"]

# kernel and channels of the first convolution, the fire modules before which the image is halved
_VERSIONS = {"1.0": (7, 96, (2, 5, 9)), "1.1": (3, 64, (2, 4, 6))}
# channels of the squeeze layer, and of each half of the expand layer, of fire modules 2 to 9
_FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))


def SqueezeNet(  # noqa: N802 (a class's name, as of Keras' networks)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    version: str = "1.0",
    name: str = "squeezenet",
) -> Functional:
    """Eight fire modules: fewer channels by 1x1, then more by 1x1 and 3x3; classified by a convolution, no dense layer.

    Args:
        include_top: Whether dropout, a 1x1 convolution and average pooling follow the modules.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        version: `"1.0"`, as in the paper, or the authors' `"1.1"`, which takes less than half of the time.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.SqueezeNet(version="1.1")
    >>> model.output_shape, model.count_params()
    ((None, 1000), 1235496)
    """
    check_arguments(weights, include_top, pooling, classifier_activation)
    if version not in _VERSIONS:
        raise ValueError(f"`version` must be '1.0' or '1.1'. Received: version={version!r}")
    images = image_input(image_shape(input_shape, include_top), input_tensor)
    kernel, channels, halved = _VERSIONS[version]
    x = layers.Conv2D(channels, kernel, strides=2, kernel_initializer="he_uniform", name="conv1")(images)
    x = relu(x, "conv1_relu")
    for i, (squeezed, expanded) in enumerate(_FIRES, 2):
        if i in halved:
            x = _halved(x, f"pool{i - 1}")
        x = _fire(x, squeezed, expanded, f"fire{i}")
    if include_top:
        x = layers.Dropout(0.5, name="drop9")(x)
        x = relu(layers.Conv2D(classes, 1, kernel_initializer=RandomNormal(0, 0.01), name="conv10")(x), "conv10_relu")
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Activation(classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling, "avg_pool", "max_pool")
    return make_model(images, x, name, weights, tables=(torch_names.squeezenet(halved),))


def _fire(x: Tensor, squeezed: int, expanded: int, name: str) -> Tensor:
    x = _convolved(x, squeezed, 1, f"{name}_squeeze1x1")
    wide = [_convolved(x, expanded, kernel, f"{name}_expand{kernel}x{kernel}") for kernel in (1, 3)]
    return layers.Concatenate(axis=channel_axis(), name=f"{name}_concat")(wide)


def _convolved(x: Tensor, channels: int, kernel: int, name: str) -> Tensor:
    x = layers.Conv2D(channels, kernel, padding="same", kernel_initializer="he_uniform", name=name)(x)
    return relu(x, f"{name}_relu")


def _halved(x: Tensor, name: str) -> Tensor:
    """Maxima of 3x3 every two pixels, the last of which may reach beyond the image: zeros are below what ReLU gives."""
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name=name)(x)
