"""Optimizers: how training changes the weights. Names, arguments and formulas are Keras'; the arithmetic is in C.

A setting out of its range is a `ValueError` when the optimizer is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..keras_names import getattr_of, unknown
from ..registry import register_public
from ..serialization import deserialize_object, serialize_object
from . import schedules
from .adafactor import *
from .adam import *
from .adam_variants import *
from .adamw import *
from .adaptive import *
from .ftrl import *
from .lion import *
from .multi_optimizer import *
from .muon import *
from .optimizer import Optimizer
from .schedule_free_adamw import *
from .sgd import *

# the modules say which of their classes are public; what names a rule of the core is an optimizer
_RULES = {
    name: value
    for name, value in globals().items()
    if isinstance(value, type) and issubclass(value, Optimizer) and value.rule
}
_OBJECTS = {name.lower(): cls for name, cls in _RULES.items()}
__all__ = sorted([*_RULES, "Optimizer", "OptimizerMap", "deserialize", "get", "schedules", "serialize"])


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The configuration of an optimizer, for `deserialize`.

    Example:

    >>> cconv.optimizers.serialize(cconv.optimizers.SGD(0.1))["class_name"]
    'SGD'
    """
    return serialize_object(optimizer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Optimizer:
    """The optimizer that a configuration describes. It has no state.

    Args:
        config: What `serialize` returned.
        custom_objects: Dictionary of names to your own classes.

    Raises:
        TypeError: It is no dictionary.
        ValueError: It names a class that is neither known nor registered.

    Example:

    >>> config = cconv.optimizers.serialize(cconv.optimizers.SGD(0.125))
    >>> float(cconv.optimizers.deserialize(config).learning_rate)
    0.125
    """
    if not isinstance(config, Mapping):
        raise TypeError(f"Expected the configuration of an optimizer, a dictionary. Received: {config!r}")
    cls = _OBJECTS.get(str(config.get("class_name", "")).lower())
    if cls is not None and not custom_objects:
        return cls.from_config(config.get("config", {}))
    return deserialize_object(config, custom_objects=custom_objects)


def get(identifier: Any) -> Optimizer | None:
    """An optimizer, from its name, its configuration, or itself. `None` stays.

    Raises:
        ValueError: It is none of these, or the name of `MultiOptimizer`, which must be told its optimizers.

    Example:

    >>> float(cconv.optimizers.get("adam").learning_rate)
    0.001
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str):
        if identifier.lower() not in _OBJECTS:
            raise ValueError(
                f"Could not interpret optimizer identifier: {identifier!r}. {unknown(__name__, identifier, _RULES)}"
            )
        cls = _OBJECTS[identifier.lower()]
        if cls is _RULES["MultiOptimizer"]:
            raise ValueError(
                "Expected a MultiOptimizer, whose name does not say which optimizers it has: "
                f"MultiOptimizer(OptimizerMap(default_optimizer, ...)). Received: {identifier!r}"
            )
        return cls()
    found = deserialize(identifier) if isinstance(identifier, Mapping) else identifier
    if not isinstance(found, Optimizer):
        raise ValueError(f"Could not interpret optimizer identifier: {identifier!r}")
    return found


register_public("keras.optimizers", globals())
__getattr__ = getattr_of(globals())
