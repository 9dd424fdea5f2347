"""Arithmetic and elementary functions, element by element, and the product of matrices."""

from __future__ import annotations

import builtins
from typing import Any

from ..dtypes import of, result_type
from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import is_integer
from .comparison import logical_and, logical_or
from .operation import operation
from .tensors import cast

__all__ = [
    "abs",
    "absolute",
    "add",
    "arctan",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "divide",
    "exp",
    "expm1",
    "floor",
    "log",
    "log1p",
    "matmul",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "power",
    "reciprocal",
    "round",
    "rsqrt",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tanh",
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
    """`x1 - x2`."""
    return apply("subtract", [x1, x2])


@operation("x1", "x2")
def multiply(x1: Any, x2: Any) -> Value:
    """`x1 * x2`, element by element."""
    return logical_and(x1, x2) if result_type(of(x1), of(x2)) == "bool" else apply("multiply", [x1, x2])


@operation("x1", "x2")
def divide(x1: Any, x2: Any) -> Value:
    """`x1 / x2`."""
    return apply("divide", [x1, x2])


true_divide = divide


@operation("x1", "x2")
def power(x1: Any, x2: Any) -> Value:
    """`x1 ** x2`."""
    return apply("power", [x1, x2])


@operation("x1", "x2")
def maximum(x1: Any, x2: Any) -> Value:
    """The larger one, element by element. Numbers below 1.18e-38 count as 0."""
    return apply("maximum", [x1, x2])


@operation("x1", "x2")
def minimum(x1: Any, x2: Any) -> Value:
    """The smaller one, element by element. Numbers below 1.18e-38 count as 0."""
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
    """`-x`."""
    return apply("negative", [x])


@operation("x")
def absolute(x: Any) -> Value:
    """`|x|`."""
    return apply("identity" if of(x) == "bool" else "abs", [x])


abs = absolute


@operation("x")
def sqrt(x: Any) -> Value:
    """The square root."""
    return apply("sqrt", [x])


@operation("x", module="math")
def rsqrt(x: Any) -> Value:
    """1 over the square root."""
    return apply("reciprocal", [apply("sqrt", [x])])


@operation("x")
def square(x: Any) -> Value:
    """`x * x`."""
    return apply("square", [x])


@operation("x")
def exp(x: Any) -> Value:
    """The exponential function."""
    return apply("exp", [x])


@operation("x")
def expm1(x: Any) -> Value:
    """`exp(x) - 1`, which keeps its digits where `x` is small."""
    return apply("expm1", [x])


@operation("x")
def log(x: Any) -> Value:
    """The natural logarithm."""
    return apply("log", [x])


@operation("x")
def log1p(x: Any) -> Value:
    """`log(1 + x)`, which keeps its digits where `x` is small.

    Example:

    >>> print(cconv.ops.log1p(1e-10))
    1e-10
    """
    return apply("log1p", [x])


@operation("x")
def sin(x: Any) -> Value:
    """The sine of `x` in radians."""
    return apply("sin", [x])


@operation("x")
def cos(x: Any) -> Value:
    """The cosine of `x` in radians."""
    return apply("cos", [x])


@operation("x")
def cosh(x: Any) -> Value:
    """The hyperbolic cosine, `(exp(x) + exp(-x)) / 2`."""
    return apply("cosh", [x])


@operation("x")
def sinh(x: Any) -> Value:
    """The hyperbolic sine, `(exp(x) - exp(-x)) / 2`."""
    return apply("sinh", [x])


@operation("x")
def tanh(x: Any) -> Value:
    """The hyperbolic tangent."""
    return apply("tanh", [x])


@operation("x")
def arctan(x: Any) -> Value:
    """The angle, in radians, whose tangent is `x`."""
    return apply("arctan", [x])


@operation("x")
def floor(x: Any) -> Value:
    """The largest whole number not above `x`."""
    return apply("floor", [x])


@operation("x")
def ceil(x: Any) -> Value:
    """The smallest whole number not below `x`."""
    return apply("negative", [apply("floor", [apply("negative", [x])])])


@operation("x")
def round(x: Any, decimals: int = 0) -> Value:
    """The nearest whole number, or the nearest multiple of `10**-decimals`; halves go to the even one.

    Example:

    >>> cconv.ops.round([2.5, 0.126], 2).tolist()
    [2.5, 0.12999999523162842]
    """
    if not is_integer(decimals):
        raise ValueError(f"The `decimals` argument must be a whole number. Received: decimals={decimals!r}")
    if of(x) != "float32" and decimals >= 0:
        return apply("identity", [x])
    if decimals == 0:
        return apply("round", [x])
    scale = 10.0 ** builtins.abs(decimals)
    there, back = ("multiply", "divide") if decimals > 0 else ("divide", "multiply")
    y = apply(back, [apply("round", [apply(there, [x, scale])]), scale])
    return y if of(x) == "float32" else cast(y, "int32")


@operation("x")
def sign(x: Any) -> Value:
    """-1, 0 or 1, by the sign itself: also of numbers below the normal ones, which comparisons take for 0."""
    return apply("identity" if of(x) == "bool" else "sign", [x])


@operation("x")
def reciprocal(x: Any) -> Value:
    """`1 / x`."""
    return apply("reciprocal", [x])


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
