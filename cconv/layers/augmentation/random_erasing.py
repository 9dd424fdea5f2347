"""Images of which a rectangle is missing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops._apply import apply, shape_of
from ...ops.arguments import number
from ...ops.comparison import logical_and
from ...ops.image.batch import sides_of
from ...ops.random import draw
from .base import Augmentation, clip_to_range, factors, per_pixel, value_range_of

__all__ = ["RandomErasing"]


class RandomErasing(Augmentation):
    """In training, writes noise or one value over a rectangle of some images.

    Zhong et al., "Random erasing data augmentation", AAAI 2020.

    Args:
        factor: Range that the probability is drawn from, two numbers `(lower, upper)` or the upper one; 0 to 1.
        scale: Range of the squares of the rectangle's height and width as shares of the image's, which are drawn apart.
        fill_value: What is written; `None`: noise, normal numbers times the highest value.
        value_range: Lowest and highest number that pixels have; noise is clipped to it.
        seed: Integer or `None`.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> y = cconv.layers.RandomErasing((1.0, 1.0), (0.25, 0.25), fill_value=7)(np.zeros((8, 8, 1)))
    >>> int((y == 7).sum())
    16
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: float | None = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factors(factor, "factor", 0, 1)
        self.scale = factors(scale, "scale", 0, 1)
        self.fill_value = fill_value if fill_value is None else number(fill_value, "fill_value")
        self.value_range = value_range_of(value_range)

    def get_random_transformation(self, images):
        h, w = sides_of(images, f"Layer '{self.name}'")
        sides = [apply("sqrt", [self.uniform(images, *self.scale)]) for _ in range(2)]
        inside = rectangle(h, w, *sides, self.uniform(images), self.uniform(images))
        inside = logical_and(inside, apply("greater", [per_pixel(self.chance(images, self.factor)), 0.5]))
        if self.fill_value is not None:
            return inside, float(self.fill_value)
        noise = draw("normal", (None, *shape_of(images)[1:]), self._generator, like=images)
        return inside, clip_to_range(noise * float(self.value_range[1]), self.value_range)

    def transform_images(self, images, transformation):
        inside, fill = transformation
        return apply("where", [inside, fill, images])

    _told = ("factor", "scale", "fill_value", "value_range", "seed")


def rectangle(h: int, w: int, height: Any, width: Any, down: Any, right: Any) -> Any:
    """`(n, h, w, 1)`: which cells lie in a rectangle of `height` and `width`, shares of the image's.

    Args:
        h: Rows of the image.
        w: Columns of the image.
        height: `(n, 1)` from 0 to 1.
        width: `(n, 1)` from 0 to 1.
        down: `(n, 1)` from 0 to 1: where it lies, 0 at the top, 1 at the bottom.
        right: `(n, 1)` from 0 to 1, likewise.
    """
    within = []
    for axis, size, share, place in ((1, h, height, down), (2, w, width, right)):
        cells = np.arange(size, dtype=np.float32).reshape([-1 if k == axis else 1 for k in range(4)])
        length = per_pixel(share) * float(size)
        first = per_pixel(place) * (float(size) - length)
        within.append(apply("greater_equal", [cells, first]))
        within.append(apply("less", [cells, first + length]))
    return logical_and(logical_and(within[0], within[1]), logical_and(within[2], within[3]))
