"""Images sharper or softer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops._apply import apply, shape_of
from .base import Augmentation, clip_to_range, factors, per_pixel, value_range_of

__all__ = ["RandomSharpness"]


class RandomSharpness(Augmentation):
    """In training, mixes each image with a smoothed one: in a share `1 - 2 f`, which may be below 0.

    The smoothed pixel is a mean of nine, its own with weight 5.

    Args:
        factor: Range of f, two numbers `(lower, upper)` or the upper one; 0 to 1. 0 smooths, 0.5 changes nothing, 1
            sharpens.
        value_range: Lowest and highest number that pixels have; the result is clipped to it.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: Integer or `None`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> y = cconv.layers.RandomSharpness((0.0, 0.0))(np.eye(3)[..., None] * 130)
    >>> y[..., 0].round().tolist()
    [[60.0, 20.0, 10.0], [20.0, 70.0, 20.0], [10.0, 20.0, 60.0]]
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factors(factor, "factor", 0, 1)
        self.value_range = list(value_range_of(value_range))

    def get_random_transformation(self, images):
        return self.uniform(images, *self.factor)

    def transform_images(self, images, transformation):
        c = shape_of(images)[-1]
        kernel = np.ones((3, 3, 1, c), np.float32)
        kernel[1, 1] = 5
        smooth = apply("conv", [images, kernel / 13], {"padding": "same", "groups": c})
        mixed = smooth + per_pixel(transformation * 2.0) * (images - smooth)
        return clip_to_range(mixed, self.value_range)

    _told = ("factor", "value_range", "seed")
