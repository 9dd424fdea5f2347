"""Images, masks and boxes moved by one map of places for each sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops._apply import apply
from ...ops.image.transforms import FILL_MODES
from ...ops.shapes import concatenate
from ...tensor import Tensor
from .base import Augmentation

_FILL_MODES = tuple(mode for mode in FILL_MODES if mode != "mirror")


class Geometric(Augmentation):
    """What the layers have in common that move what they see: `get_random_transformation` draws a transform `(n, 8)`.

    Boxes follow as Keras moves them: their corners are places as those of cells are, and what is drawn around them is
    the box.
    """

    def __init__(
        self, interpolation: str = "bilinear", fill_mode: str = "reflect", fill_value: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        for name, value, known in (
            ("fill_mode", fill_mode, _FILL_MODES),
            ("interpolation", interpolation, ("nearest", "bilinear")),
        ):
            if value not in known:
                raise NotImplementedError(f"Unknown `{name}` {value}. Expected of one {known}.")
        self.interpolation = interpolation
        self.fill_mode = fill_mode
        self.fill_value = fill_value

    def transform_images(self, images, transformation):
        return self._moved(images, transformation, self.interpolation)

    def transform_segmentation_masks(self, masks, transformation):
        return self._moved(masks, transformation, "nearest")

    def _moved(self, x: Any, transform: Any, interpolation: str) -> Any:
        settings = {"interpolation": interpolation, "fill_mode": self.fill_mode, "fill_value": float(self.fill_value)}
        return apply("projective_transform", [x, transform], settings)

    def transform_boxes(self, boxes, transformation, size):
        return boxes_through(boxes, inverse(transformation))


def transform_of(*rows: Any) -> Any:
    """A transform `(n, 8)` of numbers and columns `(n, 1)`; those left out at the end are 0."""
    rows = (*rows, *(0.0,) * (8 - len(rows)))
    columns = [row for row in rows if not isinstance(row, (int, float))]
    if not any(isinstance(row, Tensor) for row in columns):
        n = len(columns[0])
        return np.concatenate([np.broadcast_to(np.asarray(row, np.float32), (n, 1)) for row in rows], axis=1)
    zero = columns[0] * 0.0
    return concatenate([zero + row if isinstance(row, (int, float)) else row for row in rows], axis=1)


def inverse(transform: Any) -> Any:
    """The transform that undoes one."""
    a, b, c, d, e, f, g, h = (transform[:, k : k + 1] for k in range(8))
    last = a * e - b * d
    parts = (e - f * h, c * h - b, b * f - c * e, f * g - d, a - c * g, c * d - a * f, d * h - e * g, b * g - a * h)
    return concatenate([part / last for part in parts], axis=1)


def boxes_through(boxes: Any, transform: Any) -> Any:
    """The boxes `(n, m, 4)`, xyxy, around where a transform `(n, 8)` brings their corners."""
    a, b, c, d, e, f, g, h = (apply("expand_dims", [transform[:, k : k + 1]], {"axis": 1}) for k in range(8))
    left, top, right, bottom = (boxes[:, :, k : k + 1] for k in range(4))
    xs, ys = [], []
    for x, y in ((left, top), (right, top), (left, bottom), (right, bottom)):
        k = g * x + h * y + 1.0
        xs.append((a * x + b * y + c) / k)
        ys.append((d * x + e * y + f) / k)
    xs, ys = concatenate(xs, axis=-1), concatenate(ys, axis=-1)
    sides = [apply(op, [v], {"axes": [-1], "keepdims": True}) for op in ("min", "max") for v in (xs, ys)]
    return concatenate(sides, axis=-1)
