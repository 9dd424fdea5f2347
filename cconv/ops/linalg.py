"""Linear algebra. NumPy computes it in float64, of arrays only; norms are part of models, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import axes as numbers_of_axes
from .arrays import on_arrays
from .operation import operation
from .reductions import max, min, sum
from .tensors import cast

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "solve",
    "solve_triangular",
    "svd",
]


def matrices(op: str, *values: Any, square: bool = False) -> list[np.ndarray]:
    """Arrays of matrices, as float64."""
    arrays = on_arrays(op, *values)
    for x in arrays:
        if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
            kind = "square matrices" if square else "matrices"
            raise ValueError(f"`{op}` takes {kind}, the last two axes of an array. Received: shape {x.shape}")
    return [x.astype(np.float64) for x in arrays]


def _floats(*arrays: Any) -> Any:
    results = tuple(np.asarray(x, np.float32) for x in arrays)
    return results if len(results) > 1 else results[0]


def _try(op: str, function: Any, *args: Any, **settings: Any) -> Any:
    try:
        return function(*args, **settings)
    except np.linalg.LinAlgError as error:
        raise ValueError(f"`{op}`: {error}") from None


def cholesky(x: Any, upper: bool = False) -> np.ndarray:
    """The triangular factor of symmetric positive definite matrices: `L`, with `x = L L^T`. Of arrays only.

    Args:
        x: Array, (..., n, n).
        upper: Whether to return `L^T`.

    Raises:
        ValueError: A matrix is not positive definite.

    Example:

    >>> cconv.ops.cholesky([[4.0, 2.0], [2.0, 2.0]]).tolist()
    [[2.0, 0.0], [1.0, 1.0]]
    """
    lower = _try("cholesky", np.linalg.cholesky, *matrices("cholesky", x, square=True))
    return _floats(np.swapaxes(lower, -1, -2) if upper else lower)


def cholesky_inverse(x: Any, upper: bool = False) -> np.ndarray:
    """The inverses of the matrices whose triangular factors are `x`; see `cholesky`. Of arrays only.

    Example:

    >>> print(cconv.ops.cholesky_inverse([[2.0, 0.0], [0.0, 1.0]]))
    [[0.25 0.  ]
     [0.   1.  ]]
    """
    (factor,) = matrices("cholesky_inverse", x, square=True)
    factor = np.triu(factor) if upper else np.tril(factor)
    turned = np.swapaxes(factor, -1, -2)
    return _floats(_try("cholesky_inverse", np.linalg.inv, turned @ factor if upper else factor @ turned))


def det(x: Any) -> np.ndarray:
    """The determinants of square matrices (..., n, n). Of arrays only.

    Example:

    >>> cconv.ops.det([[1.0, 2.0], [3.0, 4.0]]).round(4).tolist()
    -2.0
    """
    return _floats(np.linalg.det(*matrices("det", x, square=True)))


def eig(x: Any) -> tuple[np.ndarray, np.ndarray]:
    """The eigenvalues (..., n) and eigenvectors (..., n, n), the columns, as complex64. Of arrays only.

    Example:

    >>> values, vectors = cconv.ops.eig([[2.0, 0.0], [0.0, 3.0]])
    >>> sorted(values.real.tolist())
    [2.0, 3.0]
    """
    values, vectors = _try("eig", np.linalg.eig, *matrices("eig", x, square=True))
    return values.astype(np.complex64), vectors.astype(np.complex64)


def eigh(x: Any) -> tuple[np.ndarray, np.ndarray]:
    """The eigenvalues, rising, and eigenvectors, the columns, of symmetric matrices. Of arrays only.

    Example:

    >>> values, vectors = cconv.ops.eigh([[2.0, 0.0], [0.0, 3.0]])
    >>> values.tolist()
    [2.0, 3.0]
    """
    return _floats(*_try("eigh", np.linalg.eigh, *matrices("eigh", x, square=True)))


def inv(x: Any) -> np.ndarray:
    """The inverses of square matrices (..., n, n). Of arrays only.

    Raises:
        ValueError: One has none.

    Example:

    >>> cconv.ops.inv([[2.0, 0.0], [0.0, 4.0]]).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    return _floats(_try("inv", np.linalg.inv, *matrices("inv", x, square=True)))


