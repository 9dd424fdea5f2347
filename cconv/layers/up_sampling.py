"""Sequences, images and volumes made larger by whole factors."""

from __future__ import annotations

from typing import Any

from ..config import standardize_data_format
from ..ops._apply import apply
from ..ops.arguments import integers, is_integer
from ..ops.image.batch import like
from ..ops.image.resizing import check_interpolation
from ..ops.layout import channels_last, to_channels_first
from .input_spec import InputSpec
from .layer import Layer

__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]


class BaseUpSampling(Layer):
    """What all of them have in common: a factor for each axis of the image."""

    def __init__(self, factors: tuple[int, ...], data_format: str, interpolation: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._factors = factors
        self._resize = {"scale": [float(factor) for factor in factors], "interpolation": interpolation}
        self._format = data_format
        self.input_spec = InputSpec(ndim=len(factors) + 2)
        self.built = True

    def call(self, inputs):
        x, first = channels_last(self._format, inputs)
        y = like(apply("resize", [x], self._resize), inputs)
        return to_channels_first(y) if first else y


class UpSampling1D(BaseUpSampling):
    """Repeats each step of sequences.

    Args:
        size: How often; an integer above 0.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, steps * size, channels)`.

    Example:

    >>> cconv.layers.UpSampling1D(2)(np.array([[[1.0], [2.0]]])).ravel().tolist()
    [1.0, 1.0, 2.0, 2.0]
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        if not is_integer(size) or size <= 0:
            raise ValueError(f"Argument `size` should be a positive integer. Received: size={size!r}")
        super().__init__((int(size),), "channels_last", "nearest", **kwargs)
        self.size = int(size)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


class UpSampling2D(BaseUpSampling):
    """Makes images larger: repeats their cells, or interpolates between them.

    Args:
        size: Factor of height and width, one integer or two.
        data_format: `"channels_last"` or `"channels_first"`.
        interpolation: `"nearest"`: repeats; `"bilinear"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`: as
            `cconv.ops.image.resize`.

    Input shape:
        `(batch, height, width, channels)`, or with channels first; height and width may be unknown.

    Output shape:
        `(batch, height * size[0], width * size[1], channels)`, or with channels first.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.UpSampling2D((1, 2))(np.array([[[[1.0], [5.0]]]])).ravel().tolist()
    [1.0, 1.0, 5.0, 5.0]
    >>> cconv.layers.UpSampling2D((1, 2), interpolation="bilinear")(np.array([[[[1.0], [5.0]]]])).ravel().tolist()
    [1.0, 2.0, 4.0, 5.0]
    """

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        factors = integers(size, 2, "size")
        check_interpolation(interpolation)
        data_format = standardize_data_format(data_format)
        super().__init__(factors, data_format, interpolation.lower(), **kwargs)
        self.size = factors
        self.data_format = data_format
        self.interpolation = interpolation.lower()

    def get_config(self):
        config = {"size": self.size, "data_format": self.data_format, "interpolation": self.interpolation}
        return {**super().get_config(), **config}


class UpSampling3D(BaseUpSampling):
    """Repeats the cells of volumes.

    Args:
        size: Factor of depth, height and width, one integer or three.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, depth, height, width, channels)`, or with channels first.

    Output shape:
        `(batch, depth * size[0], height * size[1], width * size[2], channels)`, or with channels first.

    Example:

    >>> cconv.layers.UpSampling3D(2)(np.zeros((1, 2, 3, 4, 5))).shape
    (1, 4, 6, 8, 5)
    """

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        factors = integers(size, 3, "size")
        data_format = standardize_data_format(data_format)
        super().__init__(factors, data_format, "nearest", **kwargs)
        self.size = factors
        self.data_format = data_format

    def get_config(self):
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}
