"""Layers: steps of models, named as in Keras.

Beside its own arguments each takes `name`, `trainable`, `dtype` and `activity_regularizer`, which `Layer` explains. The
first axis of what it is called on is that of the batch. Layers of images take `data_format`; `None` is what
`cconv.config.image_data_format` says, usually `"channels_last"`.

An argument that a layer does not have, or out of its range, is a `ValueError`; so is an input of a rank or size that
does not fit, when the layer is called: the message names the layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..keras_names import getattr_of
from ..registry import register_public
from ..serialization import deserialize_object, serialize_object
from . import (
    activation,
    adaptive_pooling,
    attention,
    augmentation,
    cbam,
    concurrent_scse,
    conv,
    conv_transpose,
    core,
    cropping,
    custom_scale,
    dense,
    depthwise_conv,
    einsum_dense,
    embedding,
    global_context,
    global_pooling,
    grouped_query_attention,
    input_layer,
    input_spec,
    merging,
    multi_head_attention,
    non_local,
    normalization,
    padding,
    pooling,
    preprocessing,
    regularization,
    reshaping,
    residual,
    resizing,
    sample_normalization,
    separable_conv,
    spectral_normalization,
    squeeze_excitation,
    up_sampling,
    wrapping,
)
from .activation import *
from .adaptive_pooling import *
from .attention import *
from .augmentation import *
from .cbam import *
from .concurrent_scse import *
from .conv import *
from .conv_transpose import *
from .core import *
from .cropping import *
from .dense import *
from .depthwise_conv import *
from .einsum_dense import *
from .embedding import *
from .global_context import *
from .global_pooling import *
from .grouped_query_attention import *
from .input_layer import *
from .input_spec import *
from .layer import Layer
from .merging import *
from .multi_head_attention import *
from .non_local import *
from .normalization import *
from .padding import *
from .pooling import *
from .preprocessing import *
from .regularization import *
from .reshaping import *
from .residual import *
from .resizing import *
from .sample_normalization import *
from .separable_conv import *
from .spectral_normalization import *
from .squeeze_excitation import *
from .up_sampling import *
from .wrapping import *

_MODULES = (
    activation, adaptive_pooling, attention, augmentation, cbam, concurrent_scse, conv, conv_transpose, core,
    cropping, dense, depthwise_conv, einsum_dense, embedding, global_context, global_pooling,
    grouped_query_attention, input_layer, input_spec, merging, multi_head_attention, non_local, normalization,
    padding, pooling, preprocessing, regularization, reshaping, residual, resizing, sample_normalization,
    separable_conv, spectral_normalization, squeeze_excitation, up_sampling, wrapping,
)  # fmt: skip
__all__ = sorted(["Layer", "deserialize", "serialize", *(name for module in _MODULES for name in module.__all__)])


def serialize(layer: Layer) -> dict[str, Any]:
    """The configuration of a layer, for `deserialize`.

    Args:
        layer: The layer; one of a class of your own needs `get_config`.

    Returns:
        Dictionary of plain values that JSON can hold.

    Raises:
        TypeError: It has no `get_config`.

    Example:

    >>> cconv.layers.serialize(cconv.layers.Flatten())["class_name"]
    'Flatten'
    """
    return serialize_object(layer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """The layer that a configuration describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Dictionary of names to your own classes.

    Raises:
        ValueError: It describes no layer.

    Example:

    >>> cconv.layers.deserialize(cconv.layers.serialize(cconv.layers.Dense(3))).units
    3
    """
    layer = deserialize_object(config, custom_objects=custom_objects)
    if not isinstance(layer, Layer):
        raise ValueError(f"`deserialize`: expected the configuration of a layer. Received: config={config!r}")
    return layer


register_public("keras.layers", globals())
__getattr__ = getattr_of(globals())
