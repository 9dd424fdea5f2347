"""Parts of a tensor by their position, and positions as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import positive_integer
from .operation import operation
from .tensors import identity

__all__ = [
    "get_item",
    "one_hot",
]


@operation("x", "key", class_name="GetItem")
def get_item(x: Any, key: Any) -> Value:
    """`x[key]`, for whole numbers, slices of step 1, `...` and `None`.

    Example:

    >>> cconv.ops.get_item(np.arange(6).reshape(2, 3), (0, slice(1, None))).tolist()
    [1.0, 2.0]
    """
    shape = shape_of(x)
    keys = list(key) if isinstance(key, (tuple, list)) else [key]
    for k in keys:
        if not (k is None or k is Ellipsis or isinstance(k, (slice, int, np.integer))) or isinstance(k, bool):
            raise TypeError(f"Tensors are indexed by whole numbers, slices, `...` and `None`. Received: {k!r}")
    used = len([k for k in keys if k is not None and k is not Ellipsis])
    if used > len(shape):
        raise IndexError(f"Too many indices for a tensor of shape {shape}. Received: {key!r}")
    if not any(k is Ellipsis for k in keys):
        keys.append(Ellipsis)
    at = next(i for i, k in enumerate(keys) if k is Ellipsis)
    keys[at : at + 1] = [slice(None)] * (len(shape) - used)
    begin, size, result, axis = [], [], [], 0
    for k in keys:
        if k is None:
            result.append("new")
            continue
        b, s = _range(k, shape[axis], key, shape)
        begin.append(b)
        size.append(s)
        result.append("keep" if isinstance(k, slice) else "drop")
        axis += 1
    y = x
    if any(b != 0 or s != -1 for b, s in zip(begin, size, strict=True)):
        y = apply("slice", [x], {"begin": begin, "size": size})
    drop = [i for i, r in enumerate(r for r in result if r != "new") if r == "drop"]
    if drop:
        y = apply("squeeze", [y], {"axes": drop})
    for i, r in enumerate(r for r in result if r != "drop"):
        if r == "new":
            y = apply("expand_dims", [y], {"axis": i})
    return y if y is not x else identity(x)


def _range(k: Any, n: int | None, key: Any, shape: Sequence[int | None]) -> tuple[int, int]:
    """First index and count (-1: to the end) that one index takes from an axis of size n."""
    if not isinstance(k, slice):
        k = int(k)
        if n is None:
            if k < 0:
                raise IndexError(f"A negative index needs an axis of known size. Received: {key!r} for shape {shape}")
            return k, 1
        if not -n <= k < n:
            raise IndexError(f"Index {k} is out of bounds for an axis of size {n}. Received: {key!r} for shape {shape}")
        return k % n, 1
    if k.step not in (None, 1):
        raise ValueError(f"Tensors are sliced with step 1. Received: {key!r}")
    if n is not None:
        start, stop, _ = k.indices(n)
        if stop <= start:
            raise ValueError(f"A slice of a tensor cannot be empty. Received: {key!r} for shape {shape}")
        return start, -1 if stop == n else stop - start
    start, stop = k.start or 0, k.stop
    if start < 0 or (stop is not None and stop <= start):
        raise ValueError(
            f"A slice of an axis of unknown size must start at 0 or later and not be empty. Received: {key!r}"
        )
    return start, -1 if stop is None else stop - start


@operation("inputs", module="core")
def slice_(inputs: Any, start_indices: Sequence[int], shape: Sequence[int]) -> Value:
    """The block of this shape that starts at `start_indices`."""
    return apply("slice", [inputs], {"begin": [int(i) for i in start_indices], "size": [int(s) for s in shape]})


@operation("x", module="nn")
def one_hot(x: Any, num_classes: int, axis: int = -1) -> Value:
    """A new axis of size `num_classes` that is 1 at position `x`, else 0.

    Example:

    >>> cconv.ops.one_hot([1, 0], 3).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    y = apply("one_hot", [x], {"depth": positive_integer(num_classes, "num_classes")})
    rank = len(shape_of(y))
    axis = axis % rank
    if axis == rank - 1:
        return y
    axes = list(range(rank - 1))
    axes.insert(axis, rank - 1)
    return apply("transpose", [y], {"axes": axes})
