"""Constraints: what weights are brought back to after each update."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from . import ops
from .config import epsilon
from .configured import Configured
from .keras_names import getattr_of, unknown
from .ops.arguments import number, one_axis_or_more
from .registry import get_registered_object, register_public
from .serialization import deserialize_object, serialize_object

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


class Constraint(Configured):
    """Base class of constraints.

    Subclass it and write `__call__(w)`: it gets the weights after an update and returns the weights to go on with.

    Example:

    >>> class Small(cconv.constraints.Constraint):
    ...     def __call__(self, w):
    ...         return cconv.ops.clip(w, -1.0, 1.0)
    >>> Small()(np.array([0.5, 2.0])).tolist()
    [0.5, 1.0]
    """

    def __call__(self, w: Any) -> Any:
        return w

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Constraint:
        return cls(**config)


class MaxNorm(Constraint):
    """Scales weights down so that their norm along `axis` is at most `max_value`.

    Args:
        max_value: The largest norm.
        axis: Axis or axes of the norm: 0 for the weights into one unit of a dense layer, `[0, 1, 2]` for one filter
            of a convolution.

    Example:

    >>> cconv.constraints.MaxNorm(1.0)(np.array([[3.0, 0.3], [4.0, 0.4]])).round(3)
    array([[0.6, 0.3],
           [0.8, 0.4]], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value = number(max_value, "max_value", 0)
        self.axis = one_axis_or_more(axis, "axis")

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        return ops.multiply(w, ops.clip(norms, 0.0, self.max_value) / (norms + epsilon()))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Sets negative weights to 0.

    Example:

    >>> cconv.constraints.NonNeg()(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        return ops.maximum(w, 0.0)


class UnitNorm(Constraint):
    """Scales weights so that their norm along `axis` is 1.

    Args:
        axis: Axis or axes of the norm, as for `MaxNorm`.

    Example:

    >>> cconv.constraints.UnitNorm()(np.array([[3.0], [4.0]])).round(3)
    array([[0.6],
           [0.8]], dtype=float32)
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = one_axis_or_more(axis, "axis")

    def __call__(self, w: Any) -> Any:
        return ops.divide(w, _norms(w, self.axis) + epsilon())

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Scales weights so that their norm along `axis` is between two values.

    Args:
        min_value: The smallest norm.
        max_value: The largest norm.
        rate: How much of the way there each update goes: 1 is all of it.
        axis: Axis or axes of the norm, as for `MaxNorm`.

    Example:

    >>> cconv.constraints.MinMaxNorm(max_value=2.0)(np.array([[3.0], [4.0]])).round(3)
    array([[1.2],
           [1.6]], dtype=float32)
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ) -> None:
        self.min_value = number(min_value, "min_value", 0)
        self.max_value = number(max_value, "max_value", 0)
        self.rate = number(rate, "rate", 0)
        self.axis = one_axis_or_more(axis, "axis")

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        desired = self.rate * ops.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return ops.multiply(w, desired / (norms + epsilon()))

    def get_config(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm
_OBJECTS = {
    **{cls.__name__: cls for cls in (MaxNorm, NonNeg, UnitNorm, MinMaxNorm)},
    "max_norm": MaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
    "min_max_norm": MinMaxNorm,
}


def serialize(constraint: Constraint) -> Any:
    """The configuration of a constraint, for `deserialize`.

    Args:
        constraint: The constraint; one of a class of your own needs `get_config`.

    Returns:
        Dictionary of plain values that JSON can hold.

    Raises:
        TypeError: It has no `get_config`.

    Example:

    >>> cconv.constraints.serialize(cconv.constraints.NonNeg())["class_name"]
    'NonNeg'
    """
    return serialize_object(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint that a configuration (or a name) describes.

    Args:
        config: What `serialize` returned, or a name.
        custom_objects: Dictionary of names to your own classes and functions.

    Raises:
        ValueError: It names nothing that is known or registered.

    Example:

    >>> config = cconv.constraints.serialize(cconv.constraints.MaxNorm(3.0))
    >>> cconv.constraints.deserialize(config).max_value
    3.0
    """
    if isinstance(config, str):
        found = get_registered_object(config, custom_objects, _OBJECTS)
        if found is None:
            raise ValueError(
                f"Could not interpret constraint identifier: {config!r}. {unknown(__name__, config, _OBJECTS)}"
            )
        return found
    return deserialize_object(config, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """A constraint, from its name, its configuration, its class, or itself. `None` stays.

    Raises:
        ValueError: It is none of these.

    Example:

    >>> cconv.constraints.get("max_norm").get_config()
    {'max_value': 2, 'axis': 0}
    """
    if identifier is None:
        return None
    found = deserialize(identifier) if isinstance(identifier, (str, Mapping)) else identifier
    if not callable(found):
        raise ValueError(f"Could not interpret constraint identifier: {identifier!r}")
    return found() if inspect.isclass(found) else found


def hold(variables: Sequence[Any]) -> None:
    """Brings variables back to what their constraints allow: called after each update."""
    for variable in variables:
        if variable.constraint is not None:
            variable.assign(variable.constraint(variable.value))


def _norms(w: Any, axis: int | Sequence[int]) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


register_public("keras.constraints", globals())
__getattr__ = getattr_of(globals())
