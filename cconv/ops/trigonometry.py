"""Functions of angles, and the hyperbolic ones."""

from __future__ import annotations

import math
from typing import Any

from ..tensor import Value
from ._apply import apply
from .operation import operation

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cos",
    "cosh",
    "deg2rad",
    "hypot",
    "rad2deg",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]


@operation("x")
def arccos(x: Any) -> Value:
    """The angle, in radians from 0 to pi, whose cosine is `x`; NaN beyond -1 .. 1.

    Example:

    >>> print(cconv.ops.arccos([1.0, 0.0]).round(4))
    [0.     1.5708]
    """
    return apply("arccos", [x])


@operation("x")
def arccosh(x: Any) -> Value:
    """The number from 0 on whose hyperbolic cosine is `x`; NaN below 1.

    Example:

    >>> print(cconv.ops.arccosh([1.0, 2.0]).round(4))
    [0.    1.317]
    """
    return apply("arccosh", [x])


@operation("x")
def arcsin(x: Any) -> Value:
    """The angle, in radians from -pi / 2 to pi / 2, whose sine is `x`; NaN beyond -1 .. 1.

    Example:

    >>> print(cconv.ops.arcsin([0.0, 1.0]).round(4))
    [0.     1.5708]
    """
    return apply("arcsin", [x])


@operation("x")
def arcsinh(x: Any) -> Value:
    """The number whose hyperbolic sine is `x`.

    Example:

    >>> print(cconv.ops.arcsinh([0.0, 1.0]).round(4))
    [0.     0.8814]
    """
    return apply("arcsinh", [x])


@operation("x")
def arctan(x: Any) -> Value:
    """The angle, in radians, whose tangent is `x`.

    Example:

    >>> print(cconv.ops.arctan([0.0, 1.0]).round(4))
    [0.     0.7854]
    """
    return apply("arctan", [x])


@operation("x1", "x2")
def arctan2(x1: Any, x2: Any) -> Value:
    """The angle of the point `(x2, x1)`, in radians from -pi to pi.

    Example:

    >>> cconv.ops.arctan2(1.0, -1.0).round(4).tolist()
    2.3561999797821045
    """
    return apply("arctan2", [x1, x2])


@operation("x")
def arctanh(x: Any) -> Value:
    """The number whose hyperbolic tangent is `x`; NaN beyond -1 .. 1.

    Example:

    >>> print(cconv.ops.arctanh([0.0, 0.5]).round(4))
    [0.     0.5493]
    """
    return apply("arctanh", [x])


@operation("x")
def cos(x: Any) -> Value:
    """The cosine of `x` in radians.

    Example:

    >>> print(cconv.ops.cos([0.0, 1.0]).round(4))
    [1.     0.5403]
    """
    return apply("cos", [x])


@operation("x")
def cosh(x: Any) -> Value:
    """The hyperbolic cosine, `(exp(x) + exp(-x)) / 2`.

    Example:

    >>> print(cconv.ops.cosh([0.0, 1.0]).round(4))
    [1.     1.5431]
    """
    return apply("cosh", [x])


@operation("x")
def deg2rad(x: Any) -> Value:
    """Degrees as radians.

    Example:

    >>> print(cconv.ops.deg2rad([90.0, 180.0]).round(4))
    [1.5708 3.1416]
    """
    return apply("multiply", [x, math.pi / 180])


@operation("x1", "x2")
def hypot(x1: Any, x2: Any) -> Value:
    """The length of the hypotenuse, `sqrt(x1**2 + x2**2)`, without overflow.

    Example:

    >>> cconv.ops.hypot(3.0, 4.0).tolist()
    5.0
    """
    return apply("hypot", [x1, x2])


@operation("x")
def rad2deg(x: Any) -> Value:
    """Radians as degrees.

    Example:

    >>> print(cconv.ops.rad2deg([0.0, 1.0]).round(4))
    [ 0.     57.2958]
    """
    return apply("multiply", [x, 180 / math.pi])


@operation("x")
def sin(x: Any) -> Value:
    """The sine of `x` in radians.

    Example:

    >>> print(cconv.ops.sin([0.0, 1.0]).round(4))
    [0.     0.8415]
    """
    return apply("sin", [x])


@operation("x")
def sinc(x: Any) -> Value:
    """`sin(pi x) / (pi x)`, and 1 at 0.

    Example:

    >>> print(cconv.ops.sinc([0.0, 0.5]).round(4))
    [1.     0.6366]
    """
    angle = apply("multiply", [x, math.pi])
    zero = apply("equal", [angle, 0.0])
    # the branch that is not taken has a slope, too: it must not be a NaN
    angle = apply("where", [zero, 1.0, angle])
    return apply("where", [zero, 1.0, apply("divide", [apply("sin", [angle]), angle])])


@operation("x")
def sinh(x: Any) -> Value:
    """The hyperbolic sine, `(exp(x) - exp(-x)) / 2`.

    Example:

    >>> print(cconv.ops.sinh([0.0, 1.0]).round(4))
    [0.     1.1752]
    """
    return apply("sinh", [x])


@operation("x")
def tan(x: Any) -> Value:
    """The tangent of `x` in radians.

    Example:

    >>> print(cconv.ops.tan([0.0, 1.0]).round(4))
    [0.     1.5574]
    """
    return apply("tan", [x])


@operation("x")
def tanh(x: Any) -> Value:
    """The hyperbolic tangent.

    Example:

    >>> print(cconv.ops.tanh([0.0, 1.0]).round(4))
    [0.     0.7616]
    """
    return apply("tanh", [x])
