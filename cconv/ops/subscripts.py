"""`x[...]`: parts of a tensor by whole numbers, slices, `...`, `None`, and arrays of positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import of
from ..tensor import Tensor, Value
from ..variable import Variable
from ._apply import apply, is_eager, shape_of
from .operation import operation

__all__ = [
    "get_item",
]

# What a key is: a new axis, an axis that stays, one that goes, one that positions are taken from.
NEW, KEEP, DROP, TAKE = "new", "keep", "drop", "take"


@operation("x", "key", class_name="GetItem")
def get_item(x: Any, key: Any) -> Value:
    """`x[key]`, for whole numbers, slices, `...`, `None`, and arrays of positions or bools, with NumPy's rules.

    An axis of unknown size has slices of step 1 only. Positions may be symbolic, bools may not: how many hold decides
    the shape. Of a position that is not there known ones raise an error, symbolic ones give 0.

    Raises:
        IndexError: There is no such axis or position.
        TypeError: A key is something else.

    Example:

    >>> cconv.ops.get_item(np.arange(6).reshape(2, 3), (0, slice(1, None))).tolist()
    [1, 2]
    >>> cconv.ops.get_item(np.arange(6).reshape(2, 3), (slice(None), [2, 0])).tolist()
    [[2, 0], [5, 3]]
    """
    shape = shape_of(x)
    keys = [part for k in (key if isinstance(key, tuple) else [key]) for part in _one_axis_each(k)]
    several = any(_is_array(k) for k in keys)
    if several:  # whole numbers are positions like the others
        keys = [np.asarray(k) if isinstance(k, (int, np.integer)) else k for k in keys]
    used = len([k for k in keys if k is not None and k is not Ellipsis])
    if used > len(shape):
        raise IndexError(f"Too many indices for a tensor of shape {shape}. Received: {key!r}")
    if not any(k is Ellipsis for k in keys):
        keys.append(Ellipsis)
    at = next(i for i, k in enumerate(keys) if k is Ellipsis)
    keys[at : at + 1] = [slice(None)] * (len(shape) - used)
    y, kinds = _sliced(x, keys, key, shape)
    drop = [i for i, kind in enumerate(k for k in kinds if k != NEW) if kind == DROP]
    if drop:
        y = apply("squeeze", [y], {"axes": drop})
    kinds = [kind for kind in kinds if kind != DROP]
    for i, kind in enumerate(kinds):
        if kind == NEW:
            y = apply("expand_dims", [y], {"axis": i})
    if several:
        y = _taken(y, [k for k in keys if _is_array(k)], [i for i, kind in enumerate(kinds) if kind == TAKE], key)
    return y if y is not x else apply("identity", [x])


def _is_array(k: Any) -> bool:
    return isinstance(k, (np.ndarray, Tensor, Variable))


def _one_axis_each(k: Any) -> list[Any]:
    """A key as keys of one axis each: of bools the positions where they hold."""
    if isinstance(k, list) or (hasattr(k, "__array__") and not isinstance(k, (Tensor, Variable, np.generic))):
        k = np.asarray(k)
    if _is_array(k) and of(k) == "bool":
        if not is_eager(k):
            raise TypeError(
                "A model takes known bools as an index only, since they decide a shape; see `cconv.ops.where`. "
                f"Received: {k!r}"
            )
        return list(np.nonzero(k))
    fits = k is None or k is Ellipsis or isinstance(k, (slice, int, np.integer)) or (_is_array(k) and of(k) == "int32")
    if not fits or isinstance(k, bool):
        raise TypeError(
            f"Tensors are indexed by whole numbers, slices, `...`, `None` and arrays of whole numbers or bools. "
            f"Received: {k!r}"
        )
    return [k]


def _sliced(x: Any, keys: list[Any], key: Any, shape: Sequence[int | None]) -> tuple[Any, list[str]]:
    """What slices and whole numbers take, all axes still there, and what each key is."""
    begin, size, kinds, axis = [], [], [], 0
    positions: dict[int, np.ndarray] = {}  # of slices with a step, by axis
    for k in keys:
        if k is None:
            kinds.append(NEW)
            continue
        kinds.append(TAKE if _is_array(k) else KEEP if isinstance(k, slice) else DROP)
        if _is_array(k):
            k = slice(None)
        if isinstance(k, slice) and k.step not in (None, 1):
            positions[axis] = _positions(k, shape[axis], key, shape)
            k = slice(None)
        b, s = _range(k, shape[axis], key, shape)
        begin.append(b)
        size.append(s)
        axis += 1
    y = x
    if any(b != 0 or s != -1 for b, s in zip(begin, size, strict=True)):
        y = apply("slice", [x], {"begin": begin, "size": size})
    for axis, indices in positions.items():
        y = apply("take", [y, indices], {"axis": axis})
    return y, kinds


def _taken(x: Any, indices: list[Any], axes: list[int], key: Any) -> Value:
    """`x` with positions taken from axes: the axes of the positions come in their place, or first if they are apart."""
    shape = shape_of(x)
    for k, axis in zip(indices, axes, strict=True):
        n = shape[axis]
        if n is not None and is_eager(k) and not ((np.asarray(k) >= -n) & (np.asarray(k) < n)).all():
            raise IndexError(f"A position is out of bounds for an axis of size {n}. Received: {key!r}, shape {shape}")
    if len(axes) == 1:
        return apply("take", [x, indices[0]], {"axis": axes[0]})
    rest = [axis for axis in range(len(shape)) if axis not in axes]
    sizes = [shape[axis] for axis in axes]
    if None in sizes or len([axis for axis in rest if shape[axis] is None]) > 1:
        raise ValueError(
            f"Positions along several axes need known sizes, and one other unknown at most. "
            f"Received: {key!r}, shape {shape}"
        )
    flat: Any = None
    for k, n in zip(indices, sizes, strict=True):
        k = apply("where", [apply("less", [k, 0]), apply("add", [k, n]), k])
        flat = k if flat is None else apply("add", [apply("multiply", [flat, n]), k])
    rows = apply("transpose", [x], {"axes": [*axes, *rest]})
    others = [-1 if shape[axis] is None else shape[axis] for axis in rest]
    y = apply("take", [apply("reshape", [rows], {"shape": [int(np.prod(sizes)), *others]}), flat], {"axis": 0})
    if axes[-1] - axes[0] == len(axes) - 1 and axes[0] > 0:
        count = len(shape_of(flat))
        before = list(range(count, count + axes[0]))
        after = list(range(count + axes[0], count + len(rest)))
        y = apply("transpose", [y], {"axes": [*before, *range(count), *after]})
    return y


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


def _positions(k: slice, n: int | None, key: Any, shape: Sequence[int | None]) -> np.ndarray:
    """The positions that a slice with a step takes from an axis of size n."""
    if n is None:
        raise ValueError(f"A slice with a step needs an axis of known size. Received: {key!r} for shape {shape}")
    found = np.arange(*k.indices(n), dtype=np.int32)
    if found.size == 0:
        raise ValueError(f"A slice of a tensor cannot be empty. Received: {key!r} for shape {shape}")
    return found
