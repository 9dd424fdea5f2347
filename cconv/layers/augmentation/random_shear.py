"""Images made slanting."""

from __future__ import annotations

from typing import Any

from .base import factors
from .geometric import Geometric, transform_of

__all__ = ["RandomShear"]


class RandomShear(Geometric):
    """In training, moves the rows of each image sideways the further down they are, and the columns likewise.

    Args:
        x_factor: Range of the horizontal shear, two numbers or one; 0 to 1. Both shears go one way or the other, with a
            probability of one half.
        y_factor: Range of the vertical shear, likewise.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: What stands outside of the image: `"reflect"`, `"wrap"`, `"constant"`, `"nearest"`: see
            `cconv.ops.image.affine_transform`.
        fill_value: Number that stands outside with `fill_mode="constant"`.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: Integer or `None`.
        bounding_box_format: That of boxes in the data, see `cconv.utils.bounding_boxes`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.
        NotImplementedError: `fill_mode` or `interpolation` is unknown.

    Example:

    >>> cconv.layers.RandomShear(0.3, 0.2)(np.zeros((1, 4, 5, 3))).shape
    (1, 4, 5, 3)
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(interpolation, fill_mode, fill_value, seed=seed, data_format=data_format, **kwargs)
        self.x_factor = _shears(x_factor, "x_factor")
        self.y_factor = _shears(y_factor, "y_factor")

    def get_random_transformation(self, images):
        sign = self.sign(images)
        x, y = self.uniform(images, *self.x_factor) * sign, self.uniform(images, *self.y_factor) * sign
        return transform_of(1.0, x, 0.0, y, 1.0, 0.0)

    _told = ("x_factor", "y_factor", "fill_mode", "interpolation", "seed", "fill_value")


def _shears(value: Any, name: str) -> tuple[float, float]:
    """Numbers f become `(-f, f)`, as in Keras, pairs are from 0 to 1."""
    low, high = factors(value, name, 0, 1)
    return (low, high) if isinstance(value, (list, tuple)) else (-high, high)
