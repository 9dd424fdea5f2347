"""ConvNeXt (Liu, Mao, Wu, Feichtenhofer, Darrell, Xie: A ConvNet for the 2020s, 2022), Tiny to XLarge."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import config, layers
from ..models.model import Functional
from ..models.sequential import Sequential
from ..tensor import Tensor
from . import torch_names
from .building import check_arguments, image_input, image_shape, make_model
from .efficientnet import preprocess_input
from .imagenet_utils import decode_predictions

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "decode_predictions",
    "preprocess_input",
]

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_LAST = "channels_last"  # the layout within the network: its normalization and dense layers are of the last axis


def ConvNeXtTiny(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "convnext_tiny",
    drop_path_rate: float = 0.0,
) -> Functional:
    """Eighteen residual blocks of a 7x7 convolution channel by channel and two dense layers, of 96 to 768 channels.

    With `cconv.config.image_data_format() == "channels_first"` the images are brought into the other layout within.

    Args:
        include_top: Whether average pooling and a dense layer follow the blocks.
        include_preprocessing: Whether the network begins with the normalization of images, given as 0 to 255.
        weights: `None`: random weights. `"imagenet"`: those that Keras published, downloaded once. Or the path of a
            file of Keras, cconv or PyTorch: see `cconv.saving.load_weights`. Files of torchvision and timm
            fit as they are.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model, and the first part of those of its layers.
        drop_path_rate: Share of the samples that are without the last block in training; without others so much less.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.ConvNeXtTiny(input_shape=(32, 32, 3), classes=10)
    >>> model.output_shape, model.count_params()
    ((None, 10), 27827818)
    """
    given = (weights, input_tensor, input_shape, pooling, classes, classifier_activation, name, drop_path_rate)
    return _network((3, 3, 9, 3), 96, include_top, include_preprocessing, *given)


def ConvNeXtSmall(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "convnext_small",
    drop_path_rate: float = 0.0,
) -> Functional:
    """ConvNeXt-Tiny with thirty-six blocks.

    Args:
        include_top, ..., drop_path_rate: See `ConvNeXtTiny`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.ConvNeXtSmall(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 768)
    """
    given = (weights, input_tensor, input_shape, pooling, classes, classifier_activation, name, drop_path_rate)
    return _network((3, 3, 27, 3), 96, include_top, include_preprocessing, *given)


def ConvNeXtBase(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "convnext_base",
    drop_path_rate: float = 0.0,
) -> Functional:
    """ConvNeXt-Tiny with thirty-six blocks, of 128 to 1024 channels.

    Args:
        include_top, ..., drop_path_rate: See `ConvNeXtTiny`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    ```python
    model = cconv.applications.ConvNeXtBase(include_top=False, pooling="avg")  # to 1024 features
    ```
    """
    given = (weights, input_tensor, input_shape, pooling, classes, classifier_activation, name, drop_path_rate)
    return _network((3, 3, 27, 3), 128, include_top, include_preprocessing, *given)


def ConvNeXtLarge(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "convnext_large",
    drop_path_rate: float = 0.0,
) -> Functional:
    """ConvNeXt-Tiny with thirty-six blocks, of 192 to 1536 channels.

    Args:
        include_top, ..., drop_path_rate: See `ConvNeXtTiny`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    ```python
    model = cconv.applications.ConvNeXtLarge(include_top=False, pooling="avg")  # to 1536 features
    ```
    """
    given = (weights, input_tensor, input_shape, pooling, classes, classifier_activation, name, drop_path_rate)
    return _network((3, 3, 27, 3), 192, include_top, include_preprocessing, *given)


def ConvNeXtXLarge(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "convnext_xlarge",
    drop_path_rate: float = 0.0,
) -> Functional:
    """ConvNeXt-Tiny with thirty-six blocks, of 256 to 2048 channels.

    Args:
        include_top, ..., drop_path_rate: See `ConvNeXtTiny`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    ```python
    model = cconv.applications.ConvNeXtXLarge(include_top=False, pooling="avg")  # to 2048 features
    ```
    """
    given = (weights, input_tensor, input_shape, pooling, classes, classifier_activation, name, drop_path_rate)
    return _network((3, 3, 27, 3), 256, include_top, include_preprocessing, *given)


def _network(
    blocks: Sequence[int],
    channels: int,
    include_top: bool,
    include_preprocessing: bool,
    weights: Any,
    input_tensor: Tensor | None,
    input_shape: Sequence[int | None] | None,
    pooling: str | None,
    classes: int,
    classifier_activation: Any,
    name: str,
    drop_path_rate: float,
) -> Functional:
    """The network of so many blocks in each of its stages, with so many channels in the first."""
    check_arguments(weights, include_top, pooling, classifier_activation)
    images = image_input(image_shape(input_shape, include_top), input_tensor)
    turned = config.image_data_format() == "channels_first"
    x = layers.Permute((2, 3, 1))(images) if turned else images
    if include_preprocessing and x.shape[-1] == len(_MEAN):
        statistics = {"mean": [255 * mean for mean in _MEAN], "variance": [(255 * each) ** 2 for each in _DEVIATION]}
        x = layers.Normalization(**statistics, name=f"{name}_prestem_normalization")(x)
    rates = iter(np.linspace(0, drop_path_rate, sum(blocks)).tolist())
    for i, count in enumerate(blocks):
        x = _smaller(i, channels << i, name)(x)
        for j in range(count):
            x = _block(x, next(rates), f"{name}_stage_{i}_block_{j}")
    if include_top:
        x = layers.GlobalAveragePooling2D(_LAST, name=f"{name}_head_gap")(x)
        x = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_head_layernorm")(x)
        x = layers.Dense(classes, activation=classifier_activation, name=f"{name}_head_dense")(x)
    else:
        if pooling:
            x = (layers.GlobalAveragePooling2D if pooling == "avg" else layers.GlobalMaxPooling2D)(_LAST)(x)
        x = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Permute((3, 1, 2))(x) if turned and not pooling else x
    return make_model(images, x, name, weights, tables=torch_names.convnext(name))


def _smaller(stage: int, channels: int, name: str) -> Sequential:
    """What brings images to the size and the channels of a stage: 4x4 with stride 4, then 2x2 with stride 2."""
    step = 2 if stage else 4
    names = ("downsampling_conv", "downsampling_layernorm", "downsampling_block") if stage else (
        "stem_conv", "stem_layernorm", "stem")  # fmt: skip
    convolution, normalization, whole = (f"{name}_{part}" + (f"_{stage - 1}" if stage else "") for part in names)
    parts = [
        layers.Conv2D(channels, step, strides=step, data_format=_LAST, name=convolution),
        layers.LayerNormalization(epsilon=1e-6, name=normalization),
    ]
    return Sequential(parts[::-1] if stage else parts, name=whole)


def _block(inputs: Tensor, rate: float, name: str) -> Tensor:
    """7x7 on each channel alone, then for each pixel four times the channels and back; weighted, added to the input."""
    channels = inputs.shape[-1]
    settings = {"padding": "same", "groups": channels, "data_format": _LAST}
    x = layers.Conv2D(channels, 7, **settings, name=f"{name}_depthwise_conv")(inputs)
    x = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_layernorm")(x)
    x = layers.Dense(4 * channels, name=f"{name}_pointwise_conv_1")(x)
    x = layers.Activation("gelu", name=f"{name}_gelu")(x)
    x = layers.Dense(channels, name=f"{name}_pointwise_conv_2")(x)
    x = layers.LayerScale(1e-6, channels, name=f"{name}_layer_scale")(x)
    if rate:
        x = layers.StochasticDepth(rate, name=f"{name}_stochastic_depth")(x)
    else:
        x = layers.Activation("linear", name=f"{name}_identity")(x)
    return inputs + x
