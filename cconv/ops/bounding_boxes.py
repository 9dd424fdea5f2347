"""Bounding boxes: four numbers each, in several formats, of which `"xyxy"` is the one computed with.

    "xyxy"          left, top, right, bottom
    "yxyx"          top, left, bottom, right
    "xywh"          left, top, width, height
    "center_xywh"   middle (x, y), width, height
    "center_yxhw"   middle (y, x), height, width
    "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh"   the same, divided by the image's width and height

Boxes are arrays or tensors `(..., 4)`, or a dictionary with `"boxes"` and `"labels"`.
"""

from __future__ import annotations

import math
from typing import Any

from ._apply import apply, shape_of
from .comparison import logical_or
from .shapes import concatenate
from .tensors import cast

__all__ = [
    "affine_transform",
    "clip_to_image_size",
    "compute_ciou",
    "compute_iou",
    "convert_format",
    "crop",
    "pad",
]

FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: str = "float32"
) -> Any:
    """Boxes in another format.

    Args:
        boxes: `(..., 4)`, or a dictionary with such `"boxes"`, which is copied.
        source: Their format.
        target: That of the result.
        height: Rows of the image, where one format is relative.
        width: Columns of the image, likewise.
        dtype: `"float32"`.

    Raises:
        ValueError: A format is unknown, or relative and the image's size is not given.

    Example:

    >>> cconv.utils.bounding_boxes.convert_format(np.array([[1, 2, 3, 4]]), "xywh", "xyxy").tolist()
    [[1.0, 2.0, 4.0, 6.0]]
    """
    if isinstance(boxes, dict):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    source, target = source.lower(), target.lower()
    for name, role in ((source, "source"), (target, "target")):
        if name not in FORMATS:
            raise ValueError(f"Invalid {role} format: expected one of {', '.join(FORMATS)}. Received: {role}={name}")
        if name.startswith("rel_") and (height is None or width is None):
            raise ValueError(
                "`height` and `width` must be specified when `source` or `target` is a relative format. "
                f"Received: height={height}, width={width}, source={source}, target={target}"
            )
    boxes = cast(boxes, dtype)
    if shape_of(boxes)[-1] != 4:
        raise ValueError(f"Expected boxes of shape (..., 4). Received: shape={shape_of(boxes)}")
    if source == target:
        return boxes
    a, b, c, d = (boxes[..., k : k + 1] for k in range(4))
    return concatenate(_from_xyxy(target, *_to_xyxy(source, a, b, c, d, width, height), width, height), axis=-1)


def _to_xyxy(source: str, a: Any, b: Any, c: Any, d: Any, width: Any, height: Any) -> tuple[Any, ...]:
    kind = source.removeprefix("rel_")
    if kind in ("yxyx", "center_yxhw"):
        a, b, c, d = b, a, d, c
    if kind.startswith("center"):
        a, b, c, d = a - c / 2, b - d / 2, a + c / 2, b + d / 2
    elif kind == "xywh":
        c, d = a + c, b + d
    return (a * width, b * height, c * width, d * height) if source.startswith("rel_") else (a, b, c, d)


def _from_xyxy(target: str, a: Any, b: Any, c: Any, d: Any, width: Any, height: Any) -> list[Any]:
    kind = target.removeprefix("rel_")
    if target.startswith("rel_"):
        a, b, c, d = a / width, b / height, c / width, d / height
    if kind.startswith("center"):
        a, b, c, d = (a + c) / 2, (b + d) / 2, c - a, d - b
    elif kind == "xywh":
        c, d = c - a, d - b
    return [b, a, d, c] if kind in ("yxyx", "center_yxhw") else [a, b, c, d]


