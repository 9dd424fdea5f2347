"""Values put to positions: rows and blocks replaced or combined, sums by segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import of
from ..tensor import Value
from ._apply import apply, is_eager, shape_of
from .arguments import is_integer, positive_integer
from .operation import operation
from .tensors import cast, convert_to_numpy, full, zeros

__all__ = [
    "scatter",
    "scatter_update",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "slice_update",
]

REDUCTIONS = (None, "add", "max", "min", "mul")


@operation("indices", "values", module="core")
def scatter(indices: Any, values: Any, shape: Sequence[int]) -> Value:
    """Zeros of this shape with values added at positions.

    Args:
        indices: Positions, (..., k): one number for each of the first k axes.
        values: What is added there, (..., the axes of `shape` that are left).
        shape: The shape of the result.

    Example:

    >>> cconv.ops.scatter([[0], [2], [0]], [1.0, 2.0, 3.0], (4,)).tolist()
    [4.0, 0.0, 2.0, 0.0]
    """
    kind = "int32" if of(values) == "bool" else of(values)
    return _scattered(zeros(tuple(shape), kind), indices, values, "add")


@operation("inputs", "indices", "updates", module="core")
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Value:
    """`inputs` with other values at positions.

    Args:
        inputs: Tensor of a known shape but for its last axes.
        indices: Positions, (..., k): one number for each of the first k axes; below 0 counted from the end.
        updates: What is put there, (..., the axes of `inputs` that are left).
        reduction: `None`: updates replace what is there, of several at a position the last; `"add"`, `"mul"`, `"max"`,
            `"min"`: they are combined with it, and with each other.

    Example:

    >>> cconv.ops.scatter_update([1, 2, 3], [[0], [2]], [7, 8]).tolist()
    [7, 2, 8]
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"Invalid reduction: {reduction}. Supported values are: None, 'add', 'max', 'min', 'mul'.")
    y = _scattered(inputs, indices, updates, reduction or "none")
    return cast(y, of(inputs))


def _scattered(x: Any, indices: Any, updates: Any, reduction: str) -> Value:
    shape, places = shape_of(x), shape_of(indices)
    depth = places[-1] if places else None
    if depth is None or not 1 <= depth <= len(shape):
        raise ValueError(
            f"Positions are (..., k), a number for each of k axes, 1 to {len(shape)}. "
            f"Received: indices of shape {places}"
        )
    if any(size is None for size in shape[:depth]):
        raise ValueError(f"Values are put to positions along axes of known size. Received: shape {shape}")
    rest = [-1 if size is None else size for size in shape[depth:]]
    updates = cast(updates, of(x)) if of(updates) != of(x) else updates
    if depth == 1:
        rows = apply("squeeze", [indices], {"axes": [len(places) - 1]})
        return apply("scatter_update", [x, rows, updates], {"reduction": reduction})
    size = np.array(shape[:depth], np.int32)
    steps = np.array([np.prod(size[k + 1 :], dtype=np.int64) for k in range(depth)], np.int32)
    indices = apply("where", [apply("less", [indices, 0]), apply("add", [indices, size]), indices])
    flat = apply("sum", [apply("multiply", [indices, steps])], {"axes": [len(places) - 1]})
    rows = apply("reshape", [x], {"shape": [int(np.prod(size)), *rest]})
    y = apply("scatter_update", [rows, flat, updates], {"reduction": reduction})
    return apply("reshape", [y], {"shape": [*size.tolist(), *rest]})


