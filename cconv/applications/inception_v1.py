"""Inception-v1, or GoogLeNet (Szegedy et al.: Going Deeper with Convolutions, 2014)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import config, layers, ops
from ..models.model import Functional
from ..saving.name_tables import NameTable
from ..tensor import Tensor
from . import imagenet_utils
from .building import SMALLEST, check_arguments, image_input, image_shape, make_model, pooled
from .imagenet_utils import decode_predictions
from .inception_parts import Style, branches, convolution, convolutions, maximum, modules_of, steps

__all__ = ["InceptionV1", "decode_predictions", "preprocess_input"]

_ENDS_OUTSIDE = ((0, 1), (0, 1))  # the last window of a pooling, where it must: no pixel is left out
_STYLES = {
    "paper": Style(normalized=False, use_bias=True, padded=True, pools=_ENDS_OUTSIDE, first=1),
    "batch_norm": Style(padded=True, pools=_ENDS_OUTSIDE, first=1),
}
_SMALLEST_OF_HEADS = 79  # leaves the 5x5 pixels of which the paper's auxiliary heads take the mean

# channels of: 1x1; 1x1 and 3x3; 1x1 and 5x5; 1x1 behind the pooling
_BLOCKS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
_HEADS = {"4a": "auxiliary_1", "4d": "auxiliary_2"}


def InceptionV1(  # noqa: N802 (the usual name)
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    input_tensor: Tensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "inception_v1",
    form: str = "paper",
    auxiliary: bool = False,
    dropout: float = 0.4,
) -> Functional:
    """Nine blocks of convolutions side by side, of windows of 1x1, 3x3 and 5x5, and of a pooling.

    Args:
        include_top: Whether average pooling and a dense layer follow the convolutions.
        weights: `None`: random weights. Or the path of a file: see `cconv.saving.load_weights`. Files of
            torchvision's GoogLeNet fit `form="batch_norm"`.
        input_tensor: A symbolic tensor to read images from, instead of a new input.
        input_shape: Shape of an image, at least 32x32. By default `(224, 224, 3)`, or any size without the top.
        pooling: Of the features, without the top: `None` (none), `"avg"` or `"max"` over the whole image.
        classes: Number of outputs of the top.
        classifier_activation: Activation of the top; `None` gives logits.
        name: Name of the model.
        form: `"paper"`: local response normalization, windows of 5x5, no batch normalization. `"batch_norm"`: that
            behind each convolution instead, and 3x3 in place of 5x5, as torchvision's GoogLeNet.
        auxiliary: Whether two more outputs follow the first, from the blocks 4a and 4d, for the training:
            `compile(..., loss_weights=[1.0, 0.3, 0.3])`. Only with the top; the paper's need images of 79x79.
        dropout: Rate of the dropout before the dense layer; 0 for none.

    Raises:
        ValueError: An argument is none of those above, or the file does not fit.

    Example:

    >>> model = cconv.applications.InceptionV1()
    >>> model.output_shape, model.count_params()
    ((None, 1000), 6998552)
    >>> model = cconv.applications.InceptionV1(auxiliary=True, classes=10)
    >>> model.output_names
    ['predictions', 'auxiliary_1', 'auxiliary_2']
    """
    check_arguments(weights, include_top, pooling, classifier_activation)
    _check_form(form)
    if auxiliary and not include_top:
        raise ValueError("`auxiliary=True` needs `include_top=True`. Received: include_top=False")
    smallest = _SMALLEST_OF_HEADS if auxiliary and form == "paper" else SMALLEST
    images = image_input(image_shape(input_shape, include_top, 224, smallest), input_tensor)
    x = _stem(images, form)
    heads = []
    for block, channels in _BLOCKS.items():
        if block == "4a":
            x = maximum(x, 3, 2, _STYLES[form])
        elif block == "5a":
            x = maximum(x, 3 if form == "paper" else 2, 2, _STYLES[form])
        x = _block(x, channels, form, f"inception_{block}")
        if auxiliary and block in _HEADS:
            heads.append(_head(x, form, classes, classifier_activation, _HEADS[block]))
    tables = (_table(auxiliary),) if form == "batch_norm" else ()
    if not include_top:
        return make_model(images, pooled(x, pooling, "avg_pool", "max_pool"), name, weights, tables=tables)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if dropout > 0:
        x = layers.Dropout(dropout)(x)
    x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    return make_model(images, [x, *heads] if auxiliary else x, name, weights, tables=tables)


def _check_form(form: str) -> None:
    if form not in _STYLES:
        raise ValueError(f"`form` must be 'paper' or 'batch_norm'. Received: form={form!r}")


def _stem(images: Tensor, form: str) -> Tensor:
    """Three convolutions and two poolings; the paper's with local response normalization behind the first pooling and
    before the second."""
    style = _STYLES[form]
    x = maximum(steps(images, "7x7 64/2", style, "stem_1"), 3, 2, style)
    x = steps(_response_normalized(x, form), "1x1 64, 3x3 192", style, "stem_2")
    return maximum(_response_normalized(x, form), 3, 2, style)


def _response_normalized(x: Tensor, form: str) -> Tensor:
    if form != "paper":
        return x
    layout = config.image_data_format()
    return ops.local_response_normalization(x, 5, alpha=1e-4, beta=0.75, bias=1.0, data_format=layout)


def _block(x: Tensor, channels: tuple[int, ...], form: str, name: str) -> Tensor:
    return branches(x, _tables(channels, form), _STYLES[form], name)


def _tables(channels: tuple[int, ...], form: str) -> tuple[str, ...]:
    one, before_three, three, before_five, five, pool = channels
    large = "5x5" if form == "paper" else "3x3"
    return (
        f"1x1 {one}",
        f"1x1 {before_three}, 3x3 {three}",
        f"1x1 {before_five}, {large} {five}",
        f"max, 1x1 {pool}",
    )


def _table(auxiliary: bool) -> NameTable:
    """The names of layers in files of torchvision's GoogLeNet."""
    names = {"stem_1_0": "conv1", "stem_2_0": "conv2", "stem_2_1": "conv3"}
    for block, channels in _BLOCKS.items():
        names |= modules_of(f"inception_{block}", _tables(channels, "batch_norm"), f"inception{block}.branch{{}}", 1)
    heads = {f"{name}_conv": f"aux{i}.conv" for i, name in enumerate(_HEADS.values(), 1)} if auxiliary else {}
    top = {"predictions": "fc"}
    if auxiliary:
        top |= {"auxiliary_{i}_dense": "aux{i}.fc1", "auxiliary_{i}": "aux{i}.fc2"}
    rest = {"flattened": {"auxiliary_{i}_dense": 128}, "ignored": () if auxiliary else (r"aux\d\.",)}
    return convolutions("torchvision", names | heads, top, **rest)


def _head(x: Tensor, form: str, classes: int, activation: Any, name: str) -> Tensor:
    """A classifier of what a block in the middle has found."""
    if form == "paper":
        x = layers.AveragePooling2D(5, strides=3)(x)
    else:
        x = layers.AdaptiveAveragePooling2D(4)(x)
    x = layers.Flatten()(convolution(x, 128, 1, _STYLES[form], f"{name}_conv"))
    x = layers.Dropout(0.7)(layers.Dense(1024, activation="relu", name=f"{name}_dense")(x))
    return layers.Dense(classes, activation=activation, name=name)(x)


def preprocess_input(x: Any, data_format: str | None = None, form: str = "paper") -> Any:
    """As published weights of the form expect it, from red, green and blue of 0 to 255.

    See `cconv.applications.imagenet_utils.preprocess_input`: mode `"caffe"` for `form="paper"`, mode `"tf"` for
    `form="batch_norm"`.

    Example:

    >>> print(cconv.applications.inception_v1.preprocess_input(np.full((1, 1, 3), 128.0)).round(2))
    [[[24.06 11.22  4.32]]]
    """
    _check_form(form)
    return imagenet_utils.preprocess_input(x, data_format, mode="caffe" if form == "paper" else "tf")
