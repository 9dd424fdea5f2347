"""Images of another size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...tensor import Value
from .._apply import apply, is_eager, shape_of
from ..arguments import is_integer, numbers
from ..operation import operation
from .batch import as_batch, like, sides_of

__all__ = ["resize", "scale_and_translate"]

INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")


def check_interpolation(interpolation: Any, allowed: Sequence[str] = INTERPOLATIONS) -> str:
    """The interpolation's name.

    Raises:
        ValueError: There is no such one.
    """
    name = str(interpolation).lower()
    if name not in allowed:
        raise ValueError(
            f"Invalid value for argument `interpolation`. Expected one of {tuple(allowed)}. "
            f"Received: interpolation={interpolation!r}"
        )
    return name


@operation("images", module="image")
def resize(
    images: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Value:
    """Images of another size.

    The centre of a cell of the result is looked up in the image (half-pixel centers, as in TensorFlow).

    Args:
        images: Tensor `(n, h, w, c)` or `(h, w, c)`, or with channels first.
        size: `(height, width)` of the result.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"` (Keys' kernel, -0.5), `"lanczos3"` or `"lanczos5"`.
        antialias: Whether each cell of a smaller image is a mean of all that it covers.
        crop_to_aspect_ratio: Whether the image's middle part of the result's proportions is taken.
        pad_to_aspect_ratio: Whether the image is padded to the result's proportions, on both sides.
        fill_mode: `"constant"`: the padding is `fill_value`.
        fill_value: Number.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Tensor of the type of `images`; whole numbers are rounded.

    Raises:
        ValueError: An argument is out of its range; both ways to keep proportions are asked for; one of them of images
            of unknown size.

    Example:

    >>> cconv.ops.image.resize(np.array([[[0.0], [4.0]]]), (1, 4)).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    name = check_interpolation(interpolation)
    if fill_mode != "constant":
        raise ValueError(
            f"Invalid value for argument `fill_mode`. Only `'constant'` is supported. Received: fill_mode={fill_mode}"
        )
    if pad_to_aspect_ratio and crop_to_aspect_ratio:
        raise ValueError("Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`.")
    height, width = checked_size(size)
    x, back = as_batch(images, data_format)
    if crop_to_aspect_ratio:
        h, w = sides_of(x, "`resize` with `crop_to_aspect_ratio`")
        ch, cw = min(h, int(w * height / width)), min(w, int(h * width / height))
        x = apply("slice", [x], {"begin": [0, (h - ch) // 2, (w - cw) // 2, 0], "size": [-1, ch, cw, -1]})
    elif pad_to_aspect_ratio:
        h, w = sides_of(x, "`resize` with `pad_to_aspect_ratio`")
        ph, pw = max(h, int(w * height / width)), max(w, int(h * width / height))
        top, left = (ph - h) // 2, (pw - w) // 2
        pads = [0, top, left, 0, 0, top, left, 0]  # an odd cell is left out, as in Keras
        x = apply("pad", [x], {"pads": pads, "value": float(fill_value)})
    y = apply("resize", [x], {"size": [height, width], "interpolation": name, "antialias": bool(antialias)})
    return back(like(y, images))


def checked_size(size: Any) -> tuple[int, int]:
    """`(height, width)`.

    Raises:
        ValueError: It is not two whole numbers above 0.
    """
    if not isinstance(size, (list, tuple)) or len(size) != 2 or not all(is_integer(s) for s in size):
        raise ValueError(f"Expected `size` to be a tuple of 2 integers. Received: size={size}")
    if min(size) <= 0:
        raise ValueError(f"`size` must have positive height and width. Received: size={size}")
    return int(size[0]), int(size[1])


_METHODS = {
    "linear": "bilinear", "bilinear": "bilinear", "trilinear": "bilinear", "triangle": "bilinear",
    "cubic": "bicubic", "bicubic": "bicubic", "tricubic": "bicubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5",
}  # fmt: skip


@operation("images", module="image")
def scale_and_translate(
    images: Any,
    output_shape: Sequence[int],
    scale: Any,
    translation: Any,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Value:
    """Axes of a tensor, stretched and moved: what was at `x` comes to `x * scale + translation`.

    Args:
        images: Tensor of any rank.
        output_shape: Its shape afterwards; other axes than `spatial_dims` keep their size.
        scale: A number above 0 for each of `spatial_dims`: an array, no symbolic tensor.
        translation: A number for each of `spatial_dims`, in cells of the output.
        spatial_dims: The axes, 1 to 3 of them.
        method: `"linear"`, `"cubic"`, `"lanczos3"` or `"lanczos5"`.
        antialias: Whether each cell of a smaller image is a mean of all that it covers.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> x = np.array([[1.0, 2.0, 3.0]])
    >>> cconv.ops.image.scale_and_translate(x, (1, 3), (1.0,), (1.0,), (1,), "linear").tolist()
    [[0.0, 1.0, 2.0]]
    """
    if method not in _METHODS:
        raise ValueError(f"The `method` argument must be one of {tuple(_METHODS)}. Received: method={method!r}")
    if not is_eager(scale, translation):
        raise ValueError("`scale_and_translate` takes `scale` and `translation` as arrays, not as symbolic tensors.")
    shape, rank = shape_of(images), len(shape_of(images))
    dims = [d % rank for d in spatial_dims]
    if not 1 <= len(dims) <= 3 or len(set(dims)) < len(dims):
        raise ValueError(f"`spatial_dims` must name one to three axes. Received: spatial_dims={spatial_dims}")
    scales = [float(s) for s in numbers(scale, "scale")]
    moves = [float(s) for s in numbers(translation, "translation")]
    others = [d for d in range(rank) if d not in dims]
    wrong = len(output_shape) != rank or any(shape[d] not in (None, output_shape[d]) for d in others)
    if wrong or not len(scales) == len(moves) == len(dims):
        raise ValueError(
            "`scale_and_translate` changes the sizes of `spatial_dims`, by a scale and a translation each. Received: "
            f"shape={shape}, output_shape={output_shape}, spatial_dims={spatial_dims}, scale={scale}, "
            f"translation={translation}"
        )
    order = [*others, *dims]
    x = apply("transpose", [images], {"axes": order})
    lead = [-1 if shape[d] is None else shape[d] for d in others]
    if len([s for s in lead if s < 0]) > 1 or any(shape[d] is None for d in dims):
        raise ValueError(f"`scale_and_translate` takes images of known sizes. Received: shape={shape}")
    x = apply("reshape", [x], {"shape": [-1, *(shape[d] for d in dims), 1]})
    size = [int(output_shape[d]) for d in dims]
    attributes = {"interpolation": _METHODS[method], "antialias": bool(antialias)}
    y = apply("resize", [x], {"size": size, "scale": scales, "translation": moves, **attributes})
    y = apply("reshape", [y], {"shape": [*lead, *size]})
    return apply("transpose", [y], {"axes": [order.index(d) for d in range(rank)]})
