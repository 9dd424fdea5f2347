"""VGG-13 (Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ..models.model import Functional
from ..tensor import Tensor
from .imagenet_utils import decode_predictions
from .vgg import vgg
from .vgg11 import preprocess_input

__all__ = ["VGG13", "decode_predictions", "preprocess_input"]

_BLOCKS = ((64, 2), (128, 2), (256, 2), (512, 2), (512, 2))  # channels, convolutions


def VGG13(  # noqa: N802 (named as Keras' are)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "vgg13",
    *,
    batch_norm: bool = False,
) -> Functional:
    """VGG-11 with ten convolutions.

    Args:
        include_top, ..., batch_norm: See `VGG11`.

    Raises:
        ValueError: An argument is none of those there, or the file does not fit.

    Example:

    >>> cconv.applications.VGG13(include_top=False, input_shape=(64, 64, 3)).output_shape
    (None, 2, 2, 512)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return vgg(_BLOCKS, *given, batch_norm=batch_norm)
