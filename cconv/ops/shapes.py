"""Changes of shape: the same values in another arrangement, next to each other, or with a border."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import of
from ..tensor import Value
from ._apply import apply, is_eager, shape_of
from .arguments import axes as numbers_of_axes
from .arguments import axis as number_of_axis
from .arguments import is_integer, number, pads, sides
from .operation import operation
from .tensors import convert_to_tensor
from .unknown_sizes import broadcast

__all__ = [
    "broadcast_to",
    "concatenate",
    "expand_dims",
    "moveaxis",
    "pad",
    "reshape",
    "squeeze",
    "stack",
    "transpose",
]


@operation("x")
def reshape(x: Any, newshape: Sequence[int | None]) -> Value:
    """The same values in another shape; one size may be -1 (what is left). `None` stands for a size not known yet.

    Example:

    >>> cconv.ops.reshape([[1, 2], [3, 4]], (4,)).tolist()
    [1, 2, 3, 4]
    """
    newshape = (newshape,) if isinstance(newshape, (int, np.integer)) else tuple(newshape)
    shape = shape_of(x)
    sizes = []
    for i, size in enumerate(newshape):
        if size is None:
            size = 0 if i < len(shape) and shape[i] is None else -1
        elif isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < -1:
            raise ValueError(f"`newshape` takes sizes of at least 0, and -1 once. Received: newshape={newshape}")
        sizes.append(int(size))
    if builtins.sum(size is None for size in newshape) == 1 and -1 not in sizes and 0 not in newshape:
        # such as the batch of values whose first axes became one: what is left, whatever stood there
        kept, k = [size for i, size in enumerate(shape) if i != sizes.index(0)], sizes.index(0)
        if None not in kept and math.prod(kept) != math.prod(sizes[:k] + sizes[k + 1 :]):
            sizes[k] = -1
    if any(size == 0 for size in newshape):
        # to the core, a 0 means "the size there is now"
        if is_eager(x):
            return convert_to_tensor(x).reshape(newshape)
        raise ValueError(
            f"A symbolic tensor cannot take a shape with a size of 0. Received: shape={shape}, newshape={newshape}"
        )
    return apply("reshape", [x], {"shape": sizes})


@operation("x")
def transpose(x: Any, axes: Sequence[int] | None = None) -> Value:
    """The axes in the order `axes`; reversed if `None`.

    Example:

    >>> cconv.ops.transpose(np.zeros((2, 3, 4)), (0, 2, 1)).shape
    (2, 4, 3)
    """
    rank = len(shape_of(x))
    order = list(range(rank))[::-1] if axes is None else numbers_of_axes(list(axes), rank, "axes")
    if len(order) != rank:
        raise ValueError(f"The `axes` argument must name each of the {rank} axes. Received: axes={axes}")
    return apply("transpose", [x], {"axes": order}) if rank else convert_to_tensor(x)


@operation("x")
def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Value:
    """Moves axes to other places, one or several; the others keep their order.

    Example:

    >>> cconv.ops.moveaxis(np.zeros((2, 3, 4)), (0, 1), (-1, -2)).shape
    (4, 3, 2)
    """
    rank = len(shape_of(x))
    moved = numbers_of_axes(source, rank, "source")
    places = numbers_of_axes(destination, rank, "destination")
    if len(moved) != len(places):
        raise ValueError(
            f"`moveaxis` takes a `destination` for each `source`. Received: source={source}, destination={destination}"
        )
    order = [axis for axis in range(rank) if axis not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        order.insert(place, axis)
    return apply("transpose", [x], {"axes": order}) if rank else convert_to_tensor(x)


@operation("x")
def expand_dims(x: Any, axis: int | Sequence[int]) -> Value:
    """New axes of size 1 at the places `axis` of the result; one below 0 counts from its last.

    Example:

    >>> cconv.ops.expand_dims(np.ones((2, 3, 4)), (-1, -2)).shape
    (2, 3, 4, 1, 1)
    """
    count = len(axis) if isinstance(axis, (list, tuple)) else 1
    for place in sorted(numbers_of_axes(axis, len(shape_of(x)) + count)):
        x = apply("expand_dims", [x], {"axis": place})
    return x if count else convert_to_tensor(x)


@operation("x")
def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Value:
    """Without the axes of size 1: those of `axis`, which all must be, or all there are if `None`.

    Example:

    >>> cconv.ops.squeeze(np.zeros((1, 2, 1)), axis=0).shape
    (2, 1)
    """
    shape = shape_of(x)
    if axis is None:
        axes = [i for i, size in enumerate(shape) if size == 1]
    else:
        axes = numbers_of_axes(axis, len(shape))
    return apply("squeeze", [x], {"axes": axes}) if axes else convert_to_tensor(x)


@operation("xs")
def concatenate(xs: Sequence[Any], axis: int = 0) -> Value:
    """The tensors one after another along `axis`.

    Example:

    >>> cconv.ops.concatenate([[[1, 2]], [[3, 4]]], axis=1).tolist()
    [[1, 2, 3, 4]]
    """
    xs = list(xs)
    if not xs:
        raise ValueError("`concatenate` takes one tensor or more. Received: none")
    return apply("concatenate", xs, {"axis": number_of_axis(axis, len(shape_of(xs[0])))})


@operation("x")
def stack(x: Sequence[Any], axis: int = 0) -> Value:
    """The tensors side by side along a new axis.

    Example:

    >>> cconv.ops.stack([[1, 2], [3, 4]], axis=1).tolist()
    [[1, 3], [2, 4]]
    """
    items = list(x)
    if not items:
        raise ValueError("`stack` takes one tensor or more. Received: none")
    place = {"axis": number_of_axis(axis, len(shape_of(items[0])) + 1)}
    return apply("concatenate", [apply("expand_dims", [item], place) for item in items], place)


@operation("x")
def broadcast_to(x: Any, shape: Sequence[int | None]) -> Value:
    """`x` repeated until it has this shape.

    In a layer's call a size may be `None`, as in `ops.shape(inputs)`: the one that `x`, or else the layer's input, has
    along this axis.

    Example:

    >>> cconv.ops.broadcast_to([1, 2], (2, 2)).tolist()
    [[1, 2], [1, 2]]
    """
    return broadcast(x, shape)


@operation("x")
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Value:
    """`x` with more elements before and after its axes, as `numpy.pad`.

    Args:
        x: Tensor.
        pad_width: A pair `(before, after)` for each axis; one pair, or one number, for all.
        mode: What stands there: `"constant"`: `constant_values`; `"edge"`: the nearest element of `x`; `"reflect"`,
            `"symmetric"`: `x` mirrored at its last element, or behind it, and then no wider than `x` allows: at most
            its size less 1, or its size.
        constant_values: One number, for mode `"constant"` only; `None`: 0. For an int32 `x` a whole number that a
            float32 holds exactly; for bools 0 or 1.

    Example:

    >>> cconv.ops.pad([[1, 2, 3]], ((0, 0), (2, 1)), mode="reflect").tolist()
    [[3, 2, 1, 2, 3, 2]]
    """
    modes = ("constant", "edge", "reflect", "symmetric")
    if mode not in modes:
        raise ValueError(f"The `mode` argument of `pad` must be one of {modes}. Received: mode={mode!r}")
    if mode != "constant" and constant_values is not None:
        raise ValueError(
            "`pad` takes `constant_values` with mode='constant' only. "
            f"Received: mode={mode!r}, constant_values={constant_values!r}"
        )
    rank = len(shape_of(x))
    axes = pad_width
    if isinstance(axes, (list, tuple)):
        if len(axes) == 2 and all(is_integer(v) for v in axes):
            axes = (axes,)
        if len(axes) == 1:
            axes = tuple(axes) * rank
    value = 0.0 if constant_values is None else number(constant_values, "constant_values")
    if of(x) == "int32" and value != float(np.float32(value)):
        raise ValueError(
            "`pad` of whole numbers takes a `constant_values` that a float32 holds exactly. "
            f"Received: constant_values={constant_values!r}"
        )
    return apply("pad", [x], {"pads": pads(sides(axes, rank, "pad_width")), "mode": mode, "value": value})
