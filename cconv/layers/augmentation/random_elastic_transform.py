"""Images as if drawn on rubber."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops._apply import apply
from ...ops.image.batch import sides_of
from ...ops.image.distortion import warped
from ...ops.image.transforms import FILL_MODES
from ...ops.random import draw
from .base import Augmentation, clip_to_range, factors, per_pixel, value_range_of

__all__ = ["RandomElasticTransform"]


class RandomElasticTransform(Augmentation):
    """In training, distorts some images: pixels move by random numbers that vary smoothly over the image.

    Of an image of h rows and w columns they are `cconv.ops.image.elastic_transform`'s with `alpha` a tenth of the
    larger side and `sigma` a twentieth of the smaller, both times a scale that is drawn for each sample (in Keras for
    each batch). Label masks move with their images (in Keras 3.15 by other numbers); boxes are refused, as in Keras.

    Args:
        factor: Range that the probability is drawn from, two numbers `(lower, upper)` or the upper one; 0 to 1.
        scale: Range of the scale, two numbers or the upper one; 0 to 1.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: What stands outside of the image: `"reflect"`, `"wrap"`, `"constant"`, `"nearest"`, `"mirror"`: see
            `cconv.ops.image.map_coordinates`.
        fill_value: Number that stands outside with `fill_mode="constant"`.
        value_range: Lowest and highest number that pixels have; the result is clipped to it.
        seed: Integer or `None`.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first, `h` and `w` known; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.
        NotImplementedError: `fill_mode` or `interpolation` is unknown, or the data has boxes.

    Example:

    >>> cconv.layers.RandomElasticTransform()(np.zeros((2, 16, 12, 3))).shape
    (2, 16, 12, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factors(factor, "factor", 0, 1)
        self.scale = factors(scale, "scale", 0, 1)
        for name, value, known in (
            ("interpolation", interpolation, ("nearest", "bilinear")),
            ("fill_mode", fill_mode, FILL_MODES),
        ):
            if value not in known:
                raise NotImplementedError(f"Unknown `{name}` {value}. Expected of one {known}.")
        self.interpolation = interpolation
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.value_range = value_range_of(value_range)

    def get_random_transformation(self, images):
        h, w = sides_of(images, f"Layer '{self.name}'")
        scale = per_pixel(self.uniform(images, *self.scale))
        sigma = scale * (0.05 * min(h, w))
        noise = draw("normal", (None, 2, h, w), self._generator, like=images)
        smooth = apply("matmul", [apply("matmul", [_weights(h, sigma), noise]), _weights(w, sigma)])
        changed = per_pixel(self.chance(images, self.factor))
        return changed, smooth * (scale * sigma * (0.1 * max(h, w)) * changed)

    def transform_images(self, images, transformation):
        changed, moves = transformation
        found = self._moved(images, moves, 1 if self.interpolation == "bilinear" else 0)
        return apply("where", [apply("greater", [changed, 0.5]), clip_to_range(found, self.value_range), images])

    def transform_segmentation_masks(self, masks, transformation):
        return self._moved(masks, transformation[1], 0)

    def _moved(self, x: Any, moves: Any, order: int) -> Any:
        return warped(x, moves[:, 0], moves[:, 1], order, self.fill_mode, float(self.fill_value))

    def _boxes(self, boxes, drawn, size, shape):
        raise NotImplementedError(f"Layer '{self.name}': RandomElasticTransform does not move bounding boxes.")

    _told = ("factor", "scale", "interpolation", "fill_mode", "fill_value", "value_range", "seed")


def _weights(size: int, sigma: Any) -> Any:
    """`(n, 1, size, size)`: what each cell of an axis counts for each other one, by a deviation of each sample."""
    cells = np.arange(size, dtype=np.float32)
    slope = -0.5 / apply("maximum", [sigma * sigma, 1e-12])
    weights = apply("exp", [apply("multiply", [slope, (cells[:, None] - cells) ** 2])])
    # the sum over an axis without ends: beyond these there are zeros
    all_cells = np.arange(-size, size + 1, dtype=np.float32)
    total = apply("exp", [apply("multiply", [slope, all_cells**2])])
    return weights / apply("sum", [total], {"axes": [-1], "keepdims": True})
