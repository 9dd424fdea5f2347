"""How images become the numbers that networks trained on ImageNet were given."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..config import standardize_data_format
from ..tensor import Tensor

# of the images of ImageNet: in 0...255 and blue, green, red; in 0...1 and red, green, blue
_MEAN_BGR = (103.939, 116.779, 123.68)
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> np.ndarray | Tensor:
    """Scales red, green and blue of 0 to 255 the way a network was trained with.

    Args:
        x: One image or a batch of them: an array, or a symbolic tensor. It is left as it is.
        data_format: `"channels_last"` or `"channels_first"`; `None`: `cconv.config.image_data_format()`.
        mode: `"caffe"`: blue, green and red, each less its mean over ImageNet. `"tf"`: from -1 to 1. `"torch"`:
            from 0 to 1, then each color less its mean and divided by its standard deviation over ImageNet.

    Returns:
        An array of the same floating type (float32 for whole numbers), or a symbolic tensor.

    Raises:
        ValueError: Unknown mode or layout, or images that have not three colors where the mode needs them.

    Example:

    >>> pixel = np.array([[[255, 0, 0]]], np.uint8)
    >>> cconv.applications.imagenet_utils.preprocess_input(pixel, mode="tf").tolist()
    [[[1.0, -1.0, -1.0]]]
    """
    if mode not in ("caffe", "tf", "torch"):
        raise ValueError(f"Expected `mode` to be 'caffe', 'tf' or 'torch'. Received: mode={mode!r}")
    first = standardize_data_format(data_format) == "channels_first"
    if not isinstance(x, Tensor):
        x = np.asarray(x)
        if x.dtype.kind != "f":
            x = x.astype(np.float32)
    if x.ndim not in (3, 4):
        raise ValueError(f"Expected an image or a batch of images. Received: shape={tuple(x.shape)}")
    if mode == "tf":
        return x / 127.5 - 1.0
    axis = x.ndim - 3 if first else x.ndim - 1
    if x.shape[axis] != 3:
        raise ValueError(
            f"Mode '{mode}' is for images of three colors, along axis {axis}. Received: shape={tuple(x.shape)}"
        )
    sizes = (3, 1, 1) if first else (3,)

    def colors(values: tuple[float, ...]) -> np.ndarray:
        return np.array(values, x.dtype).reshape(sizes)

    if mode == "torch":
        return (x / 255.0 - colors(_MEAN)) / colors(_DEVIATION)
    return _backwards(x, axis) - colors(_MEAN_BGR)


def _backwards(x: Any, axis: int) -> Any:
    if isinstance(x, Tensor):
        at = (slice(None),) * axis
        return ops.stack([x[(*at, i)] for i in (2, 1, 0)], axis=axis)
    return np.flip(x, axis)
