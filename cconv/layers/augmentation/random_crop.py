"""Parts of images, from anywhere."""

from __future__ import annotations

from typing import Any

from ...ops._apply import apply
from ...ops.image import resize
from ...ops.image.batch import as_batch, sides_of
from ...ops.image.resizing import checked_size
from ...ops.rounding import floor
from .base import Augmentation
from .geometric import boxes_through, inverse, transform_of

__all__ = ["RandomCrop"]


class RandomCrop(Augmentation):
    """In training, takes a part of each image from anywhere in it; else the whole image, made to fit.

    An image that is smaller than the part, and every image when not in training, is resized to cover it, and its middle
    is taken. Each sample of a batch has its own place.

    Args:
        height: Rows of the part.
        width: Columns of the part.
        seed: Integer or `None`.
        data_format: `"channels_last"` or `"channels_first"`.
        name: Of the layer.
        bounding_box_format: That of boxes in the data, see `cconv.utils.bounding_boxes`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same with `height` and `width`, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.RandomCrop(2, 3)(np.zeros((4, 5, 1))).shape
    (2, 3, 1)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, name=name, **kwargs)
        self.height, self.width = checked_size((height, width))

    def _too_small(self, h: int, w: int) -> bool:
        return h < self.height or w < self.width

    def get_random_transformation(self, images):
        h, w = sides_of(images, f"Layer '{self.name}'")
        if self._too_small(h, w):
            return None
        top = floor(self.uniform(images, 0.0, h - self.height + 1.0))
        left = floor(self.uniform(images, 0.0, w - self.width + 1.0))
        return transform_of(1.0, 0.0, left, 0.0, 1.0, top)

    def transform_images(self, images, transformation):
        if transformation is None:
            return self.untransformed(images)
        settings = {"interpolation": "nearest", "fill_mode": "nearest", "size": [self.height, self.width]}
        return apply("projective_transform", [images, transformation], settings)

    def untransformed(self, images):
        return resize(images, (self.height, self.width), crop_to_aspect_ratio=True, data_format="channels_last")

    def transform_segmentation_masks(self, masks, transformation):
        if transformation is None:
            return self._resized_masks(masks)
        return self.transform_images(masks, transformation)

    def _resized_masks(self, masks: Any) -> Any:
        return resize(
            masks, (self.height, self.width), "nearest", crop_to_aspect_ratio=True, data_format="channels_last"
        )

    def transform_boxes(self, boxes, transformation, size):
        if transformation is not None:
            return boxes_through(boxes, inverse(transformation))
        h, w = size
        scale = max(self.height / h, self.width / w)
        ch, cw = min(h, int(w * self.height / self.width)), min(w, int(h * self.width / self.height))
        moved = transform_of(
            boxes[:, 0, :1] * 0.0 + scale, 0.0, -scale * ((w - cw) // 2), 0.0, scale, -scale * ((h - ch) // 2)
        )
        return boxes_through(boxes, moved)

    def _apply_untrained(self, given, images, back):
        found = super()._apply_untrained(given, images, back)
        if "segmentation_masks" in given:
            masks, masks_back = as_batch(given["segmentation_masks"], self.data_format)
            found["segmentation_masks"] = masks_back(self._resized_masks(masks))
        if "bounding_boxes" in given:
            sides = sides_of(images, f"Layer '{self.name}'")
            found["bounding_boxes"] = self._boxes(given["bounding_boxes"], None, sides, found["images"].shape)
        return found

    _told = ("height", "width", "seed")
