"""Optional parts of layers by name: regularizers and constraints."""

from __future__ import annotations

from typing import Any

from .. import constraints, regularizers
from ..serialization import serialize_object


def regularizer_of(identifier: Any) -> Any:
    """The regularizer meant by a name, a JSON form, a function or `None`."""
    if identifier is None:
        return None
    return regularizers.get(identifier)


def constraint_of(identifier: Any) -> Any:
    """The constraint meant by a name, a JSON form, a function or `None`."""
    if identifier is None:
        return None
    return constraints.get(identifier)


def serialize_part(part: Any) -> Any:
    """The JSON form of a regularizer, constraint or layer; `None` stays."""
    if part is None:
        return None
    return serialize_object(part)
