"""Activation functions."""

from __future__ import annotations

from typing import Any

from ..dtypes import of
from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import axis as number_of_axis
from .arguments import number
from .operation import operation

__all__ = [
    "binary_step",
    "elu",
    "hard_sigmoid",
    "leaky_relu",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "swish",
]


@operation("x", module="nn")
def relu(x: Any) -> Value:
    """`max(x, 0)`.

    Example:

    >>> cconv.ops.relu([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    # of whole numbers it stays one
    return apply("relu", [x]) if of(x) == "float32" else apply("maximum", [x, 0])


@operation("x", module="nn")
def relu6(x: Any) -> Value:
    """`min(max(x, 0), 6)`."""
    if of(x) != "float32":
        return apply("minimum", [apply("maximum", [x, 0]), 6])
    return apply("clip", [x], {"minimum": 0.0, "maximum": 6.0})


@operation("x", module="nn")
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Value:
    """`x` if positive, else `negative_slope * x`."""
    return apply("leaky_relu", [x], {"alpha": number(negative_slope, "negative_slope")})


@operation("x", module="nn")
def elu(x: Any, alpha: float = 1.0) -> Value:
    """`x` if positive, else `alpha * (exp(x) - 1)` (Clevert et al., 2015)."""
    return apply("elu", [x], {"alpha": number(alpha, "alpha")})


@operation("x", module="nn")
def selu(x: Any) -> Value:
    """A scaled `elu` that keeps mean and variance (Klambauer et al., 2017)."""
    return apply("multiply", [apply("elu", [x], {"alpha": 1.6732632423543772}), 1.0507009873554805])


@operation("x", module="nn")
def sigmoid(x: Any) -> Value:
    """`1 / (1 + exp(-x))`."""
    return apply("sigmoid", [x])


@operation("x", module="nn")
def silu(x: Any) -> Value:
    """`x * sigmoid(x)`, also called swish."""
    return apply("multiply", [x, apply("sigmoid", [x])])


swish = silu


@operation("x", module="nn")
def hard_sigmoid(x: Any) -> Value:
    """`x / 6 + 0.5`, limited to 0 .. 1."""
    # by x + 3, which near -3 is exact
    return apply("multiply", [apply("clip", [apply("add", [x, 3.0])], {"minimum": 0.0, "maximum": 6.0}), 1 / 6])


@operation("x", module="nn")
def softplus(x: Any) -> Value:
    """`log(1 + exp(x))`."""
    return apply("softplus", [x])


@operation("x", module="nn")
def softsign(x: Any) -> Value:
    """`x / (1 + |x|)`."""
    return apply("softsign", [x])


@operation("x", module="nn")
def binary_step(x: Any) -> Value:
    """0 below 0, else 1. Its gradient is 0 everywhere."""
    return apply("binary_step", [x])


@operation("x", module="nn")
def softmax(x: Any, axis: int = -1) -> Value:
    """`exp(x)` divided by its sum over `axis`.

    Example:

    >>> cconv.ops.softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    return apply("softmax", [x], {"axis": number_of_axis(axis, len(shape_of(x)))})


@operation("x", module="nn")
def log_softmax(x: Any, axis: int = -1) -> Value:
    """The logarithm of `softmax`."""
    return apply("log_softmax", [x], {"axis": number_of_axis(axis, len(shape_of(x)))})
