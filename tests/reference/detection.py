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


def pairs(low, high, out, n, sampling_ratio, spatial_scale, coordinate_transformation):
    """Of each bin of an axis of n cells: a list of (cell, next cell, weight of the next), None for a sample outside."""
    half = coordinate_transformation == "half_pixel"
    start = low * np.float32(spatial_scale) - 0.5 * half
    size = high * np.float32(spatial_scale) - 0.5 * half - start
    size = size if half else max(size, 1)
    count = sampling_ratio or max(int(np.ceil(size / out)), 0)
    for o in range(out):
        found = []
        if not np.isfinite([start, size]).all():
            yield [None] * count
            continue
        for place in start + (o + (np.arange(count) + 0.5) / max(count, 1)) * size / out:
            cell = min(int(max(place, 0)), n - 1)
            after = min(cell + 1, n - 1)
            found.append((cell, after, max(place, 0) - cell if after > cell else 0) if -1 <= place <= n else None)
        yield found


def terms(x, rois, batch_indices, *, size, mode="avg", **settings):
    """For each bin of each roi: its index in y, how many samples it has, and of those inside cells and weights."""
    for r, ((x1, y1, x2, y2), image) in enumerate(zip(rois, batch_indices.astype(int), strict=True)):
        if not 0 <= image < len(x) or np.isnan(rois[r]).any():
            continue
        columns = list(pairs(x1, x2, size[1], x.shape[2], **settings))
        for i, rows in enumerate(pairs(y1, y2, size[0], x.shape[1], **settings)):
            for j, along in enumerate(columns):
                inside = [(a, b) for a in rows for b in along if a and b]
                yield (
                    (r, i, j),
                    len(rows) * len(along),
                    [
                        ((image, p, q), (v if p_after else 1 - v) * (u if q_after else 1 - u))
                        for (top, bottom, v), (left, right, u) in inside
                        for p_after, p in enumerate((top, bottom))
                        for q_after, q in enumerate((left, right))
                    ],
                )


def roi_align(
    x, rois, batch_indices, *,
    size, sampling_ratio=0, spatial_scale=1.0, mode="avg", coordinate_transformation="half_pixel",
):  # fmt: skip
    """x (n, h, w, c), rois (r, 4), batch_indices (r) -> (r, oh, ow, c) with size oh, ow: roi x1 y1 x2 y2 in image
    batch_indices. Along the rows, the columns alike: start = y1 spatial_scale - 1/2, length = (y2 - y1) spatial_scale;
    with output_half_pixel no 1/2 is taken off, and a length is at least 1. A bin o has m samples, sampling_ratio or
    length / oh rounded up, at p = start + (o + (k + 1/2) / m) length / oh. A sample is 0 if p is below -1 or above h,
    and else the mean of the cells floor(q) and floor(q) + 1, q = max(p, 0), weighted 1 - (q - floor(q)) and
    q - floor(q); at h - 1 and behind it is that cell. Weights of both axes are multiplied. avg: y is the mean of the
    samples; max: the largest of all products of a weight and its cell, and of 0 for each sample outside. Without
    samples it is 0, as where there is no such image; where a roi has a NaN it is NaN.
    """
    settings = {"sampling_ratio": sampling_ratio, "spatial_scale": spatial_scale}
    settings["coordinate_transformation"] = coordinate_transformation
    y = np.zeros((len(rois), *size, x.shape[-1]))
    y[np.isnan(rois).any(1) & (batch_indices >= 0) & (batch_indices < len(x))] = np.nan
    for to, count, parts in terms(x, rois, batch_indices, size=size, **settings):
        products = [x[cell] * weight for cell, weight in parts]
        if mode == "avg":
            y[to] = sum(products) / max(count, 1)
        elif products:
            y[to] = np.max(products, axis=0)
            y[to] = y[to] if len(products) == 4 * count else np.maximum(y[to], 0)
    return y


def roi_align_backward(
    dy, x, rois, batch_indices, *,
    size, sampling_ratio=0, spatial_scale=1.0, mode="avg", coordinate_transformation="half_pixel",
):  # fmt: skip
    """dx[p] = sum of dy times the weights that x[p] has in y, of max in the product that is y, the first if several are
    No gradient flows to rois and batch_indices.
    """
    settings = {"sampling_ratio": sampling_ratio, "spatial_scale": spatial_scale}
    settings["coordinate_transformation"] = coordinate_transformation
    dx = np.zeros(x.shape)
    for to, count, parts in terms(x, rois, batch_indices, size=size, **settings):
        if mode == "avg":
            for cell, weight in parts:
                dx[cell] += weight * dy[to] / count
        elif parts:
            products = np.array([x[cell] * weight for cell, weight in parts])
            for c, k in enumerate(np.argmax(products, axis=0)):
                if products[k, c] >= 0 or len(parts) == 4 * count:
                    dx[(*parts[k][0], c)] += parts[k][1] * dy[(*to, c)]
    return dx, None, None
