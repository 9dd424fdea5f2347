"""Pooling over windows: one number for every window of an image of one, two or three axes."""

from __future__ import annotations

from typing import Any

from ..config import standardize_data_format
from ..ops import pooling
from ..ops.arguments import integers
from ..ops.arguments import padding as check_padding
from .input_spec import InputSpec
from .layer import Layer

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "L2Pooling2D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "SumPooling2D",
]


class BasePooling(Layer):
    """What all of them have in common.

    Args:
        rank: Number of the image's axes.
        pool_size: Size of the window: one number or one for each axis.
        strides: Steps of the window, likewise; `None`: `pool_size`.
        padding: `"valid"`, `"same"` or a pair `(before, after)` for each axis.
        data_format: `"channels_last"` or `"channels_first"`.
        name: Name of the layer.
    """

    op: str

    def __init__(
        self,
        rank: int,
        pool_size: Any,
        strides: Any,
        padding: Any,
        data_format: str | None,
        name: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = integers(pool_size, rank, "pool_size")
        self.strides = self.pool_size if strides is None else integers(strides, rank, "strides")
        self.padding = check_padding(padding, rank=rank)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)
        self.built = True

    def call(self, inputs):
        return pooling.pool(self.op, inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class BasePooling1D(BasePooling):
    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: Any = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(1, pool_size, strides, padding, data_format, name, **kwargs)


class BasePooling2D(BasePooling):
    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: Any = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(2, pool_size, strides, padding, data_format, name, **kwargs)


class BasePooling3D(BasePooling):
    def __init__(
        self,
        pool_size: Any = (2, 2, 2),
        strides: Any = None,
        padding: Any = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(3, pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling1D(BasePooling1D):
    """The largest value of every window of a sequence.

    Args:
        pool_size: Length of the window.
        strides: Steps of the window; `None`: `pool_size`.
        padding: `"valid"`, `"same"` or `((before, after),)`.
        data_format: `"channels_last"` or `"channels_first"`.
        name: Name of the layer.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, new steps, channels)`.

    Example:

    >>> cconv.layers.MaxPooling1D()(np.arange(6).reshape(1, 6, 1)).ravel().tolist()
    [1.0, 3.0, 5.0]
    """

    op = "max_pool"


class MaxPooling2D(BasePooling2D):
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


class MaxPooling3D(BasePooling3D):
    """The largest value of every window of a volume.

    Args:
        pool_size: Depth, height and width of the window: one number or three.
        strides: Steps of the window: one number or three; `None`: `pool_size`.
        padding: `"valid"`, `"same"` or `((front, back), (top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`.
        name: Name of the layer.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, new depth, new height, new width, channels)`.

    Example:

    >>> x = np.arange(16).reshape(1, 4, 2, 2, 1)
    >>> cconv.layers.MaxPooling3D()(x).ravel().tolist()
    [7.0, 15.0]
    """

    op = "max_pool"


class AveragePooling1D(BasePooling1D):
    """The mean of every window of a sequence; cells of the padding do not count.

    Arguments, shapes and errors are those of `MaxPooling1D`.

    Example:

    >>> cconv.layers.AveragePooling1D()(np.arange(6).reshape(1, 6, 1)).ravel().tolist()
    [0.5, 2.5, 4.5]
    """

    op = "avg_pool"


class AveragePooling2D(BasePooling2D):
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


class AveragePooling3D(BasePooling3D):
    """The mean of every window of a volume; cells of the padding do not count.

    Arguments, shapes and errors are those of `MaxPooling3D`.

    Example:

    >>> x = np.arange(16).reshape(1, 4, 2, 2, 1)
    >>> cconv.layers.AveragePooling3D()(x).ravel().tolist()
    [3.5, 11.5]
    """

    op = "avg_pool"


class SumPooling2D(BasePooling2D):
    """The sum of every window. (Not a layer of Keras.)

    Arguments, shapes and errors are those of `MaxPooling2D`.

    Example:

    >>> x = np.arange(16).reshape(1, 4, 4, 1)
    >>> cconv.layers.SumPooling2D()(x)[0, :, :, 0].tolist()
    [[10.0, 18.0], [42.0, 50.0]]
    """

    op = "sum_pool"


class L2Pooling2D(BasePooling2D):
    """The Euclidean norm of every window. (Not a layer of Keras.)

    Arguments, shapes and errors are those of `MaxPooling2D`.

    Example:

    >>> x = np.array([[3.0, 0.0], [0.0, 4.0]]).reshape(1, 2, 2, 1)
    >>> cconv.layers.L2Pooling2D()(x).tolist()
    [[[[5.0]]]]
    """

    op = "l2_pool"


MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
