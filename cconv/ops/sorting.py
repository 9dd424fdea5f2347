"""Orders of values: sorted, in the middle, at a share of all, among the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import axes as numbers_of_axes
from .arguments import axis as number_of_axis
from .arguments import positive_integer
from .operation import operation
from .tensors import cast

__all__ = [
    "argpartition",
    "in_top_k",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
    "searchsorted",
    "sort",
]

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@operation("x")
def sort(x: Any, axis: int | None = -1) -> Value:
    """The values from the smallest on along `axis` (`None`: all of them in one row); a NaN is the largest.

    Example:

    >>> cconv.ops.sort([3, 1, 2]).tolist()
    [1, 2, 3]
    """
    if axis is None:
        x, axis = apply("reshape", [x], {"shape": [-1]}), 0
    place = {"axis": number_of_axis(axis, len(shape_of(x)))}
    return apply("take_along_axis", [x, apply("argsort", [x], place)], place)


@operation("x")
def argpartition(x: Any, kth: int, axis: int | None = -1) -> Value:
    """Positions in an order with the `kth` value where sorting puts it: smaller ones before it, larger ones behind.

    Args:
        x: Tensor.
        kth: Position along the axis.
        axis: The axis; `None`: all values.

    Example:

    >>> np.array([7, 1, 5])[cconv.ops.argpartition([7, 1, 5], 0)][0].tolist()
    1
    """
    if axis is None:
        x, axis = apply("reshape", [x], {"shape": [-1]}), 0
    axis = number_of_axis(axis, len(shape_of(x)))
    number_of_axis(kth, shape_of(x)[axis] or 2**31, "kth")
    return apply("argsort", [x], {"axis": axis})  # any order that is sorted is one of these


@operation("targets", "predictions", module="math")
def in_top_k(targets: Any, predictions: Any, k: int) -> Value:
    """Whether the prediction of each target's class is among the `k` largest of its row; ties with the last one are.

    Args:
        targets: Numbers of classes, (n,).
        predictions: A value for each class, (n, classes).
        k: How many.

    Example:

    >>> cconv.ops.in_top_k([1], [[0.5, 0.2, 0.3]], 2).tolist()
    [False]
    """
    own = apply("take_along_axis", [predictions, apply("expand_dims", [targets], {"axis": -1})], {"axis": -1})
    better = apply("sum", [cast(apply("greater", [predictions, own]), "int32")], {"axes": [-1]})
    inside = apply("less", [better, positive_integer(k, "k")])
    finite = apply("less", [apply("abs", [own]), float("inf")])
    return apply("minimum", [inside, apply("min", [finite], {"axes": [-1]})])


@operation("sorted_sequence", "values", class_name="SearchSorted")
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Value:
    """The positions at which values would be inserted into a sorted vector, as int32.

    Args:
        sorted_sequence: Vector whose elements rise.
        values: Tensor of any shape.
        side: `"left"`: before equal elements, `"right"`: behind them.

    Example:

    >>> cconv.ops.searchsorted([1, 3, 5], [0, 3, 9]).tolist()
    [0, 1, 3]
    """
    if len(shape_of(sorted_sequence)) != 1:
        raise ValueError(f"`searchsorted` takes a vector. Received: shape {shape_of(sorted_sequence)}")
    if side not in ("left", "right"):
        raise ValueError(f"The `side` of `searchsorted` must be 'left' or 'right'. Received: side={side!r}")
    last = {"axis": len(shape_of(values))}
    before = apply("greater" if side == "left" else "greater_equal",
                   [apply("expand_dims", [values], last), sorted_sequence])  # fmt: skip
    return apply("sum", [cast(before, "int32")], {"axes": [-1]})


@operation("x")
def median(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """The value in the middle over `axis`, or the mean of the two there; NaN where one of them is.

    Example:

    >>> cconv.ops.median([5, 1, 9, 3]).tolist()
    4.0
    """
    return _quantile("median", x, 0.5, axis, "linear", keepdims, nan=False)


@operation("x")
def quantile(
    x: Any, q: Any, axis: int | Sequence[int] | None = None, method: str = "linear", keepdims: bool = False
) -> Value:
    """The value below which a share `q` of all over `axis` lies; NaN where one of them is.

    Args:
        x: Tensor.
        q: A share from 0 to 1, or a vector of them, whose axis comes first in the result.
        axis: One axis, several, or all of them if `None`.
        method: What it is between two values: `"linear"`, `"lower"`, `"higher"`, `"midpoint"` or `"nearest"`.
        keepdims: Whether the axes stay, with size 1.

    Example:

    >>> cconv.ops.quantile([1.0, 2.0, 3.0], [0.5, 0.75]).tolist()
    [2.0, 2.5]
    """
    return _quantile("quantile", x, q, axis, method, keepdims, nan=False)


@operation("x")
def percentile(
    x: Any, q: Any, axis: int | Sequence[int] | None = None, method: str = "linear", keepdims: bool = False
) -> Value:
    """As `quantile`, with `q` from 0 to 100.

    Example:

    >>> cconv.ops.percentile([1.0, 2.0, 3.0], [50, 75]).tolist()
    [2.0, 2.5]
    """
    return _quantile("percentile", x, np.asarray(q, np.float64) / 100, axis, method, keepdims, nan=False)


@operation("x")
def nanmedian(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """As `median`, of what is not NaN.

    Example:

    >>> cconv.ops.nanmedian([[1.0, np.nan, 3.0]], axis=1).tolist()
    [2.0]
    """
    return _quantile("nanmedian", x, 0.5, axis, "linear", keepdims, nan=True)


@operation("x")
def nanquantile(
    x: Any, q: Any, axis: int | Sequence[int] | None = None, method: str = "linear", keepdims: bool = False
) -> Value:
    """As `quantile`, of what is not NaN.

    Example:

    >>> cconv.ops.nanquantile([1.0, np.nan, 3.0], 0.25).tolist()
    1.5
    """
    return _quantile("nanquantile", x, q, axis, method, keepdims, nan=True)


@operation("x")
def nanpercentile(
    x: Any, q: Any, axis: int | Sequence[int] | None = None, method: str = "linear", keepdims: bool = False
) -> Value:
    """As `percentile`, of what is not NaN.

    Example:

    >>> cconv.ops.nanpercentile([1.0, np.nan, 3.0], 50).tolist()
    2.0
    """
    return _quantile("nanpercentile", x, np.asarray(q, np.float64) / 100, axis, method, keepdims, nan=True)


def _quantile(op: str, x: Any, q: Any, axis: Any, method: str, keepdims: bool, nan: bool) -> Value:
    if method not in METHODS:
        raise ValueError(f"The `method` of `{op}` must be one of {METHODS}. Received: method={method!r}")
    shares = np.asarray(q, np.float64)
    if shares.ndim > 1 or not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"`{op}` takes one share or a vector of them, within its bounds. Received: q={q!r}")
    shape = shape_of(x)
    axes = list(range(len(shape))) if axis is None else numbers_of_axes(axis, len(shape))
    rest = [k for k in range(len(shape)) if k not in axes]
    if any(shape[k] is None for k in axes) or len([k for k in rest if shape[k] is None]) > 1:
        raise ValueError(
            f"`{op}` takes axes of known size, and one other at most. Received: shape {shape}, axis={axis}"
        )
    kept = [-1 if shape[k] is None else shape[k] for k in rest]
    n = int(np.prod([shape[k] for k in axes], dtype=np.int64))
    x = cast(x, "float32")
    if len(shape):
        x = apply("transpose", [x], {"axes": [*rest, *axes]})
    x = sort(apply("reshape", [x], {"shape": [*kept, n]}))
    last = {"axis": len(rest)}
    holes = cast(apply("not_equal", [x, x]), "float32")
    count = apply("sum", [holes], {"axes": [len(rest)], "keepdims": True})
    results = []
    for share in shares.reshape(-1).tolist():
        top = apply("subtract", [float(n - 1), count]) if nan else float(n - 1)
        y = _at(x, top, share, method, last)
        if not nan:
            y = apply("where", [apply("greater", [count, 0.0]), float("nan"), y])
        results.append(y)
    if keepdims:
        sizes = [1 if k in axes else -1 if shape[k] is None else shape[k] for k in range(len(shape))]
        results = [apply("reshape", [y], {"shape": sizes}) for y in results]
    else:
        results = [apply("squeeze", [y], {"axes": [len(rest)]}) for y in results]
    if shares.ndim == 0:
        return results[0]
    return apply("concatenate", [apply("expand_dims", [y], {"axis": 0}) for y in results], {"axis": 0})


def _at(x: Any, top: Any, share: float, method: str, last: dict[str, int]) -> Value:
    """The value at a share of the positions 0 .. top of sorted lines; where there are none, a NaN."""
    if isinstance(top, float):
        place = share * top
        low, high, part = np.floor(place), np.ceil(place), place - np.floor(place)
        part = {
            "lower": 0.0,
            "higher": 1.0,
            "midpoint": 0.5 * (low != high),
            "nearest": float(np.rint(place) - low),
        }.get(method, part)
        first, second = (apply("take", [x, np.array([int(k)], np.int32)], last) for k in (low, high))
        return _between(first, second, part)
    place = apply("multiply", [top, share])
    low = apply("floor", [place])
    high = apply("negative", [apply("floor", [apply("negative", [place])])])
    part = {
        "linear": apply("subtract", [place, low]),
        "lower": 0.0,
        "higher": 1.0,
        "midpoint": 0.5,
        "nearest": apply("subtract", [apply("round", [place]), low]),
    }[method]
    first, second = (apply("take_along_axis", [x, cast(k, "int32")], last) for k in (low, high))
    return _between(first, second, part)


def _between(first: Any, second: Any, part: Any) -> Value:
    """From one to the other. Equal ones, infinite ones among them, are themselves."""
    if isinstance(part, float) and part in (0.0, 1.0):
        return second if part else first
    same = apply("equal", [first, second])
    step = apply("where", [same, 0.0, apply("subtract", [second, first])])
    return apply("add", [first, apply("multiply", [step, part])])
