"""Images turned, moved, sheared, seen from elsewhere."""

from __future__ import annotations

from typing import Any

from ...tensor import Value
from .._apply import apply, is_eager, shape_of
from ..operation import operation
from ..shapes import stack
from ..tensors import convert_to_tensor
from .batch import as_batch, like
from .resizing import check_interpolation

__all__ = ["affine_transform", "perspective_transform"]

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


@operation("images", "transform", module="image")
def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Value:
    """Images seen through a map of places.

    The cell in column `x` and row `y` of the result is what the image has at column `(a0 x + a1 y + a2) / k` and row
    `(b0 x + b1 y + b2) / k`, where `k = c0 x + c1 y + 1`. Gradients flow to the images, not to the transform.

    Args:
        images: Tensor `(n, h, w, c)` or `(h, w, c)`, or with channels first.
        transform: Tensor `(n, 8)`, or `(8,)` for all images: `a0 a1 a2 b0 b1 b2 c0 c1`. It maps places of the result
            to places of the image.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: What stands outside of a row `a b c d`: `"constant"`: `fill_value`; `"nearest"`: `a a|a b c d|d d`;
            `"reflect"`: `b a|a b c d|d c`; `"wrap"`: `c d|a b c d|a b`; `"mirror"`: `c b|a b c d|c b`.
        fill_value: Number.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Tensor of shape and type of `images`; whole numbers are rounded.

    Raises:
        ValueError: An argument is out of its range, or a shape is another.

    Example:

    >>> x = np.array([[[1.0], [2.0], [3.0]]])
    >>> cconv.ops.image.affine_transform(x, [1, 0, 1, 0, 1, 0, 0, 0])[0, :, 0].tolist()
    [2.0, 3.0, 0.0]
    """
    name = check_interpolation(interpolation, ("nearest", "bilinear"))
    if fill_mode not in FILL_MODES:
        raise ValueError(
            f"Invalid value for argument `fill_mode`. Expected one of {FILL_MODES}. Received: fill_mode={fill_mode}"
        )
    x, back = as_batch(images, data_format)
    if len(shape_of(transform)) not in (1, 2):
        raise ValueError(
            "Invalid transform rank: expected rank 1 (single transform) or rank 2 (batch of transforms). "
            f"Received input with shape: transform.shape={shape_of(transform)}"
        )
    settings = {"interpolation": name, "fill_mode": fill_mode, "fill_value": float(fill_value)}
    return back(like(apply("projective_transform", [x, transform], settings), images))


@operation("images", "start_points", "end_points", module="image")
def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Value:
    """Images moved so that four points come to four others; straight lines stay straight.

    Args:
        images: Tensor `(n, h, w, c)` or `(h, w, c)`, or with channels first.
        start_points: Tensor `(n, 4, 2)` or `(4, 2)`: four places `(x, y)` of an image, around it or crosswise.
        end_points: Where they are in the result. No three of either four may lie on one line.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_value: What stands outside of the image.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Tensor of shape and type of `images`; whole numbers are rounded.

    Example:

    >>> x = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
    >>> corners, turned = [[0, 0], [1, 0], [0, 1], [1, 1]], [[1, 0], [1, 1], [0, 0], [0, 1]]
    >>> cconv.ops.image.perspective_transform(x, corners, turned, interpolation="nearest")[..., 0].tolist()
    [[3.0, 1.0], [4.0, 2.0]]
    """
    for name, points in (("start_points", start_points), ("end_points", end_points)):
        if len(shape_of(points)) not in (2, 3) or shape_of(points)[-2:] != (4, 2):
            raise ValueError(
                f"Invalid {name} shape: expected (4,2) for a single image or (N,4,2) for a batch. "
                f"Received shape: {shape_of(points)}"
            )
    transform = perspective(start_points, end_points)
    return affine_transform(images, transform, interpolation, "constant", fill_value, data_format)


def perspective(start_points: Any, end_points: Any) -> Value:
    """The transform `(n, 8)` that finds for places of the result, where `end_points` are, those of the image.

    Both quadrilaterals are images of the unit square: the map is back to it from one and on to the other. Heckbert,
    "Fundamentals of texture mapping and image warping", 1989, section 2.2.3.
    """
    if is_eager(start_points, end_points):
        start_points, end_points = convert_to_tensor(start_points, "float32"), convert_to_tensor(end_points, "float32")
    to, back = _from_square(start_points), _adjugate(_from_square(end_points))
    rows = [[sum(to[i][k] * back[k][j] for k in range(3)) for j in range(3)] for i in range(3)]
    flat = [v for row in rows for v in row]
    return stack([v / flat[8] for v in flat[:8]], axis=-1)


def _from_square(points: Any) -> list[list[Any]]:
    """The 3x3 matrix that maps (0, 0), (1, 0), (0, 1), (1, 1) to the four points."""
    x0, x1, x2, x3 = (points[..., k, 0] for k in range(4))
    y0, y1, y2, y3 = (points[..., k, 1] for k in range(4))
    sx, sy = x0 - x1 + x3 - x2, y0 - y1 + y3 - y2
    ax, ay, bx, by = x1 - x3, y1 - y3, x2 - x3, y2 - y3
    area = ax * by - bx * ay
    g, h = (sx * by - bx * sy) / area, (ax * sy - sx * ay) / area
    one = x0 * 0 + 1
    return [[x1 - x0 + g * x1, x2 - x0 + h * x2, x0], [y1 - y0 + g * y1, y2 - y0 + h * y2, y0], [g, h, one]]


def _adjugate(m: list[list[Any]]) -> list[list[Any]]:
    """The inverse but for a factor."""
    (a, b, c), (d, e, f), (g, h, i) = m
    return [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ]
