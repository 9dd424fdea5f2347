"""Layers that make one tensor of several."""

from __future__ import annotations

import string
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
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "dot",
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

    Output shape:
        That of the inputs, sizes of 1 stretched.

    Raises:
        ValueError: The shapes do not fit, or it is called on something else than a list.

    Example:

    >>> cconv.layers.Add()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    op = "add"


class Subtract(BaseMerge):
    """The first of two inputs minus the second; shapes and errors as for `Add`.

    Example:

    >>> cconv.layers.Subtract()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """

    op = "subtract"


class Multiply(BaseMerge):
    """The product of the inputs, element by element; shapes and errors as for `Add`.

    Example:

    >>> cconv.layers.Multiply()([2 * np.ones((1, 2)), 3 * np.ones((1, 2))]).tolist()
    [[6.0, 6.0]]
    """

    op = "multiply"


class Average(BaseMerge):
    """The mean of the inputs, element by element; shapes and errors as for `Add`.

    Example:

    >>> cconv.layers.Average()([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[0.5, 0.5]]
    """

    def _merge(self, inputs):
        return apply("divide", [_fold("add", inputs), float(len(inputs))])


class Maximum(BaseMerge):
    """The largest of the inputs, element by element; shapes and errors as for `Add`.

    Example:

    >>> cconv.layers.Maximum()([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[1.0, 1.0]]
    """

    op = "maximum"


class Minimum(BaseMerge):
    """The smallest of the inputs, element by element; shapes and errors as for `Add`.

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

    Output shape:
        That of the inputs, with the sum of their sizes along the axis.

    Raises:
        ValueError: The other sizes differ.

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
    """`Add(**kwargs)(inputs)`.

    Example:

    >>> cconv.layers.add([np.array([[1.0, 5.0]]), np.array([[4.0, 2.0]])]).tolist()
    [[5.0, 7.0]]
    """
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
    """`Concatenate(axis, **kwargs)(inputs)`.

    Example:

    >>> cconv.layers.concatenate([np.array([[1.0, 5.0]]), np.array([[4.0, 2.0]])]).tolist()
    [[1.0, 5.0, 4.0, 2.0]]
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


class Dot(Layer):
    """Products of two inputs summed over an axis of each, sample by sample.

    Args:
        axes: The axis of both, or a pair, counted with the batch.
        normalize: Whether the inputs are divided by their length along that axis first: cosine similarity.

    Input shape:
        A list of two, `(batch, ...)`.

    Output shape:
        `(batch, ...)`: the other axes of the first input, then those of the second; `(batch, 1)` if there are none.

    Raises:
        TypeError: `axes` is neither an integer nor a list.
        ValueError: It is no pair, or the sizes on the axes differ.

    Example:

    >>> cconv.layers.Dot(axes=1)([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]).tolist()
    [[11.0]]
    """

    supports_masking = True

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_integer(axes):
            if not isinstance(axes, (list, tuple)):
                raise TypeError(
                    f"Invalid type for argument `axes`: it should be a list or an int. Received: axes={axes}"
                )
            if len(axes) != 2 or not all(is_integer(a) for a in axes):
                raise ValueError(
                    f"Invalid format for argument `axes`: it should contain two integers. Received: axes={axes}"
                )
        self.axes = axes
        self.normalize = bool(normalize)

    def build(self, input_shape):
        if not isinstance(input_shape, list) or len(input_shape) != 2:
            raise ValueError(
                f"A `Dot` layer should be called on a list of 2 inputs. Received: input_shape={input_shape} "
                f"(layer '{self.name}')"
            )
        first, second = input_shape
        a, b = self._axes(len(first), len(second))
        if first[a] != second[b] and None not in (first[a], second[b]):
            raise ValueError(
                f"Incompatible input shapes: axis values {first[a]} (at axis {a}) != {second[b]} (at axis {b}). "
                f"Full input shapes: {first}, {second} (layer '{self.name}')"
            )

    def _axes(self, *ranks):
        axes = (self.axes, self.axes) if is_integer(self.axes) else self.axes
        if any(not -rank <= axis < rank or axis % rank == 0 for axis, rank in zip(axes, ranks, strict=True)):
            raise ValueError(
                f"Layer '{self.name}': `axes` must name an axis of each input behind the batch. Received: "
                f"axes={self.axes} for inputs of rank {ranks[0]} and {ranks[1]}"
            )
        return [axis % rank for axis, rank in zip(axes, ranks, strict=True)]

    def call(self, inputs):
        first, second = inputs
        a, b = self._axes(len(first.shape), len(second.shape))
        if self.normalize:
            first, second = ops.normalize(first, axis=a), ops.normalize(second, axis=b)
        left = string.ascii_lowercase[: len(first.shape)]
        right = left[0] + string.ascii_uppercase[1 : len(second.shape)]
        right = right[:b] + left[a] + right[b + 1 :]
        result = left.replace(left[a], "") + right[1:].replace(left[a], "")
        y = ops.einsum(f"{left},{right}->{result}", first, second)
        return ops.expand_dims(y, 1) if len(result) == 1 else y

    def compute_mask(self, inputs, previous_mask):
        return None

    def get_config(self):
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """`Dot(axes, **kwargs)(inputs)`.

    Example:

    >>> cconv.layers.dot([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]).tolist()
    [[11.0]]
    """
    return Dot(axes=axes, **kwargs)(inputs)
