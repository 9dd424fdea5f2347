"""Images out of focus."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...ops._apply import apply, shape_of
from ...ops.arguments import is_integer, pair
from .base import Augmentation, clip_to_range, factors, per_pixel, value_range_of

__all__ = ["RandomGaussianBlur"]


class RandomGaussianBlur(Augmentation):
    """In training, blurs some images: each pixel becomes a mean of those around it.

    The weights are those of the normal distribution. Beyond the edges there are zeros, as in Keras. Each sample has a
    standard deviation of its own (in Keras 3.15 a batch has one, and the weights of windows that are not square are
    mixed up).

    Args:
        factor: Range that the probability is drawn from, two numbers `(lower, upper)` or the upper one; 0 to 1.
        kernel_size: Rows and columns of the window: one odd integer or two.
        sigma: Range of the standard deviation in pixels, two numbers `(lower, upper)`, or the upper one from 0 to 1.
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

    >>> blur = cconv.layers.RandomGaussianBlur((1.0, 1.0), kernel_size=(1, 3), sigma=(1.0, 1.0))
    >>> blur(np.array([[[0.0], [100.0], [0.0]]])).ravel().round().tolist()
    [27.0, 45.0, 27.0]
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factors(factor, "factor", 0, 1)
        sizes = (kernel_size,) if is_integer(kernel_size) else tuple(kernel_size)
        if any(is_integer(size) and size % 2 == 0 for size in sizes):
            raise ValueError(f"kernel_size must be an odd number. Received: kernel_size={kernel_size}")
        self.kernel_size = pair(kernel_size, "kernel_size")
        several = isinstance(sigma, (list, tuple))
        self.sigma = factors(sigma if several else (0, sigma), "sigma", 0, math.inf if several else 1)
        self.value_range = value_range_of(value_range)

    def get_random_transformation(self, images):
        return per_pixel(self.chance(images, self.factor)), per_pixel(self.uniform(images, *self.sigma))

    def transform_images(self, images, transformation):
        changed, sigma = transformation
        blurred = images
        for axis, size in zip((1, 2), self.kernel_size, strict=True):
            blurred = _along(blurred, axis, size // 2, sigma)
        return clip_to_range(apply("where", [apply("greater", [changed, 0.5]), blurred, images]), self.value_range)

    _told = ("factor", "kernel_size", "sigma", "value_range", "seed")


def _along(x: Any, axis: int, reach: int, sigma: Any) -> Any:
    """Each image blurred along an axis, by its own deviation `(n, 1, 1, 1)`, over `reach` cells to both sides."""
    slope = -0.5 / apply("maximum", [sigma * sigma, 1e-12])
    weights = [apply("exp", [slope * float(step * step)]) for step in range(reach + 1)]
    total = 1.0
    for weight in weights[1:]:
        total = total + 2.0 * weight
    y = x
    pads = np.zeros(8, int)
    pads[[axis, 4 + axis]] = reach
    wide = apply("pad", [x], {"pads": pads.tolist()}) if reach else x
    size = [-1] * 4
    size[axis] = shape_of(x)[axis]
    for step in range(1, reach + 1):
        sides = []
        for start in (reach - step, reach + step):
            begin = [0] * 4
            begin[axis] = start
            sides.append(apply("slice", [wide], {"begin": begin, "size": size}))
        y = y + (sides[0] + sides[1]) * weights[step]
    return y / total
