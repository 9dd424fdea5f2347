"""Inception-ResNet-v1 (Szegedy et al.: Inception-v4, Inception-ResNet and the Impact of Residual Connections, 2016)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import layers
from ..models.model import Functional
from ..tensor import Tensor
from . import imagenet_utils
from .building import check_arguments, image_input, image_shape, make_model, pooled
from .imagenet_utils import decode_predictions
from .inception_parts import Style, branches, residual, steps

__all__ = ["InceptionResNetV1", "decode_predictions", "preprocess_input"]

_STYLE = Style()
_SMALLEST = 75
_STEM = "3x3 32/2, 3x3 32 valid, 3x3 64, max/2, 1x1 80 valid, 3x3 192 valid, 3x3 256/2"
_BLOCK35 = ("1x1 32", "1x1 32, 3x3 32", "1x1 32, 3x3 32, 3x3 32")
_BLOCK17 = ("1x1 128", "1x1 128, 1x7 128, 7x1 128")
_BLOCK8 = ("1x1 192", "1x1 192, 1x3 192, 3x1 192")
_TO_17 = ("3x3 384/2", "1x1 192, 3x3 192, 3x3 256/2", "max/2")
_TO_8 = ("1x1 256, 3x3 384/2", "1x1 256, 3x3 256/2", "1x1 256, 3x3 256, 3x3 256/2", "max/2")


def InceptionResNetV1(  # noqa: N802 (the paper's name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "inception_resnet_v1",
    embedding: int | None = None,
    dropout: float = 0.2,
) -> Functional:
    """Twenty-one blocks of convolutions side by side, a part of what they compute added to their input.

    As FaceNet of 2017 uses it: with `embedding=512`, for images of 160x160.

    Args:
        include_top: Whether average pooling and a dense layer follow the convolutions.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 75x75. By default `(299, 299, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.
        embedding: Channels of a dense layer with batch normalization before the one to the classes, by which images of
            faces are compared. Without the top the network ends there, and what it gives has length 1.
        dropout: Rate of the dropout before the first dense layer; 0 for none.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.InceptionResNetV1(False, input_shape=(160, 160, 3), embedding=512)
    >>> model.output_shape, model.count_params()
    ((None, 512), 23512224)
    """
    check_arguments(weights, include_top, pooling, classifier_activation)
    if embedding is not None and not include_top and pooling == "max":
        raise ValueError(
            "The embedding is one of means: with it `pooling` must be None or 'avg'. Received: pooling='max'"
        )
    images = image_input(image_shape(input_shape, include_top, 299, _SMALLEST), input_tensor)
    x = _features(images)
    if include_top or embedding is not None:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        if dropout > 0:
            x = layers.Dropout(dropout)(x)
    else:
        x = pooled(x, pooling, "avg_pool", "max_pool")
    if embedding is not None:
        x = layers.Dense(embedding, use_bias=False, name="embedding")(x)
        x = layers.BatchNormalization(epsilon=_STYLE.epsilon, name="embedding_bn")(x)
        if not include_top:
            x = layers.UnitNormalization(name="embedding_normalized")(x)
    if include_top:
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    return make_model(images, x, name, weights)


def _features(images: Tensor) -> Tensor:
    """The network up to its last block."""
    x = steps(images, _STEM, _STYLE)
    for i in range(1, 6):
        x = residual(x, _BLOCK35, 0.17, _STYLE, f"block35_{i}")
    x = branches(x, _TO_17, _STYLE, "mixed_6a")
    for i in range(1, 11):
        x = residual(x, _BLOCK17, 0.1, _STYLE, f"block17_{i}")
    x = branches(x, _TO_8, _STYLE, "mixed_7a")
    for i in range(1, 6):
        x = residual(x, _BLOCK8, 0.2, _STYLE, f"block8_{i}")
    return residual(x, _BLOCK8, 1.0, _STYLE, "block8_6", activated=False)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """From -1 to 1, from 0 to 255. See `cconv.applications.imagenet_utils.preprocess_input`, mode `"tf"`.

    Example:

    >>> cconv.applications.inception_resnet_v1.preprocess_input(np.array([[[0, 51, 255]]], np.float64)).tolist()
    [[[-1.0, -0.6, 1.0]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
