"""Images moved."""

from __future__ import annotations

from typing import Any

from ...ops.image.batch import sides_of
from .base import factors
from .geometric import Geometric, transform_of

__all__ = ["RandomTranslation"]


class RandomTranslation(Geometric):
    """In training, moves each image down or up, and to the right or left.

    Args:
        height_factor: Range of the move downwards as a share of the height, two numbers or one for both directions; -1
            to 1.
        width_factor: Range of the move to the right as a share of the width, likewise.
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

    >>> move = cconv.layers.RandomTranslation((0, 0), (0.5, 0.5), fill_mode="constant")
    >>> move(np.array([[[1.0], [2.0]]])).ravel().tolist()
    [0.0, 1.0]
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(interpolation, fill_mode, fill_value, seed=seed, data_format=data_format, **kwargs)
        self.height_factor = height_factor
        self.width_factor = width_factor
        self._height = factors(height_factor, "height_factor", -1, 1, both=True)
        self._width = factors(width_factor, "width_factor", -1, 1, both=True)

    def get_random_transformation(self, images):
        h, w = sides_of(images, f"Layer '{self.name}'")
        down, right = self.uniform(images, *self._height) * float(h), self.uniform(images, *self._width) * float(w)
        return transform_of(1.0, 0.0, -right, 0.0, 1.0, -down)

    _told = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value")
