"""Images seen from elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops._apply import apply
from ...ops.arguments import number
from ...ops.image.batch import sides_of
from ...ops.image.transforms import perspective
from .base import factors
from .geometric import Geometric

__all__ = ["RandomPerspective"]

_AS_IT_IS = np.array([[1, 0, 0, 0, 1, 0, 0, 0]], np.float32)


class RandomPerspective(Geometric):
    """In training, moves the corners of each image, but for the first, as if it was seen from elsewhere.

    Args:
        factor: Range that the probability of a change is drawn from, two numbers or the upper one; 0 to 1.
        scale: How far corners move: at most by half of `scale` times their distance from the top left; 0 to 1.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_value: Number that stands outside of the image.
        seed: Integer or `None`.
        data_format: `"channels_last"` or `"channels_first"`.
        bounding_box_format: That of boxes in the data, see `cconv.utils.bounding_boxes`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.
        NotImplementedError: `interpolation` is unknown.

    Example:

    >>> cconv.layers.RandomPerspective(1.0, 0.5)(np.zeros((1, 4, 5, 3))).shape
    (1, 4, 5, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(interpolation, "constant", fill_value, seed=seed, data_format=data_format, **kwargs)
        self.factor = factors(factor, "factor", 0, 1)
        self.scale = number(scale, "scale", 0, 1)

    def get_random_transformation(self, images):
        h, w = sides_of(images, f"Layer '{self.name}'")
        corners = np.array([[[0, 0], [w - 1, 0], [0, h - 1], [w - 1, h - 1]]], np.float32)
        moves = apply(
            "reshape", [self.uniform(images, 1 - self.scale / 2, 1 + self.scale / 2, 8)], {"shape": [-1, 4, 2]}
        )
        ends = apply("multiply", [moves, corners])
        changed = apply("greater", [self.chance(images, self.factor), 0.5])
        return apply("where", [changed, perspective(ends * 0.0 + corners, ends), _AS_IT_IS])

    _told = ("factor", "scale", "interpolation", "fill_value", "seed")
