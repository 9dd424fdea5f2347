"""What configurations of layers are made of: regularizers and constraints by name, number types, plain arguments."""

from __future__ import annotations

from typing import Any

from .. import constraints, regularizers
from ..serialization import serialize_object


def regularizer_of(identifier: Any) -> Any:
    """The regularizer meant by a name, a JSON form, a function or `None`."""
    return None if identifier is None else regularizers.get(identifier)


def constraint_of(identifier: Any) -> Any:
    """The constraint meant by a name, a JSON form, a function or `None`."""
    return None if identifier is None else constraints.get(identifier)


def serialize_part(part: Any) -> Any:
    """The JSON form of a regularizer, constraint or layer; `None` stays."""
    return None if part is None else serialize_object(part)


def dtype_config(name: str = "float32") -> dict[str, Any]:
    """The number type as Keras writes it."""
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}


def base_config(layer: Any) -> dict[str, Any]:
    """The configuration that all layers have in common."""
    config = {"name": layer.name, "trainable": layer.trainable, "dtype": dtype_config()}
    if layer.activity_regularizer is not None:
        config["activity_regularizer"] = regularizers.serialize(layer.activity_regularizer)
    return config


def plain_arguments(layer: Any) -> dict[str, Any]:
    """The arguments a layer was made with.

    Raises:
        NotImplementedError: One of them is no name, number or sequence of them.
    """
    own = {k: v for k, v in layer._init_config.items() if k not in ("dtype", "activity_regularizer")}
    for key, value in own.items():
        if not _is_plain(value):
            raise NotImplementedError(
                f"{type(layer).__name__} '{layer.name}' was created with an argument that cannot be written as JSON: "
                f"{key}={value!r}. "
                "Implement `get_config()` (and `from_config()`) to say how it is saved."
            )
    return own


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return all(_is_plain(v) for v in value)
    return value is None or isinstance(value, (str, int, float, bool))
