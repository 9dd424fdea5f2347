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


def rois(rng, shape):
    """Within images of about 7 cells, beyond them, and some turned around."""
    corner, size = rng.uniform(-2, 5, (shape[0], 2)), rng.uniform(-1, 6, (shape[0], 2))
    return np.concatenate([corner, corner + size], axis=-1)


def small_rois(rng, shape):
    corner = rng.uniform(-0.75, 0.75, (shape[0], 2))
    return np.concatenate([corner, corner + rng.uniform(0.25, 1.5, (shape[0], 2))], axis=-1)


def rois_nowhere(rng, shape):
    """NaN, infinite, far away, and enormous."""
    return np.resize([[0, 0, np.nan, 3], [0, -np.inf, np.inf, 3], [1e9, 0, 1e9 + 4, 3], [-2e9, -3e9, 2e9, 9e9]], shape)


def indices_outside(rng, shape):
    return rng.integers(-1, 3, shape)


def aligned(id, shape, count, size, values=rois, indices=None, **settings):
    """Every mode and place of the cells."""
    given = {"values": ("normal", values, indices or f"labels({max(shape[0], 1)})"), "min_nonzero": 0.1, "grad": (0,)}
    numeric = {key: settings.pop(key) for key in ("min_nonzero", "numeric", "tolerance") if key in settings}
    return [
        Case(
            f"{id}, {mode}, {place}",
            [shape, (count, 4), (count,)],
            {"size": size, "mode": mode, "coordinate_transformation": place, **settings},
            **{**given, **numeric},
        )
        for mode in ("avg", "max")
        for place in ("half_pixel", "output_half_pixel")
    ]


def suppression(id, n, classes, k, most, values=(boxes, "normal"), **settings):
    given = {"max_output_boxes_per_class": most, **settings}
    return Case(id, [(n, k, 4), (n, classes, k)], given, values=values, min_nonzero=0.2)


CASES = {
    "roi_align": [
        *aligned("adaptive", (2, 7, 6, 3), 9, (2, 3)),
        *aligned("two samples", (3, 7, 6, 2), 7, (3, 2), sampling_ratio=2),
        *aligned("scaled", (2, 9, 8, 5), 7, (3, 3), spatial_scale=0.75),
        *aligned("one cell", (2, 1, 1, 4), 6, (2, 2), small_rois),
        *aligned("many channels", (1, 5, 6, 67), 4, (2, 2), sampling_ratio=3),
        *aligned(
            "several shares", (2, 9, 8, 130), 21, (4, 3), tolerance=4, numeric=False
        ),  # sums over many rois; near ties
        *aligned("no such image", (2, 5, 6, 3), 8, (2, 2), indices=indices_outside),
        *aligned("nowhere", (2, 4, 5, 3), 3, (2, 2), rois_nowhere, sampling_ratio=2, numeric=False, min_nonzero=0),
        *aligned("no rois", (2, 4, 5, 3), 0, (2, 2), min_nonzero=0),
        *aligned("no images", (0, 4, 5, 3), 3, (2, 2), min_nonzero=0),
        *aligned("no channels", (2, 4, 5, 0), 3, (2, 2)),
    ],
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
