"""What all networks here have in common: checks of the arguments, the image they begin with, the model they end in."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from .. import activations, config, layers
from ..initializers import VarianceScaling
from ..models.model import Functional
from ..saving.name_tables import NameTable
from ..tensor import Tensor
from ..warning import warn
from .published import IMAGENET, published_file

SMALLEST = 32  # pixels; halved five times, one is left


def check_arguments(weights: Any, include_top: bool, pooling: str | None, classifier_activation: Any) -> None:
    """Refuses weights that are no file, unknown pooling, and an activation that trained weights are not meant for."""
    published = isinstance(weights, str) and weights == IMAGENET
    if not (weights is None or published or (isinstance(weights, (str, os.PathLike)) and os.path.exists(weights))):
        raise ValueError(
            "`weights` must be None (random weights), 'imagenet' or the path of a file that exists. "
            f"Received: weights={weights!r}"
        )
    if include_top:
        if weights is not None and activations.get(classifier_activation) not in (
            activations.get("softmax"),
            activations.get(None),
        ):
            raise ValueError(
                "Where weights are loaded, `classifier_activation` must be 'softmax' or None. "
                f"Received: classifier_activation={classifier_activation!r}"
            )
    elif pooling not in (None, "avg", "max"):
        raise ValueError(f"`pooling` must be None, 'avg' or 'max'. Received: pooling={pooling!r}")


def image_shape(
    input_shape: Sequence[int | None] | None, include_top: bool, default_side: int = 224, smallest: int = SMALLEST
) -> tuple[int | None, ...]:
    """The shape of an image, in the layout of the configuration.

    Without `input_shape` these are squares of `default_side` pixels in three colors; images of any size if no
    classifier follows. `smallest` is the least side that leaves a pixel at the end.
    """
    first = config.image_data_format() == "channels_first"
    if not input_shape:
        side = default_side if include_top else None
        return (3, side, side) if first else (side, side, 3)
    shape = tuple(input_shape)
    if len(shape) != 3:
        raise ValueError(f"`input_shape` must be a tuple of three integers. Received: input_shape={input_shape}")
    channels, sides = (shape[0], shape[1:]) if first else (shape[2], shape[:2])
    if channels not in (1, 3):
        warn(f"Images usually have 1 or 3 channels. Received: input_shape={input_shape}, with {channels} channels")
    if any(side is not None and side < smallest for side in sides):
        raise ValueError(f"Images must be at least {smallest}x{smallest}. Received: input_shape={input_shape}")
    if include_top and None in shape:
        raise ValueError(
            f"With `include_top=True` all sizes of `input_shape` must be known. Received: input_shape={input_shape}"
        )
    return shape


def image_input(shape: tuple[int | None, ...], input_tensor: Tensor | None) -> Tensor:
    """The tensor the network reads: the one given, or a new input."""
    if input_tensor is None:
        return layers.Input(shape)
    if not isinstance(input_tensor, Tensor):
        raise ValueError(
            "`input_tensor` must be a symbolic tensor, such as the output of `cconv.Input`. "
            f"Received: input_tensor={input_tensor!r} of type {type(input_tensor).__name__}"
        )
    return input_tensor


def channel_axis() -> int:
    """The axis of the channels, for batch normalization."""
    return 1 if config.image_data_format() == "channels_first" else 3


def sides_of(x: Tensor) -> tuple[int | None, ...]:
    """Rows and columns of an image; `None` where they are not known."""
    return tuple(x.shape[2:] if channel_axis() == 1 else x.shape[1:3])


def halving_padding(x: Tensor, kernel: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zeros around an image, such that a window of stride 2 makes half its size, rounded up.

    Half the window at each edge, one less before an even side. Unknown sides count as even.
    """
    half, sides = kernel // 2, sides_of(x)
    rows, columns = (0, 0) if None in sides else (side % 2 for side in sides)
    return (half - 1 + rows, half), (half - 1 + columns, half)


