"""Layers that change the shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..config import standardize_data_format
from ..ops import layout
from ..ops._apply import apply, shape_of
from ..ops.arguments import is_integer, positive_integer
from .input_spec import InputSpec
from .layer import Layer

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]


class Flatten(Layer):
    """All values of a sample in one row.

    Args:
        data_format: With `"channels_first"`, the channels go last before.

    Input shape:
        `(batch, ...)`.

    Output shape:
        `(batch, product of the sizes)`.

    Example:

    >>> cconv.layers.Flatten()(np.zeros((2, 3, 3, 4))).shape
    (2, 36)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)
        self._channels_first = self.data_format == "channels_first"
        self.built = True

    def call(self, inputs):
        if len(inputs.shape) == 1:
            return apply("expand_dims", [inputs], {"axis": -1})
        if self._channels_first and len(inputs.shape) > 2:
            inputs = layout.to_channels_last(inputs)
        return apply("flatten", [inputs])

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """The same values in another shape.

    Args:
        target_shape: Shape of one sample; one size may be -1 (what is left).

    Input shape:
        `(batch, ...)`.

    Output shape:
        `(batch, *target_shape)`.

    Example:

    >>> cconv.layers.Reshape((2, -1))(np.zeros((5, 6))).shape
    (5, 2, 3)
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sizes = (target_shape,) if is_integer(target_shape) else tuple(target_shape)
        if not all(is_integer(s) and (s > 0 or s == -1) for s in sizes) or sizes.count(-1) > 1:
            raise ValueError(
                "`target_shape` must be a tuple of positive integers, of which one may be -1. "
                f"Received: target_shape={target_shape}"
            )
        self.target_shape = tuple(int(s) for s in sizes)
        self.built = True

    def call(self, inputs):
        return apply("reshape", [inputs], {"shape": [0, *self.target_shape]})

    def get_config(self):
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """The axes of a sample in another order.

    Args:
        dims: The axes' numbers in their new order; the first one after the batch is 1.

    Output shape:
        The sizes of the input in the new order, behind the batch.

    Raises:
        ValueError: `dims` are not the numbers of all axes.

    Example:

    >>> cconv.layers.Permute((2, 1))(np.zeros((5, 2, 3))).shape
    (5, 3, 2)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be "
                "consecutive and "
                f"start from 1. Received: dims={dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)
        self.built = True

    def call(self, inputs):
        return apply("transpose", [inputs], {"axes": [0, *self.dims]})

    def get_config(self):
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Each vector `n` times, as the steps of a sequence.

    Args:
        n: How often.

    Input shape:
        `(batch, features)`.

    Output shape:
        `(batch, n, features)`.

    Example:

    >>> cconv.layers.RepeatVector(2)(np.array([[1.0, 2.0]])).tolist()
    [[[1.0, 2.0], [1.0, 2.0]]]
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_integer(n):
            raise TypeError(f"Expected an integer value for `n`, got {type(n)}.")
        self.n = positive_integer(n, "n")
        self.input_spec = InputSpec(ndim=2)
        self.built = True

    def call(self, inputs):
        one = apply("expand_dims", [inputs], {"axis": 1})
        size = shape_of(inputs)[1]
        return apply("broadcast_to", [one], {"shape": [-1, self.n, -1 if size is None else size]})

    def get_config(self):
        return {**super().get_config(), "n": self.n}