@operation("inputs", "start_indices", "updates", module="core")
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Value:
    """`inputs` with the block that starts at `start_indices` replaced by `updates`.

    Args:
        inputs: Tensor.
        start_indices: A position for each axis: known numbers.
        updates: Tensor of as many axes.

    Example:

    >>> cconv.ops.slice_update([[0, 0], [0, 0]], [0, 1], [[7], [8]]).tolist()
    [[0, 7], [0, 8]]
    """
    shape, block = shape_of(inputs), shape_of(updates)
    if not is_eager(start_indices):
        raise NotImplementedError("`slice_update` takes known numbers as `start_indices`. Received: a symbolic tensor")
    starts = convert_to_numpy(start_indices).ravel().tolist()
    if not len(starts) == len(block) == len(shape):
        raise ValueError(
            "`slice_update` takes a position and a size for each axis. "
            f"Received: inputs of shape {shape}, start_indices={starts}, updates of shape {block}"
        )
    pads, inside = [], np.ones([1] * len(shape), bool)
    for axis, (start, size, whole) in enumerate(zip(starts, block, shape, strict=True)):
        if start == 0 and size == whole:
            pads.append((0, 0))
            continue
        if size is None or whole is None or not is_integer(start) or not 0 <= start <= whole - size:
            raise ValueError(
                "`slice_update`: the block must lie within the tensor, along axes of known size. "
                f"Received: inputs of shape {shape}, start_indices={starts}, updates of shape {block}"
            )
        pads.append((start, whole - size - start))
        line = (np.arange(whole) >= start) & (np.arange(whole) < start + size)
        inside = inside & line.reshape([-1 if k == axis else 1 for k in range(len(shape))])
    padded = apply("pad", [cast(updates, of(inputs))], {"pads": [a for a, _ in pads] + [b for _, b in pads]})
    return apply("where", [inside, padded, inputs])


def _segments(op: str, data: Any, segment_ids: Any, num_segments: int | None, reduction: str, first: Any) -> Value:
    if len(shape_of(segment_ids)) != 1 or not shape_of(data):
        raise ValueError(
            f"`{op}` takes a vector of segment ids, one for each row of the data. "
            f"Received: ids of shape {shape_of(segment_ids)}, data of shape {shape_of(data)}"
        )
    if num_segments is None:
        if not is_eager(segment_ids):
            raise ValueError(f"`{op}` of symbolic ids takes the number of segments. Received: num_segments=None")
        num_segments = int(convert_to_numpy(segment_ids).max(initial=-1)) + 1
    data = cast(data, "int32") if of(data) == "bool" else data
    sizes = shape_of(data)[1:]
    if any(size is None for size in sizes):
        raise ValueError(f"`{op}` takes rows of known sizes. Received: data of shape {shape_of(data)}")
    start = full((positive_integer(num_segments, "num_segments"), *sizes), first[of(data)], of(data))
    ids = apply("where", [apply("less", [segment_ids, 0]), num_segments, segment_ids])  # one below 0 belongs to none
    return apply("scatter_update", [start, ids, data], {"reduction": reduction})


@operation("data", "segment_ids", module="math")
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The sums of the rows of each segment; of none 0.

    Args:
        data: Tensor, (n, ...).
        segment_ids: The segment of each row, (n,); rows of ids below 0 or too large are left out.
        num_segments: How many segments there are; `None`: as many as there are ids, of arrays.
        sorted: Whether the ids rise; the result is the same.

    Returns:
        A tensor (num_segments, ...).

    Example:

    >>> cconv.ops.segment_sum([1, 2, 4], [0, 1, 0]).tolist()
    [5, 2]
    """
    return _segments("segment_sum", data, segment_ids, num_segments, "add", {"float32": 0, "int32": 0})


@operation("data", "segment_ids", module="math")
def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The products of the rows of each segment, of none 1; see `segment_sum`.

    Example:

    >>> cconv.ops.segment_prod([3.0, 1.0, 2.0], [0, 0, 1]).tolist()
    [3.0, 2.0]
    """
    return _segments("segment_prod", data, segment_ids, num_segments, "mul", {"float32": 1, "int32": 1})


@operation("data", "segment_ids", module="math")
def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The largest values of each segment, of none the lowest number there is; see `segment_sum`.

    Example:

    >>> cconv.ops.segment_max([3.0, 1.0, 2.0], [0, 0, 1]).tolist()
    [3.0, 2.0]
    """
    lowest = {"float32": -np.inf, "int32": -(2**31)}
    return _segments("segment_max", data, segment_ids, num_segments, "max", lowest)


@operation("data", "segment_ids", module="math")
def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The smallest values of each segment, of none the largest number there is; see `segment_sum`.

    Example:

    >>> cconv.ops.segment_min([3.0, 1.0, 2.0], [0, 0, 1]).tolist()
    [1.0, 2.0]
    """
    highest = {"float32": np.inf, "int32": 2**31 - 1}
    return _segments("segment_min", data, segment_ids, num_segments, "min", highest)
