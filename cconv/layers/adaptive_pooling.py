"""Pooling to a given size: images of any size become ones of the same, of one, two or three axes."""

from __future__ import annotations

from typing import Any

from ..config import standardize_data_format
from ..ops import layout
from ..ops._apply import apply
from ..ops.arguments import integers
from .input_spec import InputSpec
from .layer import Layer

__all__ = [
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
]


class BaseAdaptivePooling(Layer):
    """What all of them have in common."""

    op: str
    rank: int  # number of the image's axes

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_size = integers(output_size, self.rank, "output_size")
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs):
        x, first = layout.channels_last(self.data_format, inputs)
        y = apply(self.op, [x], {"size": self.output_size})
        return layout.to_channels_first(y) if first else y

    def get_config(self):
        return {**super().get_config(), "output_size": self.output_size, "data_format": self.data_format}


class AdaptiveAveragePooling1D(BaseAdaptivePooling):
    """The means of `output_size` parts of a sequence, of any length.

    Of k steps, part i of m begins at step `i * k // m` and ends before the next whole step after `(i + 1) * k / m`.

    Args:
        output_size: Number of parts.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, output_size, channels)`.

    Example:

    >>> cconv.layers.AdaptiveAveragePooling1D(2)(np.arange(6).reshape(1, 6, 1)).ravel().tolist()
    [1.0, 4.0]
    """

    op, rank = "adaptive_avg_pool", 1


class AdaptiveAveragePooling2D(BaseAdaptivePooling):
    """The means of a grid of parts of an image, of any size; see `AdaptiveAveragePooling1D` for where parts begin.

    Args:
        output_size: Height and width of the grid: one number or two.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, *output_size, channels)`.

    Example:

    >>> x = np.arange(16).reshape(1, 4, 4, 1)
    >>> cconv.layers.AdaptiveAveragePooling2D((2, 1))(x).ravel().tolist()
    [3.5, 11.5]
    """

    op, rank = "adaptive_avg_pool", 2


class AdaptiveAveragePooling3D(BaseAdaptivePooling):
    """The means of a grid of parts of a volume, of any size; see `AdaptiveAveragePooling1D` for where parts begin.

    Args:
        output_size: Depth, height and width of the grid: one number or three.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, *output_size, channels)`.

    Example:

    >>> cconv.layers.AdaptiveAveragePooling3D(2)(np.ones((1, 5, 4, 3, 2))).shape
    (1, 2, 2, 2, 2)
    """

    op, rank = "adaptive_avg_pool", 3


class AdaptiveMaxPooling1D(BaseAdaptivePooling):
    """The largest values of `output_size` parts of a sequence.

    Arguments, shapes and errors are those of `AdaptiveAveragePooling1D`.

    Example:

    >>> cconv.layers.AdaptiveMaxPooling1D(2)(np.arange(6).reshape(1, 6, 1)).ravel().tolist()
    [2.0, 5.0]
    """

    op, rank = "adaptive_max_pool", 1


class AdaptiveMaxPooling2D(BaseAdaptivePooling):
    """The largest values of a grid of parts of an image.

    Arguments, shapes and errors are those of `AdaptiveAveragePooling2D`.

    Example:

    >>> x = np.arange(16).reshape(1, 4, 4, 1)
    >>> cconv.layers.AdaptiveMaxPooling2D((2, 1))(x).ravel().tolist()
    [7.0, 15.0]
    """

    op, rank = "adaptive_max_pool", 2


class AdaptiveMaxPooling3D(BaseAdaptivePooling):
    """The largest values of a grid of parts of a volume.

    Arguments, shapes and errors are those of `AdaptiveAveragePooling3D`.

    Example:

    >>> cconv.layers.AdaptiveMaxPooling3D(1)(np.arange(8).reshape(1, 2, 2, 2, 1)).ravel().tolist()
    [7.0]
    """

    op, rank = "adaptive_max_pool", 3
