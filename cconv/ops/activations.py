"""Activation functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import of
from ..tensor import Value
from . import reductions
from ._apply import apply, shape_of
from .arguments import axes as numbers_of_axes
from .arguments import axis as number_of_axis
from .arguments import number
from .operation import operation

__all__ = [
    "binary_step",
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
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
    """`min(max(x, 0), 6)`.

    Example:

    >>> print(cconv.ops.relu6([-1.0, 9.0]).round(4))
    [0. 6.]
    """
    if of(x) != "float32":
        return apply("minimum", [apply("maximum", [x, 0]), 6])
    return apply("clip", [x], {"minimum": 0.0, "maximum": 6.0})


@operation("x", module="nn")
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Value:
    """`x` if positive, else `negative_slope * x`.

    Example:

    >>> print(cconv.ops.leaky_relu([-1.0, 2.0]).round(4))
    [-0.2  2. ]
    """
    return apply("leaky_relu", [x], {"alpha": number(negative_slope, "negative_slope")})


@operation("x", module="nn")
def elu(x: Any, alpha: float = 1.0) -> Value:
    """`x` if positive, else `alpha * (exp(x) - 1)` (Clevert et al., 2015).

    Example:

    >>> print(cconv.ops.elu([-1.0, 2.0]).round(4))
    [-0.6321  2.    ]
    """
    return apply("elu", [x], {"alpha": number(alpha, "alpha")})


@operation("x", module="nn")
def selu(x: Any) -> Value:
    """A scaled `elu` that keeps mean and variance (Klambauer et al., 2017).

    Example:

    >>> print(cconv.ops.selu([-1.0, 2.0]).round(4))
    [-1.1113  2.1014]
    """
    return apply("multiply", [apply("elu", [x], {"alpha": 1.6732632423543772}), 1.0507009873554805])


@operation("x", module="nn")
def sigmoid(x: Any) -> Value:
    """`1 / (1 + exp(-x))`.

    Example:

    >>> print(cconv.ops.sigmoid([0.0, 2.0]).round(4))
    [0.5    0.8808]
    """
    return apply("sigmoid", [x])


@operation("x", module="nn")
def silu(x: Any) -> Value:
    """`x * sigmoid(x)`, also called swish (Hendrycks and Gimpel, 2016; Ramachandran et al., 2017).

    Example:

    >>> print(cconv.ops.silu([-1.0, 2.0]).round(4))
    [-0.2689  1.7616]
    """
    return apply("silu", [x])


swish = silu


@operation("x", module="nn")
def hard_sigmoid(x: Any) -> Value:
    """`x / 6 + 0.5`, limited to 0 .. 1.

    Example:

    >>> print(cconv.ops.hard_sigmoid([-1.0, 2.0]).round(4))
    [0.3333 0.8333]
    """
    return apply("hard_sigmoid", [x])


@operation("x", module="nn")
def hard_silu(x: Any) -> Value:
    """`x * hard_sigmoid(x)`, also called hard swish (Howard et al., 2019, section 5.2).

    Example:

    >>> cconv.ops.hard_silu([-3.0, 1.5, 3.0]).tolist()
    [0.0, 1.125, 3.0]
    """
    return apply("hard_silu", [x])


hard_swish = hard_silu


@operation("x", module="nn")
def gelu(x: Any, approximate: bool = True) -> Value:
    """`x` times the share of a standard normal below `x` (Hendrycks and Gimpel, 2016).

    Args:
        x: Tensor of any shape.
        approximate: Whether the share is `(1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2`, off by up to 5e-4,
            instead of `(1 + erf(x / sqrt(2))) / 2`.

    Example:

    >>> print(cconv.ops.gelu([-1.0, 0.0, 1.0], approximate=False).round(4))
    [-0.1587  0.      0.8413]
    """
    return apply("gelu_tanh" if approximate else "gelu", [x])


@operation("x", module="nn")
def mish(x: Any) -> Value:
    """`x * tanh(softplus(x))` (Misra, 2019).

    Example:

    >>> print(cconv.ops.mish([-1.0, 2.0]).round(4))
    [-0.3034  1.944 ]
    """
    return apply("mish", [x])


@operation("x", module="nn")
def celu(x: Any, alpha: float = 1.0) -> Value:
    """`max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)` (Barron, 2017).

    Args:
        x: Tensor of any shape.
        alpha: Positive number: where the function goes for large negative values, negated.

    Raises:
        ValueError: `alpha` is no positive number.

    Example:

    >>> print(cconv.ops.celu([-1.0, 2.0]).round(4))
    [-0.6321  2.    ]
    """
    alpha = number(alpha, "alpha", 0)
    if alpha == 0:
        raise ValueError(f"Invalid value received for argument `alpha`. Expected one above 0. Received: alpha={alpha}")
    return apply("multiply", [apply("elu", [apply("multiply", [x, 1 / alpha])]), alpha])


@operation("x", module="nn")
def glu(x: Any, axis: int = -1) -> Value:
    """The first half of an axis times the sigmoid of the second (Dauphin et al., 2017).

    Args:
        x: Tensor, of an even size along the axis.
        axis: The axis.

    Returns:
        A tensor of half the size along the axis.

    Raises:
        ValueError: The size of the axis is odd or not known.

    Example:

    >>> cconv.ops.glu([[1.0, 2.0, 0.0, 0.0]]).tolist()
    [[0.5, 1.0]]
    """
    shape = shape_of(x)
    at = number_of_axis(axis, len(shape))
    if shape[at] is None or shape[at] % 2:
        raise ValueError(f"`glu` expects an axis of an even size that is known. Received: axis={axis} of shape {shape}")
    size = [-1] * len(shape)
    size[at] = shape[at] // 2
    begin = [0] * len(shape)
    first = apply("slice", [x], {"begin": list(begin), "size": size})
    begin[at] = shape[at] // 2
    return apply("multiply", [first, apply("sigmoid", [apply("slice", [x], {"begin": begin, "size": size})])])


@operation("x", module="nn")
def tanh_shrink(x: Any) -> Value:
    """`x - tanh(x)`.

    Example:

    >>> print(cconv.ops.tanh_shrink([-1.0, 2.0]).round(4))
    [-0.2384  1.036 ]
    """
    return apply("subtract", [x, apply("tanh", [x])])


@operation("x", module="nn")
def log_sigmoid(x: Any) -> Value:
    """`log(sigmoid(x))`, as `-softplus(-x)`: finite wherever `x` is."""
    return apply("negative", [apply("softplus", [apply("negative", [x])])])


@operation("x", module="nn")
def squareplus(x: Any, b: float = 4) -> Value:
    """`(x + sqrt(x**2 + b)) / 2` (Barron, 2021).

    Args:
        x: Tensor of any shape.
        b: How wide the bend at 0 is, a positive number.

    Raises:
        ValueError: `b` is no number of at least 0.

    Example:

    >>> print(cconv.ops.squareplus([-1.0, 2.0]).round(4))
    [0.618  2.4142]
    """
    b = float(number(b, "b", 0))
    root = apply("sqrt", [apply("add", [apply("square", [x]), b])])
    # below 0 the sum would be a difference of two that are nearly equal
    below = apply("divide", [b, apply("subtract", [root, apply("minimum", [x, 0.0])])])
    either = apply("where", [apply("less", [x, 0.0]), below, apply("add", [x, root])])
    return apply("multiply", [either, 0.5])


@operation("x", module="nn")
def sparsemax(x: Any, axis: int = -1) -> Value:
    """The nearest point to `x` among those with no negative part and a sum of 1 (Martins and Astudillo, 2016).

    Args:
        x: Tensor.
        axis: The axis whose sums are 1; of a size that is known.

    Raises:
        ValueError: The size of the axis is not known.

    Example:

    >>> cconv.ops.sparsemax([1.0, 0.5, -1.0]).tolist()
    [0.75, 0.25, 0.0]
    """
    shape = shape_of(x)
    at = number_of_axis(axis, len(shape))
    count = shape[at]
    if count is None:
        raise ValueError(f"`sparsemax` expects an axis of a size that is known. Received: axis={axis} of shape {shape}")
    last = [k for k in range(len(shape)) if k != at] + [at]
    z = apply("transpose", [x], {"axes": last})
    z = apply("subtract", [z, apply("max", [z], {"axes": [-1], "keepdims": True})])
    # the k largest stay, for the last k of which 1 + k z(k) exceeds their sum; which these are has no slope
    fixed = apply("stop_gradient", [z])
    ordered = apply("take_along_axis", [fixed, apply("argsort", [apply("negative", [fixed])])], {"axis": -1})
    sums = apply("matmul", [ordered, np.triu(np.ones((count, count), np.float32))])
    numbers = np.arange(1, count + 1, dtype=np.float32)
    stays = apply("greater", [apply("add", [apply("multiply", [ordered, numbers]), 1.0]), sums])
    least = apply("min", [apply("where", [stays, ordered, np.float32(np.inf)])], {"axes": [-1], "keepdims": True})
    kept = apply("cast", [apply("greater_equal", [fixed, least])], {"to": "float32"})
    total = apply("sum", [apply("multiply", [z, kept])], {"axes": [-1], "keepdims": True})
    many = apply("sum", [kept], {"axes": [-1], "keepdims": True})
    y = apply("relu", [apply("subtract", [z, apply("divide", [apply("subtract", [total, 1.0]), many])])])
    return apply("transpose", [y], {"axes": [last.index(k) for k in range(len(shape))]})


@operation("x", module="nn")
def softplus(x: Any) -> Value:
    """`log(1 + exp(x))`.

    Example:

    >>> print(cconv.ops.softplus([0.0, 2.0]).round(4))
    [0.6931 2.1269]
    """
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
def softmax(x: Any, axis: int | Sequence[int] | None = -1) -> Value:
    """`exp(x)` divided by its sum over `axis`: one, several, or with `None` all of them.

    Example:

    >>> cconv.ops.softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    alone = _one_axis(axis, len(shape_of(x)))
    if alone is not None:
        return apply("softmax", [x], {"axis": alone})
    powers = apply("exp", [apply("subtract", [x, reductions.max(x, axis, keepdims=True)])])
    return apply("divide", [powers, reductions.sum(powers, axis, keepdims=True)])


@operation("x", module="nn")
def log_softmax(x: Any, axis: int | Sequence[int] | None = -1) -> Value:
    """The logarithm of `softmax`."""
    alone = _one_axis(axis, len(shape_of(x)))
    if alone is not None:
        return apply("log_softmax", [x], {"axis": alone})
    return apply("subtract", [x, reductions.logsumexp(x, axis, keepdims=True)])


def _one_axis(axis: Any, rank: int) -> int | None:
    """The axis, if it is one; `None` for several."""
    if axis is None:
        return None
    if not isinstance(axis, (list, tuple)):
        return number_of_axis(axis, rank)
    axes = numbers_of_axes(axis, rank)
    if not axes:
        raise ValueError("The `axis` argument must name an axis. Received: axis=[]")
    return axes[0] if len(axes) == 1 else None
