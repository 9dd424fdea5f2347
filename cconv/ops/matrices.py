"""Diagonals and triangles of matrices, and products of vectors and matrices that are made of other functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import of, standardize
from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import axis as number_of_axis
from .arguments import whole
from .arrays import on_arrays
from .operation import operation
from .tensors import cast

__all__ = [
    "corrcoef",
    "correlate",
    "cross",
    "diag",
    "diagflat",
    "diagonal",
    "kron",
    "trace",
    "tri",
    "tril",
    "triu",
    "vander",
]


def tri(N: int, M: int | None = None, k: int = 0, dtype: str | None = None) -> np.ndarray:
    """A matrix of `N` rows and `M` columns (by default `N`): ones on diagonal `k` and below it, else zeros.

    Example:

    >>> cconv.ops.tri(2, 3, 1).tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]
    """
    return np.tri(whole(N, "N", 0), None if M is None else whole(M, "M", 0), whole(k, "k"), standardize(dtype))


@operation("x")
def tril(x: Any, k: int = 0) -> Value:
    """`x` with zeros above diagonal `k` of its last two axes.

    Example:

    >>> cconv.ops.tril([[1, 2], [3, 4]]).tolist()
    [[1, 0], [3, 4]]
    """
    rows, columns = _sides("tril", x)
    return _where(np.tri(rows, columns, whole(k, "k"), bool), x)


@operation("x")
def triu(x: Any, k: int = 0) -> Value:
    """`x` with zeros below diagonal `k` of its last two axes.

    Example:

    >>> cconv.ops.triu([[1, 2], [3, 4]]).tolist()
    [[1, 2], [0, 4]]
    """
    rows, columns = _sides("triu", x)
    return _where(~np.tri(rows, columns, whole(k, "k") - 1, bool), x)


def _where(mask: np.ndarray, x: Any) -> Value:
    return apply("where", [mask, x, False if of(x) == "bool" else 0])


def _sides(op: str, x: Any, axis1: int = -2, axis2: int = -1) -> tuple[int, int]:
    shape = shape_of(x)
    if len(shape) < 2 or shape[axis1] is None or shape[axis2] is None:
        raise ValueError(f"`{op}` takes a tensor of 2 axes or more, whose sizes are known. Received: shape {shape}")
    return shape[axis1], shape[axis2]


@operation("x")
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """The elements of a diagonal, as the last axis of the result.

    Args:
        x: Tensor of 2 axes or more.
        offset: 0: the main diagonal; `k` above it, or `-k` below.
        axis1: The axis of rows.
        axis2: The axis of columns.

    Example:

    >>> cconv.ops.diagonal([[1, 2], [3, 4]]).tolist()
    [1, 4]
    """
    rank = len(shape_of(x))
    if rank < 2:
        raise ValueError(f"`diagonal` takes a tensor of 2 axes or more. Received: shape {shape_of(x)}")
    a, b = number_of_axis(axis1, rank, "axis1"), number_of_axis(axis2, rank, "axis2")
    if a == b:
        raise ValueError(f"`diagonal` takes two different axes. Received: axis1={axis1}, axis2={axis2}")
    rows, columns = _sides("diagonal", x, a, b)
    offset = whole(offset, "offset")
    if not -rows < offset < columns:
        raise ValueError(f"`diagonal`: no element is on that one. Received: offset={offset} for shape {shape_of(x)}")
    places = np.diagonal(np.arange(rows * columns, dtype=np.int32).reshape(rows, columns), offset)
    others = [axis for axis in range(rank) if axis not in (a, b)]
    x = apply("transpose", [x], {"axes": [*others, a, b]})
    if _unknown_sizes(x) > 1:
        raise ValueError(f"`diagonal` takes one axis of unknown size at most. Received: shape {shape_of(x)}")
    flat = [-1 if size is None else size for size in shape_of(x)[:-2]]
    x = apply("reshape", [x], {"shape": [*flat, rows * columns]})
    return apply("take", [x, places.copy()], {"axis": len(others)})


def _unknown_sizes(x: Any) -> int:
    return len([size for size in shape_of(x) if size is None])


@operation("x")
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """The sum of a diagonal; see `diagonal`.

    Example:

    >>> cconv.ops.trace([[1, 2], [3, 4]]).tolist()
    5
    """
    y = diagonal(x, offset, axis1, axis2)
    return apply("sum", [y], {"axes": [len(shape_of(y)) - 1]})


@operation("x")
def diag(x: Any, k: int = 0) -> Value:
    """Of a vector the matrix that has it as its diagonal `k`, of a matrix the vector on that one.

    Example:

    >>> cconv.ops.diag([1, 2]).tolist()
    [[1, 0], [0, 2]]
    """
    shape = shape_of(x)
    if len(shape) not in (1, 2):
        raise ValueError(f"`diag` takes a vector or a matrix. Received: shape {shape}")
    if len(shape) == 2:
        return diagonal(x, k)
    if shape[0] is None:
        raise ValueError(f"`diag` takes a vector of known size. Received: shape {shape}")
    # a position outside takes a 0
    places = np.full((shape[0] + abs(whole(k, "k")),) * 2, shape[0], np.int32)
    rows = np.arange(shape[0]) + max(-k, 0)
    places[rows, rows + k] = np.arange(shape[0])
    return apply("take", [x, places], {"axis": 0})


@operation("x")
def diagflat(x: Any, k: int = 0) -> Value:
    """The matrix that has all values of `x` as its diagonal `k`.

    Example:

    >>> cconv.ops.diagflat([1, 2]).tolist()
    [[1, 0], [0, 2]]
    """
    return diag(apply("reshape", [x], {"shape": [-1]}), k)


@operation("x1", "x2")
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Value:
    """The cross product of vectors of three components; a missing third one counts as 0.

    Args:
        x1: Tensor whose axis `axisa` has size 3 or 2.
        x2: The same, along `axisb`.
        axisa: The axis of the components of `x1`.
        axisb: That of `x2`.
        axisc: That of the result, which it does not have where both have two components.
        axis: All three at once.

    Example:

    >>> cconv.ops.cross([1, 0, 0], [0, 1, 0]).tolist()
    [0, 0, 1]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _components(x1, axisa, "axisa"), _components(x2, axisb, "axisb")

    def minor(i: int, j: int) -> Any:
        products = [_product(a[i], b[j]), _product(a[j], b[i])]
        return products[0] if products[1] is None else _difference(*products)

    third = minor(0, 1)
    if len(a) == len(b) == 2:
        return third
    a, b = a + [None] * (3 - len(a)), b + [None] * (3 - len(b))
    parts = [minor(1, 2), minor(2, 0), third]
    place = {"axis": number_of_axis(axisc, len(shape_of(third)) + 1, "axisc")}
    return apply("concatenate", [apply("expand_dims", [part], place) for part in parts], place)


