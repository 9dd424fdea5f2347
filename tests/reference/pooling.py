"""Pooling. x is (n, w, c), (n, h, w, c) or (n, d, h, w, c). Cells outside of the image belong to no window."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .conv import activate, activation_slope


@dataclass(frozen=True)
class Window:
    """One output cell.

    Args:
        place: its index along each axis of the image.
        cells: the slices of its real cells.
        counted: number of its cells in the padded image.
    """

    place: tuple[int, ...]
    cells: tuple[slice, ...]
    counted: int


def windows(
    shape, pool_size, strides=(), padding="valid", pads=(), ceil_mode=False
) -> tuple[tuple[int, ...], Iterator[Window]]:
    """The sizes of the output's image, and its cells."""
    rank = len(shape) - 2
    pool_size, strides = (
        tuple(v) * rank if len(v) == 1 else tuple(v) for v in (pool_size, tuple(strides) or tuple(pool_size))
    )
    axes = []
    for axis, (size, kernel, stride) in enumerate(zip(shape[1:-1], pool_size, strides, strict=True)):
        before = after = 0
        if padding == "explicit":
            before, after = pads[axis], pads[rank + axis]
        if padding == "same":
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            before, after = total // 2, total - total // 2
            starts = range(0, size, stride)
        elif ceil_mode:  # until a window covers the end of the padding
            starts = [0]
            while starts[-1] + kernel < before + size + after:
                starts.append(starts[-1] + stride)
            if starts[-1] >= before + size:
                starts.pop()
        else:
            starts = range(0, before + size + after - kernel + 1, stride)
        axes.append(
            [
                (
                    slice(max(start - before, 0), min(start - before + kernel, size)),
                    min(start + kernel, before + size + after) - start,
                )
                for start in starts
            ]
        )
    sizes = tuple(len(axis) for axis in axes)
    cells = (
        Window(
            place,
            tuple(axis[i][0] for axis, i in zip(axes, place, strict=True)),
            math.prod(axis[i][1] for axis, i in zip(axes, place, strict=True)),
        )
        for place in itertools.product(*map(range, sizes))
    )
    return sizes, cells


def pool(x, function, geometry):
    """function maps the real cells of a window, (n, cells, c), and the number that counts to (n, c)."""
    n, c = x.shape[0], x.shape[-1]
    sizes, cells = windows(x.shape, *geometry)
    y = np.empty((n, *sizes, c))
    for window in cells:
        y[(slice(None), *window.place)] = function(x[(slice(None), *window.cells)].reshape(n, -1, c), window.counted)
    return y


def pool_backward(dy, x, function, geometry):
    """function maps dy (n, c), the cells (n, cells, c) and the number that counts to their gradients (n, cells, c)."""
    n, c = x.shape[0], x.shape[-1]
    _, cells = windows(x.shape, *geometry)
    dx = np.zeros_like(x)
    for window in cells:
        part = x[(slice(None), *window.cells)]
        gradient = function(dy[(slice(None), *window.place)], part.reshape(n, -1, c), window.counted)
        dx[(slice(None), *window.cells)] += gradient.reshape(part.shape)
    return (dx,)


def first_maximum(cells):
    """1 at the first maximum of each channel, else 0."""
    return np.arange(cells.shape[1])[None, :, None] == cells.argmax(1)[:, None, :]


def max_pool(x, *, pool_size, strides=(), padding="valid", pads=(), ceil_mode=False, activation="linear"):
    """(n, w, c), (n, h, w, c) or (n, d, h, w, c) -> the same with other sizes of the image: y = act(max of x[p] over p
    in P); a NaN is the largest. Windows of `pool_size` cells are `strides` (none given: pool_size) apart; sizes of
    the output and padding as of a convolution. With ceil_mode the last window of an axis may end beyond the image
    and its padding, if it begins inside the image or the padding before it. P is the part of a window that lies in
    the image: padding is no cell. Pads are less than pool_size. act: linear, relu max(x, 0), relu6 min(max(x, 0),
    6).
    """
    return activate(
        activation, pool(x, lambda cells, _: cells.max(1), (pool_size, strides, padding, pads, ceil_mode)), 0
    )