def lu_factor(x: Any) -> tuple[np.ndarray, np.ndarray]:
    """The triangular factors of square matrices, both in one, and the rows that were exchanged. Of arrays only.

    Args:
        x: Array, (..., n, n).

    Returns:
        An array (..., n, n), below its diagonal `L`, whose own is ones, the rest `U`; and for each row the one that it
        was exchanged with, (..., n), int32.

    Example:

    >>> [part.shape for part in cconv.ops.lu_factor([[2.0, 1.0], [1.0, 3.0]])]
    [(2, 2), (2,)]
    """
    (x,) = matrices("lu_factor", x, square=True)
    pivots = np.zeros(x.shape[:-1], np.int32)
    for matrix, exchanged in zip(x.reshape(-1, *x.shape[-2:]), pivots.reshape(-1, x.shape[-1]), strict=True):
        for k in range(len(matrix)):
            exchanged[k] = k + np.abs(matrix[k:, k]).argmax()
            matrix[[k, exchanged[k]]] = matrix[[exchanged[k], k]]
            if matrix[k, k] != 0:
                matrix[k + 1 :, k] /= matrix[k, k]
            matrix[k + 1 :, k + 1 :] -= np.outer(matrix[k + 1 :, k], matrix[k, k + 1 :])
    return _floats(x), pivots


def lstsq(a: Any, b: Any, rcond: float | None = None) -> np.ndarray:
    """The `x` for which `|a x - b|` is smallest. Of arrays only.

    Args:
        a: Matrix, (m, n).
        b: Vector or matrix, (m,) or (m, k).
        rcond: Singular values below this part of the largest count as 0; `None`: what rounding leaves of a 0.

    Example:

    >>> cconv.ops.lstsq([[1.0], [1.0]], [1.0, 3.0]).round(4).tolist()
    [2.0]
    """
    a, b = on_arrays("lstsq", a, b)
    if a.ndim != 2 or b.ndim not in (1, 2) or a.shape[0] != b.shape[0]:
        raise ValueError(f"`lstsq` takes (m, n) and (m,) or (m, k). Received: shapes {a.shape} and {b.shape}")
    return _floats(np.linalg.lstsq(a.astype(np.float64), b.astype(np.float64), rcond=rcond)[0])


def matrix_rank(x: Any, tol: float | None = None) -> np.ndarray:
    """The ranks of matrices: how many singular values are above `tol`, as int32. Of arrays only.

    Example:

    >>> int(cconv.ops.matrix_rank([[1.0, 2.0], [2.0, 4.0]]))
    1
    """
    (array,) = matrices("matrix_rank", x)
    if tol is None:
        values = np.linalg.svd(array, compute_uv=False)
        tol = values.max(-1, keepdims=True) * np.maximum(*array.shape[-2:]) * np.finfo(np.float32).eps
        return np.asarray((values > tol).sum(-1), np.int32)
    return np.asarray(np.linalg.matrix_rank(array, tol), np.int32)


def pinv(x: Any, rcond: float | None = None) -> np.ndarray:
    """The pseudo-inverses of matrices. Of arrays only.

    Args:
        x: Array, (..., m, n).
        rcond: Singular values below this part of the largest count as 0; `None`: what rounding leaves of a 0.

    Example:

    >>> cconv.ops.pinv(np.ones((3, 2))).shape
    (2, 3)
    """
    (array,) = matrices("pinv", x)
    rounding = np.maximum(*array.shape[-2:]) * np.finfo(np.float32).eps
    return _floats(np.linalg.pinv(array, rounding if rcond is None else rcond))


def qr(x: Any, mode: str = "reduced") -> tuple[np.ndarray, np.ndarray]:
    """The orthogonal and the triangular factors of matrices. Of arrays only.

    Args:
        x: Array, (..., m, n).
        mode: `"reduced"`: (..., m, k) and (..., k, n), k the smaller size; `"complete"`: (..., m, m) and (..., m, n).

    Example:

    >>> [part.shape for part in cconv.ops.qr(np.ones((3, 2)))]
    [(3, 2), (2, 2)]
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(
            f"`mode` argument value not supported. Expected one of 'reduced', 'complete'. Received: {mode!r}"
        )
    return _floats(*np.linalg.qr(*matrices("qr", x), mode))


def solve(a: Any, b: Any) -> np.ndarray:
    """The `x` with `a x = b`. Of arrays only.

    Args:
        a: Array, (..., n, n).
        b: Array, (..., n) or (..., n, k).

    Raises:
        ValueError: A matrix has no inverse, or the shapes do not fit.

    Example:

    >>> cconv.ops.solve([[2.0, 0.0], [0.0, 4.0]], [[2.0], [8.0]]).tolist()
    [[1.0], [2.0]]
    """
    return _solved("solve", a, b, np.linalg.solve)


def _solved(op: str, a: Any, b: Any, function: Any) -> np.ndarray:
    (a,), (b,) = matrices(op, a, square=True), on_arrays(op, b)
    vector = b.ndim == a.ndim - 1
    b = b.astype(np.float64)[..., None] if vector else b.astype(np.float64)
    if b.ndim != a.ndim or b.shape[-2] != a.shape[-1]:
        raise ValueError(f"`{op}` takes (..., n, n) and (..., n) or (..., n, k). Received: {a.shape} and {b.shape}")
    x = _try(op, function, a, b)
    return _floats(x[..., 0] if vector else x)


def solve_triangular(a: Any, b: Any, lower: bool = False) -> np.ndarray:
    """The `x` with `a x = b` for triangular matrices, of which one triangle is read; see `solve`. Of arrays only.

    Example:

    >>> cconv.ops.solve_triangular([[2.0, 0.0], [1.0, 1.0]], [[2.0], [3.0]], lower=True).tolist()
    [[1.0], [2.0]]
    """
    return _solved("solve_triangular", np.tril(*on_arrays("solve_triangular", a)) if lower
                   else np.triu(*on_arrays("solve_triangular", a)), b, np.linalg.solve)  # fmt: skip


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition, `x = u diag(s) v`. Of arrays only.

    Args:
        x: Array, (..., m, n).
        full_matrices: Whether `u` is (..., m, m) and `v` (..., n, n), or both only as wide as `s`.
        compute_uv: Whether to return `u` and `v`, too.

    Returns:
        `(u, s, v)`, `s` from the largest on, or `s`.

    Example:

    >>> [part.shape for part in cconv.ops.svd(np.ones((3, 2)), full_matrices=False)]
    [(3, 2), (2,), (2, 2)]
    """
    found = np.linalg.svd(*matrices("svd", x), full_matrices, compute_uv)
    return _floats(*found) if compute_uv else _floats(found)


