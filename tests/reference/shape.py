"""Ops that move elements and compute nothing."""

import numpy as np

from .math import reduce_to


def flatten(x):
    return x.reshape(x.shape[0], int(np.prod(x.shape[1:])))


def flatten_backward(dy, x):
    return (dy.reshape(x.shape),)


def reshape(x, *, shape):
    return x.reshape([x.shape[axis] if size == 0 else size for axis, size in enumerate(shape)])


def reshape_backward(dy, x, *, shape):
    return (dy.reshape(x.shape),)


def expand_dims(x, *, axis):
    return np.expand_dims(x, axis)


def expand_dims_backward(dy, x, *, axis):
    return (dy.reshape(x.shape),)


def squeeze(x, *, axes):
    return x.squeeze(tuple(axes) or None)


def squeeze_backward(dy, x, *, axes):
    return (dy.reshape(x.shape),)


def identity(x):
    return x


def identity_backward(dy, x):
    return (dy,)


def stop_gradient(x):
    return x


def transpose(x, *, axes):
    return x.transpose(axes)


def transpose_backward(dy, x, *, axes):
    return (dy.transpose(np.argsort([axis % x.ndim for axis in axes])),)


def zero_pad2d(x, *, pads):
    top, left, bottom, right = pads
    return np.pad(x, [(0, 0), (top, bottom), (left, right), (0, 0)])


def zero_pad2d_backward(dy, x, *, pads):
    top, left, _, _ = pads
    return (dy[:, top : top + x.shape[1], left : left + x.shape[2]],)


def _part(x, begin, size):
    starts = [b % n if b < 0 else b for b, n in zip(begin, x.shape, strict=True)]
    return tuple(slice_(b, n if s < 0 else b + s) for b, s, n in zip(starts, size, x.shape, strict=True))


slice_ = slice


def slice(x, *, begin, size):
    return x[_part(x, begin, size)]


def slice_backward(dy, x, *, begin, size):
    dx = np.zeros_like(x)
    dx[_part(x, begin, size)] = dy
    return (dx,)


def concatenate(*x, axis=-1):
    return np.concatenate(x, axis)


def concatenate_backward(dy, *x, axis=-1):
    return tuple(np.split(dy, np.cumsum([part.shape[axis] for part in x])[:-1], axis))


def broadcast_to(x, *, shape):
    lead = len(shape) - x.ndim
    return np.broadcast_to(x, [x.shape[axis - lead] if size < 0 else size for axis, size in enumerate(shape)])


def broadcast_to_backward(dy, x, *, shape):
    return (reduce_to(x.shape, dy),)


def _places(indices, n):
    """Positions from 0 on; those outside go to an extra row n."""
    places = np.where(indices < 0, indices + n, indices).astype(int)
    return np.where((places < 0) | (places >= n), n, places)


def _with_zero(x, axis):
    return np.concatenate([x, np.zeros_like(np.take(x, [0], axis))], axis)


def take(x, indices, *, axis=-1):
    return np.take(_with_zero(x, axis), _places(indices, x.shape[axis]), axis)


def take_backward(dy, x, indices, *, axis=-1):
    axis %= x.ndim
    flat = dy.reshape(*x.shape[:axis], -1, *x.shape[axis + 1 :])
    dx = np.zeros((x.shape[axis] + 1, *np.delete(x.shape, axis)))
    np.add.at(dx, _places(indices, x.shape[axis]).ravel(), np.moveaxis(flat, axis, 0))
    return np.moveaxis(dx[:-1], 0, axis), None


def take_along_axis(x, indices, *, axis=-1):
    return np.take_along_axis(_with_zero(x, axis), _places(indices, x.shape[axis]), axis)


def take_along_axis_backward(dy, x, indices, *, axis=-1):
    chosen = _places(np.expand_dims(np.moveaxis(indices, axis, -1), -1), x.shape[axis]) == np.arange(x.shape[axis])
    return np.moveaxis((chosen * np.expand_dims(np.moveaxis(dy, axis, -1), -1)).sum(-2), -1, axis), None


def one_hot(x, *, depth):
    return (x[..., None] == np.arange(depth)) * 1.0
