"""Blocks of pixels as channels, and channels as blocks of pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import pair, positive_integer
from .layout import channels_last, to_channels_first
from .operation import operation

__all__ = [
    "depth_to_space",
    "fold",
    "space_to_depth",
    "unfold",
]


def _image(op: str, x: Any) -> list[int]:
    shape = shape_of(x)
    if len(shape) != 4 or None in shape[1:]:
        raise ValueError(f"`{op}` takes images (n, h, w, c) of known size. Received: shape {shape}")
    return list(shape[1:])


@operation("x", module="nn")
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Value:
    """Channels as blocks of pixels: (n, h, w, c b b) -> (n, h b, w b, c) (sub-pixel convolution, Shi et al., 2016).

    Args:
        x: Images.
        block_size: `b`.
        data_format: `"channels_last"`, or `"channels_first"` for (n, c b b, h, w).

    Example:

    >>> cconv.ops.depth_to_space(np.arange(4).reshape(1, 1, 1, 4), 2)[0, :, :, 0].tolist()
    [[0, 1], [2, 3]]
    """
    b = positive_integer(block_size, "block_size")
    x, first = channels_last(data_format, x)
    h, w, c = _image("depth_to_space", x)
    if c % (b * b):
        raise ValueError(f"`depth_to_space` takes a multiple of {b * b} channels. Received: {c}, block_size={b}")
    # channels come block first: the torch order of channels_first differs from that of channels_last
    order = [0, 1, 4, 2, 5, 3] if first else [0, 1, 3, 2, 4, 5]
    sizes = [c // b // b, b, b] if first else [b, b, c // b // b]
    y = apply("transpose", [apply("reshape", [x], {"shape": [-1, h, w, *sizes]})], {"axes": order})
    y = apply("reshape", [y], {"shape": [-1, h * b, w * b, c // b // b]})
    return to_channels_first(y) if first else y


@operation("x", module="nn")
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Value:
    """Blocks of pixels as channels, the inverse of `depth_to_space`: (n, h b, w b, c) -> (n, h, w, c b b).

    Example:

    >>> cconv.ops.space_to_depth(np.zeros((1, 4, 6, 2)), 2).shape
    (1, 2, 3, 8)
    """
    b = positive_integer(block_size, "block_size")
    x, first = channels_last(data_format, x)
    h, w, c = _image("space_to_depth", x)
    if h % b or w % b:
        raise ValueError(f"`space_to_depth` takes sides that {b} divides. Received: height {h}, width {w}")
    y = apply("reshape", [x], {"shape": [-1, h // b, b, w // b, b, c]})
    y = apply("transpose", [y], {"axes": [0, 1, 3, 5, 2, 4] if first else [0, 1, 3, 2, 4, 5]})
    y = apply("reshape", [y], {"shape": [-1, h // b, w // b, c * b * b]})
    return to_channels_first(y) if first else y


def _reach(size: int, kernel: int, dilation: int, padding: int, stride: int) -> int:
    """How many windows an axis has."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


@operation("x", module="nn")
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Value:
    """The windows of images as columns: (n, c, h, w) -> (n, c kh kw, windows).

    Args:
        x: Images, channels first.
        kernel_size: Height and width of a window, or one number for both.
        dilation: Distance of its cells, (vertical, horizontal).
        padding: Zeros around the image.
        stride: From one window to the next.

    Example:

    >>> cconv.ops.unfold(np.arange(4.0).reshape(1, 1, 2, 2), 2).tolist()
    [[[0.0], [1.0], [2.0], [3.0]]]
    """
    kernel, spread = pair(kernel_size, "kernel_size"), pair(dilation, "dilation")
    pads, step = pair(padding, "padding", 0), pair(stride, "stride")
    shape = shape_of(x)
    if len(shape) != 4 or None in shape[1:]:
        raise ValueError(f"`unfold` takes images (n, c, h, w) of known size. Received: shape {shape}")
    counts = [_reach(shape[2 + k], kernel[k], spread[k], pads[k], step[k]) for k in range(2)]
    if min(counts) < 1:
        raise ValueError(
            f"`unfold`: the window is larger than the image. Received: shape {shape}, kernel_size={kernel}"
        )
    for k, axis in ((0, 2), (1, 4)):
        at = np.arange(kernel[k])[:, None] * spread[k] + np.arange(counts[k]) * step[k] - pads[k]
        at = np.where((at < 0) | (at >= shape[2 + k]), shape[2 + k], at)  # a position outside takes a 0
        x = apply("take", [x, at.astype(np.int32)], {"axis": axis})
    y = apply("transpose", [x], {"axes": [0, 1, 2, 4, 3, 5]})
    return apply("reshape", [y], {"shape": [-1, shape[1] * kernel[0] * kernel[1], counts[0] * counts[1]]})


@operation("x", module="nn")
def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Value:
    """Images of their windows, where windows overlap their sum: (n, c kh kw, windows) -> (n, c, h, w); see `unfold`.

    Args:
        x: Windows as columns.
        output_size: Height and width of the images.
        kernel_size: As for `unfold`.
        dilation: As for `unfold`.
        padding: As for `unfold`.
        stride: As for `unfold`.

    Example:

    >>> windows = cconv.ops.unfold(np.ones((1, 1, 4, 4)), 2, stride=2)
    >>> cconv.ops.fold(windows, 4, 2, stride=2).shape
    (1, 1, 4, 4)
    """
    size, kernel, spread = (
        pair(output_size, "output_size"),
        pair(kernel_size, "kernel_size"),
        pair(dilation, "dilation"),
    )
    pads, step = pair(padding, "padding", 0), pair(stride, "stride")
    shape = shape_of(x)
    counts = [_reach(size[k], kernel[k], spread[k], pads[k], step[k]) for k in range(2)]
    cells = kernel[0] * kernel[1]
    if len(shape) != 3 or shape[1] is None or shape[1] % cells or shape[2] != counts[0] * counts[1]:
        raise ValueError(
            f"`fold` takes windows (n, c x {cells}, {counts[0] * counts[1]}). Received: shape {shape}, "
            f"output_size={size}, kernel_size={kernel}"
        )
    x = apply("reshape", [x], {"shape": [-1, shape[1] // cells, *kernel, *counts]})
    y = None
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            part = apply("slice", [x], {"begin": [0, 0, i, j, 0, 0], "size": [-1, -1, 1, 1, -1, -1]})
            part = apply("squeeze", [part], {"axes": [2, 3]})
            for k, cell, axis in ((0, i, 2), (1, j, 3)):
                at = np.arange(size[k]) + pads[k] - cell * spread[k]
                inside = (at >= 0) & (at % step[k] == 0) & (at // step[k] < counts[k])
                at = np.where(inside, at // step[k], counts[k])
                part = apply("take", [part, at.astype(np.int32)], {"axis": axis})
            y = part if y is None else apply("add", [y, part])
    return y