def rounded_channels(wanted: float, divisor: int = 8, least: int | None = None, kept: float = 0.9) -> int:
    """The multiple of `divisor` next to a number of channels, at least `least`, and no less than `kept` of it."""
    rounded = max(divisor if least is None else least, int(wanted + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < kept * wanted else rounded


def positive_alpha(alpha: float) -> None:
    """Refuses a factor of the channels that leaves none."""
    if not alpha > 0:
        raise ValueError(f"`alpha` must be positive. Received: alpha={alpha}")


def shaped_input(input_shape: Any, shape: tuple[int | None, ...], input_tensor: Tensor | None) -> Tensor:
    """The tensor the network reads; where both are given, `input_tensor` must have the shape of `input_shape`."""
    images = image_input(shape, input_tensor)
    if input_shape and images.shape[1:] != shape:
        raise ValueError(
            "`input_tensor` must have the shape of `input_shape`. "
            f"Received: input_tensor.shape={images.shape}, input_shape={input_shape}"
        )
    return images


def pooled(x: Tensor, pooling: str | None, average: str | None = None, maximum: str | None = None) -> Tensor:
    """The features of a network without its classifier; `average` and `maximum` are names for the layers."""
    if pooling == "avg":
        return layers.GlobalAveragePooling2D(name=average)(x)
    if pooling == "max":
        return layers.GlobalMaxPooling2D(name=maximum)(x)
    return x


def image_network(
    features: Callable[[Tensor], Tensor],
    include_top: bool,
    weights: Any,
    input_tensor: Tensor | None,
    input_shape: Sequence[int | None] | None,
    pooling: str | None,
    classes: int,
    classifier_activation: Any,
    name: str,
    default_side: int = 224,
    dropout: float = 0.0,
    kernel_initializer: Any = "glorot_uniform",
    *,
    smallest: int = SMALLEST,
    pools: tuple[str | None, str | None] = ("avg_pool", "max_pool"),
    tables: Sequence[NameTable] = (),
    published: str | None = None,
) -> Functional:
    """A network that ends in the mean over the image and one dense layer, from what its layers before do.

    `default_side` and `smallest`: see `image_shape`. `pools` are names of the poolings without the top; `dropout` is
    the rate of the dropout before the dense layer. `tables` and `published`: see `make_model`.
    """
    check_arguments(weights, include_top, pooling, classifier_activation)
    images = image_input(image_shape(input_shape, include_top, default_side, smallest), input_tensor)
    x = features(images)
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        if dropout:
            x = layers.Dropout(dropout, name="top_dropout")(x)
        settings = {"activation": classifier_activation, "kernel_initializer": kernel_initializer}
        x = layers.Dense(classes, **settings, name="predictions")(x)
    else:
        x = pooled(x, pooling, *pools)
    return make_model(images, x, name, weights, tables=tables, published=published)


def normalized(x: Tensor, name: str) -> Tensor:
    """Batch normalization as ResNet and DenseNet have it."""
    return layers.BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=name)(x)


def relu(x: Tensor, name: str) -> Tensor:
    return layers.Activation("relu", name=name)(x)


def padded_for_stride(x: Tensor, kernel: int, name: str) -> Tensor:
    """An image in zeros, for a convolution of stride 2: see `halving_padding`."""
    return layers.ZeroPadding2D(halving_padding(x, kernel), name=name)(x)


def convolution(
    x: Tensor,
    channels: int | None,
    kernel: int,
    name: str,
    strides: int = 1,
    groups: int = 1,
    activation: str | None = None,
) -> Tensor:
    """Convolution, batch normalization and activation as in networks of PyTorch: as many zeros at each edge.

    The layers are `<name>_pad` (for strides), `<name>_conv`, `<name>_bn` and `<name>_<activation>`. Without a number of
    channels each channel is convolved by itself.
    """
    if strides > 1 and kernel > 1:
        x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
    first = VarianceScaling(2.0, "fan_out", "truncated_normal")
    settings = {"strides": strides, "padding": "valid" if strides > 1 else "same", "use_bias": False}
    if channels is None:
        x = layers.DepthwiseConv2D(kernel, **settings, depthwise_initializer=first, name=f"{name}_conv")(x)
    else:
        settings |= {"groups": groups, "kernel_initializer": first}
        x = layers.Conv2D(channels, kernel, **settings, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(axis=channel_axis(), momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)
    return layers.Activation(activation, name=f"{name}_{activation}")(x) if activation else x


def check_like(like: str, weights: Any) -> bool:
    """Whether a network is to be torchvision's instead of Keras'; an error if it is neither, or has no weights."""
    if like not in ("keras", "torchvision"):
        raise ValueError(f"`like` must be 'keras' or 'torchvision'. Received: like={like!r}")
    if like == "torchvision" and isinstance(weights, str) and weights == IMAGENET:
        raise ValueError(
            "weights='imagenet' are those of Keras, trained for `like='keras'`. For `like='torchvision'` give the path "
            "of a file of torchvision."
        )
    return like == "torchvision"


def make_model(
    images: Tensor,
    outputs: Tensor,
    name: str,
    weights: Any,
    *,
    tables: Sequence[NameTable] = (),
    published: str | None = None,
) -> Functional:
    """The model from the inputs that `images` is computed from, with the weights of a file, if there is one.

    Args:
        images: What the network reads.
        outputs: What it makes of it.
        name: Name of the model.
        weights: What the user gave, after `check_arguments`.
        tables: What files of PyTorch call its layers.
        published: The network's name in `published`, if it is another than `name`.
    """
    inputs = _sources(images)
    model = Functional(inputs[0] if len(inputs) == 1 else inputs, outputs, name=name)
    model._name_tables = tuple(tables)
    if isinstance(weights, str) and weights == IMAGENET:
        model.load_weights(published_file(model, published or name))
    elif weights is not None:
        model.load_weights(weights)
    return model


def _sources(tensor: Tensor) -> list[Tensor]:
    """The inputs behind a tensor, in the order in which the calls name them."""
    found: dict[int, Tensor] = {}
    seen: set[int] = set()
    stack = [tensor]
    while stack:
        x = stack.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if x.history is None:
            raise ValueError(f"`input_tensor` does not come from a `cconv.Input`. Received: input_tensor={tensor!r}")
        node = x.node
        if node.is_input:
            found[id(x)] = x
        stack.extend(reversed(node.inputs))
    return list(found.values())
