"""Parts of images, and images with a border."""

from __future__ import annotations

from typing import Any

from ...tensor import Value
from .._apply import apply
from ..arguments import whole
from ..operation import operation
from .batch import as_batch, sides_of

__all__ = ["crop_images", "pad_images"]


@operation("images", module="image")
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Value:
    """Images without some rows and columns: of height two of top, bottom and target are given, of width likewise.

    Args:
        images: Tensor `(n, h, w, c)` or `(h, w, c)`, or with channels first.
        top_cropping: Rows that go at the top.
        left_cropping: Columns that go at the left.
        bottom_cropping: Rows that go at the bottom.
        right_cropping: Columns that go at the right.
        target_height: Rows that stay.
        target_width: Columns that stay.
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: An axis has not exactly two of its three numbers, or they do not fit the image.

    Example:

    >>> cconv.ops.image.crop_images(np.zeros((4, 5, 3)), 1, 0, target_height=2, target_width=4).shape
    (2, 4, 3)
    """
    x, back = as_batch(images, data_format)
    h, w = sides_of(x, "`crop_images`")
    top, _, height = _three("height", h, top_cropping, bottom_cropping, target_height, "cropping", -1)
    left, _, width = _three("width", w, left_cropping, right_cropping, target_width, "cropping", -1)
    return back(apply("slice", [x], {"begin": [0, top, left, 0], "size": [-1, height, width, -1]}))


@operation("images", module="image")
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Value:
    """Images with rows and columns of zeros around: of height two of top, bottom and target are given, of width
    likewise.

    Args:
        images: Tensor `(n, h, w, c)` or `(h, w, c)`, or with channels first.
        top_padding: Rows that come at the top.
        left_padding: Columns that come at the left.
        bottom_padding: Rows that come at the bottom.
        right_padding: Columns that come at the right.
        target_height: Rows of the result.
        target_width: Columns of the result.
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: An axis has not exactly two of its three numbers, or they do not fit the image.

    Example:

    >>> cconv.ops.image.pad_images(np.ones((1, 2, 1)), 0, 1, 0, target_width=4)[..., 0].tolist()
    [[0.0, 1.0, 1.0, 0.0]]
    """
    x, back = as_batch(images, data_format)
    h, w = sides_of(x, "`pad_images`")
    top, bottom, _ = _three("height", h, top_padding, bottom_padding, target_height, "padding", 1)
    left, right, _ = _three("width", w, left_padding, right_padding, target_width, "padding", 1)
    return back(apply("pad", [x], {"pads": [0, top, left, 0, 0, bottom, right, 0]}))


def _three(
    axis: str, size: int, before: int | None, after: int | None, target: int | None, what: str, sign: int
) -> tuple[int, int, int]:
    """What is cut off or added before and after an axis, and the size that results: two of them are given."""
    first, last = ("top", "bottom") if axis == "height" else ("left", "right")
    names = (f"{first}_{what}", f"{last}_{what}", f"target_{axis}")
    given = [v if v is None else whole(v, name) for name, v in zip(names, (before, after, target), strict=True)]
    told = ", ".join(f"{name}={v}" for name, v in zip(names, given, strict=True))
    if sum(v is not None for v in given) != 2:
        raise ValueError(f"Must specify exactly two of {', '.join(names)}. Received: {told}")
    before, after, target = given
    if target is None:
        target = size + sign * (before + after)
    elif before is None:
        before = sign * (target - size) - after
    else:
        after = sign * (target - size) - before
    if before < 0 or after < 0 or target <= 0:
        raise ValueError(
            f"Images of {axis} {size}: {what} must be 0 or more, and something must stay. Received: {told}"
        )
    return before, after, target
