"""Pooling over whole images of one, two or three axes: one number for every channel."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..config import standardize_data_format
from ..ops import layout
from ..ops._apply import apply
from .input_spec import InputSpec
from .layer import Layer

__all__ = [
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
]


class BaseGlobalPooling(Layer):
    """What all of them have in common."""

    op: str
    rank: int  # number of the image's axes

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = bool(keepdims)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs):
        x, first = layout.channels_last(self.data_format, inputs)
        y = apply(self.op, [x], {"keepdims": self.keepdims})
        return layout.to_channels_first(y) if first and self.keepdims else y

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class GlobalAveragePooling1D(BaseGlobalPooling):
    """The mean of every channel over the whole sequence.

    A call takes `mask`, of shape `(batch, steps)`: the mean is over the steps where it is true.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        keepdims: Whether the steps' axis stays, with size 1.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, channels)`, or `(batch, 1, channels)` with `keepdims`.

    Example:

    >>> cconv.layers.GlobalAveragePooling1D()(np.arange(4).reshape(1, 4, 1)).tolist()
    [[1.5]]
    """

    op, rank = "global_avg_pool", 1
    supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return super().call(inputs)
        steps = 1 if self.data_format == "channels_last" else 2
        kept = ops.expand_dims(ops.cast(mask, "float32"), 3 - steps)
        total = ops.sum(ops.multiply(inputs, kept), axis=steps, keepdims=self.keepdims)
        return ops.divide(total, ops.sum(kept, axis=steps, keepdims=self.keepdims))

    def compute_mask(self, inputs, previous_mask):
        return None  # no steps are left


class GlobalAveragePooling2D(BaseGlobalPooling):
    """The mean of every channel over the whole image.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        keepdims: Whether height and width stay, with size 1.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, channels)`, or `(batch, 1, 1, channels)` with `keepdims`.

    Example:

    >>> cconv.layers.GlobalAveragePooling2D()(np.arange(4).reshape(1, 2, 2, 1)).tolist()
    [[1.5]]
    """

    op, rank = "global_avg_pool", 2


class GlobalAveragePooling3D(BaseGlobalPooling):
    """The mean of every channel over the whole volume.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        keepdims: Whether depth, height and width stay, with size 1.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, channels)`, or `(batch, 1, 1, 1, channels)` with `keepdims`.

    Example:

    >>> cconv.layers.GlobalAveragePooling3D()(np.arange(8).reshape(1, 2, 2, 2, 1)).tolist()
    [[3.5]]
    """

    op, rank = "global_avg_pool", 3


class GlobalMaxPooling1D(BaseGlobalPooling):
    """The largest value of every channel over the whole sequence.

    Arguments, shapes and errors are those of `GlobalAveragePooling1D`.

    Example:

    >>> cconv.layers.GlobalMaxPooling1D()(np.arange(4).reshape(1, 4, 1)).tolist()
    [[3.0]]
    """

    op, rank = "global_max_pool", 1


class GlobalMaxPooling2D(BaseGlobalPooling):
    """The largest value of every channel over the whole image.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        keepdims: Whether height and width stay, with size 1.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, channels)`, or `(batch, 1, 1, channels)` with `keepdims`.

    Example:

    >>> cconv.layers.GlobalMaxPooling2D()(np.arange(4).reshape(1, 2, 2, 1)).tolist()
    [[3.0]]
    """

    op, rank = "global_max_pool", 2


class GlobalMaxPooling3D(BaseGlobalPooling):
    """The largest value of every channel over the whole volume.

    Arguments, shapes and errors are those of `GlobalAveragePooling3D`.

    Example:

    >>> cconv.layers.GlobalMaxPooling3D()(np.arange(8).reshape(1, 2, 2, 2, 1)).tolist()
    [[7.0]]
    """

    op, rank = "global_max_pool", 3


GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
