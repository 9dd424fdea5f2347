"""Tensors as such: making and converting them, their sizes, and what passes one on as it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import as_numbers, converted, of, result_type, standardize
from ..recorded_tensor import RecordedTensor
from ..recording import record_of
from ..scope import is_recording
from ..tensor import Tensor, Value, constant
from ..variable import Variable
from ._apply import apply, is_eager, shape_of
from .arguments import is_integer
from .operation import operation
from .unknown_sizes import broadcast

__all__ = [
    "arange",
    "array",
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "copy",
    "dtype",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "identity",
    "is_tensor",
    "ndim",
    "ones",
    "ones_like",
    "saturate_cast",
    "shape",
    "size",
    "stop_gradient",
    "zeros",
    "zeros_like",
]


def convert_to_tensor(
    x: Any, dtype: str | None = None, sparse: bool | None = None, ragged: bool | None = None
) -> Value:
    """A tensor as it is; anything else as an array of its type: bool, int32 or float32, or of `dtype`; as a tensor
    inside of a `cconv.GradientTape`.

    Raises:
        NotImplementedError: A sparse or a ragged one is asked for.

    Example:

    >>> cconv.ops.convert_to_tensor([1.0, 2.0]).dtype
    dtype('float32')
    """
    if sparse or ragged:
        raise NotImplementedError(f"There are dense tensors only. Received: sparse={sparse}, ragged={ragged}")
    dtype = standardize(dtype, default=of(x))
    if isinstance(x, (Tensor, RecordedTensor)) or not is_eager(x):
        return x if of(x) == dtype else cast(x, dtype)
    if is_recording():
        if isinstance(x, Variable):
            return x if of(x) == dtype else cast(x, dtype)
        return record_of().constant(x if of(x) == dtype else converted(x, dtype))
    return np.array(converted(x, dtype))


def convert_to_numpy(x: Any) -> np.ndarray:
    """The numbers of a variable or array. A symbolic tensor has none: TypeError.

    Example:

    >>> cconv.ops.convert_to_numpy([1, 2]).tolist()
    [1, 2]
    """
    return np.array(as_numbers(x, "convert_to_numpy"))


@operation("x", module="core")
def cast(x: Any, dtype: str) -> Value:
    """`x` as `"float32"`, `"int32"` or `"bool"`.

    To int32 fractions are cut off; numbers beyond its range become its nearest end, a NaN the lowest. To bool: whether
    the number is not 0, nor below 1.18e-38.

    Example:

    >>> cconv.ops.cast([0.5, -1.5], "int32").tolist()
    [0, -1]
    """
    dtype = standardize(dtype)
    if of(x) == dtype:
        return apply("identity", [x])
    return apply("cast", [x], {"to": dtype})


def is_tensor(x: Any) -> bool:
    """True for symbolic tensors, variables and arrays.

    Example:

    >>> cconv.ops.is_tensor(cconv.Input((3,)))
    True
    """
    return isinstance(x, (Tensor, RecordedTensor, Variable, np.ndarray))


def shape(x: Any) -> tuple[int | None, ...]:
    """The shape as a tuple; `None` where a size is not known yet.

    Example:

    >>> cconv.ops.shape(cconv.Input((3,)))
    (None, 3)
    >>> cconv.ops.shape(np.zeros((2, 3)))
    (2, 3)
    """
    return tuple(shape_of(x))


def ndim(x: Any) -> int:
    """The number of axes.

    Example:

    >>> cconv.ops.ndim(np.zeros((2, 3)))
    2
    """
    return len(shape_of(x))


def size(x: Any) -> int | None:
    """The number of elements; `None` if not known yet.

    Example:

    >>> int(cconv.ops.size(np.zeros((2, 3))))
    6
    """
    sizes = shape_of(x)
    return None if any(s is None for s in sizes) else math.prod(sizes)


def zeros(shape: Sequence[int | None], dtype: str | None = None) -> Value:
    """An array of zeros: float32, int32 or bool. In a layer's call, sizes may be `None` as in `full`.

    Example:

    >>> cconv.ops.zeros((1, 3)).tolist()
    [[0.0, 0.0, 0.0]]
    """
    return full(shape, 0, dtype)


def ones(shape: Sequence[int | None], dtype: str | None = None) -> Value:
    """An array of ones. In a layer's call, sizes may be `None` as in `full`.

    Example:

    >>> cconv.ops.ones((1, 3)).tolist()
    [[1.0, 1.0, 1.0]]
    """
    return full(shape, 1, dtype)


def arange(start: float, stop: float | None = None, step: float | None = None, dtype: str | None = None) -> np.ndarray:
    """The numbers from `start` up to and without `stop`, `step` (by default 1) apart; int32 if all are whole.

    Example:

    >>> cconv.ops.arange(1, 7, 2).tolist()
    [1, 3, 5]
    """
    if start is None:
        raise ValueError(
            "`arange` takes numbers that are known: the size of a batch is not, in a layer's call. Received: start=None"
        )
    step = 1 if step is None else step
    default = result_type(*[of(v) for v in (start, stop, step) if v is not None])
    dtype = standardize(dtype, default=default)
    return np.arange(*((0, start) if stop is None else (start, stop)), step, dtype=dtype)


def full(shape: Sequence[int | None], fill_value: float, dtype: str | None = None) -> Value:
    """An array of one value.

    In a layer's call a size may be `None`, as in `ops.shape(inputs)`: the one that the layer's input has along this
    axis.

    Example:

    >>> cconv.ops.full((2, 2), 7).tolist()
    [[7.0, 7.0], [7.0, 7.0]]
    """
    value = as_numbers(fill_value, "full")
    if isinstance(shape, (list, tuple)) and None in shape:
        return broadcast(converted(value, standardize(dtype)), shape)
    return np.full(shape, value, standardize(dtype))


def eye(N: int, M: int | None = None, k: int = 0, dtype: str | None = None) -> np.ndarray:
    """A matrix of `N` rows and `M` columns (by default `N`) with ones on a diagonal, else zeros.

    Args:
        N: Rows.
        M: Columns.
        k: The diagonal: 0 the main one, `k` above it, or `-k` below.
        dtype: float32, int32 or bool.

    Example:

    >>> cconv.ops.eye(2, 3, k=1).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    columns = N if M is None else M
    for name, value, least in (("N", N, 0), ("M", columns, 0), ("k", k, None)):
        if not is_integer(value) or (least is not None and value < least):
            raise ValueError(f"`eye` takes whole numbers, of rows and columns at least 0. Received: {name}={value!r}")
    return np.eye(N, columns, k, dtype=standardize(dtype))


