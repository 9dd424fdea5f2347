"""Colours in other coordinates."""

from __future__ import annotations

from typing import Any

from ...dtypes import of
from ...tensor import Value
from .._apply import apply, shape_of
from ..arithmetic import clip
from ..operation import operation
from ..shapes import concatenate
from .batch import as_batch, like

__all__ = ["hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv"]


@operation("images", module="image", class_name="RGBToGrayscale")
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Value:
    """How bright colours are: `0.2989 r + 0.587 g + 0.114 b`; of images of one channel, the images.

    Args:
        images: Tensor `(n, h, w, c)` or `(h, w, c)`, or with channels first, of one or three channels.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Tensor with one channel, of the type of `images`.

    Example:

    >>> cconv.ops.image.rgb_to_grayscale(np.full((1, 1, 3), 100)).tolist()
    [[[100]]]
    """
    x, back = as_batch(images, data_format)
    if shape_of(x)[-1] not in (1, 3):
        raise ValueError(
            "Invalid channel size: expected 3 (RGB) or 1 (Grayscale). "
            f"Received input with shape: images.shape={shape_of(images)}"
        )
    if shape_of(x)[-1] == 1:
        return back(x)
    return back(like(grayscale(x), images))


def grayscale(x: Any) -> Value:
    """`(..., 3)` -> `(..., 1)`; what is grey already stays."""
    if shape_of(x)[-1] == 1:
        return x
    r, g, b = channels(x)
    return r * 0.2989 + g * 0.587 + b * 0.114


def channels(x: Any) -> list[Value]:
    """The channels of `(n, h, w, c)`, each `(n, h, w, 1)`."""
    return [apply("slice", [x], {"begin": [0, 0, 0, k], "size": [-1, -1, -1, 1]}) for k in range(shape_of(x)[-1])]


@operation("images", module="image", class_name="RGBToHSV")
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Value:
    """Hue, saturation and value, 0 to 1, of colours from 0 to 1.

    Args:
        images: Tensor `(n, h, w, 3)` or `(h, w, 3)`, or with channels first, of floating point.
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: Whole numbers, or not three channels.

    Example:

    >>> cconv.ops.image.rgb_to_hsv(np.array([[[0.0, 0.5, 0.5]]])).tolist()
    [[[0.5, 1.0, 0.5]]]
    """
    x, back = _colors(images, data_format)
    return back(to_hsv(x))


def to_hsv(x: Any) -> Value:
    """`(n, h, w, 3)` -> the same"""
    r, g, b = channels(x)
    value = apply("max", [x], {"axes": [-1], "keepdims": True})
    spread = value - apply("min", [x], {"axes": [-1], "keepdims": True})
    gray = apply("equal", [spread, 0.0])
    per = apply("divide", [1 / 6, apply("where", [gray, 1.0, spread])])
    of_red, of_green = apply("equal", [value, r]), apply("equal", [value, g])
    blue = per * (r - g) + 4 / 6
    hue = apply("where", [of_red, per * (g - b), apply("where", [of_green, per * (b - r) + 2 / 6, blue])])
    hue = apply("where", [gray, 0.0, hue])
    hue = apply("where", [apply("less", [hue, 0.0]), hue + 1, hue])
    black = apply("less_equal", [value, 0.0])
    saturation = apply("where", [black, 0.0, apply("divide", [spread, apply("where", [black, 1.0, value])])])
    return concatenate([hue, saturation, value], axis=-1)


@operation("images", module="image", class_name="HSVToRGB")
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Value:
    """Colours from 0 to 1 of hue, saturation and value: the inverse of `rgb_to_hsv`.

    Args:
        images: Tensor `(n, h, w, 3)` or `(h, w, 3)`, or with channels first, of floating point.
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: Whole numbers, or not three channels.

    Example:

    >>> cconv.ops.image.hsv_to_rgb(np.array([[[0.5, 1.0, 1.0]]])).tolist()
    [[[0.0, 1.0, 1.0]]]
    """
    x, back = _colors(images, data_format)
    return back(to_rgb(x))


def to_rgb(x: Any) -> Value:
    """`(n, h, w, 3)` -> the same"""
    hue, saturation, value = channels(x)
    sixths = (hue - apply("floor", [hue])) * 6
    red = clip(apply("abs", [sixths - 3]) - 1, 0, 1)
    green = clip(2 - apply("abs", [sixths - 2]), 0, 1)
    blue = clip(2 - apply("abs", [sixths - 4]), 0, 1)
    return concatenate([value * (1 - saturation * (1 - part)) for part in (red, green, blue)], axis=-1)


def _colors(images: Any, data_format: str | None) -> Any:
    x, back = as_batch(images, data_format)
    if of(images) != "float32":
        raise ValueError(f"Invalid images dtype: expected float dtype. Received: images.dtype={of(images)}")
    if shape_of(x)[-1] != 3:
        raise ValueError(
            f"Invalid channel size: expected 3 channels. Received input with shape: images.shape={shape_of(images)}"
        )
    return x, back
