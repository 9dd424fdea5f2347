"""Zeros around images of one, two or three axes."""

from __future__ import annotations

from typing import Any

from ..config import standardize_data_format
from ..ops._apply import apply
from ..ops.arguments import pads, pair, sides
from .input_spec import InputSpec
from .layer import Layer

__all__ = ["ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"]


class BaseZeroPadding(Layer):
    """What all of them have in common: a pair `(before, after)` for each axis of the image."""

    def __init__(self, padding: Any, axes: tuple[tuple[int, int], ...], data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.padding = padding  # as Keras writes it into files
        none = (0, 0)
        self._pads = pads((none, none, *axes) if self.data_format == "channels_first" else (none, *axes, none))
        self.input_spec = InputSpec(ndim=len(axes) + 2)
        self.built = True

    def call(self, inputs):
        return apply("pad", [inputs], {"pads": self._pads})

    def get_config(self):
        return {**super().get_config(), "padding": self.padding, "data_format": self.data_format}


class ZeroPadding1D(BaseZeroPadding):
    """Zeros before and after sequences.

    Args:
        padding: One number for both ends, or `(before, after)`.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, before + steps + after, channels)`.

    Example:

    >>> cconv.layers.ZeroPadding1D((2, 1))(np.ones((1, 2, 1))).ravel().tolist()
    [0.0, 0.0, 1.0, 1.0, 0.0]
    """

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        ends = pair(padding, "padding", 0)
        super().__init__(ends, (ends,), data_format, **kwargs)


class ZeroPadding2D(BaseZeroPadding):
    """Zeros around images.

    Args:
        padding: One number for all sides, `(height, width)`, or `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, top + height + bottom, left + width + right, channels)`.

    Example:

    >>> cconv.layers.ZeroPadding2D(((1, 0), (2, 2)))(np.zeros((1, 4, 4, 1))).shape
    (1, 5, 8, 1)
    """

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        axes = sides(padding, 2, "padding")
        super().__init__(axes, axes, data_format, **kwargs)


class ZeroPadding3D(BaseZeroPadding):
    """Zeros around volumes.

    Args:
        padding: One number for all sides, `(depth, height, width)`, or
            `((front, back), (top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, front + depth + back, top + height + bottom, left + width + right, channels)`.

    Example:

    >>> cconv.layers.ZeroPadding3D(((0, 1), (2, 2), (0, 0)))(np.zeros((1, 4, 4, 4, 1))).shape
    (1, 5, 8, 4, 1)
    """

    def __init__(self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        axes = sides(padding, 3, "padding")
        super().__init__(axes, axes, data_format, **kwargs)