def max_pool_backward(dy, x, *, pool_size, strides=(), padding="valid", pads=(), ceil_mode=False, activation="linear"):
    """dx[p] = sum of dy act'(y) over the windows whose largest is p: of equal ones the first in row-major order
    act' is 0 at the bounds of relu and relu6.
    """

    def share(d, cells, _):
        return (d * activation_slope(activation, cells.max(1), 0))[:, None] * first_maximum(cells)

    return pool_backward(dy, x, share, (pool_size, strides, padding, pads, ceil_mode))


def avg_pool(x, *, pool_size, strides=(), padding="valid", pads=(), ceil_mode=False, count_include_pad=False):
    """(n, w, c), (n, h, w, c) or (n, d, h, w, c) -> the same with other sizes of the image: y = mean of x[p] over p in
    P, or (sum of x[p]) / (the cells of the window in the image and its padding) with count_include_pad. Windows of
    `pool_size` cells are `strides` (none given: pool_size) apart; sizes of the output and padding as of a
    convolution. With ceil_mode the last window of an axis may end beyond the image and its padding, if it begins
    inside the image or the padding before it. P is the part of a window that lies in the image: padding is no cell.
    Pads are less than pool_size.
    """
    return pool(
        x,
        lambda cells, counted: cells.sum(1) / (counted if count_include_pad else cells.shape[1]),
        (pool_size, strides, padding, pads, ceil_mode),
    )


def avg_pool_backward(
    dy, x, *, pool_size, strides=(), padding="valid", pads=(), ceil_mode=False, count_include_pad=False
):
    """dx[p] = sum of dy / |P| over the windows with p in P, |P| the number of its cells, with those in the padding if
    they count
    """

    def share(d, cells, counted):
        return np.repeat(d[:, None] / (counted if count_include_pad else cells.shape[1]), cells.shape[1], axis=1)

    return pool_backward(dy, x, share, (pool_size, strides, padding, pads, ceil_mode))


def sum_pool(x, *, pool_size, strides=(), padding="valid", pads=(), ceil_mode=False):
    """(n, w, c), (n, h, w, c) or (n, d, h, w, c) -> the same with other sizes of the image: y = sum of x[p] over p in
    P. Windows of `pool_size` cells are `strides` (none given: pool_size) apart; sizes of the output and padding as
    of a convolution. With ceil_mode the last window of an axis may end beyond the image and its padding, if it
    begins inside the image or the padding before it. P is the part of a window that lies in the image: padding is
    no cell. Pads are less than pool_size.
    """
    return pool(x, lambda cells, _: cells.sum(1), (pool_size, strides, padding, pads, ceil_mode))


def sum_pool_backward(dy, x, *, pool_size, strides=(), padding="valid", pads=(), ceil_mode=False):
    """dx[p] = sum of dy over the windows with p in P"""

    def share(d, cells, _):
        return np.repeat(d[:, None], cells.shape[1], axis=1)

    return pool_backward(dy, x, share, (pool_size, strides, padding, pads, ceil_mode))


def l2_pool(x, *, pool_size, strides=(), padding="valid", pads=(), ceil_mode=False):
    """(n, w, c), (n, h, w, c) or (n, d, h, w, c) -> the same with other sizes of the image: y = the square root of the
    sum of x[p]^2 over p in P. Windows of `pool_size` cells are `strides` (none given: pool_size) apart; sizes of
    the output and padding as of a convolution. With ceil_mode the last window of an axis may end beyond the image
    and its padding, if it begins inside the image or the padding before it. P is the part of a window that lies in
    the image: padding is no cell. Pads are less than pool_size.
    """
    return pool(x, lambda cells, _: np.sqrt((cells**2).sum(1)), (pool_size, strides, padding, pads, ceil_mode))


def l2_pool_backward(dy, x, *, pool_size, strides=(), padding="valid", pads=(), ceil_mode=False):
    """dx[p] = x[p] (sum of dy / y over the windows with p in P), without those where y = 0"""

    def share(d, cells, _):
        norm = np.sqrt((cells**2).sum(1))[:, None]
        return cells * np.divide(d[:, None], norm, out=np.zeros_like(norm), where=norm != 0)

    return pool_backward(dy, x, share, (pool_size, strides, padding, pads, ceil_mode))


