"""Numbers at even distances, the grids that they span, and the windows of signals."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import of, standardize
from ..tensor import Value
from ._apply import apply, is_eager, shape_of
from .arguments import axis as number_of_axis
from .arguments import number, positive_integer, whole
from .arrays import on_arrays
from .operation import operation
from .shapes import broadcast_to, reshape
from .tensors import cast

__all__ = [
    "bartlett",
    "blackman",
    "geomspace",
    "hamming",
    "hanning",
    "kaiser",
    "linspace",
    "logspace",
    "meshgrid",
]


@operation("start", "stop")
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: str | None = None,
    axis: int = 0,
) -> Any:
    """`num` numbers at even distances from `start` to `stop`.

    Args:
        start: Number or tensor.
        stop: Number or tensor.
        num: How many.
        endpoint: Whether `stop` is the last of them, or comes one distance behind it.
        retstep: Whether to return the distance, too: a pair then.
        dtype: float32 (the default) or int32.
        axis: The place of their axis in the result.

    Example:

    >>> cconv.ops.linspace(0, 1, 5).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    num = whole(num, "num", 0)
    if is_eager(start, stop):
        a, b = on_arrays("linspace", start, stop)
        y, step = np.linspace(a.astype(np.float64), b, num, endpoint, retstep=True, axis=axis)
        return (_typed(y, dtype), np.float32(step)) if retstep else _typed(y, dtype)
    start, stop = cast(start, "float32"), cast(stop, "float32")
    step = apply("divide", [apply("subtract", [stop, start]), float(max(num - bool(endpoint), 1))])
    return (_steps(start, step, num, axis, dtype), step) if retstep else _steps(start, step, num, axis, dtype)


def _steps(start: Any, step: Any, num: int, axis: int, dtype: str | None) -> Value:
    rank = len(shape_of(step))
    place = number_of_axis(axis, rank + 1)
    at = np.arange(num, dtype=np.float32).reshape([-1 if k == place else 1 for k in range(rank + 1)])
    start, step = (apply("expand_dims", [x], {"axis": place}) if len(shape_of(x)) == rank else x for x in (start, step))
    return cast(apply("add", [start, apply("multiply", [step, at])]), standardize(dtype))


def _typed(y: Any, dtype: str | None) -> np.ndarray:
    return np.asarray(y, standardize(dtype))


@operation("start", "stop")
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: str | None = None,
    axis: int = 0,
) -> Value:
    """`base` to the power of `num` numbers at even distances from `start` to `stop`; see `linspace`.

    Example:

    >>> cconv.ops.logspace(0, 2, 3).tolist()
    [1.0, 10.0, 100.0]
    """
    if is_eager(start, stop):
        a, b = on_arrays("logspace", start, stop)
        return _typed(np.logspace(a.astype(np.float64), b, whole(num, "num", 0), endpoint, base, axis=axis), dtype)
    powers = linspace(start, stop, num, endpoint, axis=axis)
    return cast(apply("power", [number(base, "base"), powers]), standardize(dtype))


@operation("start", "stop")
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: str | None = None, axis: int = 0
) -> Value:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before it; both above 0 in a model.

    Example:

    >>> cconv.ops.geomspace(1, 8, 4).tolist()
    [1.0, 2.0, 4.0, 8.0]
    """
    if is_eager(start, stop):
        a, b = on_arrays("geomspace", start, stop)
        return _typed(np.geomspace(a.astype(np.float64), b, whole(num, "num", 0), endpoint, axis=axis), dtype)
    powers = linspace(apply("log", [start]), apply("log", [stop]), num, endpoint, axis=axis)
    return cast(apply("exp", [powers]), standardize(dtype))


def meshgrid(*x: Any, indexing: str = "xy") -> list[Value]:
    """Of vectors, one for each axis, a grid for each: its element at every point that they span.

    Args:
        x: Vectors of known sizes.
        indexing: `"xy"`: the first axis is that of the second vector; `"ij"`: the axes in the order of the vectors.

    Example:

    >>> [grid.tolist() for grid in cconv.ops.meshgrid([1, 2], [3, 4, 5])]
    [[[1, 2], [1, 2], [1, 2]], [[3, 3], [4, 4], [5, 5]]]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"The `indexing` of `meshgrid` must be 'xy' or 'ij'. Received: indexing={indexing!r}")
    vectors = [reshape(v, (-1,)) for v in x]
    sizes = [shape_of(v)[0] for v in vectors]
    if any(size is None for size in sizes):
        raise ValueError(f"`meshgrid` takes vectors of known sizes. Received: sizes {sizes}")
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[0], order[1] = 1, 0
    shape = [sizes[k] for k in order]
    grids = []
    for k, v in enumerate(vectors):
        line = reshape(v, [sizes[k] if place == k else 1 for place in order])
        grids.append(broadcast_to(line, shape))
    return grids


def _window(op: str, function: Any, x: Any, *more: float) -> np.ndarray:
    if of(x) != "int32" or np.ndim(x) > 0:
        raise TypeError(f"`{op}` takes the number of elements, a whole number. Received: {x!r}")
    return np.asarray(function(positive_integer(int(x), "x"), *more), np.float32)


def bartlett(x: int) -> np.ndarray:
    """The Bartlett window of `x` elements: a triangle from 0 to 1 and back.

    Example:

    >>> print(cconv.ops.bartlett(5).round(4))
    [0.  0.5 1.  0.5 0. ]
    """
    return _window("bartlett", np.bartlett, x)


def blackman(x: int) -> np.ndarray:
    """The Blackman window of `x` elements.

    Example:

    >>> print(abs(cconv.ops.blackman(5)).round(4))
    [0.   0.34 1.   0.34 0.  ]
    """
    return _window("blackman", np.blackman, x)


def hamming(x: int) -> np.ndarray:
    """The Hamming window of `x` elements: a raised cosine that ends at 0.08.

    Example:

    >>> print(cconv.ops.hamming(5).round(4))
    [0.08 0.54 1.   0.54 0.08]
    """
    return _window("hamming", np.hamming, x)


def hanning(x: int) -> np.ndarray:
    """The Hann window of `x` elements: a raised cosine that ends at 0.

    Example:

    >>> print(cconv.ops.hanning(5).round(4))
    [0.  0.5 1.  0.5 0. ]
    """
    return _window("hanning", np.hanning, x)


def kaiser(x: int, beta: float) -> np.ndarray:
    """The Kaiser window of `x` elements, whose shape `beta` decides: 0 gives ones.

    Example:

    >>> print(cconv.ops.kaiser(5, 2.0).round(4))
    [0.4387 0.8348 1.     0.8348 0.4387]
    """
    return _window("kaiser", np.kaiser, x, number(beta, "beta"))
