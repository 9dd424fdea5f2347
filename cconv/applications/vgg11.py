"""VGG-11 (Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from ..models.model import Functional
from ..tensor import Tensor
from . import imagenet_utils
from .imagenet_utils import decode_predictions
from .vgg import vgg

__all__ = ["VGG11", "decode_predictions", "preprocess_input"]

_BLOCKS = ((64, 1), (128, 1), (256, 2), (512, 2), (512, 2))  # channels, convolutions


def VGG11(  # noqa: N802 (named as Keras' are)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "vgg11",
    *,
    batch_norm: bool = False,
) -> Functional:
    """Eight convolutions of 3x3 in five blocks, each ended by max pooling, then three dense layers.

    Args:
        include_top: Whether the dense layers follow the convolutions.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.
        batch_norm: Whether batch normalization follows each convolution, as in torchvision's networks of this kind.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.VGG11(include_top=False, input_shape=(64, 64, 3))
    >>> model.output_shape
    (None, 2, 2, 512)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return vgg(_BLOCKS, *given, batch_norm=batch_norm)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Red, green and blue of 0 to 1, less their means over ImageNet, divided by their deviations; from 0 to 255.

    So torchvision's networks of this kind see them. `cconv.applications.imagenet_utils.preprocess_input`, mode
    `"torch"`.

    Example:

    >>> print(cconv.applications.vgg11.preprocess_input(np.full((1, 1, 3), 255.0)).round(2))
    [[[2.25 2.43 2.64]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="torch")