@operation("x", module="linalg")
def norm(x: Any, ord: Any = None, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """The size of vectors or matrices.

    Args:
        x: Tensor.
        ord: Of vectors the power: the sum of `|x|**ord`, to the power `1 / ord`; infinity: the largest `|x|`, negative
            infinity: the smallest, 0: how many are not 0. Of matrices `"fro"`: the root of the sum of squares; 1, -1:
            the largest, smallest sum of a column's `|x|`; infinities: of a row's; `"nuc"`, 2, -2: the sum, largest,
            smallest of the singular values, of arrays only. `None`: the root of the sum of squares.
        axis: One axis, of vectors; two, of matrices; `None`: all, at most two with an `ord`.
        keepdims: Whether the axes stay, with size 1.

    Raises:
        ValueError: There is no such norm.

    Example:

    >>> cconv.ops.norm([[3.0, 4.0]], axis=1).tolist()
    [5.0]
    """
    rank = len(shape_of(x))
    axes = list(range(rank)) if axis is None else numbers_of_axes(axis, rank)
    x = cast(x, "float32")
    if ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1 and not isinstance(ord, str)):
        return apply("sqrt", [sum(apply("square", [x]), axes, keepdims)]) if axes else apply("abs", [x])
    if len(axes) == 1:
        return _vector_norm(x, ord, axes, keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ValueError(f"`norm` takes one axis or two with an `ord`. Received: ord={ord}, axis={axis} of rank {rank}")


def _vector_norm(x: Any, ord: Any, axes: list[int], keepdims: bool) -> Value:
    if isinstance(ord, str):
        raise ValueError(f"There is no norm {ord!r} of vectors. Received: ord={ord!r}, axis={axes[0]}")
    size = apply("abs", [x])
    if ord == np.inf:
        return max(size, axes, keepdims)
    if ord == -np.inf:
        return min(size, axes, keepdims)
    if ord == 0:
        return sum(cast(apply("not_equal", [x, 0.0]), "float32"), axes, keepdims)
    if ord == 1:
        return sum(size, axes, keepdims)
    total = sum(apply("power", [size, float(ord)]), axes, keepdims)
    return apply("power", [total, 1 / float(ord)])


def _matrix_norm(x: Any, ord: Any, axes: list[int], keepdims: bool) -> Value:
    extremes = {1: (0, max), -1: (0, min), np.inf: (1, max), -np.inf: (1, min)}
    if not isinstance(ord, str) and ord in extremes:
        summed, extreme = extremes[ord]
        y = extreme(sum(apply("abs", [x]), axes[summed], True), axes[1 - summed], True)
    elif ord in ("nuc", 2, -2):
        (x,) = on_arrays(f"norm of order {ord}", x)
        values = np.linalg.svd(np.moveaxis(x.astype(np.float64), axes, (-2, -1)), compute_uv=False)
        found = {"nuc": np.sum, 2: np.max, -2: np.min}[ord](values, -1)
        y = _floats(np.expand_dims(found, sorted(axes)))
    else:
        raise ValueError(f"There is no norm {ord!r} of matrices. Received: ord={ord!r}, axis={axes}")
    return y if keepdims else apply("squeeze", [y], {"axes": axes})
