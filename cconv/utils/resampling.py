"""Images of any size to images of one: weighted sums of neighbouring pixels, along rows and columns in turn.

The centre of output pixel i lies at (i + 1/2) * size / output_size - 1/2 of the input, and the kernel is as wide as it
is between input pixels also where the image becomes smaller: `tf.image.resize` without `antialias`, which is what Keras
feeds networks with.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np


def _linear(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - x, 0)


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys' kernel with a = -1/2 (Keys 1981, equation 4)."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: int, x: np.ndarray) -> np.ndarray:
    return np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


_KERNELS: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {
    "bilinear": (1, _linear),
    "bicubic": (2, _cubic),
    "lanczos3": (3, functools.partial(_lanczos, 3)),
    "lanczos5": (5, functools.partial(_lanczos, 5)),
}
INTERPOLATIONS = ("nearest", *_KERNELS)


@functools.lru_cache(maxsize=256)
def _taps(size: int, output_size: int, interpolation: str) -> tuple[np.ndarray, np.ndarray]:
    """For each output pixel the input pixels it is made of, and their weights, both of shape (taps, output_size)."""
    centers = (np.arange(output_size) + 0.5) * (size / output_size)
    if interpolation == "nearest":
        return np.minimum(centers.astype(np.int64), size - 1)[None], np.ones((1, output_size), np.float32)
    radius, kernel = _KERNELS[interpolation]
    first = np.floor(centers - radius + 0.5).astype(np.int64)
    places = first + np.arange(2 * radius)[:, None]
    weights = kernel(np.abs(places + 0.5 - centers))
    weights[(places < 0) | (places >= size)] = 0
    return np.clip(places, 0, size - 1), (weights / weights.sum(axis=0)).astype(np.float32)


def resized(image: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """An image (h, w, c) of any numbers as a float32 one of another height and width.

    Example:

    >>> from cconv.utils.resampling import resized
    >>> resized(np.array([[[0], [4]]], np.uint8), (1, 4), "bilinear").ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    for axis in (0, 1):
        if image.shape[axis] != size[axis]:
            image = _along(image, axis, *_taps(image.shape[axis], size[axis], interpolation))
    return np.ascontiguousarray(image, np.float32)


def _along(image: np.ndarray, axis: int, places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    if len(places) == 1:
        return image.take(places[0], axis)
    total = None
    for place, weight in zip(places, weights, strict=True):
        part = image.take(place, axis).astype(np.float32)
        part *= weight[:, None, None] if axis == 0 else weight[:, None]
        total = part if total is None else np.add(total, part, out=total)
    return total


def cropped(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The largest part in the middle of an image (h, w, c) that has the aspect ratio of `size`."""
    h, w = image.shape[:2]
    height, width = min(h, int(w * size[0] / size[1])), min(w, int(h * size[1] / size[0]))
    top, left = (h - height) // 2, (w - width) // 2
    return image[top : top + max(height, 1), left : left + max(width, 1)]


def padded(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An image (h, w, c) in the middle of the smallest black one that has the aspect ratio of `size`."""
    h, w = image.shape[:2]
    height, width = max(h, int(w * size[0] / size[1])), max(w, int(h * size[1] / size[0]))
    made = np.zeros((height, width, image.shape[2]), image.dtype)
    top, left = (height - h) // 2, (width - w) // 2
    made[top : top + h, left : left + w] = image
    return made
