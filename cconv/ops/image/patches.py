"""Windows of images and volumes, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...config import standardize_data_format
from ...tensor import Value
from .._apply import apply, shape_of
from ..arguments import integers, is_integer
from ..arguments import padding as checked_padding
from ..operation import operation

__all__ = ["extract_patches", "extract_patches_3d"]


@operation("images", module="image")
def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Value:
    """The windows of images, each as one row of numbers: `(row, column, channel)` in that order.

    Windows that do not overlap are moved only; others cost as much as a convolution.

    Args:
        images: Tensor `(n, h, w, c)` or `(h, w, c)`, or with channels first. With three sizes volumes, see
            `extract_patches_3d`.
        size: Rows and columns of a window: an integer or two.
        strides: Steps from window to window; `None`: `size`.
        dilation_rate: Distance of a window's cells, an integer or two.
        padding: `"valid"`: whole windows only; `"same"`: zeros around the image.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        `(n, oh, ow, size[0] * size[1] * c)`, or with channels first.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> x = np.arange(8).reshape(1, 2, 4, 1)
    >>> cconv.ops.image.extract_patches(x, 2)[0, 0].tolist()
    [[0.0, 1.0, 4.0, 5.0], [2.0, 3.0, 6.0, 7.0]]
    """
    if not is_integer(size) and len(size) not in (2, 3):
        raise ValueError(
            f"Invalid `size` argument. Expected a tuple of length 2 or 3. Received: size={size} with length {len(size)}"
        )
    rank = 2 if is_integer(size) else len(size)
    return _patches(images, size, strides, dilation_rate, padding, data_format, rank, "images")


@operation("volumes", module="image", class_name="ExtractPatches3D")
def extract_patches_3d(
    volumes: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Value:
    """The windows of volumes, each as one row of numbers. Arguments and errors as for `extract_patches`.

    Example:

    >>> cconv.ops.image.extract_patches_3d(np.zeros((1, 4, 4, 6, 2)), 2).shape
    (1, 2, 2, 3, 16)
    """
    return _patches(volumes, size, strides, dilation_rate, padding, data_format, 3, "volumes")


def _patches(
    x: Any, size: Any, strides: Any, dilation: Any, padding: str, data_format: str | None, rank: int, what: str
) -> Value:
    size = integers(size, rank, "size")
    strides = size if strides is None else integers(strides, rank, "strides")
    dilation = integers(dilation, rank, "dilation_rate")
    padding = checked_padding(padding, explicit=False)
    first = standardize_data_format(data_format) == "channels_first"
    single = len(shape_of(x)) == rank + 1
    if len(shape_of(x)) not in (rank + 1, rank + 2):
        raise ValueError(f"Expected {what} of rank {rank + 1} or {rank + 2}. Received: shape={shape_of(x)}")
    if single:
        x = apply("expand_dims", [x], {"axis": 0})
    if first:
        x = apply("transpose", [x], {"axes": [0, *range(2, rank + 2), 1]})
    c, sides = shape_of(x)[-1], shape_of(x)[1:-1]
    if strides == size and set(dilation) == {1} and padding == "valid" and None not in sides:
        y = _tiles(x, size, sides, c)
    else:
        cells = int(np.prod(size)) * c
        kernel = np.eye(cells, dtype=np.float32).reshape(*size, c, cells)
        y = apply("conv", [x, kernel], {"strides": strides, "dilation": dilation, "padding": padding})
    if first:
        y = apply("transpose", [y], {"axes": [0, rank + 1, *range(1, rank + 1)]})
    return apply("squeeze", [y], {"axes": [0]}) if single else y


def _tiles(x: Any, size: tuple[int, ...], sides: tuple[int, ...], c: int) -> Value:
    """Windows that lie side by side: the axes of cells within one go behind those of windows."""
    rank = len(size)
    counts = [side // s for side, s in zip(sides, size, strict=True)]
    if 0 in counts:
        raise ValueError(f"`extract_patches` expects images of at least one window of {size}. Received: {sides}")
    whole = [count * s for count, s in zip(counts, size, strict=True)]
    if whole != list(sides):
        x = apply("slice", [x], {"begin": [0] * (rank + 2), "size": [-1, *whole, -1]})
    split = [v for pair in zip(counts, size, strict=True) for v in pair]
    x = apply("reshape", [x], {"shape": [-1, *split, c]})
    x = apply("transpose", [x], {"axes": [0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2), 2 * rank + 1]})
    return apply("reshape", [x], {"shape": [-1, *counts, int(np.prod(size)) * c]})
