"""Images larger or smaller around their middle."""

from __future__ import annotations

from typing import Any

from ...ops.image.batch import sides_of
from .base import factors
from .geometric import Geometric, transform_of

__all__ = ["RandomZoom"]


class RandomZoom(Geometric):
    """In training, stretches or shrinks each image around its middle.

    Args:
        height_factor: Range of the vertical zoom, two numbers or one for both directions; above -1 up to 1. 0.2 shows
            20 % more of the image, -0.2 as much less.
        width_factor: Range of the horizontal zoom, likewise; `None`: the same zoom as vertically.
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

    >>> zoom = cconv.layers.RandomZoom((0.0, 0.0), (1.0, 1.0), fill_mode="constant")
    >>> zoom(np.array([[[1.0], [2.0], [3.0]]])).ravel().tolist()
    [0.0, 2.0, 0.0]
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
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
        self._height = _zooms(height_factor, "height_factor")
        self._width = None if width_factor is None else _zooms(width_factor, "width_factor")

    def get_random_transformation(self, images):
        h, w = sides_of(images, f"Layer '{self.name}'")
        zh = self.uniform(images, *self._height) + 1.0
        zw = zh if self._width is None else self.uniform(images, *self._width) + 1.0
        return transform_of(zw, 0.0, (1.0 - zw) * ((w - 1) / 2), 0.0, zh, (1.0 - zh) * ((h - 1) / 2))

    _told = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value")


def _zooms(value: Any, name: str) -> tuple[float, float]:
    low, high = factors(value, name, -1, 1, both=True)
    if low == -1:
        raise ValueError(f"The `{name}` argument should be in the range (-1.0, 1.0]. Received: {name}={value}")
    return low, high
