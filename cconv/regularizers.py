"""Penalties on weights and outputs, added to the loss: they keep them small, or apart."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

from . import ops
from .changes import Observed
from .configured import Configured
from .keras_names import getattr_of, unknown
from .ops._apply import apply, shape_of
from .registry import get_registered_object, register_public
from .serialization import deserialize_object, serialize_object

__all__ = ["L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer"]
__all__ += ["deserialize", "get", "l1", "l1_l2", "l2", "orthogonal_regularizer", "serialize"]


class Regularizer(Configured, Observed):
    """Base class of regularizers.

    Subclass it and write `__call__(w)` with `cconv.ops`: it gets the weights and returns a scalar that is added to the
    loss. Any function that does this will do, too; a class can be saved.

    Example:

    >>> class Sparse(cconv.regularizers.Regularizer):
    ...     def __call__(self, w):
    ...         return 0.1 * cconv.ops.sum(cconv.ops.sqrt(cconv.ops.abs(w)))
    >>> round(float(Sparse()(np.array([4.0, 9.0]))), 3)
    0.5
    """

    def __call__(self, x: Any) -> Any:
        """The penalty; for subclasses to write."""
        raise NotImplementedError(f"{type(self).__name__} must define `__call__(x)`.")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Regularizer:
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        return {}


class L1L2(Regularizer):
    """`l1 * sum(abs(w)) + l2 * sum(w**2)`.

    Args:
        l1: Factor of the sum of absolute weights.
        l2: Factor of the sum of squared weights.

    Example:

    >>> float(cconv.regularizers.L1L2(l1=1.0, l2=0.5)(np.array([1.0, -2.0])))
    5.5
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _factor("l1", l1)
        self.l2 = _factor("l2", l2)

    def __call__(self, x: Any) -> Any:
        return apply("weight_penalty", [x], {"l1": self.l1, "l2": self.l2})

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """`l1 * sum(abs(w))`: drives weights to zero.

    Args:
        l1: The factor.

    Example:

    >>> float(cconv.regularizers.L1(0.5)(np.array([1.0, -2.0])))
    1.5
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor("l1", l1)

    def __call__(self, x: Any) -> Any:
        return apply("weight_penalty", [x], {"l1": self.l1})

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(Regularizer):
    """`l2 * sum(w**2)`: keeps weights small.

    Args:
        l2: The factor.

    Example:

    >>> float(cconv.regularizers.L2(0.5)(np.array([1.0, -2.0])))
    2.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("l2", l2)

    def __call__(self, x: Any) -> Any:
        return apply("weight_penalty", [x], {"l2": self.l2})

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean size of the cosines between the rows (or the columns) of a matrix.

    Args:
        factor: The factor.
        mode: `"rows"` or `"columns"`.

    Raises:
        ValueError: If an argument is out of range; when it is called, if the weights are no matrix.

    Example:

    >>> round(float(cconv.regularizers.OrthogonalRegularizer(0.5)(np.array([[2.0, 0.0], [3.0, 4.0]]))), 4)
    0.3
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor("factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(
                f'Invalid value for argument `mode`. Expected one of {{"rows", "columns"}}. Received: mode={mode}'
            )
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        if len(shape_of(x)) != 2:
            raise ValueError(
                f"OrthogonalRegularizer: expected weights of rank 2, a matrix. Received: shape {shape_of(x)}"
            )
        rows = ops.convert_to_tensor(x) if self.mode == "rows" else ops.transpose(x)
        size = shape_of(rows)[0]
        rows = rows / ops.maximum(ops.sqrt(ops.sum(rows * rows, axis=1, keepdims=True)), 1e-12)
        others = ops.abs(ops.matmul(rows, ops.transpose(rows))) * (1 - ops.eye(size))
        return self.factor * 0.5 * ops.sum(others) / max(size * (size - 1) / 2, 1)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
_OBJECTS = {"L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2, "l1_l2": L1L2, "l1l2": L1L2}
_OBJECTS |= dict.fromkeys(("OrthogonalRegularizer", "orthogonal_regularizer"), OrthogonalRegularizer)


def serialize(regularizer: Regularizer) -> Any:
    """The configuration of a regularizer, for `deserialize`.

    Args:
        regularizer: The regularizer; one of a class of your own needs `get_config`.

    Returns:
        Dictionary of plain values that JSON can hold.

    Raises:
        TypeError: It has no `get_config`.

    Example:

    >>> cconv.regularizers.serialize(cconv.regularizers.L1())["class_name"]
    'L1'
    """
    return serialize_object(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer that a configuration (or a name) describes.

    Args:
        config: What `serialize` returned, or a name.
        custom_objects: Dictionary of names to your own classes and functions.

    Raises:
        ValueError: It names nothing that is known or registered.

    Example:

    >>> cconv.regularizers.deserialize(cconv.regularizers.serialize(cconv.regularizers.L2(0.5))).l2
    0.5
    """
    if isinstance(config, str):
        found = get_registered_object(config, custom_objects, _OBJECTS)
        if found is None:
            raise ValueError(
                f"Could not interpret regularizer identifier: {config!r}. {unknown(__name__, config, _OBJECTS)}"
            )
        return found
    return deserialize_object(config, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """A regularizer, from its name, its configuration, its class, or itself. `None` stays.

    Raises:
        ValueError: It is none of these.

    Example:

    >>> cconv.regularizers.get("l2").get_config()
    {'l2': 0.01}
    """
    if identifier is None:
        return None
    found = deserialize(identifier) if isinstance(identifier, (str, Mapping)) else identifier
    if not callable(found):
        raise ValueError(f"Could not interpret regularizer identifier: {identifier!r}")
    return found() if inspect.isclass(found) else found


def activity_penalty(regularizer: Any, y: Any) -> Any:
    """The penalty on the output of a layer, for each of its samples: it weighs as much in a batch of any size.

    Args:
        regularizer: Function of the output that returns a scalar.
        y: The output, batch first.

    Example:

    >>> from cconv.regularizers import activity_penalty
    >>> float(activity_penalty(cconv.regularizers.L2(0.5), np.array([[1.0], [3.0]])))
    2.5
    """
    penalty = regularizer(y)
    shape = shape_of(y)
    if not shape:
        return penalty
    return ops.divide(penalty, _batch_size(y) if shape[0] is None else shape[0])


def _batch_size(y: Any) -> Any:
    """The number of samples in a batch that has no size before it runs, as a tensor: a sum of ones."""
    first = ops.get_item(y, (slice(None), *[slice(0, 1)] * (len(shape_of(y)) - 1)))
    return ops.sum(ops.where(ops.equal(first, first), 1.0, 1.0))  # ones even where it is not a number


def _factor(name: str, value: Any) -> float:
    value = 0.0 if value is None else value
    if isinstance(value, (str, bool)) or not math.isfinite(float(value)) or float(value) < 0:
        raise ValueError(
            f"Invalid value for argument {name}: expected a finite, non-negative float. Received: {name}={value}"
        )
    return float(value)


register_public("keras.regularizers", globals())
__getattr__ = getattr_of(globals())
