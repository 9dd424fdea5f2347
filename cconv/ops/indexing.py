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
from .unknown_sizes import broadcast

__all__ = [
    "argsort",
    "multi_hot",
    "one_hot",
    "take",
    "take_along_axis",
    "top_k",
]


@operation("inputs", module="core")
def slice_(inputs: Any, start_indices: Sequence[int], shape: Sequence[int]) -> Value:
    """The block of this shape that starts at `start_indices`.

    Example:

    >>> cconv.ops.slice(np.arange(6).reshape(2, 3), [0, 1], [2, 2]).tolist()
    [[1, 2], [4, 5]]
    """
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
        indices: Positions, of the shape of `x` but for `axis`; `x` and they are repeated along axes where they have
            size 1. One below 0 counts from the end; one outside gives 0.
        axis: The axis.

    Example:

    >>> cconv.ops.take_along_axis([[1, 2, 3], [4, 5, 6]], [[2], [0]], axis=1).tolist()
    [[3], [4]]
    """
    indices = _whole(indices, "take_along_axis", "indices")
    if axis is None:
        x, indices = (apply("reshape", [value], {"shape": [-1]}) for value in (x, indices))
    place = 0 if axis is None else number_of_axis(axis, len(shape_of(x)))
    if len(shape_of(x)) == len(shape_of(indices)):
        x, indices = _repeated(x, indices, place), _repeated(indices, x, place)
    return apply("take_along_axis", [x, indices], {"axis": place})


def _repeated(x: Any, other: Any, axis: int) -> Any:
    """`x` with the sizes of another tensor where its own are 1, but for `axis`."""
    own = tuple(shape_of(x))
    sizes = [b if a == 1 and k != axis else a for k, (a, b) in enumerate(zip(own, shape_of(other), strict=True))]
    return x if tuple(sizes) == own else broadcast(x, sizes, like=other)


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
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: str | None = None, sparse: bool = False) -> Value:
    """A new axis of size `num_classes` that is 1 at position `x`, else 0.

    Args:
        x: Numbers of classes; one that is none gives zeros. An array of floating point numbers is taken if all of them
            are whole.
        num_classes: How many classes there are.
        axis: The place of the new axis in the result.
        dtype: float32 (the default), int32 or bool.
        sparse: Not supported.

    Example:

    >>> cconv.ops.one_hot([1, 0], 3).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    if sparse:
        raise NotImplementedError("`one_hot` gives no sparse tensors. Received: sparse=True")
    depth = {"depth": positive_integer(num_classes, "num_classes")}
    y = cast(apply("one_hot", [_whole(x, "one_hot", "x")], depth), dtype or "float32")
    rank = len(shape_of(y))
    axis = number_of_axis(axis, rank)
    if axis == rank - 1:
        return y
    axes = list(range(rank - 1))
    axes.insert(axis, rank - 1)
    return apply("transpose", [y], {"axes": axes})


@operation("inputs", module="nn")
def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: str | None = None, sparse: bool = False
) -> Value:
    """Which classes are among the numbers along `axis`: (..., k) -> (..., num_classes), 1 or 0.

    Args:
        inputs: Numbers of classes.
        num_classes: How many classes there are.
        axis: The place of the axis of classes in the result.
        dtype: float32 (the default), int32 or bool.
        sparse: Not supported.

    Example:

    >>> cconv.ops.multi_hot([[0, 2], [1, 1]], 3).tolist()
    [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    if sparse:
        raise NotImplementedError("`multi_hot` gives no sparse tensors. Received: sparse=True")
    if num_classes is None:
        raise ValueError("`multi_hot` takes the number of classes. Received: num_classes=None")
    ones = one_hot(inputs, num_classes, axis, dtype)
    rank = len(shape_of(inputs))
    # Keras reduces the first axis of what is more than a vector and has no batch before it
    return apply("max", [ones], {"axes": [1 if rank > 1 else 0]})


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
