"""ResNet (He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015) of 50, 101 and 152 layers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import layers
from ..models.model import Functional
from ..tensor import Tensor
from . import imagenet_utils, torch_names
from .attention import ResidualAttention
from .building import channel_axis, check_like, image_network, normalized, relu
from .imagenet_utils import decode_predictions

__all__ = ["ResNet101", "ResNet152", "ResNet50", "decode_predictions", "preprocess_input"]


def ResNet50(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "resnet50",
    *,
    like: str = "keras",
    attention: str | Callable[[Tensor], Tensor] | None = None,
) -> Functional:
    """A convolution of 7x7, then sixteen residual blocks of three convolutions each, in four stacks.

    Args:
        include_top: Whether average pooling and a dense layer follow the blocks.
        weights: `None`: random weights. `"imagenet"`: those that Keras published, downloaded once. Or the path of a
            file of Keras, cconv or PyTorch: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.
        like: `"keras"`, or `"torchvision"`: strides in the convolutions of 3x3 instead of those of 1x1, no biases
            before batch normalization, whose epsilon is 1e-5. Files of torchvision and timm are trained for that, with
            images of `imagenet_utils.preprocess_input(..., mode="torch")`.
        attention: What weights the last normalization of each residual block before it is added: `"se"`, `"scse"`,
            `"cbam"`, or `"gc"` (but not in the first stack); a function that takes a tensor and gives one of the same
            shape, called for every block. `"nonlocal"` stands as in its paper behind every second block of the stacks
            `conv3` and `conv4`.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.ResNet50(input_shape=(64, 64, 3), classes=10)
    >>> model.output_shape, len(model.layers)
    ((None, 10), 177)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network((3, 4, 6, 3), like, attention, "resnet50", given)


def ResNet101(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "resnet101",
    *,
    like: str = "keras",
    attention: str | Callable[[Tensor], Tensor] | None = None,
) -> Functional:
    """ResNet-50 with thirty-three residual blocks.

    Args:
        include_top, ..., attention: See `ResNet50`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> model = cconv.applications.ResNet101(include_top=False, input_shape=(32, 32, 3))
    >>> model.output_shape, len(model.layers)
    ((None, 1, 1, 2048), 345)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network((3, 4, 23, 3), like, attention, "resnet101", given)


def ResNet152(  # noqa: N802 (Keras' name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "resnet152",
    *,
    like: str = "keras",
    attention: str | Callable[[Tensor], Tensor] | None = None,
) -> Functional:
    """ResNet-50 with fifty residual blocks.

    Args:
        include_top, ..., attention: See `ResNet50`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> model = cconv.applications.ResNet152(include_top=False, input_shape=(32, 32, 3))
    >>> model.output_shape, len(model.layers)
    ((None, 1, 1, 2048), 515)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _network((3, 8, 36, 3), like, attention, "resnet152", given)


def _network(blocks: Sequence[int], like: str, attention: Any, published: str, given: Sequence[Any]) -> Functional:
    """The network of so many blocks in each stack, in Keras' form or in torchvision's."""
    torchvision, attend = check_like(like, given[1]), ResidualAttention(attention)
    table = torch_names.RESNET if torchvision else torch_names.RESNET_LIKE_KERAS
    settings: dict[str, Any] = {"tables": (table,), "published": published}
    return image_network(lambda images: _features(images, blocks, torchvision, attend), *given, **settings)


def _features(images: Tensor, blocks: Sequence[int], torchvision: bool, attend: ResidualAttention) -> Tensor:
    """The network up to its last block; `blocks`: their number in each stack."""
    convolution = _torchvisions if torchvision else _convolution
    x = layers.ZeroPadding2D(3, name="conv1_pad")(images)
    x = relu(convolution(x, 64, 7, "conv1", strides=2), "conv1_relu")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for i, count in enumerate(blocks):
        for j in range(1, count + 1):
            x = _block(x, 64 << i, i + 2, j, attend, torchvision, 2 if i and j == 1 else 1)
    return x


def _block(
    x: Tensor, channels: int, stage: int, number: int, attend: ResidualAttention, torchvision: bool, strides: int
) -> Tensor:
    """Down to `channels` by 1x1, 3x3, up to four times as many by 1x1, added to the input.

    The input is brought to the new size by a convolution of its own in the first block of a stack. `strides`: of the
    first convolution, or of the second as in torchvision.
    """
    convolution = _torchvisions if torchvision else _convolution
    name, first, second = f"conv{stage}_block{number}", *((1, strides) if torchvision else (strides, 1))
    shortcut = convolution(x, 4 * channels, 1, f"{name}_0", strides=strides) if number == 1 else x
    x = relu(convolution(x, channels, 1, f"{name}_1", strides=first), f"{name}_1_relu")
    if second == 1:
        x = convolution(x, channels, 3, f"{name}_2", padding="same")
    else:
        x = convolution(layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x), channels, 3, f"{name}_2", strides=second)
    x = convolution(relu(x, f"{name}_2_relu"), 4 * channels, 1, f"{name}_3")
    x = layers.Add(name=f"{name}_add")([shortcut, attend.in_branch(x, stage, number)])
    return attend.behind(relu(x, f"{name}_out"), stage, number)


def _convolution(x: Tensor, channels: int, kernel: int, name: str, **settings: Any) -> Tensor:
    """Convolution and batch normalization, named `<name>_conv` and `<name>_bn`."""
    x = layers.Conv2D(channels, kernel, name=f"{name}_conv", **settings)(x)
    return normalized(x, f"{name}_bn")


def _torchvisions(x: Tensor, channels: int, kernel: int, name: str, **settings: Any) -> Tensor:
    """The same as torchvision has it."""
    x = layers.Conv2D(channels, kernel, use_bias=False, name=f"{name}_conv", **settings)(x)
    return layers.BatchNormalization(channel_axis(), momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Blue, green and red less their means over ImageNet, from red, green and blue of 0 to 255.

    See `cconv.applications.imagenet_utils.preprocess_input`, mode `"caffe"`.

    Example:

    >>> print(cconv.applications.resnet50.preprocess_input(np.full((1, 1, 3), 128.0)).round(2))
    [[[24.06 11.22  4.32]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="caffe")
