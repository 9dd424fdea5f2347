"""Images of one size, whatever they had before."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops._apply import apply, shape_of
from ..ops.image import crop_images, resize
from ..ops.image.resizing import check_interpolation, checked_size
from ..ops.tensors import cast
from .image_data import ImageDataLayer

__all__ = ["CenterCrop", "Resizing"]


class _Framing(ImageDataLayer):
    """What both have in common: the part of the image that is seen, and masks and boxes that follow it."""

    def __init__(self, height: int, width: int, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = checked_size((height, width))
        self.built = True

    # ---- to be written by subclasses

    def images(self, x: Any) -> Any:
        raise NotImplementedError

    def masks(self, x: Any) -> Any:
        raise NotImplementedError

    def frame(self, h: int, w: int) -> tuple[float, float, float, float]:
        """Top, left, height and width of the part of an image that is seen, which may reach beyond it."""
        raise NotImplementedError

    # ----

    def call(self, data, training=True):
        # the same in training and out of it
        given = self.given(data)
        found = {"images": self.images(given["images"])}
        if "segmentation_masks" in given:
            found["segmentation_masks"] = self.masks(given["segmentation_masks"])
        if "bounding_boxes" in given:
            h, w = self._sides(shape_of(given["images"]))
            top, left, height, width = self.frame(h, w)
            first = np.array([left, top] * 2, np.float32)
            scale = np.array([self.width / width, self.height / height] * 2, np.float32)

            def move(boxes: Any) -> Any:
                return apply("multiply", [apply("subtract", [boxes, first]), scale])

            boxes = given["bounding_boxes"]
            found["bounding_boxes"] = self.moved_boxes(boxes, (h, w), (self.height, self.width), move)
        return {**given, **found} if isinstance(data, dict) else found["images"]

    def _sides(self, shape: tuple[Any, ...]) -> tuple[int, int]:
        h, w = self.sides_of_images(shape)
        if h is None or w is None:
            what = "boxes of images" if isinstance(self, Resizing) else "images"
            raise ValueError(
                f"Layer '{self.name}': {type(self).__name__} takes {what} of known height and width. "
                f"Received: shape={shape}"
            )
        return h, w

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}


class Resizing(_Framing):
    """Gives images another size, as `cconv.ops.image.resize`.

    Label masks are resized by the nearest cell, boxes go with the images; the labels of boxes that are cut off become
    -1.

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
        bounding_box_format: That of boxes in the data, see `cconv.utils.bounding_boxes`.

    Input shape:
        `(batch, h, w, channels)` or `(h, w, channels)`, or with channels first; or a dictionary with such `"images"`
        and, as there are, `"segmentation_masks"`, `"bounding_boxes"`, `"labels"`. Whole numbers stay whole.

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
        super().__init__(height, width, data_format, **kwargs)
        self.interpolation = interpolation
        check_interpolation(interpolation)
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias = antialias

    def images(self, x):
        return resize(x, (self.height, self.width), data_format=self.data_format, **self._settings())

    def masks(self, x):
        settings = {**self._settings(), "interpolation": "nearest", "antialias": False}
        return resize(x, (self.height, self.width), data_format=self.data_format, **settings)

    def frame(self, h, w):
        if not (self.crop_to_aspect_ratio or self.pad_to_aspect_ratio):
            return 0, 0, h, w
        fit = min if self.crop_to_aspect_ratio else max
        height, width = fit(h, int(w * self.height / self.width)), fit(w, int(h * self.width / self.height))
        return int((h - height) / 2), int((w - width) / 2), _padded(h, height), _padded(w, width)

    def _settings(self) -> dict[str, Any]:
        names = (
            "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode", "fill_value", "antialias",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def get_config(self):
        return {**super().get_config(), **self._settings()}


def _padded(size: int, asked: int) -> int:
    """What padding on both sides makes of an axis: an odd cell is left out."""
    return size + 2 * ((asked - size) // 2) if asked > size else asked


class CenterCrop(_Framing):
    """The middle of images. Images that are smaller are made larger until it fits, and their middle is taken.

    Label masks go with the images, by the nearest cell, and boxes do; the labels of boxes that are cut off become -1.

    Args:
        height: Rows of the result.
        width: Columns of the result.
        data_format: `"channels_last"` or `"channels_first"`.
        bounding_box_format: That of boxes in the data, see `cconv.utils.bounding_boxes`.

    Input shape:
        `(batch, h, w, channels)` or `(h, w, channels)`, or with channels first; `h` and `w` known. Or a dictionary with
        such `"images"` and, as there are, `"segmentation_masks"`, `"bounding_boxes"`, `"labels"`.

    Output shape:
        The same with `height` and `width`, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.CenterCrop(1, 1)(np.arange(9).reshape(3, 3, 1)).tolist()
    [[[4.0]]]
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(height, width, data_format, **kwargs)

    def images(self, x):
        return self._middle(x, "bilinear")

    def masks(self, x):
        return self._middle(x, "nearest")

    def frame(self, h, w):
        if not self._is_small(h, w):
            return (h - self.height) // 2, (w - self.width) // 2, self.height, self.width
        height, width = min(h, int(w * self.height / self.width)), min(w, int(h * self.width / self.height))
        return (h - height) // 2, (w - width) // 2, height, width

    def _is_small(self, h: int, w: int) -> bool:
        return h < self.height or w < self.width

    def _middle(self, images: Any, interpolation: str) -> Any:
        x = cast(images, "float32")
        h, w = self._sides(shape_of(x))
        if self._is_small(h, w):
            size = (self.height, self.width)
            return resize(x, size, interpolation, crop_to_aspect_ratio=True, data_format=self.data_format)
        return crop_images(
            x,
            top_cropping=(h - self.height) // 2,
            left_cropping=(w - self.width) // 2,
            target_height=self.height,
            target_width=self.width,
            data_format=self.data_format,
        )
