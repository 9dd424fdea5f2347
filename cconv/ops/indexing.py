"""Parts of a tensor by their position, positions in their order, and positions as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import of
from ..tensor import Value
from ._apply import apply, is_eager, shape_of
from .arguments import axis as number_of_axis
from .arguments import positive_integer
from .operation import operation
from .tensors import cast

__all__ = [
    "argsort",
    "get_item",
    "one_hot",
    "take",
    "take_along_axis",
    "top_k",
]


@operation("x", "key", class_name="GetItem")
def get_item(x: Any, key: Any) -> Value:
    """`x[key]`, for whole numbers, slices, `...` and `None`. An axis of unknown size has slices of step 1 only.

    Example:

    >>> cconv.ops.get_item(np.arange(6).reshape(2, 3), (0, slice(1, None))).tolist()
    [1, 2]
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
    positions: dict[int, np.ndarray] = {}  # of slices with a step, by axis
    for k in keys:
        if k is None:
            result.append("new")
            continue
        if isinstance(k, slice) and k.step not in (None, 1):
            positions[axis] = _positions(k, shape[axis], key, shape)
            k = slice(None)
        b, s = _range(k, shape[axis], key, shape)
        begin.append(b)
        size.append(s)
        result.append("keep" if isinstance(k, slice) else "drop")
        axis += 1
    y = x
    if any(b != 0 or s != -1 for b, s in zip(begin, size, strict=True)):
        y = apply("slice", [x], {"begin": begin, "size": size})
    for axis, indices in positions.items():
        y = apply("take", [y, indices], {"axis": axis})
    drop = [i for i, r in enumerate(r for r in result if r != "new") if r == "drop"]
    if drop:
        y = apply("squeeze", [y], {"axes": drop})
    for i, r in enumerate(r for r in result if r != "drop"):
        if r == "new":
            y = apply("expand_dims", [y], {"axis": i})
    return y if y is not x else apply("identity", [x])


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


@operation("inputs", module="core")
def slice_(inputs: Any, start_indices: Sequence[int], shape: Sequence[int]) -> Value:
    """The block of this shape that starts at `start_indices`."""
    return apply("slice", [inputs], {"begin": [int(i) for i in start_indices], "size": [int(s) for s in shape]})


@operation("x", "indices")
def take(x: Any, indices: Any, axis: int | None = None) -> Value:
    """The elements of `x` at positions along `axis` (`None`: of all values in one row).

    A position below 0 counts from the end; one outside gives 0. The positions' axes take the place of `axis`.
    An array of floating point numbers is taken if all of them are whole.

    Example:

    >>> cconv.ops.take([[1, 2], [3, 4], [5, 6]], [2, 0], axis=0).tolist()
    [[5, 6], [1, 2]]
    """
    indices = _whole(indices, "take", "indices")
    if axis is None:
        return apply("take", [apply("reshape", [x], {"shape": [-1]}), indices], {"axis": 0})
    return apply("take", [x, indices], {"axis": number_of_axis(axis, len(shape_of(x)))})


@operation("x", "indices")
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Value:
    """The elements of `x` at positions along `axis`, of each line its own (`None`: of all values in one row).

    Args:
        x: Tensor.
        indices: Positions, of the shape of `x` but for `axis`. One below 0 counts from the end; one outside gives 0.
        axis: The axis.

    Example:

    >>> cconv.ops.take_along_axis([[1, 2, 3], [4, 5, 6]], [[2], [0]], axis=1).tolist()
    [[3], [4]]
    """
    indices = _whole(indices, "take_along_axis", "indices")
    if axis is None:
        x, indices = (apply("reshape", [value], {"shape": [-1]}) for value in (x, indices))
    place = 0 if axis is None else number_of_axis(axis, len(shape_of(x)))
    return apply("take_along_axis", [x, indices], {"axis": place})


@operation("x")
def argsort(x: Any, axis: int | None = -1) -> Value:
    """The positions that would sort `x` along `axis` (`None`: all values), from the smallest on, as int32.

    Equal values keep their order; a NaN is the largest.

    Example:

    >>> cconv.ops.argsort([0.5, 0.1, 0.3]).tolist()
    [1, 2, 0]
    """
    if axis is None:
        return apply("argsort", [apply("reshape", [x], {"shape": [-1]})])
    return apply("argsort", [x], {"axis": number_of_axis(axis, len(shape_of(x)))})


@operation("x", module="math")
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Value, Value]:
    """The `k` largest values along the last axis, from the largest on, and their positions as int32.

    Args:
        x: Tensor of rank 1 or more.
        k: How many, at most the size of the last axis. Of equal values the first come first; a NaN is the largest.
        sorted: Whether the order matters to the caller; the result has it in any case.

    Example:

    >>> values, positions = cconv.ops.top_k([0.1, 0.5, 0.3], 2)
    >>> positions.tolist()
    [1, 2]
    """
    positions = apply("top_k_indices", [x], {"k": positive_integer(k, "k")})
    return apply("take_along_axis", [x, positions], {"axis": -1}), positions


@operation("x", module="nn")
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: str | None = None) -> Value:
    """A new axis of size `num_classes` that is 1 at position `x`, else 0.

    Args:
        x: Numbers of classes; one that is none gives zeros. An array of floating point numbers is taken if all of them
            are whole.
        num_classes: How many classes there are.
        axis: The place of the new axis in the result.
        dtype: float32 (the default), int32 or bool.

    Example:

    >>> cconv.ops.one_hot([1, 0], 3).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    depth = {"depth": positive_integer(num_classes, "num_classes")}
    y = cast(apply("one_hot", [_whole(x, "one_hot", "x")], depth), dtype or "float32")
    rank = len(shape_of(y))
    axis = number_of_axis(axis, rank)
    if axis == rank - 1:
        return y
    axes = list(range(rank - 1))
    axes.insert(axis, rank - 1)
    return apply("transpose", [y], {"axes": axes})


def _whole(positions: Any, op: str, name: str) -> Any:
    """Positions as they are. What is known already and of floating point must be whole: a fraction is no position.

    Raises:
        ValueError: It is not.
    """
    if of(positions) == "float32" and is_eager(positions):
        numbers = np.asarray(positions)
        wrong = numbers[numbers != np.floor(numbers)]
        if wrong.size:
            raise ValueError(
                f"`{op}` takes whole numbers as `{name}`. "
                f"Received: {name} of dtype {numbers.dtype}, among them {wrong.flat[0]}"
            )
    return positions