def identity(n: int, dtype: str | None = None) -> np.ndarray:
    """The unit matrix of `n` rows and columns.

    Example:

    >>> cconv.ops.identity(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return eye(n, dtype=dtype)


def empty(shape: Sequence[int | None], dtype: str | None = None) -> Value:
    """An array whose values do not matter: zeros.

    Example:

    >>> cconv.ops.empty((2, 3)).shape
    (2, 3)
    """
    return zeros(shape, dtype)


@operation("x")
def full_like(x: Any, fill_value: Any, dtype: str | None = None) -> Value:
    """One value in the shape of `x`, of its type or of `dtype`.

    Example:

    >>> cconv.ops.full_like([1, 2], 7).tolist()
    [7, 7]
    """
    kind = standardize(dtype, default=of(x))
    value = cast(fill_value, kind)
    if is_eager(x, value) and not isinstance(value, RecordedTensor):
        return np.full(shape_of(x), value, kind)
    sizes = shape_of(x)
    if not any(size is None for size in sizes):
        return apply(
            "broadcast_to",
            [value if isinstance(value, RecordedTensor) or not is_eager(value) else constant(value)],
            {"shape": list(sizes)},
        )
    # the sizes that are not known are those of x
    return apply("where", [apply("equal", [x, x]), value, value])


@operation("x")
def zeros_like(x: Any, dtype: str | None = None) -> Value:
    """Zeros in the shape of `x`, of its type or of `dtype`.

    Example:

    >>> cconv.ops.zeros_like([1, 2]).tolist()
    [0, 0]
    """
    return full_like(x, 0, dtype)


@operation("x")
def ones_like(x: Any, dtype: str | None = None) -> Value:
    """Ones in the shape of `x`, of its type or of `dtype`.

    Example:

    >>> cconv.ops.ones_like([1, 2]).tolist()
    [1, 1]
    """
    return full_like(x, 1, dtype)


@operation("x")
def empty_like(x: Any, dtype: str | None = None) -> Value:
    """Values that do not matter in the shape of `x`: zeros.

    Example:

    >>> cconv.ops.empty_like(np.zeros((2, 3))).shape
    (2, 3)
    """
    return full_like(x, 0, dtype)


@operation("x")
def array(x: Any, dtype: str | None = None) -> Value:
    """The same as `convert_to_tensor`.

    Example:

    >>> a = cconv.ops.array([1.0, 2.0])
    >>> a.dtype
    dtype('float32')
    """
    return convert_to_tensor(x, dtype)


@operation("x")
def copy(x: Any) -> Value:
    """The same values in memory of their own.

    Example:

    >>> cconv.ops.copy([1, 2]).tolist()
    [1, 2]
    """
    return apply("identity", [x])


def dtype(x: Any) -> str:
    """The type of the values of a tensor, variable or array: `"float32"`, `"int32"` or `"bool"`.

    Example:

    >>> cconv.ops.dtype(np.zeros(2, np.float32))
    'float32'
    """
    return of(x)


@operation("x", module="core")
def saturate_cast(x: Any, dtype: str) -> Value:
    """`x` as another type, numbers beyond its range as its nearest end; the same as `cast`.

    Example:

    >>> cconv.ops.saturate_cast([1e12, -5.0], "int32").tolist()
    [2147483647, -5]
    """
    return cast(x, dtype)


@operation("variable", module="core")
def stop_gradient(variable: Any) -> Value:
    """`x` itself, but no gradient flows back through it.

    Example:

    >>> v = cconv.Variable(3.0)
    >>> with cconv.GradientTape() as tape:
    ...     y = v * cconv.ops.stop_gradient(v)
    >>> float(tape.gradient(y, v))
    3.0
    """
    return apply("stop_gradient", [variable])
