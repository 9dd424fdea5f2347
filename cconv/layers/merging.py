"""Layers that make one tensor of several."""

from __future__ import annotations

from functools import reduce
from typing import Any

from .. import ops
from ..ops._apply import apply
from ..ops.arguments import is_integer
from .layer import Layer

__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]


class BaseMerge(Layer):
    """What the merges element by element have in common."""

    supports_masking = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def build(self, input_shape):
        shapes = _shapes_of_list(self, input_shape, 2 if isinstance(self, Subtract) else 1)
        if isinstance(self, Subtract) and len(shapes) != 2:
            raise ValueError(
                f"A `Subtract` layer should be called on exactly 2 inputs. Received: input_shape={input_shape} "
                f"(layer '{self.name}')"
            )
        result = shapes[0][1:]
        for shape in shapes[1:]:
            result = self._broadcast(result, shape[1:])

    def _broadcast(self, a, b):
        rank = max(len(a), len(b))
        sizes = []
        # missing axes come first, as in NumPy; the batch is not among these sizes
        for x, y in zip((1,) * (rank - len(a)) + tuple(a), (1,) * (rank - len(b)) + tuple(b), strict=True):
            if x is not None and y is not None and x != y and 1 not in (x, y):
                raise ValueError(
                    f"Inputs have incompatible shapes. Received shapes {tuple(a)} and {tuple(b)} (layer '{self.name}')"
                )
            sizes.append(y if x == 1 else x)
        return tuple(sizes)

    def call(self, inputs):
        rank = max(len(x.shape) for x in inputs)
        same = []
        for x in inputs:
            for _ in range(rank - len(x.shape)):
                x = apply("expand_dims", [x], {"axis": 1})
            same.append(x)
        return self._merge(same)

    def compute_mask(self, inputs, previous_mask):
        """A step counts where it counts in one of the inputs; all do where one of them has no mask."""
        return None if any(mask is None for mask in previous_mask) else reduce(ops.logical_or, previous_mask)

    def _merge(self, inputs):
        return _fold(self.op, inputs)


class Add(BaseMerge):
    """The sum of the inputs.

    Input shape:
        A list of tensors of the same shape (sizes of 1 are stretched).

    Example:

    >>> cconv.layers.Add()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    op = "add"


class Subtract(BaseMerge):
    """The first of two inputs minus the second.

    Example:

    >>> cconv.layers.Subtract()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """

    op = "subtract"


class Multiply(BaseMerge):
    """The product of the inputs, element by element.

    Example:

    >>> cconv.layers.Multiply()([2 * np.ones((1, 2)), 3 * np.ones((1, 2))]).tolist()
    [[6.0, 6.0]]
    """

    op = "multiply"


class Average(BaseMerge):
    """The mean of the inputs, element by element.

    Example:

    >>> cconv.layers.Average()([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[0.5, 0.5]]
    """

    def _merge(self, inputs):
        return apply("divide", [_fold("add", inputs), float(len(inputs))])


class Maximum(BaseMerge):
    """The largest of the inputs, element by element.

    Example:

    >>> cconv.layers.Maximum()([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[1.0, 1.0]]
    """

    op = "maximum"


class Minimum(BaseMerge):
    """The smallest of the inputs, element by element.

    Example:

    >>> cconv.layers.Minimum()([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """

    op = "minimum"


class Concatenate(Layer):
    """The inputs one after another along an axis.

    Args:
        axis: The axis; not that of the batch.

    Input shape:
        A list of tensors whose other sizes agree.

    Example:

    >>> cconv.layers.Concatenate()([np.zeros((1, 2)), np.ones((1, 1))]).tolist()
    [[0.0, 0.0, 1.0]]
    """

    supports_masking = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_integer(axis):
            raise ValueError(f"Argument `axis` must be an integer. Received: axis={axis!r}")
        self.axis = int(axis)

    def build(self, input_shape):
        shapes = _shapes_of_list(self, input_shape, 1)
        rank = len(shapes[0])
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"Layer '{self.name}': `axis` must be an axis of the inputs. Received: axis={self.axis}, "
                f"input_shape={input_shape}"
            )
        rest = [tuple(s for i, s in enumerate(shape) if i != self.axis % rank) for shape in shapes]
        for other in rest[1:]:
            if len(other) != rank - 1 or any(
                None not in (a, b) and a != b for a, b in zip(rest[0], other, strict=True)
            ):
                raise ValueError(
                    "A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. "
                    f"Received: input_shape={list(shapes)} (layer '{self.name}', axis={self.axis})"
                )

    def call(self, inputs):
        return apply("concatenate", list(inputs), {"axis": self.axis})

    def compute_mask(self, inputs, previous_mask):
        masks = [_like(x, mask) for x, mask in zip(inputs, previous_mask, strict=True)]
        return ops.greater(ops.max(ops.cast(ops.concatenate(masks, self.axis), "float32"), axis=-1), 0.5)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


def _shapes_of_list(layer: Layer, input_shape: Any, least: int) -> list[tuple]:
    """The shapes of a list of inputs; an error if the layer was called on one tensor."""
    shapes = list(input_shape) if isinstance(input_shape, (list, tuple)) else []
    if len(shapes) < least or not all(isinstance(shape, (list, tuple)) for shape in shapes):
        raise ValueError(
            f"A `{type(layer).__name__}` layer should be called on a list of "
            f"{'at least ' if least == 1 else ''}{least} "
            f"input{'s' if least > 1 else ''}. Received: input_shape={input_shape} (not a list of shapes), layer "
            f"'{layer.name}'"
        )
    return [tuple(shape) for shape in shapes]


def _like(x: Any, mask: Any) -> Any:
    """A mask of the shape of `x`; without one, all of it counts."""
    everything = ops.logical_or(ops.equal(x, x), ops.not_equal(x, x))
    if mask is None:
        return everything
    return ops.logical_and(ops.expand_dims(mask, -1), everything) if len(mask.shape) < len(x.shape) else mask


def _fold(op: str, inputs: list) -> Any:
    y = inputs[0]
    for x in inputs[1:]:
        y = apply(op, [y, x])
    return y


def add(inputs: list, **kwargs: Any) -> Any:
    """`Add(**kwargs)(inputs)`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: list, **kwargs: Any) -> Any:
    """`Subtract(**kwargs)(inputs)`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: list, **kwargs: Any) -> Any:
    """`Multiply(**kwargs)(inputs)`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: list, **kwargs: Any) -> Any:
    """`Average(**kwargs)(inputs)`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: list, **kwargs: Any) -> Any:
    """`Maximum(**kwargs)(inputs)`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: list, **kwargs: Any) -> Any:
    """`Minimum(**kwargs)(inputs)`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: list, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis, **kwargs)(inputs)`."""
    return Concatenate(axis=axis, **kwargs)(inputs)
