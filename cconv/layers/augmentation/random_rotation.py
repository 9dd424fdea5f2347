"""Images turned around their middle."""

from __future__ import annotations

import math
from typing import Any

from ...ops.trigonometry import cos, sin
from ...ops.image.batch import sides_of
from .base import factors
from .geometric import Geometric, transform_of

__all__ = ["RandomRotation"]


class RandomRotation(Geometric):
    """In training, turns each image around its middle.

    Args:
        factor: Range of the angle, in full turns (1 is 360 degrees), counterclockwise: two numbers, or one for both
            directions; -1 to 1.
        fill_mode: What stands outside of the image: `"reflect"`, `"wrap"`, `"constant"`, `"nearest"`: see
            `cconv.ops.image.affine_transform`.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: Integer or `None`.
        fill_value: Number that stands outside with `fill_mode="constant"`.
        data_format: `"channels_last"` or `"channels_first"`.
        bounding_box_format: That of boxes in the data, see `cconv.utils.bounding_boxes`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.
        NotImplementedError: `fill_mode` or `interpolation` is unknown.

    Example:

    >>> quarter = cconv.layers.RandomRotation((0.25, 0.25), interpolation="nearest")
    >>> quarter(np.array([[[1.0], [2.0]], [[3.0], [4.0]]]))[..., 0].tolist()
    [[2.0, 4.0], [1.0, 3.0]]
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(interpolation, fill_mode, fill_value, seed=seed, data_format=data_format, **kwargs)
        self.factor = factors(factor, "factor", -1, 1, both=True)

    def get_random_transformation(self, images):
        h, w = sides_of(images, f"Layer '{self.name}'")
        angle = self.uniform(images, *self.factor) * (2 * math.pi)
        c, s = cos(angle), sin(angle)
        x = ((w - 1.0) - (c * (w - 1.0) - s * (h - 1.0))) / 2.0
        y = ((h - 1.0) - (s * (w - 1.0) + c * (h - 1.0))) / 2.0
        return transform_of(c, -s, x, s, c, y)

    _told = ("factor", "fill_mode", "fill_value", "interpolation", "seed")
