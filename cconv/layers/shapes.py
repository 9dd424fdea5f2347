"""Structures of shapes, as layers are built with and asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..scope import tracing
from ..size_limit import check_count
from ..tensor import Tensor
from ..tree import flatten, is_nested, map_structure
from .arguments import shape_arguments

_asking = threading.local()  # layers whose own `compute_output_shape` is being asked


def shapes_of(value: Any) -> Any:
    """The shapes of a structure of tensors; a tuple of tensors counts as a list, so that it differs from a shape."""
    if isinstance(value, dict):
        return {k: shapes_of(v) for k, v in value.items()}
    if is_nested(value):
        return [shapes_of(v) for v in value]
    return None if value is None else tuple(value.shape)


def map_shapes(function: Callable, shapes: Any) -> Any:
    """Applies a function to every shape of a nested structure."""
    if isinstance(shapes, dict):
        return {k: map_shapes(function, v) for k, v in shapes.items()}
    if not isinstance(shapes, (list, tuple)):
        raise ValueError(f"Expected a shape such as (None, 4), or a list of shapes. Received: {shapes!r}")
    if all(s is None or isinstance(s, (int, np.integer)) for s in shapes):
        return function(shapes)
    return [map_shapes(function, s) for s in shapes]


def shape_from_config(shapes: Any) -> Any:
    """Shapes read from JSON: lists of sizes become tuples."""
    if shapes is None:
        return None
    return map_shapes(tuple, shapes)


def symbol(shape: Sequence[int | None]) -> Tensor:
    """A symbolic input of this shape."""
    if any(size is not None and size < 0 for size in shape):
        raise ValueError(f"The sizes of a shape must not be negative. Received: {tuple(shape)}")
    check_count(shape, "compute_output_shape")
    return Tensor(tuple(shape))


def for_any_sizes(layer: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What a layer returns, traced for tensors some of whose sizes are not known.

    Code of the user's may reckon with sizes (`ops.shape(x)[1] // 2`). They will be known when data comes and the layer
    is traced for it; until then it is traced for two numbers in their place, and what then differs is not known either.

    Raises:
        TypeError, ValueError: As the call does for the sizes as they are, if it does for numbers, too.
    """
    with tracing():
        try:
            return layer(*args, **kwargs)
        except (TypeError, ValueError):
            if not any(isinstance(x, Tensor) and None in x.shape[1:] for x in flatten([args, kwargs])):
                raise
            try:
                first, second = [_traced_for(layer, args, kwargs, size) for size in _TRIED]
            except (TypeError, ValueError):
                first = second = None
            if first is None:
                raise
    return map_structure(_common, first, second)


_TRIED = (96, 192)  # many parts, pools and patches divide them


def _traced_for(layer: Any, args: Sequence[Any], kwargs: dict[str, Any], size: int) -> Any:
    def filled(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        made = Tensor((*x.shape[:1], *[size if n is None else n for n in x.shape[1:]]), name=x.name, dtype=x.dtype)
        made.mask = filled(x.mask)
        return made

    return layer(*map_structure(filled, list(args)), **map_structure(filled, kwargs))


def _common(a: Any, b: Any) -> Any:
    """The tensor with the sizes that both have."""
    if not isinstance(a, Tensor):
        return a
    sizes = tuple(n if n == m else None for n, m in zip(a.shape, b.shape, strict=True))
    made = a if sizes == a.shape else Tensor(sizes, op="identity", inputs=(a,), name=a.name, dtype=a.dtype)
    if made is not a:
        made.mask = None if a.mask is None else _common(a.mask, b.mask)
    return made


def declared(layer: Any, shapes: dict[str, Any], outputs: Any) -> Any:
    """The outputs of a layer with the shapes that its own `compute_output_shape` tells.

    Args:
        layer: The layer.
        shapes: Those of its tensor arguments, by name.
        outputs: What its call returned: symbolic tensors.

    Returns:
        The outputs, with sizes that only `compute_output_shape` knows.

    Raises:
        ValueError: It contradicts what the call returned.
    """
    asked = vars(_asking).setdefault("layers", [])
    if any(layer is other for other in asked):  # it asks what the call returns
        return outputs
    asked.append(layer)
    try:
        args, kwargs = shape_arguments(type(layer).compute_output_shape, shapes)
        told = layer.compute_output_shape(*args, **kwargs)
    finally:
        asked.pop()
    found: list[tuple] = []
    map_shapes(lambda shape: found.append(tuple(shape)), told)
    tensors = flatten(outputs)
    if len(found) != len(tensors) or not all(map(_agree, found, (y.shape for y in tensors))):
        raise ValueError(
            f"Layer '{layer.name}': its `compute_output_shape` and its `call` must tell the same shapes. Received: "
            f"{told} and {map_structure(lambda y: tuple(y.shape), outputs)}, for inputs of shape "
            f"{', '.join(map(str, shapes.values()))}"
        )
    values = iter(map(_of_shape, tensors, found))
    return map_structure(lambda _: next(values), outputs)


def _agree(a: Sequence[int | None], b: Sequence[int | None]) -> bool:
    return len(a) == len(b) and all(x is None or y is None or x == y for x, y in zip(a, b, strict=True))


def _of_shape(x: Tensor, shape: tuple[int | None, ...]) -> Tensor:
    """The tensor with the sizes of a shape where it has none."""
    sizes = tuple(s if n is None else n for n, s in zip(x.shape, shape, strict=True))
    return x if sizes == x.shape else Tensor(sizes, op="identity", inputs=(x,), name=x.name, dtype=x.dtype)
