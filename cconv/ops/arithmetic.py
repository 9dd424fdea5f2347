"""Arithmetic, element by element, and the product of matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import of, result_type
from ..tensor import Value
from ._apply import apply, shape_of
from .arrays import as_value, on_arrays
from .comparison import logical_and, logical_or
from .operation import operation
from .tensors import cast

__all__ = [
    "abs",
    "absolute",
    "add",
    "clip",
    "divide",
    "divide_no_nan",
    "fabs",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "heaviside",
    "lcm",
    "ldexp",
    "matmul",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "nan_to_num",
    "negative",
    "nextafter",
    "subtract",
    "true_divide",
]


@operation("x1", "x2")
def add(x1: Any, x2: Any) -> Value:
    """`x1 + x2`, shapes broadcast as in NumPy.

    Example:

    >>> cconv.ops.add([[1, 2]], [[3], [4]]).tolist()
    [[4, 5], [5, 6]]
    """
    return logical_or(x1, x2) if result_type(of(x1), of(x2)) == "bool" else apply("add", [x1, x2])


@operation("x1", "x2")
def subtract(x1: Any, x2: Any) -> Value:
    """`x1 - x2`.

    Example:

    >>> cconv.ops.subtract([5, 7], 2).tolist()
    [3, 5]
    """
    return apply("subtract", [x1, x2])


@operation("x1", "x2")
def multiply(x1: Any, x2: Any) -> Value:
    """`x1 * x2`, element by element.

    Example:

    >>> cconv.ops.multiply([1, 2], [[3], [4]]).tolist()
    [[3, 6], [4, 8]]
    """
    return logical_and(x1, x2) if result_type(of(x1), of(x2)) == "bool" else apply("multiply", [x1, x2])


@operation("x1", "x2")
def divide(x1: Any, x2: Any) -> Value:
    """`x1 / x2`.

    Example:

    >>> cconv.ops.divide([1.0, 6.0], [2.0, 3.0]).tolist()
    [0.5, 2.0]
    """
    return apply("divide", [x1, x2])


true_divide = divide


@operation("x1", "x2")
def maximum(x1: Any, x2: Any) -> Value:
    """The larger one, element by element. Numbers below 1.18e-38 count as 0.

    Example:

    >>> cconv.ops.maximum([1, 5], [4, 2]).tolist()
    [4, 5]
    """
    return apply("maximum", [x1, x2])


@operation("x1", "x2")
def minimum(x1: Any, x2: Any) -> Value:
    """The smaller one, element by element. Numbers below 1.18e-38 count as 0.

    Example:

    >>> cconv.ops.minimum([1, 5], [4, 2]).tolist()
    [1, 2]
    """
    return apply("minimum", [x1, x2])


@operation("x1", "x2")
def matmul(x1: Any, x2: Any) -> Value:
    """Matrix product over the last two axes; leading axes broadcast.

    Example:

    >>> cconv.ops.matmul([[1.0, 2.0]], [[3], [4]]).tolist()
    [[11.0]]
    """
    if result_type(of(x1), of(x2)) == "bool":
        return cast(matmul(cast(x1, "int32"), x2), "bool")
    a, b = len(shape_of(x1)), len(shape_of(x2))
    if a > 1 and b > 1:
        return apply("matmul", [x1, x2])
    # a vector counts as a row on the left and as a column on the right; its axis vanishes from the result
    y = apply("matmul", [apply("expand_dims", [x1], {"axis": 0}) if a == 1 else x1,
                         apply("expand_dims", [x2], {"axis": -1}) if b == 1 else x2])  # fmt: skip
    axes = ([-2] if a == 1 else []) + ([-1] if b == 1 else [])
    return apply("squeeze", [y], {"axes": [len(shape_of(y)) + axis for axis in axes]})


@operation("x")
def negative(x: Any) -> Value:
    """`-x`.

    Example:

    >>> cconv.ops.negative([1, -2]).tolist()
    [-1, 2]
    """
    return apply("negative", [x])


@operation("x")
def absolute(x: Any) -> Value:
    """`|x|`.

    Example:

    >>> cconv.ops.absolute([-1.5, 2.0]).tolist()
    [1.5, 2.0]
    """
    return apply("identity" if of(x) == "bool" else "abs", [x])


abs = absolute


@operation("x")
def clip(x: Any, x_min: float, x_max: float) -> Value:
    """`x` limited to `x_min` .. `x_max`.

    Example:

    >>> cconv.ops.clip([-2, 0.5, 3], 0, 1).tolist()
    [0.0, 0.5, 1.0]
    """
    if isinstance(x_min, (int, float)) and isinstance(x_max, (int, float)) and of(x) == "float32":
        return apply("clip", [x], {"minimum": float(x_min), "maximum": float(x_max)})
    return apply("minimum", [apply("maximum", [x, x_min]), x_max])


@operation("x1", "x2")
def divide_no_nan(x1: Any, x2: Any) -> Value:
    """`x1 / x2`, and 0 where `x2` is 0.

    Example:

    >>> cconv.ops.divide_no_nan([1.0, 2.0], [0.0, 4.0]).tolist()
    [0.0, 0.5]
    """
    zero = apply("equal", [x2, 0])
    # the quotient that is not taken has a slope, too: it must not be a NaN
    return apply("where", [zero, 0.0, apply("divide", [x1, apply("where", [zero, 1, x2])])])


@operation("x1", "x2")
def floor_divide(x1: Any, x2: Any) -> Value:
    """The quotient rounded down to a whole number. Of whole numbers by 0 it is 0. No gradient passes.

    Example:

    >>> cconv.ops.floor_divide([7, -7], 2).tolist()
    [3, -4]
    """
    return apply("floor_divide", [x1, x2])


@operation("x1", "x2")
def mod(x1: Any, x2: Any) -> Value:
    """The rest of `floor_divide`, which has the sign of `x2`.

    Example:

    >>> cconv.ops.mod([7, -7], 3).tolist()
    [1, 2]
    """
    return apply("mod", [x1, x2])


@operation("x1", "x2")
def fmod(x1: Any, x2: Any) -> Value:
    """The rest of a division cut off towards 0, which has the sign of `x1`.

    Example:

    >>> cconv.ops.fmod([-7, 7], 3).tolist()
    [-1, 1]
    """
    return apply("fmod", [x1, x2])


@operation("x1", "x2")
def fmax(x1: Any, x2: Any) -> Value:
    """The larger one, element by element; of a NaN and a number the number.

    Example:

    >>> cconv.ops.fmax([1.0, np.nan], [0.5, 2.0]).tolist()
    [1.0, 2.0]
    """
    return _without_nan("maximum", x1, x2)


@operation("x1", "x2")
def fmin(x1: Any, x2: Any) -> Value:
    """The smaller one, element by element; of a NaN and a number the number.

    Example:

    >>> cconv.ops.fmin([1.0, np.nan], [0.5, 2.0]).tolist()
    [0.5, 2.0]
    """
    return _without_nan("minimum", x1, x2)


def _without_nan(op: str, x1: Any, x2: Any) -> Value:
    whole = result_type(of(x1), of(x2)) != "float32"
    a, b = (x1, x2) if whole else _each_for_the_others_nan(x1, x2)
    return apply(op, [a, b])


def _each_for_the_others_nan(x1: Any, x2: Any) -> tuple[Value, Value]:
    return tuple(apply("where", [apply("not_equal", [x, x]), y, x]) for x, y in ((x1, x2), (x2, x1)))


@operation("x1", "x2")
def ldexp(x1: Any, x2: Any) -> Value:
    """`x1 * 2**x2`, for whole numbers `x2`.

    Example:

    >>> cconv.ops.ldexp([1.0, 3.0], [2, 1]).tolist()
    [4.0, 6.0]
    """
    return apply("multiply", [x1, apply("exp2", [x2])])


@operation("x1", "x2")
def heaviside(x1: Any, x2: Any) -> Value:
    """0 below 0, 1 above it, and `x2` at 0.

    Example:

    >>> cconv.ops.heaviside([-2.0, 0.0, 3.0], 0.5).tolist()
    [0.0, 0.5, 1.0]
    """
    x1, x2 = cast(x1, "float32"), cast(x2, "float32")
    step = apply("where", [apply("less", [x1, 0.0]), 0.0, apply("where", [apply("equal", [x1, 0.0]), x2, 1.0])])
    return apply("where", [apply("equal", [x1, x1]), step, x1])


@operation("x")
def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Value:
    """`x` with other numbers for what is none.

    Args:
        x: Tensor.
        nan: For NaNs.
        posinf: For infinities; `None`: the largest float32.
        neginf: For negative infinities; `None`: the lowest float32.

    Example:

    >>> cconv.ops.nan_to_num([float("nan"), float("inf"), 1.0], posinf=9.0).tolist()
    [0.0, 9.0, 1.0]
    """
    if of(x) != "float32":
        return apply("identity", [x])
    largest = float(np.finfo(np.float32).max)
    for odd, value in (
        (apply("not_equal", [x, x]), nan),
        (apply("equal", [x, math.inf]), largest if posinf is None else posinf),
        (apply("equal", [x, -math.inf]), -largest if neginf is None else neginf),
    ):
        x = apply("where", [odd, float(value), x])
    return x


@operation("x")
def fabs(x: Any) -> Value:
    """`|x|` as float32.

    Example:

    >>> cconv.ops.fabs([-1, 2]).tolist()
    [1.0, 2.0]
    """
    return apply("abs", [cast(x, "float32")])


def gcd(x1: Any, x2: Any) -> np.ndarray:
    """The greatest common divisor, element by element. Of arrays only.

    Example:

    >>> cconv.ops.gcd([12, 9], 6).tolist()
    [6, 3]
    """
    return _of_whole("gcd", x1, x2)


def lcm(x1: Any, x2: Any) -> np.ndarray:
    """The least common multiple, element by element. Of arrays only.

    Example:

    >>> cconv.ops.lcm([4, 3], 6).tolist()
    [12, 6]
    """
    return _of_whole("lcm", x1, x2)


def _of_whole(op: str, x1: Any, x2: Any) -> np.ndarray:
    a, b = on_arrays(op, x1, x2)
    if "f" in (a.dtype.kind, b.dtype.kind):
        raise TypeError(f"`{op}` takes whole numbers. Received: dtypes {a.dtype} and {b.dtype}")
    return as_value(getattr(np, op)(a.astype(np.int32), b.astype(np.int32)))


def nextafter(x1: Any, x2: Any) -> np.ndarray:
    """The float32 next to `x1` in the direction of `x2`. Of arrays only.

    Example:

    >>> float(cconv.ops.nextafter(1.0, 2.0)) > 1
    True
    """
    a, b = on_arrays("nextafter", x1, x2)
    return np.nextafter(a.astype(np.float32), b.astype(np.float32))
