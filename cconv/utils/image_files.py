"""Single images: files, Pillow's images, and arrays."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np

from ..config import standardize_data_format
from ..warning import warn
from .resampling import cropped

MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I")
_RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def pillow() -> Any:
    """The module PIL.Image, imported when it is first needed."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "Image files need the package Pillow, which is not installed. Install it: pip install cconv[images]"
        ) from error
    return Image


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Reads an image file.

    Args:
        path: Name of the file, or an `io.BytesIO` with its content.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`; a grey image of 16 bits stays one.
        target_size: `(height, width)` to resize to; by default the image's own.
        interpolation: How Pillow resizes: `"nearest"`, `"bilinear"`, `"bicubic"`, `"hamming"`, `"box"` or `"lanczos"`.
        keep_aspect_ratio: Whether the middle of the image is cut out first, in the proportions of `target_size`.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: Pillow is not installed.
        TypeError: `path` is of another kind.
        ValueError: An argument is none of those named; the file is damaged, or no image.
        OSError: There is no such file.

    Example:

    >>> cconv.utils.save_img("red.png", np.full((4, 6, 3), [255, 0, 0]), scale=False)
    >>> cconv.utils.load_img("red.png", target_size=(8, 8)).size
    (8, 8)
    """
    if color_mode not in MODES:
        raise ValueError(f"load_img: expected `color_mode` to be one of {list(MODES)}. Received: {color_mode!r}")
    if interpolation not in _RESAMPLING:
        raise ValueError(f"load_img: expected `interpolation` to be one of {_RESAMPLING}. Received: {interpolation!r}")
    module = pillow()
    image = opened(path)
    if not (color_mode == "grayscale" and image.mode in _SIXTEEN_BITS):
        image = image if image.mode == MODES[color_mode] else image.convert(MODES[color_mode])
    if target_size is None:
        return image
    height, width = target_size
    if image.size == (width, height):
        return image
    box = None
    if keep_aspect_ratio:
        w, h = image.size
        kept = cropped(np.broadcast_to(np.uint8(0), (h, w, 1)), (height, width)).shape
        left, top = (w - kept[1]) // 2, (h - kept[0]) // 2
        box = (left, top, left + kept[1], top + kept[0])
    return image.resize((width, height), module.Resampling[interpolation.upper()], box)


def opened(path: Any) -> Any:
    """The decoded image of a file; what cannot be decoded is a ValueError that names the file."""
    module = pillow()
    if isinstance(path, io.BytesIO):
        source, name = path, "the image in memory"
    elif isinstance(path, (str, os.PathLike)):
        source, name = None, repr(os.fspath(path))
    else:
        raise TypeError(f"Expected the name of an image file or an io.BytesIO. Received: {type(path).__name__}")
    file = source if source is not None else open(path, "rb")  # noqa: SIM115 (closed below)
    try:
        image = module.open(file)
        image.load()
    except (MemoryError, ImportError):
        raise
    except Exception as error:  # decoders of damaged files raise almost anything
        raise ValueError(f"{name} is damaged, or no image ({type(error).__name__}: {error}).") from error
    finally:
        if source is None:
            file.close()
    return image


def pixels(path: str, color_mode: str) -> np.ndarray:
    """The bytes of an image file, of shape `(height, width, channels)`."""
    image = opened(path)
    if image.mode in _SIXTEEN_BITS:
        image = pillow().fromarray((np.asarray(image) >> 8).astype(np.uint8))
    array = np.asarray(image if image.mode == MODES[color_mode] else image.convert(MODES[color_mode]))
    return array[..., None] if array.ndim == 2 else array


def save_img(
    path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Writes an image file.

    Args:
        path: Name of the file, or a file that is open for writing.
        x: The image: an array as `array_to_img` takes it.
        data_format: `"channels_last"` or `"channels_first"`.
        file_format: The format, as Pillow calls it; by default that of the file's name.
        scale: Whether the values are scaled to 0..255.
        **kwargs: What Pillow's `save` takes for this format.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: `x` is no image, or the format is not known.

    Example:

    >>> cconv.utils.save_img("grey.png", np.full((4, 6, 1), 128.0))
    >>> cconv.utils.load_img("grey.png").size
    (6, 4)
    """
    image = array_to_img(x, data_format=data_format, scale=scale)
    jpeg = str(file_format or os.path.splitext(str(path))[1].lstrip(".")).lower() in ("jpg", "jpeg")
    if image.mode == "RGBA" and jpeg:
        warn("save_img: JPEG files have no alpha channel; it is left out.")
        image = image.convert("RGB")
    image.save(path, format="jpeg" if file_format == "jpg" else file_format, **kwargs)


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array as a `PIL.Image.Image`.

    Args:
        x: Array of shape `(height, width, channels)`, or `(channels, height, width)`, with 1, 3 or 4 channels.
        data_format: `"channels_last"` or `"channels_first"`; by default that of `cconv.config`.
        scale: Whether the values are scaled so that they reach from 0 to 255; else they are taken as they are.
        dtype: The type to compute with; by default float32.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: The array has another number of axes or channels.

    Example:

    >>> cconv.utils.array_to_img(np.zeros((2, 3, 1))).size
    (3, 2)
    """
    data_format = standardize_data_format(data_format)
    array = np.asarray(x, dtype or np.float32)
    if array.ndim != 3:
        raise ValueError(f"array_to_img: expected one image, of 3 axes. Received an array of shape {array.shape}.")
    if data_format == "channels_first":
        array = array.transpose(1, 2, 0)
    if array.shape[2] not in (1, 3, 4):
        raise ValueError(
            f"array_to_img: expected 1, 3 or 4 channels in a {data_format} image. Received shape {np.shape(x)}."
        )
    module = pillow()
    if scale:
        array = array - array.min()
        top = array.max()
        array = array / top * 255 if top != 0 else array
    if array.shape[2] > 1:
        return module.fromarray(array.astype(np.uint8))
    return module.fromarray(array[:, :, 0].astype(np.int32 if array.max() > 255 else np.uint8))


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """An image as an array.

    Args:
        img: A `PIL.Image.Image`, or an array of 2 or 3 axes.
        data_format: `"channels_last"` or `"channels_first"`; by default that of `cconv.config`.
        dtype: The type of the array; by default float32.

    Returns:
        An array of shape `(height, width, channels)`, or `(channels, height, width)`.

    Raises:
        ValueError: It has another number of axes.

    Example:

    >>> cconv.utils.img_to_array(np.zeros((2, 3), np.uint8)).shape
    (2, 3, 1)
    """
    data_format = standardize_data_format(data_format)
    array = np.array(img, dtype or np.float32)
    if array.ndim == 2:
        return array[None] if data_format == "channels_first" else array[..., None]
    if array.ndim != 3:
        raise ValueError(f"img_to_array: expected an image of 2 or 3 axes. Received shape {array.shape}.")
    return array.transpose(2, 0, 1) if data_format == "channels_first" else array
