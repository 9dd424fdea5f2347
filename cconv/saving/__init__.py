"""Saving and loading: whole models (`.keras`), weights (`.weights.h5`; also of PyTorch), configurations of objects."""

from ..keras_names import getattr_of
from ..registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    register_serializable,
)
from ..serialization import (
    TensorReference,
    deserialize_keras_object,
    deserialize_object,
    object_sharing_scope,
    serialize_keras_object,
    serialize_object,
)
from .keras_file import load_model, model_from_json, save_model
from .weights_file import load_weights, save_weights

__all__ = [
    "CustomObjectScope",
    "TensorReference",
    "custom_object_scope",
    "deserialize_keras_object",
    "deserialize_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "model_from_json",
    "object_sharing_scope",
    "register_keras_serializable",
    "register_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
    "serialize_object",
]
__getattr__ = getattr_of(globals())
