"""Which values there are, how often and where: of arrays, since how many there are is a matter of the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Value
from ._apply import apply
from .arguments import positive_integer, whole
from .arrays import as_value, on_arrays
from .operation import operation
from .sorting import searchsorted

__all__ = [
    "bincount",
    "digitize",
    "histogram",
    "nonzero",
    "unique",
    "unravel_index",
]


def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> np.ndarray:
    """How often each number from 0 on occurs, along the last axis. Of arrays only.

    Args:
        x: Whole numbers of at least 0, (n,) or (rows, n).
        weights: What each counts, of the same shape; `None`: 1.
        minlength: How many numbers are counted at least.
        sparse: Not supported.

    Example:

    >>> cconv.ops.bincount([1, 2, 2, 5]).tolist()
    [0, 1, 2, 0, 0, 1]
    """
    if sparse:
        raise NotImplementedError("`bincount` gives arrays only. Received: sparse=True")
    x, *more = on_arrays("bincount", *([x] if weights is None else [x, weights]))
    if x.dtype.kind == "f":
        raise TypeError(f"`bincount` takes whole numbers. Received: dtype {x.dtype}")
    if x.ndim not in (1, 2) or (x < 0).any() or (more and more[0].shape != x.shape):
        raise ValueError(
            "`bincount` takes numbers of at least 0, in 1 or 2 axes, and as many weights. "
            f"Received: x of shape {x.shape}, the lowest {x.min(initial=0)}"
        )
    count = max(whole(minlength, "minlength", 0), int(x.max(initial=-1)) + 1)
    rows = x.reshape(-1, x.shape[-1])
    each = [None] * len(rows) if not more else more[0].reshape(rows.shape)
    y = np.stack([np.bincount(row, w, count) for row, w in zip(rows, each, strict=True)])
    kind = "float32" if more and more[0].dtype.kind == "f" else "int32"
    return y.reshape(*x.shape[:-1], count).astype(kind)


@operation("x")
def digitize(x: Any, bins: Any) -> Value:
    """The number of the bin of each value, as int32: how many of the rising `bins` are not above it.

    Example:

    >>> cconv.ops.digitize([0.2, 6.4, 3.0], [0.0, 1.0, 2.5, 4.0]).tolist()
    [1, 4, 3]
    """
    if np.ndim(bins) != 1:
        raise ValueError(f"`digitize` takes a vector of bins. Received: bins={bins!r}")
    return searchsorted(bins, x, side="right")


def histogram(x: Any, bins: int = 10, range: tuple[float, float] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """How many values lie in each of `bins` intervals of equal width, and the ends of these. Of arrays only.

    Args:
        x: Array.
        bins: How many.
        range: The lowest and the highest value that count; `None`: those of `x`.

    Example:

    >>> counts, edges = cconv.ops.histogram([1.0, 2.0, 1.5], 2)
    >>> (counts.tolist(), edges.tolist())
    ([1.0, 2.0], [1.0, 1.5, 2.0])
    """
    (x,) = on_arrays("histogram", x)
    if range is not None and (len(range) != 2 or range[0] > range[1]):
        raise ValueError(f"`histogram` takes the lowest and the highest value as `range`. Received: range={range}")
    counts, edges = np.histogram(x.astype(np.float64), positive_integer(bins, "bins"), range)
    kind = "float32" if x.dtype.kind == "f" else "int32"
    return counts.astype(kind), edges.astype(np.float32)


def nonzero(x: Any) -> tuple[np.ndarray, ...]:
    """The positions of what is not 0: an int32 array for each axis. Of arrays only.

    Example:

    >>> [axis.tolist() for axis in cconv.ops.nonzero([[0, 3], [2, 0]])]
    [[0, 1], [1, 0]]
    """
    (x,) = on_arrays("nonzero", x)
    return tuple(axis.astype(np.int32) for axis in np.nonzero(x))


def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The values that occur, each once, from the smallest on. Of arrays only.

    Args:
        x: Array.
        sorted: Whether the order matters to the caller; the result has it in any case.
        return_index: Whether to return where each occurs first, too.
        return_inverse: Whether to return which of them each element of `x` is, too.
        return_counts: Whether to return how often each occurs, too.
        axis: The axis whose slices are compared; `None`: single values.
        size: How many to return: the first ones, or others filled up; `None`: all there are.
        fill_value: What fills up; `None`: the smallest.

    Example:

    >>> cconv.ops.unique([3, 1, 3]).tolist()
    [1, 3]
    """
    (x,) = on_arrays("unique", x)
    wanted = (return_index, return_inverse, return_counts)
    found = np.unique(x, *wanted, axis=axis)
    values, *more = found if any(wanted) else (found,)
    more = [part.astype(np.int32) for part in more]
    if size is not None:
        place = 0 if axis is None else axis
        count = values.shape[place]
        keep = np.arange(positive_integer(size, "size"))
        filled = np.take(values, np.where(keep < count, keep, 0), place)
        if fill_value is not None:
            lines = np.moveaxis(filled, place, 0)
            lines[count:] = fill_value
        values = filled
        names = [name for name, asked in zip(("index", "inverse", "counts"), wanted, strict=True) if asked]
        for k, name in enumerate(names):
            if name != "inverse":
                more[k] = np.where(keep < count, more[k][np.where(keep < count, keep, 0)], 0).astype(np.int32)
    return (as_value(values), *more) if more else as_value(values)


@operation("indices")
def unravel_index(indices: Any, shape: tuple[int, ...]) -> tuple[Value, ...]:
    """Positions along all axes of a shape, of positions in the row of its elements.

    Example:

    >>> [axis.tolist() for axis in cconv.ops.unravel_index([3, 4], (2, 3))]
    [[1, 1], [0, 1]]
    """
    if any(size is None for size in shape):
        raise ValueError(f"`unravel_index` takes a known shape. Received: shape={shape}")
    count = int(np.prod(shape, dtype=np.int64))
    rest = apply("where", [apply("less", [indices, 0]), apply("add", [indices, count]), indices])
    found = []
    for size in reversed(shape):
        found.append(apply("mod", [rest, int(size)]))
        rest = apply("floor_divide", [rest, int(size)])
    return tuple(reversed(found))
