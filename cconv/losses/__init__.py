"""Losses: what training makes small. Names, arguments and values are Keras'."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ..keras_names import getattr_of, unknown
from ..registry import get_registered_object, register_public
from ..serialization import deserialize_object, serialize_object
from . import circle as circle_module
from . import classes, functions, generalized_crossentropy, loss
from .circle import *
from .classes import *
from .functions import *
from .generalized_crossentropy import *
from .loss import *

_ALIASES = {
    "bce": functions.binary_crossentropy,
    "BCE": functions.binary_crossentropy,
    "kld": functions.kl_divergence,
    "KLD": functions.kl_divergence,
    "mae": functions.mean_absolute_error,
    "MAE": functions.mean_absolute_error,
    "mse": functions.mean_squared_error,
    "MSE": functions.mean_squared_error,
    "mape": functions.mean_absolute_percentage_error,
    "MAPE": functions.mean_absolute_percentage_error,
    "msle": functions.mean_squared_logarithmic_error,
    "MSLE": functions.mean_squared_logarithmic_error,
}

_NAMES = [
    name for module in (loss, classes, functions, circle_module, generalized_crossentropy) for name in module.__all__
]
_OBJECTS = {name: globals()[name] for name in _NAMES} | _ALIASES
__all__ = sorted([*_NAMES, "deserialize", "get", "serialize"])


def serialize(loss: Any) -> Any:
    """The configuration of a loss, for `deserialize`."""
    return serialize_object(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss that a configuration (or a name) describes.

    Example:

    >>> config = cconv.losses.serialize(cconv.losses.Huber(delta=2.0))
    >>> cconv.losses.deserialize(config).delta
    2.0
    """
    if isinstance(name, str):
        found = get_registered_object(name, custom_objects, _OBJECTS)
        if found is None:
            raise ValueError(f"Could not interpret loss identifier: {name!r}. {unknown(__name__, name, _OBJECTS)}")
        return found
    return deserialize_object(name, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """A loss, from its name, its configuration, its class, or itself.

    Example:

    >>> cconv.losses.get("mse") is cconv.losses.mean_squared_error
    True
    >>> type(cconv.losses.get("MeanSquaredError")).__name__
    'MeanSquaredError'
    """
    if identifier is None:
        return None
    found = deserialize(identifier) if isinstance(identifier, (str, Mapping)) else identifier
    if not callable(found):
        raise ValueError(f"Could not interpret loss identifier: {identifier!r}")
    return found() if inspect.isclass(found) else found


register_public("keras.losses", globals())
__getattr__ = getattr_of(globals())
