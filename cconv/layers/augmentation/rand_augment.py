"""A few changes of many, drawn for each image."""

from __future__ import annotations

from typing import Any

from ...ops.arguments import whole
from .base import Augmentation, factors, value_range_of
from .chosen_change import ChosenChange, changes

__all__ = ["RandAugment"]


class RandAugment(Augmentation):
    """In training, changes each image by a few layers, drawn of eleven: RandAugment.

    They are `RandomShear`, `RandomTranslation`, `RandomRotation`, `RandomBrightness`, `RandomColorDegeneration`,
    `RandomContrast`, `RandomSharpness`, `RandomPosterization`, `Solarization`, `AutoContrast` and `Equalization`; one
    may come twice. Each sample has layers of its own (in Keras a batch has the same). In a model all of them are
    computed for all samples; on arrays, as in `cconv.data.Dataset.map`, only those that a sample has drawn. Cubuk et
    al., "RandAugment: Practical automated data augmentation with a reduced search space", NeurIPS 2020.

    Args:
        value_range: Lowest and highest number that pixels have.
        num_ops: How many layers change an image, one after the other.
        factor: Range of the layers' strength, two numbers `(lower, upper)` or the upper one; 0 to 1.
        interpolation: `"nearest"` or `"bilinear"`, where images are moved.
        seed: Integer or `None`.
        data_format: `"channels_last"` or `"channels_first"`.
        bounding_box_format: That of boxes in the data, see `cconv.utils.bounding_boxes`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)` of one or three channels, or with channels first, `h` and `w` known; or a
        dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.
        NotImplementedError: `interpolation` is unknown.

    Example:

    >>> cconv.layers.RandAugment(num_ops=3, factor=0.3)(np.zeros((2, 8, 6, 3))).shape
    (2, 8, 6, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = value_range_of(value_range)
        self.num_ops = whole(num_ops, "num_ops", 0)
        self.factor = factors(factor, "factor", 0, 1)
        self.interpolation = interpolation
        self._changes = tuple(changes(self.factor, self.value_range, interpolation, seed))

    def get_random_transformation(self, images):
        return [ChosenChange(self, self._changes, images) for _ in range(self.num_ops)]

    def transform_images(self, images, transformation):
        for change in transformation:
            images = change.images(images)
        return images

    def transform_segmentation_masks(self, masks, transformation):
        for change in transformation:
            masks = change.masks(masks)
        return masks

    def transform_boxes(self, boxes, transformation, size):
        for change in transformation:
            boxes = change.boxes(boxes)
        return boxes

    _told = ("value_range", "num_ops", "factor", "interpolation", "seed")
