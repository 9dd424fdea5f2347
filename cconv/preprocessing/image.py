"""Where older scripts look for the functions of image files in `cconv.utils`; and `smart_resize`."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..keras_names import getattr_of
from ..tensor import Value
from ..utils import array_to_img, img_to_array, load_img, save_img

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]
__getattr__ = getattr_of(globals())


def smart_resize(
    x: Any, size: tuple[int, int], interpolation: str = "bilinear", data_format: str = "channels_last"
) -> Value:
    """Images of another size, undistorted: of each the largest part of the new proportions, from its middle.

    `cconv.ops.image.resize` with `crop_to_aspect_ratio`, which is the better name.

    Args:
        x: `(h, w, c)` or `(n, h, w, c)`, or with channels first.
        size: `(height, width)`.
        interpolation: See `cconv.ops.image.resize`.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        The images, of the type that `cconv.ops.image.resize` gives them.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.preprocessing.image.smart_resize(np.zeros((10, 30, 3)), (4, 4)).shape
    (4, 4, 3)
    """
    return ops.image.resize(x, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format)
