"""Images lighter or darker."""

from __future__ import annotations

from typing import Any

from .base import Augmentation, clip_to_range, factors, per_pixel, value_range_of

__all__ = ["RandomBrightness"]


class RandomBrightness(Augmentation):
    """In training, adds a number to each image.

    Args:
        factor: Range of the number as a share of the `value_range`, two numbers or one for both directions; -1 to 1.
        value_range: Lowest and highest number that pixels have; the result is clipped to it.
        seed: Integer or `None`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.RandomBrightness((0.2, 0.2))(np.array([[[100.0], [250.0]]])).ravel().tolist()
    [151.0, 255.0]
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        self.factor = factors(factor, "factor", -1, 1, both=True)
        self.value_range = list(value_range_of(value_range))

    def get_random_transformation(self, images):
        low, high = self.value_range
        return self.uniform(images, *self.factor) * (high - low)

    def transform_images(self, images, transformation):
        return clip_to_range(images + per_pixel(transformation), self.value_range)

    _told = ("factor", "value_range", "seed")
