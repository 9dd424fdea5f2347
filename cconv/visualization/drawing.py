"""Boxes and label masks drawn on images: arrays in, arrays out."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..config import standardize_data_format
from ..ops.bounding_boxes import convert_format
from ..utils.image_files import pillow
from .figure import shown

_TEXT_HEIGHT = 13  # pixels, of `font_scale=1`


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: Mapping[str, Any],
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Sequence[int] = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with boxes drawn on them, and the names of their classes.

    Args:
        images: `(n, h, w, c)`, or with channels first, of 1 or 3 channels: 0 to 255, or 0 to 1.
        bounding_boxes: Dictionary with `"boxes"` `(n, m, 4)`, `"labels"` `(n, m)`, of which those below 0 are not
            drawn, and perhaps `"confidences"` `(n, m)`.
        bounding_box_format: Format of the boxes, see `cconv.utils.bounding_boxes`.
        class_mapping: Dictionary from labels to names; `None`: none are written.
        color: Red, green and blue, 0 to 255.
        line_thickness: Pixels.
        text_thickness: Pixels that strokes of the names are thick.
        font_scale: Size of the names, 1 for 13 pixels.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        An array of uint8, of the shape of `images`.

    Raises:
        ValueError: The images are no batch of 1 or 3 channels, or boxes or labels are missing.
        TypeError: `bounding_boxes` is no dictionary.
        ImportError: Pillow is not installed.

    Example:

    >>> boxes = {"boxes": np.array([[[1, 1, 6, 5]]]), "labels": np.array([[0]])}
    >>> y = cconv.visualization.draw_bounding_boxes(np.zeros((1, 8, 8, 3)), boxes, "xyxy", line_thickness=1)
    >>> (y[0, ..., 0] > 0).sum()
    np.int64(18)
    """
    pixels, first = as_bytes(images, data_format)
    if not isinstance(bounding_boxes, Mapping):
        raise TypeError(
            f"`bounding_boxes` should be a dict. Received: bounding_boxes={bounding_boxes} of type "
            f"{type(bounding_boxes)}"
        )
    if "boxes" not in bounding_boxes or "labels" not in bounding_boxes:
        raise ValueError(
            "`bounding_boxes` should be a dict containing 'boxes' and 'labels' keys. "
            f"Received: the keys {sorted(bounding_boxes)}"
        )
    image_module = pillow()
    n, height, width, channels = pixels.shape
    boxes = np.asarray(convert_format(bounding_boxes["boxes"], bounding_box_format, "xyxy", height, width))
    labels = np.asarray(bounding_boxes["labels"])
    confidences = bounding_boxes.get("confidences")
    if boxes.shape[0] != n or labels.shape != boxes.shape[:2]:
        raise ValueError(
            f"Expected boxes ({n}, m, 4) and labels ({n}, m) for {n} images. Received shapes: {boxes.shape} and "
            f"{labels.shape}"
        )
    from PIL import ImageDraw

    ink = tuple(int(v) for v in color)
    ink = ink if channels == 3 else (round(0.2989 * ink[0] + 0.587 * ink[1] + 0.114 * ink[2]),)
    found = np.empty_like(pixels)
    for i in range(n):
        picture = image_module.fromarray(pixels[i] if channels == 3 else pixels[i, ..., 0])
        pen = ImageDraw.Draw(picture)
        for k, (box, label) in enumerate(zip(boxes[i], labels[i], strict=True)):
            if label < 0:
                continue
            _frame(pen, box, ink, int(line_thickness))
            if class_mapping is not None and int(label) in class_mapping:
                text = str(class_mapping[int(label)])
                if confidences is not None:
                    text += f" | {float(np.asarray(confidences)[i, k]):.2f}"
                _name(pen, text, box, ink, font_scale, int(text_thickness), int(line_thickness))
        found[i] = np.asarray(picture).reshape(pixels.shape[1:])
    return np.moveaxis(found, -1, 1) if first else found


def _frame(pen: Any, box: np.ndarray, ink: tuple[int, ...], thickness: int) -> None:
    """A rectangle whose lines have the edges of the box in their middle."""
    left, top, right, bottom = (round(float(v)) for v in box)
    grown = thickness // 2
    edges = (left - grown, top - grown, max(left, right) + grown, max(top, bottom) + grown)
    pen.rectangle(edges, outline=ink, width=max(1, thickness))


