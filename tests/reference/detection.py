"""Boxes: which of them to keep, and what images have in them."""

import numpy as np


def corners(box, center_point_box):
    """Low corner, high corner, area."""
    a, b = box[:2], box[2:]
    low, high = (a - b / 2, a + b / 2) if center_point_box else (np.minimum(a, b), np.maximum(a, b))
    return low, high, np.prod(high - low)


def intersection_over_union(a, b, center_point_box):
    (low_a, high_a, area_a), (low_b, high_b, area_b) = (corners(box, center_point_box) for box in (a, b))
    sides = np.minimum(high_a, high_b) - np.maximum(low_a, low_b)
    if not (area_a > 0 and area_b > 0 and (sides > 0).all()):
        return -np.inf
    return np.prod(sides) / (area_a + area_b - np.prod(sides))


def non_max_suppression(
    boxes, scores, *, max_output_boxes_per_class, iou_threshold=0.0, score_threshold=-np.inf, center_point_box=False
):
    """boxes (n, k, 4), scores (n, classes, k) -> (n classes max_output_boxes_per_class, 3): rows [sample, class, box]
    of the boxes that are selected, by sample, by class, and from the best score on; rows behind them are -1. Of a
    class, boxes with a score > score_threshold are looked at in the order of their scores, of equal ones the first in
    front, until max_output_boxes_per_class are selected: each unless its intersection over union with one that is
    selected is > iou_threshold, which a box of no area or with a NaN never has. A score that is NaN is no score.
    """
    n, classes, _ = scores.shape
    y = np.full((n * classes * max_output_boxes_per_class, 3), -1)
    row = 0
    for sample, kind in np.ndindex(n, classes):
        selected = []
        for box in np.argsort(-scores[sample, kind], kind="stable"):
            apart = all(
                not intersection_over_union(boxes[sample, box], boxes[sample, other], center_point_box)
                > np.float32(iou_threshold)
                for other in selected
            )
            if apart and len(selected) < max_output_boxes_per_class and scores[sample, kind, box] > score_threshold:
                selected.append(box)
        for box in selected:
            y[row] = sample, kind, box
            row += 1
    return y
