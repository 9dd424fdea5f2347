"""The beginning of functional and sequential models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dtypes import standardize
from ..ops.arguments import is_integer
from ..ops.operation import Node
from ..size_limit import check_count
from ..tensor import Tensor
from .layer import Layer

__all__ = ["Input", "InputLayer"]


class InputLayer(Layer):
    """Stands for what a model is given.

    Args:
        shape: Shape of one sample; `None` for sizes that are not fixed.
        batch_size: Size of the batch, if it is fixed.
        dtype: `"float32"`, `"int32"` or `"bool"`: the type of the values. A float32 input takes arrays of all numbers,
            an int32 input whole numbers, a bool input bools.
        sparse: Must be false; `ragged` likewise.
        batch_shape: Shape with the batch, instead of `shape` and `batch_size`.
        input_tensor: A symbolic tensor to take the shape of.
        optional: Must be false.
        name: Name of the layer.

    Example:

    >>> model = cconv.Sequential([cconv.layers.InputLayer(shape=(4,)), cconv.layers.Dense(2)])
    >>> model.input_shape
    (None, 4)
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: Tensor | None = None,
        optional: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if sparse or ragged or optional:
            raise ValueError(
                f"Inputs are dense and always given. Received: sparse={sparse}, ragged={ragged}, optional={optional}"
            )
        if shape is not None and batch_shape is not None:
            raise ValueError(
                "You cannot pass both `shape` and `batch_shape` at the same time. "
                f"Received: shape={shape}, batch_shape={batch_shape}"
            )
        if batch_size is not None and batch_shape is not None:
            raise ValueError(
                "You cannot pass both `batch_size` and `batch_shape` at the same time. "
                f"Received: batch_size={batch_size}, batch_shape={batch_shape}"
            )
        if input_tensor is not None:
            if not isinstance(input_tensor, Tensor):
                raise TypeError(f"Expected a symbolic tensor to take the shape of. Received: {input_tensor!r}")
            batch_shape = input_tensor.shape
        elif batch_shape is None:
            if shape is None:
                raise ValueError("You must pass a `shape` argument.")
            batch_shape = (batch_size, *check_sizes(shape, "shape"))
        self.dtype = standardize(dtype, default=input_tensor.dtype if input_tensor is not None else "float32")
        self.batch_shape = check_sizes(batch_shape, "batch_shape")
        self.built = True
        self._build_config = None

    @property
    def output(self) -> Tensor:
        """The symbolic input: the same as long as somebody holds it."""
        for node in self._inbound_nodes:
            return node.outputs[0]
        tensor = Tensor(self.batch_shape, name=self.name, dtype=self.dtype)
        Node(self, (), {}, tensor)
        return tensor

    def call(self):
        return self.output

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": False,
        }


def check_sizes(shape: Any, name: str) -> tuple[int | None, ...]:
    """A shape whose sizes are positive or unknown."""
    if is_integer(shape):
        raise ValueError(f"`{name}` must be a tuple of sizes, such as `({shape},)`. Received: {name}={shape}")
    try:
        sizes = tuple(shape)
    except TypeError:
        raise ValueError(f"`{name}` must be a tuple of sizes. Received: {name}={shape!r}") from None
    for size in sizes:
        if size is not None and (not is_integer(size) or size <= 0):
            raise ValueError(f"The sizes of `{name}` must be positive integers or None. Received: {name}={shape}")
    check_count(sizes, f"`{name}` of an Input")
    return tuple(None if size is None else int(size) for size in sizes)


def Input(  # noqa: N802 (Keras' name)
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Tensor | None = None,
    optional: bool = False,
) -> Tensor:
    """A symbolic tensor to build a model from.

    Args:
        shape: Shape of one sample; `None` for sizes that are not fixed.
        batch_size: Size of the batch, if it is fixed.
        dtype: `"float32"`, `"int32"` or `"bool"`, see `InputLayer`.
        sparse: Must be false; `ragged` likewise.
        batch_shape: Shape with the batch, instead of `shape` and `batch_size`.
        name: Name of the input.
        tensor: A symbolic tensor to take the shape of.
        optional: Must be false.

    Example:

    >>> x = cconv.Input((28, 28, 1))
    >>> x.shape
    (None, 28, 28, 1)
    >>> model = cconv.Model(x, cconv.layers.Flatten()(x))
    """
    layer = InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        name=name,
        optional=optional,
        input_tensor=tensor,
    )
    return layer.output