def _components(x: Any, axis: int, name: str) -> list[Any]:
    shape = shape_of(x)
    axis = number_of_axis(axis, len(shape), name)
    if shape[axis] not in (2, 3):
        raise ValueError(f"`cross` takes vectors of 2 or 3 components. Received: shape {shape}, {name}={axis}")
    return [apply("take", [x, np.int32(k)], {"axis": axis}) for k in range(shape[axis])]


def _product(a: Any, b: Any) -> Any:
    return None if a is None or b is None else apply("multiply", [a, b])


def _difference(a: Any, b: Any) -> Any:
    return apply("negative", [b]) if a is None else apply("subtract", [a, b])


@operation("x1", "x2")
def kron(x1: Any, x2: Any) -> Value:
    """The Kronecker product: `x2` multiplied by each element of `x1`, in its place.

    Example:

    >>> cconv.ops.kron([1, 10], [1, 2]).tolist()
    [1, 2, 10, 20]
    """
    a, b = list(shape_of(x1)), list(shape_of(x2))
    rank = max(len(a), len(b))
    a, b = [1] * (rank - len(a)) + a, [1] * (rank - len(b)) + b
    if None in a or None in b or 2 * rank > 8:
        raise ValueError(f"`kron` takes tensors of known sizes and 4 axes or less. Received: shapes {a} and {b}")
    left = apply("reshape", [x1], {"shape": [size for n in a for size in (n, 1)]})
    right = apply("reshape", [x2], {"shape": [size for n in b for size in (1, n)]})
    return apply("reshape", [apply("multiply", [left, right])], {"shape": [n * m for n, m in zip(a, b, strict=True)]})


@operation("x")
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Value:
    """The matrix of the powers of a vector, one a column, from `N - 1` down to 0.

    Args:
        x: Vector.
        N: How many; `None`: as many as it has elements.
        increasing: Whether the powers rise from 0.

    Example:

    >>> cconv.ops.vander([2, 3], 3).tolist()
    [[4, 2, 1], [9, 3, 1]]
    """
    shape = shape_of(x)
    if len(shape) != 1:
        raise ValueError(f"`vander` takes a vector. Received: shape {shape}")
    count = shape[0] if N is None else whole(N, "N", 1)
    if count is None:
        raise ValueError("`vander` of a vector of unknown size takes the number of powers. Received: N=None")
    powers = np.arange(count, dtype=np.int32)
    column = apply("expand_dims", [cast(x, "int32") if of(x) == "bool" else x], {"axis": 1})
    return apply("power", [column, powers if increasing else powers[::-1].copy()])


@operation("x")
def corrcoef(x: Any) -> Value:
    """The correlations of the rows of a matrix, or of the only row, with each other.

    Example:

    >>> print(abs(cconv.ops.corrcoef([[1.0, 2.0, 3.0], [1.0, 0.0, 1.0]])).round(4))
    [[1. 0.]
     [0. 1.]]
    """
    shape = shape_of(x)
    if len(shape) > 2:
        raise ValueError(f"`corrcoef` takes a matrix or a vector. Received: shape {shape}")
    rows = apply("reshape", [cast(x, "float32")], {"shape": [1, -1]}) if len(shape) < 2 else cast(x, "float32")
    rows = apply("subtract", [rows, apply("mean", [rows], {"axes": [1], "keepdims": True})])
    length = apply("sqrt", [apply("sum", [apply("square", [rows])], {"axes": [1], "keepdims": True})])
    rows = apply("divide", [rows, length])
    y = apply("matmul", [rows, apply("transpose", [rows], {"axes": [1, 0]})])
    y = apply("clip", [y], {"minimum": -1.0, "maximum": 1.0})
    return y if len(shape) == 2 else apply("reshape", [y], {"shape": []})


def correlate(x1: Any, x2: Any, mode: str = "valid") -> np.ndarray:
    """The sums of products of two vectors, one moved along the other. Of arrays only.

    Args:
        x1: Vector.
        x2: Vector.
        mode: `"valid"`: where one lies within the other; `"same"`: as many as the longer one has elements; `"full"`:
            wherever they overlap.

    Example:

    >>> cconv.ops.correlate([1.0, 2.0, 3.0], [0.0, 1.0]).tolist()
    [2.0, 3.0]
    """
    a, b = on_arrays("correlate", x1, x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"`correlate` takes two vectors. Received: shapes {a.shape} and {b.shape}")
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"The `mode` of `correlate` must be 'valid', 'same' or 'full'. Received: mode={mode!r}")
    kind = "float32" if "float32" in (of(a), of(b)) else "int32"
    return np.correlate(a.astype(np.float64), b.astype(np.float64), mode).astype(kind)
