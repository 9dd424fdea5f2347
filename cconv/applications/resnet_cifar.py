"""ResNet for small images (He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015, section 4.2)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from .. import layers, ops
from ..models.model import Functional
from ..tensor import Tensor
from .attention import ResidualAttention
from .building import channel_axis, check_arguments, image_input, image_shape, make_model, pooled, relu
from .resnet_basic import block, convolution

__all__ = ["ResNet20"]


def ResNet20(  # noqa: N802 (named as Keras' are)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "resnet20",
    *,
    depth: int = 20,
    shortcut: str = "identity",
    attention: str | Callable[[Tensor], Tensor] | None = None,
) -> Functional:
    """A convolution of 3x3, then stacks of 16, 32 and 64 channels, each of three residual blocks of two convolutions.

    Args:
        include_top: Whether average pooling and a dense layer follow the blocks.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(32, 32, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.
        depth: Number of layers, 2 more than a multiple of 6: the paper has also 32, 44, 56 and 110.
        shortcut: How the first block of a stack sees its input: `"identity"`, every second pixel, with channels of
            zeros beside its own (the paper's), or `"projection"`: by a convolution of 1x1.
        attention: `None`, `"se"` (SE-ResNet-20), `"scse"`, `"cbam"`, `"gc"`, `"nonlocal"` or a function: see
            `ResNet50`.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.ResNet20(attention="se")
    >>> model.input_shape, model.output_shape
    ((None, 32, 32, 3), (None, 10))
    """
    check_arguments(weights, include_top, pooling, classifier_activation)
    if depth < 8 or depth % 6 != 2:
        raise ValueError(f"`depth` must be 2 more than a multiple of 6, at least 8. Received: depth={depth!r}")
    if shortcut not in ("identity", "projection"):
        raise ValueError(f"`shortcut` must be 'identity' or 'projection'. Received: shortcut={shortcut!r}")
    attend = ResidualAttention(attention)
    images = image_input(image_shape(input_shape, include_top, 32), input_tensor)
    x = relu(convolution(images, 16, 3, "conv1", padding="same"), "conv1_relu")
    for i in range(3):
        for j in range(1, depth // 6 + 1):
            strides, beside = 1, x
            if i and j == 1:
                strides, beside = 2, _shortcut(x, shortcut, 16 << i, f"conv{i + 2}_block1_0")
            x = block(x, beside, 16 << i, strides, i + 2, j, attend)
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling, "avg_pool", "max_pool")
    return make_model(images, x, name, weights)


def _shortcut(x: Tensor, way: str, channels: int, name: str) -> Tensor:
    """A block's input with half the height and width, and `channels` channels."""
    if way == "projection":
        return convolution(x, channels, 1, name, strides=2)
    x = layers.MaxPooling2D(1, strides=2, name=f"{name}_pool")(x)
    widths = [(0, 0)] * 4
    missing = channels - x.shape[channel_axis()]
    widths[channel_axis()] = (missing // 2, missing - missing // 2)
    return ops.pad(x, widths)
