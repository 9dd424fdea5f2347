"""Losses: what training makes small. Names, arguments and values are Keras'.

A function takes `y_true` and `y_pred` of one shape, `(n, ..., d)` (where they are class numbers, `y_true` is
`(n, ...)` or `(n, ..., 1)`), and returns float32 `(n, ...)`: a number for each sample, or for each pixel of a sample.
A class makes one number of them, as its `reduction` says, and is called as `loss(y_true, y_pred, sample_weight=None)`
with weights of shape `(n,)` or `(n, ...)`. Shapes that do not fit, unknown reductions and settings out of their range
are a `ValueError`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ..keras_names import getattr_of, unknown
from ..registry import get_registered_object, register_public
from ..serialization import deserialize_object, serialize_object
from . import circle as circle_module
from . import classes, functions, generalized_crossentropy, loss, overlap
from .circle import *
from .classes import *
from .functions import *
from .generalized_crossentropy import *
from .loss import *
from .overlap import *

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

_MODULES = (loss, classes, functions, overlap, circle_module, generalized_crossentropy)
_NAMES = [name for module in _MODULES for name in module.__all__]
_OBJECTS = {name: globals()[name] for name in _NAMES} | _ALIASES
__all__ = sorted([*_NAMES, "deserialize", "get", "serialize"])


def serialize(loss: Any) -> Any:
    """The configuration of a loss, for `deserialize`.

    Args:
        loss: The loss; one of a class of your own needs `get_config`.

    Returns:
        Dictionary of plain values that JSON can hold.

    Raises:
        TypeError: It has no `get_config`.

    Example:

    >>> cconv.losses.serialize(cconv.losses.Huber())["class_name"]
    'Huber'
    """
    return serialize_object(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss that a configuration (or a name) describes.

    Args:
        name: What `serialize` returned, or a name.
        custom_objects: Dictionary of names to your own classes and functions.

    Raises:
        ValueError: It names nothing that is known or registered.

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
    """A loss, from its name, its configuration, its class, or itself. `None` stays.

    Raises:
        ValueError: It is none of these.

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
