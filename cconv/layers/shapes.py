"""Structures of shapes, as layers are built with and asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tree import is_nested


def shapes_of(value: Any) -> Any:
    """The shapes of a structure of tensors; a tuple of tensors counts as a list, so that it differs from a shape."""
    if isinstance(value, dict):
        return {k: shapes_of(v) for k, v in value.items()}
    if is_nested(value):
        return [shapes_of(v) for v in value]
    return tuple(value.shape)


def map_shapes(function: Callable, shapes: Any) -> Any:
    """Applies a function to every shape of a nested structure."""
    if isinstance(shapes, dict):
        return {k: map_shapes(function, v) for k, v in shapes.items()}
    if shapes is None or all(s is None or isinstance(s, (int, np.integer)) for s in shapes):
        return function(shapes)
    return [map_shapes(function, s) for s in shapes]


def shape_from_config(shapes: Any) -> Any:
    """Shapes read from JSON: lists of sizes become tuples."""
    if shapes is None:
        return None
    return map_shapes(tuple, shapes)


def symbol(shape: Sequence[int | None]) -> Tensor:
    """A symbolic input of this shape."""
    return Tensor(tuple(shape))
