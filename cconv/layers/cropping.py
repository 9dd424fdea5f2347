"""The inside of images of one, two or three axes."""

from __future__ import annotations

from typing import Any

from ..config import standardize_data_format
from ..ops._apply import apply
from ..ops.arguments import pair, sides
from .input_spec import InputSpec
from .layer import Layer

__all__ = ["Cropping1D", "Cropping2D", "Cropping3D"]


class BaseCropping(Layer):
    """What all of them have in common: a pair `(before, after)` for each axis of the image."""

    def __init__(
        self, cropping: Any, axes: tuple[tuple[int, int], ...], data_format: str | None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.cropping = cropping  # as Keras writes it into files
        none = (0, 0)
        self._axes = (none, none, *axes) if self.data_format == "channels_first" else (none, *axes, none)
        self.input_spec = InputSpec(ndim=len(self._axes))
        self.built = True

    def call(self, inputs):
        for size, (before, after) in zip(inputs.shape, self._axes, strict=True):
            if size is not None and before + after > 0 and before + after >= size:
                raise ValueError(
                    f"Layer '{self.name}' expected `cropping` to leave something of every axis. "
                    f"Received: cropping={self.cropping}, input shape {tuple(inputs.shape)}"
                )
        begin, size = [before for before, _ in self._axes], [-1 - after for _, after in self._axes]
        return apply("slice", [inputs], {"begin": begin, "size": size})

    def get_config(self):
        return {**super().get_config(), "cropping": self.cropping, "data_format": self.data_format}


class Cropping1D(BaseCropping):
    """The inside of sequences.

    Args:
        cropping: One number for both ends, or `(before, after)`: what is left out there.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, steps - before - after, channels)`.

    Example:

    >>> cconv.layers.Cropping1D((2, 1))(np.arange(5).reshape(1, 5, 1)).ravel().tolist()
    [2, 3]
    """

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        ends = pair(cropping, "cropping", 0)
        super().__init__(ends, (ends,), "channels_last", **kwargs)

    def get_config(self):
        config = super().get_config()
        del config["data_format"]  # as in Keras: sequences have their channels last
        return config


class Cropping2D(BaseCropping):
    """The inside of images.

    Args:
        cropping: One number for all sides, `(height, width)`, or `((top, bottom), (left, right))`: what is left out
            there.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height - top - bottom, width - left - right, channels)`.

    Example:

    >>> cconv.layers.Cropping2D(((1, 0), (2, 1)))(np.zeros((1, 4, 4, 1))).shape
    (1, 3, 1, 1)
    """

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        axes = sides(cropping, 2, "cropping")
        super().__init__(axes, axes, data_format, **kwargs)


class Cropping3D(BaseCropping):
    """The inside of volumes.

    Args:
        cropping: One number for all sides, `(depth, height, width)`, or
            `((front, back), (top, bottom), (left, right))`: what is left out there.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, depth - front - back, height - top - bottom, width - left - right, channels)`.

    Example:

    >>> cconv.layers.Cropping3D()(np.zeros((1, 4, 5, 6, 1))).shape
    (1, 2, 3, 4, 1)
    """

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        axes = sides(cropping, 3, "cropping")
        super().__init__(axes, axes, data_format, **kwargs)
