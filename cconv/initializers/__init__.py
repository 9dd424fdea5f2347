"""First values of weights. An initializer is called with a shape and returns an array."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..keras_names import getattr_of, unknown
from ..naming import to_snake_case
from ..registry import register_public
from ..serialization import deserialize_object, serialize_object
from .constants import Constant, Identity, Ones, Zeros
from .initializer import Initializer
from .random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomInitializer,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    by_pieces,
    compute_fans,
)

_CLASSES = (
    Zeros, Ones, Constant, Identity, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling, GlorotUniform,
    GlorotNormal, LecunUniform, LecunNormal, HeUniform, HeNormal, Orthogonal,
)  # fmt: skip
_BY_NAME = {name: cls for cls in _CLASSES for name in (cls.__name__, to_snake_case(cls.__name__))}
_BY_NAME.update(
    {
        "zero": Zeros,
        "one": Ones,
        "normal": RandomNormal,
        "uniform": RandomUniform,
        "identity": Identity,
        "eye": Identity,
    },
    OrthogonalInitializer=Orthogonal,
    IdentityInitializer=Identity,
)

# Keras' other spellings
zeros, ones, constant, identity = Zeros, Ones, Constant, Identity
random_normal, random_uniform, truncated_normal, variance_scaling = (
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
glorot_uniform, glorot_normal, lecun_uniform, lecun_normal = GlorotUniform, GlorotNormal, LecunUniform, LecunNormal
he_uniform, he_normal, orthogonal = HeUniform, HeNormal, Orthogonal
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal


def serialize(initializer: Initializer) -> dict[str, Any]:
    """The JSON form of an initializer, for `deserialize`.

    Raises:
        TypeError: It has no `get_config`.

    Example:

    >>> cconv.initializers.serialize(cconv.initializers.Zeros())["class_name"]
    'Zeros'
    """
    return serialize_object(initializer)


def deserialize(config: dict[str, Any], custom_objects: dict | None = None) -> Initializer:
    """The initializer of a JSON form.

    Args:
        config: What `serialize` returned.
        custom_objects: Dictionary of names to your own classes.

    Raises:
        TypeError: It is no dictionary.
        ValueError: It names a class that is neither known nor registered.

    Example:

    >>> cconv.initializers.deserialize(cconv.initializers.serialize(cconv.initializers.Constant(2.0)))
    Constant(value=2.0)
    """
    if not isinstance(config, Mapping):
        raise TypeError(f"Expected the configuration of an initializer, a dictionary. Received: {config!r}")
    if "module" not in config and config.get("class_name") in _BY_NAME:
        return _BY_NAME[config["class_name"]].from_config(config.get("config", {}))
    return deserialize_object(config, custom_objects=custom_objects)


def get(identifier: Any) -> Initializer | Callable | None:
    """The initializer meant by a name, a JSON form, a class, a function of the shape, an array or `None`.

    Example:

    >>> cconv.initializers.get("he_normal")
    HeNormal()
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        found = _BY_NAME.get(identifier)
    elif isinstance(identifier, np.ndarray):
        found = Constant(identifier)
    else:
        found = identifier
    if isinstance(found, type):
        found = found()
    if callable(found):
        return found
    raise ValueError(
        f"Could not interpret initializer identifier: {identifier}. {unknown(__name__, identifier, _BY_NAME)}"
    )


__all__ = sorted(
    {"IdentityInitializer", "Initializer", "OrthogonalInitializer", "deserialize", "get", "serialize"}
    | {name for cls in _CLASSES for name in (cls.__name__, to_snake_case(cls.__name__))}
)
register_public("keras.initializers", globals())
__getattr__ = getattr_of(globals())
