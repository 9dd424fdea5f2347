"""Boxes around objects: which of them to keep, and what images have in them."""

from __future__ import annotations

from typing import Any

from ..tensor import Value
from ._apply import apply
from .arguments import number, whole
from .operation import operation

__all__ = ["non_max_suppression"]


@operation("boxes", "scores", module="image")
def non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_boxes_per_class: int,
    iou_threshold: float = 0.0,
    score_threshold: float | None = None,
    center_point_box: bool = False,
) -> Value:
    """Of boxes that overlap, those with the best scores, in the order that ONNX' `NonMaxSuppression` has.

    Of each class boxes are selected from the best score on, of equal scores the first, unless their intersection over
    union with one selected before is above `iou_threshold`. No gradient flows.

    Args:
        boxes: `(n, k, 4)`, the same for all classes.
        scores: `(n, classes, k)`.
        max_output_boxes_per_class: How many are selected of a class at most.
        iou_threshold: The least overlap that is too much.
        score_threshold: Boxes with a score that is not above it are left out; `None`: none is.
        center_point_box: With true a box is `x, y, width, height`, with `x, y` its centre; else `y1, x1, y2, x2`, two
            opposite corners.

    Returns:
        int32 `(n * classes * max_output_boxes_per_class, 3)`: rows `[sample, class, box]`, sample by sample, class by
        class, best first. Rows behind the last box selected are -1.

    Raises:
        ValueError: Shapes do not fit, or a number is out of its range.

    Example:

    >>> boxes = [[[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.9], [3.0, 3.0, 4.0, 4.0]]]
    >>> cconv.ops.non_max_suppression(boxes, [[[0.7, 0.9, 0.8]]], 3, iou_threshold=0.5).tolist()
    [[0, 0, 1], [0, 0, 2], [-1, -1, -1]]
    """
    settings = {
        "max_output_boxes_per_class": whole(max_output_boxes_per_class, "max_output_boxes_per_class", 1),
        "iou_threshold": number(iou_threshold, "iou_threshold"),
        "score_threshold": None if score_threshold is None else number(score_threshold, "score_threshold"),
        "center_point_box": bool(center_point_box),
    }
    return apply("non_max_suppression", [boxes, scores], settings)
