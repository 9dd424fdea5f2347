"""Images mirrored, or not."""

from __future__ import annotations

from typing import Any

from ...ops.image.batch import sides_of
from ...ops.tensors import cast
from .geometric import Geometric, boxes_through, inverse, transform_of

__all__ = ["RandomFlip"]

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(Geometric):
    """In training, mirrors each image with a probability of one half.

    Args:
        mode: `"horizontal"`: left and right change places; `"vertical"`: top and bottom; `"horizontal_and_vertical"`:
            both at once, which turns the image by half a circle.
        seed: Integer or `None`.
        data_format: `"channels_last"` or `"channels_first"`.
        bounding_box_format: That of boxes in the data, see `cconv.utils.bounding_boxes`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> flip = cconv.layers.RandomFlip("horizontal", seed=1)
    >>> found = {tuple(flip(np.array([[[1.0], [2.0]]])).ravel().tolist()) for _ in range(32)}
    >>> sorted(found)
    [(1.0, 2.0), (2.0, 1.0)]
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__("nearest", "nearest", seed=seed, data_format=data_format, **kwargs)
        if mode not in _MODES:
            raise ValueError(f"`mode` must be one of {_MODES}. Received: mode={mode!r}")
        self.mode = mode

    def get_random_transformation(self, images):
        h, w = sides_of(images, f"Layer '{self.name}'")
        chance = cast(self.uniform(images) < 0.5, "float32")
        still = chance * 0.0
        flips = []
        for axis, size in (("horizontal", w), ("vertical", h)):
            flipped = chance if axis in self.mode else still
            flips.append((1.0 - 2.0 * flipped, flipped * (size - 1.0)))
        (a, c), (e, f) = flips
        return transform_of(a, 0.0, c, 0.0, e, f)

    def transform_boxes(self, boxes, transformation, size):
        # edges of boxes lie half a cell from where cells do
        return boxes_through(boxes + -0.5, inverse(transformation)) + 0.5

    _told = ("seed", "mode")
