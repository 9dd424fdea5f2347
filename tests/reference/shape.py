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


def one_hot(x, *, depth):
    return (x[..., None] == np.arange(depth)) * 1.0