def clip_to_image_size(
    bounding_boxes: dict[str, Any], height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict[str, Any]:
    """Boxes cut off at the image's edges; the labels of those of which nothing is left become -1.

    Args:
        bounding_boxes: Dictionary with `"boxes"` `(..., m, 4)` and `"labels"` `(..., m)`.
        height: Rows of the image; not needed for relative formats.
        width: Columns of the image, likewise.
        bounding_box_format: `"xyxy"` or `"rel_xyxy"`.

    Raises:
        ValueError: The format is another one.

    Example:

    >>> boxes = {"boxes": np.array([[-1.0, 1.0, 3.0, 9.0]]), "labels": np.array([2])}
    >>> cconv.utils.bounding_boxes.clip_to_image_size(boxes, 4, 5)["boxes"].tolist()
    [[0.0, 1.0, 3.0, 4.0]]
    """
    if bounding_box_format not in ("xyxy", "rel_xyxy"):
        raise ValueError(
            f"`clip_to_image_size` takes boxes as xyxy or rel_xyxy. Received: bounding_box_format={bounding_box_format}"
        )
    if bounding_box_format == "rel_xyxy":
        height = width = 1
    boxes = clipped(cast(bounding_boxes["boxes"], "float32"), height, width)
    if "labels" not in bounding_boxes:
        return {**bounding_boxes, "boxes": boxes}
    a, b, c, d = (boxes[..., k] for k in range(4))
    some = apply("greater", [(c - a) * (d - b), 0])
    return {**bounding_boxes, "boxes": boxes, "labels": apply("where", [some, bounding_boxes["labels"], -1])}


def clipped(boxes: Any, height: Any, width: Any) -> Any:
    """`xyxy` within 0 .. width, 0 .. height."""
    parts = []
    for k, most in enumerate((width, height, width, height)):
        parts.append(apply("maximum", [apply("minimum", [boxes[..., k : k + 1], most]), 0.0]))
    return concatenate(parts, axis=-1)


def crop(boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> Any:
    """Boxes of an image of which the part of `height` rows from `top` and `width` columns from `left` is taken.

    Example:

    >>> cconv.utils.bounding_boxes.crop(np.array([[1.0, 2.0, 5.0, 6.0]]), 1, 2, 3, 3).tolist()
    [[0.0, 1.0, 3.0, 3.0]]
    """
    boxes = convert_format(boxes, bounding_box_format, "xyxy")
    moved = concatenate([boxes[..., k : k + 1] - (top if k % 2 else left) for k in range(4)], axis=-1)
    return convert_format(clipped(moved, height, width), "xyxy", bounding_box_format)


def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes of an image that `top` rows and `left` columns are added to.

    Example:

    >>> cconv.utils.bounding_boxes.pad(np.array([[1.0, 2.0, 5.0, 6.0]]), 1, 2).tolist()
    [[3.0, 3.0, 7.0, 7.0]]
    """
    boxes = convert_format(boxes, bounding_box_format, "xyxy", height, width)
    moved = concatenate([boxes[..., k : k + 1] + (top if k % 2 else left) for k in range(4)], axis=-1)
    return convert_format(moved, "xyxy", bounding_box_format, height, width)


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: tuple | None = None,
) -> Any:
    """How much of two boxes together is in both, 0 to 1, for each pair.

    Args:
        boxes1: `(m, 4)` or `(n, m, 4)`.
        boxes2: `(k, 4)` or `(n, k, 4)`.
        bounding_box_format: Their format.
        use_masking: Whether pairs with a box whose numbers are below 0 get `mask_val`.
        mask_val: Number.
        image_shape: `(height, width, channels)`, for relative formats.

    Returns:
        `(m, k)` or `(n, m, k)`.

    Example:

    >>> a, b = np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[0.0, 1.0, 2.0, 2.0]])
    >>> cconv.utils.bounding_boxes.compute_iou(a, b, "xyxy").tolist()
    [[0.5]]
    """
    if len(shape_of(boxes1)) not in (2, 3) or len(shape_of(boxes2)) not in (2, 3):
        raise ValueError(
            f"`compute_iou` takes boxes of rank 2 or 3. Received: {shape_of(boxes1)} and {shape_of(boxes2)}"
        )
    height, width = image_shape[:2] if image_shape is not None else (None, None)
    a = convert_format(boxes1, bounding_box_format, "xyxy", height, width)[..., :, None, :]
    b = convert_format(boxes2, bounding_box_format, "xyxy", height, width)[..., None, :, :]
    overlap = 1.0
    for k in range(2):
        side = apply("minimum", [a[..., k + 2], b[..., k + 2]]) - apply("maximum", [a[..., k], b[..., k]])
        overlap = overlap * apply("maximum", [side, 0.0])
    area = [(v[..., 2] - v[..., 0]) * (v[..., 3] - v[..., 1]) for v in (a, b)]
    iou = overlap / apply("maximum", [area[0] + area[1] - overlap, 1e-7])
    if not use_masking:
        return iou
    low = [apply("less", [apply("max", [v], {"axes": [-1]}), 0.0]) for v in (a, b)]
    return apply("where", [logical_or(*low), float(mask_val), iou])


def compute_ciou(boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: tuple | None = None) -> Any:
    """How well boxes cover others, each one its own: the share in both, less the distance of the middles and the
    difference of proportions. At most 1, for equal boxes.

    Zheng et al., "Distance-IoU loss: Faster and better learning for bounding box regression", AAAI 2020 (complete IoU).

    Args:
        boxes1: `(..., 4)`.
        boxes2: `(..., 4)`, of a shape that broadcasts.
        bounding_box_format: Their format.
        image_shape: `(height, width, channels)`, for relative formats, which Keras 3.15 refuses.

    Returns:
        `(...)`.

    Example:

    >>> a = np.array([[0.0, 0.0, 2.0, 2.0]])
    >>> cconv.utils.bounding_boxes.compute_ciou(a, a, "xyxy").round(5).tolist()
    [1.0]
    """
    height, width = image_shape[:2] if image_shape is not None else (None, None)
    both = [convert_format(boxes, bounding_box_format, "xyxy", height, width) for boxes in (boxes1, boxes2)]
    (a, b), tiny = both, 1e-7
    overlap, area, distance, around, ratios = 1.0, [1.0, 1.0], 0.0, 0.0, [1.0, 1.0]
    for k in range(2):
        low, high = [v[..., k] for v in both], [v[..., k + 2] for v in both]
        inside = apply("minimum", high) - apply("maximum", low)
        overlap = apply("maximum", [inside, 0.0]) * overlap
        area = [(h - w) * s for h, w, s in zip(high, low, area, strict=True)]
        between = (a[..., k] + a[..., k + 2] - b[..., k] - b[..., k + 2]) * 0.5
        distance = between * between + distance
        whole = apply("maximum", high) - apply("minimum", low)
        around = whole * whole + around
        ratios = [r / (h - w + tiny) if k else h - w for h, w, r in zip(high, low, ratios, strict=True)]
    iou = overlap / (area[0] + area[1] - overlap + tiny)
    turned = apply("arctan", [ratios[0]]) - apply("arctan", [ratios[1]])
    proportions = turned * turned * (4 / math.pi**2)
    return iou - distance / (around + tiny) - proportions * proportions / (1.0 - iou + proportions + tiny)


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: int,
    width: int,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """The boxes around boxes that are moved, then scaled and turned around a middle, and sheared.

    With `c`, `s` cosine and sine of the angle and `X`, `Y` tangents of the shears a corner `p` comes to
    `middle + scale * M (p - middle + translation)`, where the lower row of `M` is `d = -s + Y c`, `e = c + Y s` and the
    upper one `c - X d`, `s + X e`: numbers of Keras 3.15, in which a horizontal shear is only then one if nothing is
    turned and sheared vertically besides.

    Args:
        boxes: `(n, m, 4)` or `(m, 4)`.
        angle: Degrees, counterclockwise on the screen: a number, or `(n,)`, as all that follow.
        translate_x: To the right, as a share of `width - 1`.
        translate_y: Down, as a share of `height - 1`.
        scale: Factor of size.
        shear_x: Degrees: columns slant.
        shear_y: Degrees: rows slant.
        height: Rows of the image.
        width: Columns of the image.
        center_x: The middle as a share of `width - 1`; `None`: half of it.
        center_y: The middle as a share of `height - 1`, likewise.
        bounding_box_format: Format of the boxes, and of the result; Keras 3.15 takes `"xyxy"` only.

    Returns:
        Of the shape of `boxes`; not clipped to the image.

    Example:

    >>> boxes = np.array([[1.0, 1.0, 2.0, 3.0]])
    >>> cconv.utils.bounding_boxes.affine_transform(boxes, 0, 0.5, 0, 1, 0, 0, 11, 11).tolist()
    [[6.0, 1.0, 7.0, 3.0]]
    """

    def number(value: Any) -> Any:
        return apply("reshape", [cast(value, "float32")], {"shape": [-1, 1, 1]})

    turned, slant_x, slant_y = (number(value) * (math.pi / 180) for value in (angle, shear_x, shear_y))
    c, s, scale = apply("cos", [turned]), apply("sin", [turned]), number(scale)
    slant_x, slant_y = apply("tan", [slant_x]), apply("tan", [slant_y])
    d, e = slant_y * c - s, slant_y * s + c
    rows = ((c - slant_x * d, s + slant_x * e), (d, e))
    single = len(shape_of(boxes)) == 2
    corners = convert_format(boxes, bounding_box_format, "xyxy", height, width)
    corners = apply("expand_dims", [corners], {"axis": 0}) if single else corners
    middle = [number(0.5 if m is None else m) * (n - 1.0) for m, n in ((center_x, width), (center_y, height))]
    moved = [
        number(t) * (n - 1.0) - m for t, n, m in ((translate_x, width, middle[0]), (translate_y, height, middle[1]))
    ]
    xs, ys = ([corners[..., k : k + 1] + moved[axis] for k in (axis, axis + 2)] for axis in range(2))
    places = [[(a * x + b * y) * scale + m for x in xs for y in ys] for (a, b), m in zip(rows, middle, strict=True)]
    around = [concatenate(place, axis=-1) for place in places]
    sides = [apply(op, [v], {"axes": [-1], "keepdims": True}) for op in ("min", "max") for v in around]
    found = convert_format(concatenate(sides, axis=-1), "xyxy", bounding_box_format, height, width)
    return apply("squeeze", [found], {"axes": [0]}) if single else found
