"""Cases of ops of boxes."""

import numpy as np

from cases import Case


def boxes(rng, shape):
    """Many that overlap, corners in any order."""
    middle, size = rng.uniform(0, 4, (*shape[:-1], 2)), rng.uniform(-2, 2, (*shape[:-1], 2))
    return np.concatenate([middle - size, middle + size], axis=-1)


def centered(rng, shape):
    return np.concatenate([rng.uniform(0, 4, (*shape[:-1], 2)), rng.uniform(0.5, 3, (*shape[:-1], 2))], axis=-1)


def coarse_boxes(rng, shape):
    """Equal boxes, boxes without area, and unions of which the intersection is exactly half."""
    return rng.integers(0, 3, shape)


def coarse_scores(rng, shape):
    return rng.integers(0, 4, shape)


def holes(rng, shape):
    return np.where(rng.uniform(size=shape) < 0.3, np.nan, rng.standard_normal(shape))


def suppression(id, n, classes, k, most, values=(boxes, "normal"), **settings):
    given = {"max_output_boxes_per_class": most, **settings}
    return Case(id, [(n, k, 4), (n, classes, k)], given, values=values, min_nonzero=0.2)


CASES = {
    "non_max_suppression": [
        suppression("any overlap", 2, 3, 11, 4),
        suppression("some overlap", 3, 2, 17, 5, iou_threshold=0.25),
        suppression("more than there are", 2, 2, 7, 9, iou_threshold=0.75),
        suppression("good ones only", 2, 3, 13, 6, iou_threshold=0.5, score_threshold=0.5),
        suppression("none", 1, 2, 5, 3, score_threshold=50.0),
        suppression("centres", 2, 2, 19, 7, (centered, "normal"), iou_threshold=0.25, center_point_box=True),
        suppression("ties", 2, 3, 23, 23, (coarse_boxes, coarse_scores), iou_threshold=0.5),
        suppression("one each", 3, 1, 6, 1),
        suppression("many", 2, 5, 301, 40, iou_threshold=0.5),
        suppression("no numbers", 2, 2, 9, 9, (boxes, holes), iou_threshold=0.5),
        suppression("boxes of no numbers", 2, 2, 9, 9, (holes, "normal")),
        suppression("one box", 2, 3, 1, 2),
        suppression("no boxes", 2, 3, 0, 2),
        suppression("no samples", 0, 3, 4, 2),
        suppression("no classes", 2, 0, 4, 2),
    ],
}