def image_axes(x):
    return tuple(range(1, x.ndim - 1))


def global_avg_pool(x, *, keepdims=False):
    """(n, w, c), (n, h, w, c) or (n, d, h, w, c) -> (n, c), or (n, 1, .., c) with keepdims: y = mean of x[p] over all
    cells p.
    """
    return x.mean(image_axes(x), keepdims=keepdims)


def global_avg_pool_backward(dy, x, *, keepdims=False):
    """dx[p] = dy / the number of cells"""
    dy = dy.reshape(x.shape[0], *[1] * len(image_axes(x)), x.shape[-1])
    return (np.broadcast_to(dy / np.prod(x.shape[1:-1]), x.shape),)


def global_max_pool(x, *, keepdims=False):
    """(n, w, c), (n, h, w, c) or (n, d, h, w, c) -> (n, c), or (n, 1, .., c) with keepdims: y = max of x[p] over all
    cells p. A NaN is the largest.
    """
    return x.max(image_axes(x), keepdims=keepdims)


def global_max_pool_backward(dy, x, *, keepdims=False):
    """dx[p] = dy where p is the largest, of equal ones the first in row-major order; else 0"""
    cells = x.reshape(x.shape[0], -1, x.shape[-1])
    return ((dy.reshape(x.shape[0], 1, x.shape[-1]) * first_maximum(cells)).reshape(x.shape),)


def adaptive_windows(shape, size):
    """The place of each output cell, and the slices of the cells it is made of."""
    rank = len(shape) - 2
    size = tuple(size) * rank if len(size) == 1 else tuple(size)
    axes = [
        [(i, slice(i * k // m, -(-(i + 1) * k // m))) for i in range(m)] for k, m in zip(shape[1:-1], size, strict=True)
    ]
    return size, [tuple(zip(*cells, strict=True)) for cells in itertools.product(*axes)]


def adaptive_avg_pool(x, *, size):
    """x (n, ..., c) -> (n, ..., c) with `size` cells along the image's axes: y = mean of the window's cells. Along an
    axis of k cells, cell i of m is made of those from floor(i k / m) up to ceil((i + 1) k / m), without the last.
    """
    size, windows = adaptive_windows(x.shape, size)
    y = np.zeros((len(x), *size, x.shape[-1]))
    for place, cells in windows:
        y[(slice(None), *place)] = x[(slice(None), *cells)].mean(tuple(range(1, x.ndim - 1)))
    return y


def adaptive_avg_pool_backward(dy, x, *, size):
    """dx = sum of dy / (cells of the window) over the windows that hold the cell"""
    dx = np.zeros_like(x)
    for place, cells in adaptive_windows(x.shape, size)[1]:
        part = dx[(slice(None), *cells)]
        count = math.prod(part.shape[1:-1])
        part += (dy[(slice(None), *place)] / count).reshape(len(x), *(1,) * (x.ndim - 2), x.shape[-1])
    return (dx,)


def adaptive_max_pool(x, *, size):
    """x (n, ..., c) -> (n, ..., c): y = the largest of the window's cells, the windows as for adaptive_avg_pool. A NaN
    counts as the largest.
    """
    size, windows = adaptive_windows(x.shape, size)
    y = np.zeros((len(x), *size, x.shape[-1]))
    for place, cells in windows:
        y[(slice(None), *place)] = x[(slice(None), *cells)].max(tuple(range(1, x.ndim - 1)))
    return y


def adaptive_max_pool_backward(dy, x, *, size):
    """dx = sum of dy over the windows whose maximum is the cell, of equal ones the first, row by row"""
    dx = np.zeros_like(x)
    for place, cells in adaptive_windows(x.shape, size)[1]:
        window = x[(slice(None), *cells)]
        flat = window.reshape(len(x), int(np.prod(window.shape[1:-1])), x.shape[-1])
        one = np.arange(flat.shape[1])[None, :, None] == flat.argmax(1)[:, None]
        dx[(slice(None), *cells)] += one.reshape(window.shape) * dy[(slice(None), *place)].reshape(
            len(x), *(1,) * (x.ndim - 2), x.shape[-1]
        )
    return (dx,)
