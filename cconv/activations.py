"""Activation functions by name.

Layers apply them after their own op; plans compute both in one pass where the core can.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import ops
from .keras_names import getattr_of, unknown
from .ops import arctan as arctan
from .ops import (
    binary_step,
    celu,
    elu,
    exp,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    mish,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)
from .registry import register_public
from .serialization import deserialize_object, serialize_object


def linear(x: Any) -> Any:
    """`x` itself.

    Example:

    >>> cconv.activations.linear(np.array([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return x


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """`max(x, 0)`, or with other arguments a variant of it.

    Args:
        x: Tensor.
        negative_slope: Slope below `threshold`.
        max_value: Largest value of the result.
        threshold: Values below it are damped: `negative_slope * (x - threshold)`.

    Example:

    >>> cconv.activations.relu(np.array([-1.0, 0.5, 9.0]), max_value=6).tolist()
    [0.0, 0.5, 6.0]
    """
    if threshold == 0 and negative_slope == 0 and max_value is not None:
        return ops.clip(x, 0.0, max_value)
    if threshold == 0:
        y = ops.relu(x) if negative_slope == 0 else ops.leaky_relu(x, negative_slope)
    else:
        y = ops.where(ops.greater(x, threshold), x, ops.multiply(negative_slope, ops.subtract(x, threshold)))
    return y if max_value is None else ops.minimum(y, max_value)


def exponential(x: Any) -> Any:
    """`exp(x)`.

    Example:

    >>> print(cconv.activations.exponential([0.0, 1.0]).round(4))
    [1.     2.7183]
    """
    return exp(x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """`cconv.ops.gelu`, exact by default.

    Example:

    >>> print(cconv.activations.gelu(np.array([-1.0, 1.0])).round(4))
    [-0.1587  0.8413]
    """
    return ops.gelu(x, approximate)


swish = silu
hard_swish = hard_silu

_BY_NAME: dict[str, Callable] = {
    f.__name__: f
    for f in (
        linear, relu, relu6, leaky_relu, elu, selu, celu, gelu, glu, sigmoid, silu, mish, hard_sigmoid, hard_silu, tanh,
        hard_tanh, softplus, softsign, softmax, log_softmax, log_sigmoid, exponential, squareplus, soft_shrink,
        hard_shrink, tanh_shrink, threshold, sparse_plus, sparse_sigmoid, sparsemax, arctan, binary_step,
    )
} | {"swish": silu, "hard_swish": hard_silu}  # fmt: skip


def serialize(activation: Callable) -> Any:
    """The JSON form: the name of a function of this module, else the form of a registered function or layer.

    Raises:
        ValueError: It is a lambda, which only its code could describe.

    Example:

    >>> cconv.activations.serialize(cconv.activations.gelu)
    'gelu'
    """
    if activation is ops.relu:
        return "relu"
    for name, function in _BY_NAME.items():
        if function is activation:
            return name
    return serialize_object(activation)


def deserialize(config: Any, custom_objects: dict | None = None) -> Callable:
    """The activation of a JSON form.

    Args:
        config: A name, or what `serialize` returned.
        custom_objects: Dictionary of names to your own functions.

    Raises:
        ValueError: It is neither known nor registered.

    Example:

    >>> cconv.activations.deserialize("relu")(np.array([-1.0, 1.0])).tolist()
    [0.0, 1.0]
    """
    if isinstance(config, str) and config in _BY_NAME:
        return _BY_NAME[config]
    if isinstance(config, dict) and config.get("module") in ("keras.activations", "builtins", None):
        name = config.get("config")
        if isinstance(name, str) and name in _BY_NAME:
            return _BY_NAME[name]
    return deserialize_object(config, custom_objects=custom_objects)


def get(identifier: Any) -> Callable:
    """The activation meant by a name, a JSON form, a function or layer, or `None` (linear).

    Example:

    >>> cconv.activations.get("relu")(np.array([-1.0, 1.0])).tolist()
    [0.0, 1.0]
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]
    if isinstance(identifier, (dict, str)):
        try:
            found = deserialize(identifier)
        except (ImportError, ValueError):
            found = None
    else:
        found = identifier
    if isinstance(found, type):
        found = found()
    if callable(found):
        return found
    raise ValueError(
        f"Could not interpret activation function identifier: {identifier}. {unknown(__name__, identifier, _BY_NAME)}"
    )


__all__ = sorted([*_BY_NAME, "deserialize", "get", "serialize"])
register_public("keras.activations", globals())
__getattr__ = getattr_of(globals())
