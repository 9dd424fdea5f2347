"""ResNet (He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015) of 18 and 34 layers.

They are torchvision's: no biases before batch normalization, whose epsilon is 1e-5, and as many zeros at each edge of
an image.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import layers
from ..models.model import Functional
from ..tensor import Tensor
from . import imagenet_utils, torch_names
from .attention import ResidualAttention
from .building import channel_axis, image_network, relu
from .imagenet_utils import decode_predictions

__all__ = ["ResNet18", "ResNet34", "decode_predictions", "preprocess_input"]


def ResNet18(  # noqa: N802 (named as Keras' are)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "resnet18",
    *,
    attention: str | Callable[[Tensor], Tensor] | None = None,
) -> Functional:
    """A convolution of 7x7, then eight residual blocks of two convolutions of 3x3, in four stacks.

    Args:
        include_top: Whether average pooling and a dense layer follow the blocks.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.
        attention: `None`, `"se"`, `"scse"`, `"cbam"`, `"gc"`, `"nonlocal"` or a function: see `ResNet50`.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.ResNet18(input_shape=(64, 64, 3), classes=10, attention="se")
    >>> model.output_shape, model.get_layer("conv5_block2_se").count_params()
    ((None, 10), 33312)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return image_network(
        lambda images: _features(images, (2, 2, 2, 2), attention), *given, tables=(torch_names.RESNET,)
    )


def ResNet34(  # noqa: N802
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "resnet34",
    *,
    attention: str | Callable[[Tensor], Tensor] | None = None,
) -> Functional:
    """ResNet-18 with sixteen residual blocks.

    Args:
        include_top, ..., attention: See `ResNet18`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.ResNet34(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 512)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return image_network(
        lambda images: _features(images, (3, 4, 6, 3), attention), *given, tables=(torch_names.RESNET,)
    )


def _features(images: Tensor, blocks: Sequence[int], attention: Any) -> Tensor:
    """The network up to its last block; `blocks`: their number in each stack."""
    attend = ResidualAttention(attention)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(images)
    x = relu(convolution(x, 64, 7, "conv1", strides=2), "conv1_relu")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for i, count in enumerate(blocks):
        for j in range(1, count + 1):
            strides = 2 if i and j == 1 else 1
            shortcut = x
            if strides == 2:
                shortcut = convolution(x, 64 << i, 1, f"conv{i + 2}_block1_0", strides=2)
            x = block(x, shortcut, 64 << i, strides, i + 2, j, attend)
    return x


def block(
    x: Tensor, shortcut: Tensor, channels: int, strides: int, stage: int, number: int, attend: ResidualAttention
) -> Tensor:
    """Two convolutions of 3x3, added to the shortcut."""
    name = f"conv{stage}_block{number}"
    if strides > 1:
        x = layers.ZeroPadding2D(1, name=f"{name}_1_pad")(x)
        x = convolution(x, channels, 3, f"{name}_1", strides=strides)
    else:
        x = convolution(x, channels, 3, f"{name}_1", padding="same")
    x = convolution(relu(x, f"{name}_1_relu"), channels, 3, f"{name}_2", padding="same")
    x = layers.Add(name=f"{name}_add")([shortcut, attend.in_branch(x, stage, number)])
    return attend.behind(relu(x, f"{name}_out"), stage, number)


def convolution(x: Tensor, channels: int, kernel: int, name: str, **settings: Any) -> Tensor:
    """Convolution and batch normalization, named `<name>_conv` and `<name>_bn`."""
    x = layers.Conv2D(channels, kernel, use_bias=False, name=f"{name}_conv", **settings)(x)
    return layers.BatchNormalization(axis=channel_axis(), momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Red, green and blue of 0 to 1, less their means over ImageNet, divided by their deviations; from 0 to 255.

    See `cconv.applications.imagenet_utils.preprocess_input`, mode `"torch"`.

    Example:

    >>> print(cconv.applications.resnet_basic.preprocess_input(np.full((1, 1, 3), 255.0)).round(2))
    [[[2.25 2.43 2.64]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="torch")
