"""Bounding boxes told by how they differ from anchors: what a detector is trained to find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._apply import apply, shape_of
from .bounding_boxes import convert_format
from .shapes import concatenate

__all__ = ["decode_deltas_to_boxes", "encode_box_to_deltas"]

_FORMATS = ("center_xywh", "center_yxhw")
_LEAST = 1e-7  # a side of no length has no logarithm


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Sequence[float] | None = None,
    image_shape: tuple | None = None,
) -> Any:
    """How boxes differ from anchors: the way between the middles over the anchor's sides, and the logarithms of ratios
    of sides.

    Girshick et al., "Rich feature hierarchies for accurate object detection and semantic segmentation", CVPR 2014,
    appendix C.

    Args:
        anchors: `(m, 4)`.
        boxes: `(m, 4)` or `(n, m, 4)`.
        anchor_format: Format of the anchors.
        box_format: Format of the boxes.
        encoding_format: `"center_yxhw"` or `"center_xywh"`: the order of the result.
        variance: Four numbers that the result is divided by.
        image_shape: `(height, width, channels)`, for relative formats.

    Returns:
        Of the shape of `boxes`.

    Raises:
        ValueError: `variance` has not four numbers, or a format is unknown.

    Example:

    >>> anchors, boxes = np.array([[0.0, 0.0, 4.0, 2.0]]), np.array([[2.0, 0.0, 6.0, 2.0]])
    >>> cconv.utils.bounding_boxes.encode_box_to_deltas(anchors, boxes, "xyxy", "xyxy").tolist()
    [[0.0, 0.5, 0.0, 0.0]]
    """
    _check("encoding_format", encoding_format, variance)
    height, width = (None, None) if image_shape is None else image_shape[:2]
    anchors = convert_format(anchors, anchor_format, encoding_format, height, width)
    boxes = convert_format(boxes, box_format, encoding_format, height, width)
    sides, own = (apply("maximum", [x[..., 2:], _LEAST]) for x in (anchors, boxes))
    way = apply("divide", [boxes[..., :2] - anchors[..., :2], sides])
    ratio = apply("log", [apply("divide", [own, sides])])
    deltas = concatenate([way, ratio], axis=-1)
    return deltas if variance is None else apply("divide", [deltas, np.asarray(variance, np.float32)])


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Sequence[float] | None = None,
    image_shape: tuple | None = None,
) -> Any:
    """The boxes that differ from anchors by these deltas: what undoes `encode_box_to_deltas`.

    Args:
        anchors: `(m, 4)`, or a dictionary of such, one for each level of a pyramid.
        boxes_delta: `(m, 4)` or `(n, m, 4)`, or a dictionary of such with the same keys.
        anchor_format: Format of the anchors.
        box_format: Format of the result.
        encoded_format: `"center_yxhw"` or `"center_xywh"`: the order of the deltas.
        variance: Four numbers that the deltas are multiplied by.
        image_shape: `(height, width, channels)`, for relative formats.

    Returns:
        Of the shape of `boxes_delta`, or a dictionary of such.

    Raises:
        ValueError: `variance` has not four numbers, a format is unknown, or the keys differ.

    Example:

    >>> anchors, deltas = np.array([[0.0, 0.0, 4.0, 2.0]]), np.array([[0.0, 0.5, 0.0, 0.0]])
    >>> cconv.utils.bounding_boxes.decode_deltas_to_boxes(anchors, deltas, "xyxy", "xyxy").tolist()
    [[2.0, 0.0, 6.0, 2.0]]
    """
    _check("encoded_format", encoded_format, variance)
    if isinstance(anchors, dict) or isinstance(boxes_delta, dict):
        kinds = [sorted(x, key=str) if isinstance(x, dict) else type(x).__name__ for x in (anchors, boxes_delta)]
        if kinds[0] != kinds[1]:
            raise ValueError(
                "`decode_deltas_to_boxes` takes dictionaries of anchors and deltas with the same keys. "
                f"Received: {kinds[0]} and {kinds[1]}"
            )
        settings = (anchor_format, box_format, encoded_format, variance, image_shape)
        return {key: decode_deltas_to_boxes(anchors[key], deltas, *settings) for key, deltas in boxes_delta.items()}
    height, width = (None, None) if image_shape is None else image_shape[:2]
    anchors = convert_format(anchors, anchor_format, encoded_format, height, width)
    if variance is not None:
        boxes_delta = apply("multiply", [boxes_delta, np.asarray(variance, np.float32)])
    way = apply("multiply", [boxes_delta[..., :2], anchors[..., 2:]])
    sides = apply("multiply", [apply("exp", [boxes_delta[..., 2:]]), anchors[..., 2:]])
    boxes = concatenate([apply("add", [way, anchors[..., :2]]), sides], axis=-1)
    return convert_format(boxes, encoded_format, box_format, height, width)


def _check(name: str, encoding: str, variance: Any) -> None:
    if encoding not in _FORMATS:
        raise ValueError(f"`{name}` should be one of {_FORMATS}. Received: {name}={encoding!r}")
    if variance is not None and shape_of(variance) != (4,):
        raise ValueError(f"`variance` must be four numbers. Received: variance={variance}")
