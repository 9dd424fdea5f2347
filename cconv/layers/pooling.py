"""Pooling: one number for every window of an image, or for every channel."""

from __future__ import annotations

from typing import Any

from ..config import standardize_data_format
from ..ops import nn
from ..ops._apply import apply
from ..ops.arguments import padding as check_padding
from ..ops.arguments import pair
from .input_spec import InputSpec
from .layer import Layer


class BasePooling(Layer):
    """What the poolings over windows have in common."""

    op: str

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: Any = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = pair(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else pair(strides, "strides")
        self.padding = check_padding(padding)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=4)
        self.built = True

    def call(self, inputs):
        return nn.pool(self.op, inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class MaxPooling2D(BasePooling):
    """The largest value of every window.

    Args:
        pool_size: Height and width of the window: one number or two.
        strides: Steps of the window: one number or two; `None`: `pool_size`.
        padding: `"valid"`, `"same"` or `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`.
        name: Name of the layer.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, new height, new width, channels)`.

    Example:

    >>> x = np.arange(16).reshape(1, 4, 4, 1)
    >>> cconv.layers.MaxPooling2D()(x)[0, :, :, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    """

    op = "max_pool"


class AveragePooling2D(BasePooling):
    """The mean of every window; cells of the padding do not count.

    Args:
        pool_size: Height and width of the window: one number or two.
        strides: Steps of the window: one number or two; `None`: `pool_size`.
        padding: `"valid"`, `"same"` or `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`.
        name: Name of the layer.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, new height, new width, channels)`.

    Example:

    >>> x = np.arange(16).reshape(1, 4, 4, 1)
    >>> cconv.layers.AveragePooling2D()(x)[0, :, :, 0].tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """

    op = "avg_pool"


class SumPooling2D(BasePooling):
    """The sum of every window. Arguments as for `MaxPooling2D`. (Not a layer of Keras.)

    Example:

    >>> x = np.arange(16).reshape(1, 4, 4, 1)
    >>> cconv.layers.SumPooling2D()(x)[0, :, :, 0].tolist()
    [[10.0, 18.0], [42.0, 50.0]]
    """

    op = "sum_pool"


class L2Pooling2D(BasePooling):
    """The Euclidean norm of every window. Arguments as for `MaxPooling2D`. (Not a layer of Keras.)

    Example:

    >>> x = np.array([[3.0, 0.0], [0.0, 4.0]]).reshape(1, 2, 2, 1)
    >>> cconv.layers.L2Pooling2D()(x).tolist()
    [[[[5.0]]]]
    """

    op = "l2_pool"


class BaseGlobalPooling(Layer):
    """What the poolings over whole images have in common."""

    op: str

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = bool(keepdims)
        self.input_spec = InputSpec(ndim=4)
        self.built = True

    def call(self, inputs):
        x, first = nn.channels_last(self.data_format, inputs)
        y = apply(self.op, [x], {"keepdims": self.keepdims})
        return nn.to_channels_first(y) if first and self.keepdims else y

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


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

    op = "global_avg_pool"


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

    op = "global_max_pool"


MaxPool2D = MaxPooling2D
AvgPool2D = AveragePooling2D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
