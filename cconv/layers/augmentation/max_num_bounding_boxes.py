"""As many boxes for each sample."""

from __future__ import annotations

from typing import Any

from ...ops._apply import apply, shape_of
from ...ops.arguments import is_integer
from .base import Augmentation

__all__ = ["MaxNumBoundingBoxes"]


class MaxNumBoundingBoxes(Augmentation):
    """Gives each sample the same number of boxes: the first ones, or those there are and others of `fill_value`.

    Args:
        max_number: How many.
        fill_value: What boxes and labels are that are added.
        bounding_box_format: That of the boxes, see `cconv.utils.bounding_boxes`.

    Input shape:
        A dictionary with `"images"` and `"bounding_boxes"`.

    Output shape:
        The same, with `(n, max_number, 4)` boxes and `(n, max_number)` labels.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> boxes = {"boxes": np.zeros((1, 2, 4)), "labels": np.array([[1, 2]])}
    >>> layer = cconv.layers.MaxNumBoundingBoxes(3, bounding_box_format="xyxy")
    >>> layer({"images": np.zeros((1, 4, 4, 3)), "bounding_boxes": boxes})["bounding_boxes"]["labels"].tolist()
    [[1, 2, -1]]
    """

    def __init__(self, max_number: int, fill_value: float = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_integer(max_number) or max_number < 1:
            raise ValueError(f"`max_number` must be an integer above 0. Received: max_number={max_number!r}")
        self.max_number = int(max_number)
        self.fill_value = fill_value

    def call(self, data, training=True):
        if not isinstance(data, dict) or "bounding_boxes" not in data:
            return data
        boxes = data["bounding_boxes"]
        found = {"boxes": self._filled(boxes["boxes"], -2), "labels": self._filled(boxes["labels"], -1)}
        return {**data, "bounding_boxes": {**boxes, **found}}

    def _filled(self, x: Any, axis: int) -> Any:
        shape = shape_of(x)
        rank, axis = len(shape), axis % len(shape)
        size = [-1] * rank
        size[axis] = min(self.max_number, shape[axis])
        x = apply("slice", [x], {"begin": [0] * rank, "size": size})
        pads = [0] * (2 * rank)
        pads[rank + axis] = max(0, self.max_number - shape[axis])
        return apply("pad", [x], {"pads": pads, "value": float(self.fill_value)})

    _told = ("max_number", "fill_value")
