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


def _padded(x, pads, mode, value):
    width = list(zip(pads[: x.ndim], pads[x.ndim :], strict=True))
    if x.ndim == 0:
        return x
    return np.pad(x, width, constant_values=value) if mode == "constant" else np.pad(x, width, mode)


def pad(x, *, pads, mode="constant", value=0.0):
    return _padded(x, pads, mode, value)


def pad_backward(dy, x, *, pads, mode="constant", value=0.0):
    read = _padded(np.arange(x.size).reshape(x.shape), pads, mode, -1)  # which element stands there; -1: none
    return (np.bincount(read.ravel() + 1, dy.ravel(), x.size + 1)[1:].reshape(x.shape),)


def _part(x, begin, size):
    starts = [b % n if b < 0 else b for b, n in zip(begin, x.shape, strict=True)]
    return tuple(slice_(b, n + 1 + s if s < 0 else b + s) for b, s, n in zip(starts, size, x.shape, strict=True))


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
