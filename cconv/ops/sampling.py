"""Images seen at given places."""

from __future__ import annotations

from typing import Any

from ..tensor import Value
from ._apply import apply
from .layout import channels_last, to_channels_first
from .operation import operation

__all__ = ["grid_sample"]


@operation("inputs", "grid", module="image")
def grid_sample(
    inputs: Any,
    grid: Any,
    interpolation: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool = False,
    data_format: str | None = None,
) -> Value:
    """Images seen at the places of a grid (Jaderberg et al., Spatial transformer networks, 2015).

    Gradients flow to the images and to the grid; of `"nearest"` the grid's is 0.

    Args:
        inputs: Tensor `(n, h, w, c)` or `(n, d, h, w, c)`, or with channels first.
        grid: Places: `(n, oh, ow, 2)` or `(n, od, oh, ow, 3)`, whatever `data_format` is. A place is a number for each
            axis of the image, the last axis first (`x`, `y`), from -1 at one end to 1 at the other.
        interpolation: `"nearest"`; `"bilinear"`, of the cells around along each axis; `"bicubic"`, of four along each
            axis, for images of two axes.
        padding_mode: What stands outside: `"zeros"`; `"border"`: the nearest cell; `"reflection"`: the image mirrored.
        align_corners: With true -1 and 1 are the centres of the cells at the ends, else their outer edges.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Tensor of the grid's sizes and the channels of `inputs`. Where a place is NaN it is NaN.

    Raises:
        ValueError: Shapes do not fit, or an argument is unknown.

    Example:

    >>> x = np.array([[[[1.0], [2.0], [3.0]]]])
    >>> cconv.ops.grid_sample(x, [[[[0.0, 0.0], [0.5, 0.0]]]], align_corners=True).ravel().tolist()
    [2.0, 2.5]
    """
    x, first = channels_last(data_format, inputs)
    settings = {
        "interpolation": interpolation,
        "padding_mode": padding_mode,
        "align_corners": bool(align_corners),
    }
    y = apply("grid_sample", [x, grid], settings)
    return to_channels_first(y) if first else y
