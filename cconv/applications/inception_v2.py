"""Inception-v2, or BN-Inception (Ioffe, Szegedy: Batch Normalization, 2015).

It is what the paper of batch normalization describes, in the layout its published weights have (that of Caffe:
convolutions with a bias, means of 3x3 in which the zeros around the image count); not the network of 42 layers that a
later paper names Inception-v2 in passing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from ..models.model import Functional
from ..tensor import Tensor
from . import imagenet_utils
from .building import image_network
from .imagenet_utils import decode_predictions
from .inception_parts import Style, branches, steps

__all__ = ["InceptionV2", "decode_predictions", "preprocess_input"]

_STYLE = Style(epsilon=1e-5, use_bias=True, padded=True, pools="same", zeros_count=True)
_STEM = "7x7 64/2, max/2, 1x1 64, 3x3 192, max/2"


def _block(one: int, three: tuple[int, int], double: tuple[int, int], pool: str, channels: int) -> tuple[str, ...]:
    """1x1; 1x1 and 3x3; 1x1 and twice 3x3; a pooling and 1x1."""
    twice = f"1x1 {double[0]}, 3x3 {double[1]}, 3x3 {double[1]}"
    return f"1x1 {one}", f"1x1 {three[0]}, 3x3 {three[1]}", twice, f"{pool}, 1x1 {channels}"


def _halving(three: tuple[int, int], double: tuple[int, int]) -> tuple[str, ...]:
    """The same at half the size, without 1x1 alone and behind the pooling."""
    return f"1x1 {three[0]}, 3x3 {three[1]}/2", f"1x1 {double[0]}, 3x3 {double[1]}, 3x3 {double[1]}/2", "max/2"


_BLOCKS = {
    "3a": _block(64, (64, 64), (64, 96), "average", 32),
    "3b": _block(64, (64, 96), (64, 96), "average", 64),
    "3c": _halving((128, 160), (64, 96)),
    "4a": _block(224, (64, 96), (96, 128), "average", 128),
    "4b": _block(192, (96, 128), (96, 128), "average", 128),
    "4c": _block(160, (128, 160), (128, 160), "average", 128),
    "4d": _block(96, (128, 192), (160, 192), "average", 128),
    "4e": _halving((128, 192), (192, 256)),
    "5a": _block(352, (192, 320), (160, 224), "average", 128),
    "5b": _block(352, (192, 320), (192, 224), "max", 128),
}


def InceptionV2(  # noqa: N802 (the usual name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "inception_v2",
) -> Functional:
    """Ten blocks of convolutions side by side, of windows of 1x1 and 3x3, with batch normalization behind each.

    Args:
        include_top: Whether average pooling and a dense layer follow the convolutions.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.InceptionV2()
    >>> model.output_shape, model.count_params()
    ((None, 1000), 11315272)
    """
    given = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return image_network(_features, *given)


def _features(images: Tensor) -> Tensor:
    """The network up to its last block."""
    x = steps(images, _STEM, _STYLE)
    for name, tables in _BLOCKS.items():
        x = branches(x, tables, _STYLE, f"inception_{name}")
    return x


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Blue, green and red less their means over ImageNet, from red, green and blue of 0 to 255.

    See `cconv.applications.imagenet_utils.preprocess_input`, mode `"caffe"`.

    Example:

    >>> print(cconv.applications.inception_v2.preprocess_input(np.full((1, 1, 3), 128.0)).round(2))
    [[[24.06 11.22  4.32]]]
    """
    return imagenet_utils.preprocess_input(x, data_format, mode="caffe")
