"""Images as the core has them: in batches, channels last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...config import standardize_data_format
from ...dtypes import of
from ...tensor import Value
from .._apply import apply, shape_of
from ..layout import to_channels_first, to_channels_last
from ..tensors import cast


def as_batch(images: Any, data_format: str | None, what: str = "images") -> tuple[Any, Callable[[Any], Value]]:
    """Images, or one image, as `(n, h, w, c)`, and the function that brings a result back to the form they had.

    Raises:
        ValueError: They have not three or four axes, or the `data_format` is unknown.
    """
    first = standardize_data_format(data_format) == "channels_first"
    shape = shape_of(images)
    single = len(shape) == 3
    if len(shape) not in (3, 4):
        raise ValueError(
            f"Invalid {what} rank: expected rank 3 (single image) or rank 4 (batch of images). "
            f"Received input with shape: {what}.shape={shape}"
        )
    if single:
        images = apply("expand_dims", [images], {"axis": 0})
    if first:
        images = to_channels_last(images)

    def back(y: Any) -> Value:
        if first:
            y = to_channels_first(y)
        return apply("squeeze", [y], {"axes": [0]}) if single else y

    return images, back


def like(y: Value, x: Any) -> Value:
    """A computed `y` with the type of `x`: rounded, if that holds whole numbers."""
    dtype = of(x)
    return y if dtype == "float32" else cast(apply("round", [y]), dtype)


def sides_of(x: Any, what: str) -> tuple[int, int]:
    """Height and width of a batch, which must be known.

    Raises:
        ValueError: They are not.
    """
    _, h, w, _ = shape_of(x)
    if h is None or w is None:
        raise ValueError(f"{what} takes images whose height and width are known. Received: shape={shape_of(x)}")
    return h, w
