"""Pooling: one value of every window."""

from __future__ import annotations

from typing import Any

from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import integers, number, padding_attributes
from .layout import channels_last, to_channels_first
from .operation import operation

__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "l2_pool",
    "lp_pool",
    "max_pool",
    "sum_pool",
]


def pool(op: str, x: Any, pool_size: Any, strides: Any, padding: Any, data_format: str | None) -> Value:
    """One of the four poolings."""
    rank = len(shape_of(x)) - 2
    if not 1 <= rank <= 3:
        raise ValueError(f"`{op}` expects images of one to three axes, as (n, h, w, c). Received: shape={shape_of(x)}")
    size = integers(pool_size, rank, "pool_size")
    attributes = {"pool_size": size, "strides": size if strides is None else integers(strides, rank, "strides")}
    x, first = channels_last(data_format, x)
    y = apply(op, [x], attributes | padding_attributes(padding, rank=rank))
    return to_channels_first(y) if first else y


@operation("inputs", module="nn")
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: str | None = None
) -> Value:
    """The largest value of every window.

    Args:
        inputs: Tensor `(n, w, c)`, `(n, h, w, c)` or `(n, d, h, w, c)`.
        pool_size: Size of the window: one number for all axes of the image or one for each.
        strides: Steps of the window, likewise; `None`: `pool_size`.
        padding: `"valid"`, `"same"` or a pair for each axis: `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`.

    Example:

    >>> cconv.ops.max_pool(np.arange(16).reshape(1, 4, 4, 1), 2)[0, :, :, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    """
    return pool("max_pool", inputs, pool_size, strides, padding, data_format)


@operation("inputs", module="nn")
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: str | None = None
) -> Value:
    """The mean of every window; cells of the padding do not count. Arguments as for `max_pool`.

    Example:

    >>> cconv.ops.average_pool([[[1.0], [3.0], [5.0], [7.0]]], 2, 2).tolist()
    [[[2.0], [6.0]]]
    """
    return pool("avg_pool", inputs, pool_size, strides, padding, data_format)


@operation("inputs", module="nn")
def sum_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: str | None = None
) -> Value:
    """The sum of every window. Arguments as for `max_pool`.

    Example:

    >>> cconv.ops.sum_pool([[[3.0], [4.0]]], 2).tolist()
    [[[7.0]]]
    """
    return pool("sum_pool", inputs, pool_size, strides, padding, data_format)


@operation("inputs", module="nn")
def l2_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: str | None = None
) -> Value:
    """The Euclidean norm of every window. Arguments as for `max_pool`.

    Example:

    >>> cconv.ops.l2_pool([[[3.0], [4.0]]], 2).tolist()
    [[[5.0]]]
    """
    return pool("l2_pool", inputs, pool_size, strides, padding, data_format)


@operation("inputs", module="nn")
def lp_pool(
    inputs: Any,
    p: float,
    pool_size: Any,
    strides: Any = None,
    padding: Any = "valid",
    data_format: str | None = None,
) -> Value:
    """The p-norm of every window, `sum(abs(x) ** p) ** (1 / p)`; no gradient flows where it is 0.

    Args:
        inputs: Tensor `(n, w, c)`, `(n, h, w, c)` or `(n, d, h, w, c)`.
        p: At least 1: 1 for the sum of magnitudes, 2 for `l2_pool`.
        pool_size: Size of the window: one number for all axes of the image or one for each.
        strides: Steps of the window, likewise; `None`: `pool_size`.
        padding: `"valid"`, `"same"` or a pair for each axis.
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: `p` is below 1, or an argument does not fit.

    Example:

    >>> cconv.ops.lp_pool([[[3.0], [-4.0]]], 1, 2).tolist()
    [[[7.0]]]
    """
    p = number(p, "p", 1)
    if p == 2:
        return l2_pool(inputs, pool_size, strides, padding, data_format)
    size = apply("abs", [inputs])
    if p == 1:
        return pool("sum_pool", size, pool_size, strides, padding, data_format)
    total = pool("sum_pool", apply("power", [size, float(p)]), pool_size, strides, padding, data_format)
    some = apply("greater", [total, 0.0])  # a root has no slope at 0
    root = apply("power", [apply("where", [some, total, 1.0]), 1 / p])
    return apply("where", [some, root, 0.0])


def _adaptive(op: str, x: Any, output_size: Any, data_format: str | None) -> Value:
    rank = len(shape_of(x)) - 2
    if not 1 <= rank <= 3:
        raise ValueError(f"`{op}` expects images of one to three axes, as (n, h, w, c). Received: shape={shape_of(x)}")
    x, first = channels_last(data_format, x)
    y = apply(op, [x], {"size": integers(output_size, rank, "output_size")})
    return to_channels_first(y) if first else y


@operation("inputs", module="nn")
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Value:
    """The means of a grid of parts of an image, of any size.

    Along an axis of k cells, part i of m begins at cell `i * k // m` and ends before the next whole one after
    `(i + 1) * k / m`.

    Args:
        inputs: Tensor `(n, w, c)`, `(n, h, w, c)` or `(n, d, h, w, c)`.
        output_size: Size of the grid: one number for all axes of the image or one for each.
        data_format: `"channels_last"` or `"channels_first"`.

    Example:

    >>> cconv.ops.adaptive_average_pool(np.arange(4).reshape(1, 4, 1), 3).ravel().tolist()
    [0.5, 1.5, 2.5]
    """
    return _adaptive("adaptive_avg_pool", inputs, output_size, data_format)


@operation("inputs", module="nn")
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Value:
    """The largest values of a grid of parts of an image. Arguments as for `adaptive_average_pool`.

    Example:

    >>> cconv.ops.adaptive_max_pool([[[1.0], [3.0], [5.0], [7.0]]], 2).tolist()
    [[[3.0], [7.0]]]
    """
    return _adaptive("adaptive_max_pool", inputs, output_size, data_format)
