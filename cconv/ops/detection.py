"""Boxes around objects: which of them to keep, and what images have in them."""

from __future__ import annotations

from typing import Any

from ..tensor import Value
from ._apply import apply
from .arguments import number, pair, whole
from .layout import channels_last, to_channels_first
from .operation import operation

__all__ = ["non_max_suppression", "roi_align"]


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


@operation("inputs", "rois", "batch_indices", module="image")
def roi_align(
    inputs: Any,
    rois: Any,
    batch_indices: Any,
    size: Any,
    sampling_ratio: int = 0,
    spatial_scale: float = 1.0,
    mode: str = "avg",
    coordinate_transformation: str = "half_pixel",
    data_format: str | None = None,
) -> Value:
    """Parts of images brought to one size (He et al., Mask R-CNN, 2017), as ONNX' `RoiAlign` does it.

    A part is divided into a grid of bins; a bin is the mean of samples in it, each interpolated between the four cells
    around. Gradients flow to the images, not to the parts.

    Args:
        inputs: Images `(n, h, w, c)`, or with channels first.
        rois: Parts `(r, 4)`: `x1, y1, x2, y2`.
        batch_indices: For each part the number of its image, int32 `(r,)`. Of an image that is not there the result is
            0.
        size: Rows and columns of the result: one number or two.
        sampling_ratio: Samples of a bin along each axis; 0: as many as it has cells, rounded up.
        spatial_scale: Cells of the images for each unit of the parts.
        mode: `"avg"`; `"max"`: the largest of the products of a cell and its weight, instead of the mean of samples.
        coordinate_transformation: `"half_pixel"`: the centre of the first cell lies at 1/2 (torchvision's
            `aligned=True`). `"output_half_pixel"`: at 0, and a part has at least one cell a side (`aligned=False`).
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Tensor `(r, *size, c)`, or with channels first.

    Raises:
        ValueError: Shapes do not fit, or an argument is out of its range.

    Example:

    >>> x = np.arange(16.0).reshape(1, 4, 4, 1)
    >>> cconv.ops.roi_align(x, [[0.0, 0.0, 4.0, 2.0]], [0], (1, 2))[0, :, :, 0].tolist()
    [[2.5, 4.5]]
    """
    x, first = channels_last(data_format, inputs)
    settings = {
        "size": pair(size, "size"),
        "sampling_ratio": whole(sampling_ratio, "sampling_ratio", 0),
        "spatial_scale": number(spatial_scale, "spatial_scale"),
        "mode": mode,
        "coordinate_transformation": coordinate_transformation,
    }
    y = apply("roi_align", [x, rois, batch_indices], settings)
    return to_channels_first(y) if first else y
