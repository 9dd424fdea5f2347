"""Poolings. x is (n, h, w, c). Cells outside of the image belong to no window."""

from collections.abc import Iterator

import numpy as np

from .conv import activate, activation_slope


def windows(shape, pool_size, strides, padding, pads) -> tuple[tuple[int, int], Iterator]:
    """The output's height and width, and for each output cell its place and the slices of its real cells."""
    axes = []
    strides = tuple(strides) or tuple(pool_size)
    strides = strides * 2 if len(strides) == 1 else strides
    for axis in (0, 1):
        size, kernel, stride = shape[1 + axis], pool_size[axis], strides[axis]
        if padding == "same":
            count = -(-size // stride)
            before = max((count - 1) * stride + kernel - size, 0) // 2
        else:
            before, after = (pads[axis], pads[axis + 2]) if padding == "explicit" else (0, 0)
            count = (size + before + after - kernel) // stride + 1
        starts = [o * stride - before for o in range(count)]
        axes.append([slice(max(start, 0), min(start + kernel, size)) for start in starts])
    cells = ((i, j, rows, columns) for i, rows in enumerate(axes[0]) for j, columns in enumerate(axes[1]))
    return (len(axes[0]), len(axes[1])), cells


def pool(x, function, pool_size, strides, padding, pads):
    """function maps the real cells of a window, (n, cells, c), to (n, c)."""
    size, cells = windows(x.shape, pool_size, strides, padding, pads)
    y = np.empty((x.shape[0], *size, x.shape[3]))
    for i, j, rows, columns in cells:
        y[:, i, j] = function(x[:, rows, columns].reshape(x.shape[0], -1, x.shape[3]))
    return y


def pool_backward(dy, x, function, pool_size, strides, padding, pads):
    """function maps dy (n, c), the cells (n, cells, c) of one window to their gradients (n, cells, c)."""
    _, cells = windows(x.shape, pool_size, strides, padding, pads)
    dx = np.zeros_like(x)
    for i, j, rows, columns in cells:
        part = x[:, rows, columns]
        gradient = function(dy[:, i, j], part.reshape(x.shape[0], -1, x.shape[3]))
        dx[:, rows, columns] += gradient.reshape(part.shape)
    return (dx,)


def first_maximum(cells):
    """1 at the first maximum of each channel, else 0."""
    return np.arange(cells.shape[1])[None, :, None] == cells.argmax(1)[:, None, :]


def max_pool(x, *, pool_size, strides=(), padding="valid", pads=(), activation="linear"):
    return activate(activation, pool(x, lambda cells: cells.max(1), pool_size, strides, padding, pads), 0)


def max_pool_backward(dy, x, *, pool_size, strides=(), padding="valid", pads=(), activation="linear"):
    def share(d, cells):
        return (d * activation_slope(activation, cells.max(1), 0))[:, None] * first_maximum(cells)

    return pool_backward(dy, x, share, pool_size, strides, padding, pads)


def avg_pool(x, *, pool_size, strides=(), padding="valid", pads=()):
    return pool(x, lambda cells: cells.mean(1), pool_size, strides, padding, pads)


def avg_pool_backward(dy, x, *, pool_size, strides=(), padding="valid", pads=()):
    def share(d, cells):
        return np.repeat(d[:, None] / cells.shape[1], cells.shape[1], axis=1)

    return pool_backward(dy, x, share, pool_size, strides, padding, pads)


def sum_pool(x, *, pool_size, strides=(), padding="valid", pads=()):
    return pool(x, lambda cells: cells.sum(1), pool_size, strides, padding, pads)


def sum_pool_backward(dy, x, *, pool_size, strides=(), padding="valid", pads=()):
    def share(d, cells):
        return np.repeat(d[:, None], cells.shape[1], axis=1)

    return pool_backward(dy, x, share, pool_size, strides, padding, pads)


def l2_pool(x, *, pool_size, strides=(), padding="valid", pads=()):
    return pool(x, lambda cells: np.sqrt((cells**2).sum(1)), pool_size, strides, padding, pads)


def l2_pool_backward(dy, x, *, pool_size, strides=(), padding="valid", pads=()):
    def share(d, cells):
        norm = np.sqrt((cells**2).sum(1))[:, None]
        return cells * np.divide(d[:, None], norm, out=np.zeros_like(norm), where=norm != 0)

    return pool_backward(dy, x, share, pool_size, strides, padding, pads)


def global_avg_pool(x, *, keepdims=False):
    return x.mean((1, 2), keepdims=keepdims)


def global_avg_pool_backward(dy, x, *, keepdims=False):
    dy = dy.reshape(x.shape[0], 1, 1, x.shape[3])
    return (np.broadcast_to(dy / (x.shape[1] * x.shape[2]), x.shape),)


def global_max_pool(x, *, keepdims=False):
    return x.max((1, 2), keepdims=keepdims)


def global_max_pool_backward(dy, x, *, keepdims=False):
    cells = x.reshape(x.shape[0], -1, x.shape[3])
    return ((dy.reshape(x.shape[0], 1, x.shape[3]) * first_maximum(cells)).reshape(x.shape),)