def _name(pen: Any, text: str, box: np.ndarray, ink: tuple[int, ...], scale: float, thickness: int, line: int) -> None:
    """A label above the box, or inside where there is no room, on a ground of its colour; it does not reach out of
    the image, if that is wide enough."""
    from PIL import ImageFont

    font = ImageFont.load_default(size=max(6, round(_TEXT_HEIGHT * scale)))
    stroke = max(0, thickness - 1) / 2
    _, _, wide, high = pen.textbbox((0, 0), text, font=font, stroke_width=stroke)
    left, top = round(float(box[0])) - line // 2, round(float(box[1])) - line // 2
    left = max(0, min(left, pen.im.size[0] - wide - 5))
    place = top - high - 2 if top - high - 2 >= 0 else top
    pen.rectangle((left, place, left + wide + 4, place + high + 2), fill=ink)
    bright = sum(ink) / len(ink) > 140
    letters = (0,) * len(ink) if bright else (255,) * len(ink)
    pen.text((left + 2, place), text, fill=letters, font=font, stroke_width=stroke)


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with the classes of their pixels laid over them in colours.

    Class 0, the background, is drawn only if `color_mapping` gives it a colour (Keras 3.15 makes it black).

    Args:
        images: `(n, h, w, 3)`, or with channels first: 0 to 255, or 0 to 1. Grey ones become coloured.
        segmentation_masks: Whole numbers `(n, h, w)` or `(n, h, w, 1)`, or with channels first `(n, 1, h, w)`.
        num_classes: How many classes there are, the background counted; `None`: as many as are in the masks.
        color_mapping: Dictionary from classes to red, green and blue, 0 to 255; `None`: hues that differ.
        alpha: How opaque the colours are, 0 to 1.
        blend: Whether the image shows through; if not, `alpha` does not count.
        ignore_index: A class that is not drawn.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        An array of uint8, `(n, h, w, 3)`, or with channels first.

    Raises:
        ValueError: Shapes do not fit, there is a class of `num_classes` or above, or one without a colour in
            `color_mapping`; `alpha` is out of its range.
        TypeError: The masks hold no whole numbers.

    Example:

    >>> masks = np.array([[[0, 1]]])
    >>> cconv.visualization.draw_segmentation_masks(np.full((1, 1, 2, 3), 100), masks, 2, {1: (200, 0, 0)}).tolist()
    [[[[100, 100, 100], [180, 20, 20]]]]
    """
    pixels, first = as_bytes(images, data_format)
    pixels = np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels
    masks = np.asarray(segmentation_masks)
    if not np.issubdtype(masks.dtype, np.integer):
        raise TypeError(
            f"`segmentation_masks` must be in integer dtype. Received: segmentation_masks.dtype={masks.dtype}"
        )
    if masks.ndim == 4:
        masks = masks[:, 0] if first else masks[..., 0]
    if masks.shape != pixels.shape[:3]:
        raise ValueError(
            f"Expected masks of shape {pixels.shape[:3]} for these images. "
            f"Received shape: {np.shape(segmentation_masks)}"
        )
    if not 0 <= alpha <= 1:
        raise ValueError(f"`alpha` must be between 0 and 1. Received: alpha={alpha}")
    classes = [int(k) for k in np.unique(masks) if k != ignore_index]
    count = max([1, *classes]) + 1 if num_classes is None else int(num_classes)
    colors = palette(count) if color_mapping is None else color_mapping
    drawn = [k for k in classes if k != 0 or 0 in colors]
    wrong = [k for k in drawn if k >= count or k not in colors]
    if wrong:
        raise ValueError(
            f"Expected classes below num_classes={count} with a colour each. Received: classes {wrong} in "
            "`segmentation_masks`"
        )
    share = float(alpha) if blend else 1.0
    found = pixels.astype(np.float64)
    for k in drawn:
        inside = masks == k
        found[inside] = found[inside] * (1 - share) + np.asarray(colors[k], np.float64) * share
    whole = np.floor(found + 1e-6).astype(np.uint8)
    return np.moveaxis(whole, -1, 1) if first else whole


def palette(count: int) -> dict[int, tuple[int, int, int]]:
    """Colours of the classes 1 to `count - 1`, whose hues follow each other by the golden ratio."""
    found = {}
    for k in range(1, count):
        color = colorsys.hsv_to_rgb((0.95 + 0.618034 * (k - 1)) % 1, 0.85 if k % 2 else 0.7, 1.0 if k % 3 else 0.8)
        found[k] = tuple(round(255 * v) for v in color)
    return found


def as_bytes(images: Any, data_format: str | None) -> tuple[np.ndarray, bool]:
    """Images as bytes `(n, h, w, c)`, and whether they came with channels first.

    Raises:
        ValueError: They are no batch of images of 1 or 3 channels.
    """
    array = np.asarray(images)
    if array.ndim != 4:
        raise ValueError(f"`images` must be batched 4D tensor. Received: images.shape={array.shape}")
    first = standardize_data_format(data_format) == "channels_first"
    array = np.moveaxis(array, 1, -1) if first else array
    if array.shape[-1] not in (1, 3) or 0 in array.shape:
        raise ValueError(f"Expected `images` of 1 or 3 channels. Received: images.shape={np.shape(images)}")
    if array.dtype == np.uint8:
        return array.copy(), first
    values = np.stack([shown(image).reshape(image.shape) for image in array])
    return np.floor(values * 255 + 0.5).astype(np.uint8), first
