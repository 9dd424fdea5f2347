"""Images of one size, whatever they had before."""

from __future__ import annotations

from typing import Any

from ..config import standardize_data_format
from ..ops._apply import shape_of
from ..ops.image import crop_images, resize
from ..ops.image.resizing import check_interpolation, checked_size
from ..ops.tensors import cast
from .layer import Layer

__all__ = ["CenterCrop", "Resizing"]


class Resizing(Layer):
    """Gives images another size, as `cconv.ops.image.resize`.

    Args:
        height: Rows of the result.
        width: Columns of the result.
        interpolation: `"bilinear"`, `"nearest"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`.
        crop_to_aspect_ratio: Whether the image's middle part of the result's proportions is taken.
        pad_to_aspect_ratio: Whether the image is padded to the result's proportions, on both sides.
        fill_mode: `"constant"`: the padding is `fill_value`.
        fill_value: Number.
        antialias: Whether each cell of a smaller image is a mean of all that it covers.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, h, w, channels)` or `(h, w, channels)`, or with channels first. Whole numbers stay whole.

    Output shape:
        The same with `height` and `width`.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.Resizing(2, 3)(np.zeros((1, 7, 5, 3))).shape
    (1, 2, 3, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.height, self.width = checked_size((height, width))
        self.interpolation = interpolation
        check_interpolation(interpolation)
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias = antialias
        self.data_format = standardize_data_format(data_format)
        self.built = True

    def call(self, inputs):
        return resize(inputs, (self.height, self.width), **self._settings())

    def _settings(self) -> dict[str, Any]:
        names = (
            "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode", "fill_value", "antialias",
            "data_format",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width, **self._settings()}


class CenterCrop(Layer):
    """The middle of images. Images that are smaller are made larger until it fits, and their middle is taken.

    Args:
        height: Rows of the result.
        width: Columns of the result.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(batch, h, w, channels)` or `(h, w, channels)`, or with channels first; `h` and `w` known.

    Output shape:
        The same with `height` and `width`.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.CenterCrop(1, 1)(np.arange(9).reshape(3, 3, 1)).tolist()
    [[[4.0]]]
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height, self.width = checked_size((height, width))
        self.data_format = standardize_data_format(data_format)
        self.built = True

    def call(self, inputs):
        x = cast(inputs, "float32")
        shape = shape_of(x)
        h, w = shape[-2:] if self.data_format == "channels_first" else shape[-3:-1]
        if h is None or w is None:
            raise ValueError(
                f"Layer '{self.name}': CenterCrop takes images of known height and width. Received: shape={shape}"
            )
        if h < self.height or w < self.width:
            return resize(x, (self.height, self.width), crop_to_aspect_ratio=True, data_format=self.data_format)
        return crop_images(
            x,
            top_cropping=(h - self.height) // 2,
            left_cropping=(w - self.width) // 2,
            target_height=self.height,
            target_width=self.width,
            data_format=self.data_format,
        )

    def get_config(self):
        config = {"height": self.height, "width": self.width, "data_format": self.data_format}
        return {**super().get_config(), **config}
