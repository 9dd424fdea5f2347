"""Ops that move elements and compute nothing."""

import numpy as np

from .math import reduce_to


def flatten(x):
    """(n, ...) -> (n, k): the elements of each sample in row-major order, k their number."""
    return x.reshape(x.shape[0], int(np.prod(x.shape[1:])))


def flatten_backward(dy, x):
    """dx = dy in the shape of x"""
    return (dy.reshape(x.shape),)


def reshape(x, *, shape):
    """(...) -> `shape`: the same elements in row-major order.
    A 0 in `shape` stands for the size x has there, a -2 - k for the size of axis k of x, one -1 for what is left.
    """
    of = [axis if size == 0 else -2 - size for axis, size in enumerate(shape)]  # the axis of x that has the size
    return x.reshape([x.shape[k] if size == 0 or size < -1 else size for k, size in zip(of, shape, strict=True)])


def reshape_backward(dy, x, *, shape):
    """dx = dy in the shape of x"""
    return (dy.reshape(x.shape),)


def expand_dims(x, *, axis):
    """(...) -> (...) with an axis of size 1 more, which is number `axis` of y (below 0: from the end)."""
    return np.expand_dims(x, axis)


def expand_dims_backward(dy, x, *, axis):
    """dx = dy in the shape of x"""
    return (dy.reshape(x.shape),)


def squeeze(x, *, axes):
    """(...) -> (...) without `axes`, which have size 1; none given: without all axes of size 1."""
    return x.squeeze(tuple(axes) or None)


def squeeze_backward(dy, x, *, axes):
    """dx = dy in the shape of x"""
    return (dy.reshape(x.shape),)


def identity(x):
    """(...) -> (...): y = x."""
    return x


def identity_backward(dy, x):
    """dx = dy"""
    return (dy,)


def stop_gradient(x):
    """(...) -> (...): y = x."""
    return x


def assign(variable, x):
    """variable (...), x (...) -> (...): y = x. At the end of a run of a plan for training: variable = x."""
    return x


def assign_backward(dy, variable, x):
    """dvariable = dy, dx = 0: who reads y reads the variable, which only remembers x"""
    return dy, np.zeros_like(dy)


def transpose(x, *, axes):
    """(...) -> (...): axis k of y is axis `axes`[k] of x."""
    return x.transpose(axes)


def transpose_backward(dy, x, *, axes):
    """dx: axis `axes`[k] of dx is axis k of dy"""
    return (dy.transpose(np.argsort([axis % x.ndim for axis in axes])),)


def channel_shuffle(x, *, groups):
    """(..., c) -> the same: y[.., j groups + i] = x[.., i k + j], k = c / groups, i < groups, j < k:
    the channels of the groups in turn."""
    apart = x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)
    return np.swapaxes(apart, -1, -2).reshape(x.shape)


def channel_shuffle_backward(dy, x, *, groups):
    """dx[.., i k + j] = dy[.., j groups + i]"""
    turned = dy.reshape(*x.shape[:-1], x.shape[-1] // groups, groups)
    return (np.swapaxes(turned, -1, -2).reshape(x.shape),)


def _padded(x, pads, mode, value):
    width = list(zip(pads[: x.ndim], pads[x.ndim :], strict=True))
    if x.ndim == 0:
        return x
    return np.pad(x, width, constant_values=value) if mode == "constant" else np.pad(x, width, mode)


def pad(x, *, pads, mode="constant", value=0.0):
    """(a, b, ...) -> (before a + a + after a, ...): x with more elements around it, in any number of axes. pads =
    before a, before b, ..., after a, after b, ...; there stands `value` (constant), the nearest element of x
    (edge), or x mirrored at its last element (reflect) or behind it (symmetric).
    """
    return _padded(x, pads, mode, value)


def pad_backward(dy, x, *, pads, mode="constant", value=0.0):
    """dx[i] = sum of dy over the places where x[i] stands"""
    read = _padded(np.arange(x.size).reshape(x.shape), pads, mode, -1)  # which element stands there; -1: none
    return (np.bincount(read.ravel() + 1, dy.ravel(), x.size + 1)[1:].reshape(x.shape),)


def _part(x, begin, size):
    starts = [b % n if b < 0 else b for b, n in zip(begin, x.shape, strict=True)]
    return tuple(slice_(b, n + 1 + s if s < 0 else b + s) for b, s, n in zip(starts, size, x.shape, strict=True))


slice_ = slice


def slice(x, *, begin, size):
    """(...) -> (...): y[i, j, ...] = x[begin[0] + i, begin[1] + j, ...], as many along each axis as `size` says.
    A begin below 0 counts from the end, a size of -1 reaches to the end.
    """
    return x[_part(x, begin, size)]


def slice_backward(dy, x, *, begin, size):
    """dx = dy at the places it was taken from, 0 elsewhere"""
    dx = np.zeros_like(x)
    dx[_part(x, begin, size)] = dy
    return (dx,)


def concatenate(*x, axis=-1):
    """(...), (...), ... -> (...): one after another along `axis`; other sizes are equal."""
    return np.concatenate(x, axis)


def concatenate_backward(dy, *x, axis=-1):
    """dx of each input = its part of dy"""
    return tuple(np.split(dy, np.cumsum([part.shape[axis] for part in x])[:-1], axis))


def broadcast_to(x, like=None, *, shape):
    """(...) -> `shape`: y = x, repeated along axes that x does not have or where its size is 1.
    A -1 in `shape` stands for the size x has there, axes counted from the last; -2 - k for the size of axis k of like.
    """
    own = (1,) * (len(shape) - x.ndim) + x.shape
    sizes = [
        n if size == -1 else like.shape[-2 - size] if size < -1 else size for size, n in zip(shape, own, strict=True)
    ]
    return np.broadcast_to(x, sizes)


def broadcast_to_backward(dy, x, like=None, *, shape):
    """dx = dy, summed over the axes along which x was repeated
    dlike = 0
    """
    dx = reduce_to(x.shape, dy)
    return (dx,) if like is None else (dx, np.zeros_like(like))


def _places(indices, n):
    """Positions from 0 on; those outside go to an extra row n."""
    places = np.where(indices < 0, indices + n, indices).astype(int)
    return np.where((places < 0) | (places >= n), n, places)


def _with_zero(x, axis):
    return np.concatenate([x, np.zeros_like(np.take(x, [0], axis))], axis)


def take(x, indices, *, axis=-1, checked=False):
    """x (before, n, after), indices (...) -> (before, ..., after), n the size of `axis`:
    y[i, j, k] = x[i, indices[j], k]. An index below 0 counts from the end; one outside -n .. n - 1 gives 0. With
    `checked` both make the run fail.
    """
    return np.take(_with_zero(x, axis), _places(indices, x.shape[axis]), axis)


def take_backward(dy, x, indices, *, axis=-1, checked=False):
    """dx[i, p, k] = sum of dy[i, j, k] over the j where indices[j] is p"""
    axis %= x.ndim
    flat = dy.reshape(*x.shape[:axis], -1, *x.shape[axis + 1 :])
    dx = np.zeros((x.shape[axis] + 1, *np.delete(x.shape, axis)))
    np.add.at(dx, _places(indices, x.shape[axis]).ravel(), np.moveaxis(flat, axis, 0))
    return np.moveaxis(dx[:-1], 0, axis), None


def take_along_axis(x, indices, *, axis=-1):
    """x (before, n, after), indices (before, m, after) -> (before, m, after), n and m the sizes of `axis`:
    y[i, j, k] = x[i, indices[i, j, k], k]. An index below 0 counts from the end; one outside -n .. n - 1 gives 0.
    """
    return np.take_along_axis(_with_zero(x, axis), _places(indices, x.shape[axis]), axis)


def take_along_axis_backward(dy, x, indices, *, axis=-1):
    """dx[i, p, k] = sum of dy[i, j, k] over the j where indices[i, j, k] is p"""
    chosen = _places(np.expand_dims(np.moveaxis(indices, axis, -1), -1), x.shape[axis]) == np.arange(x.shape[axis])
    return np.moveaxis((chosen * np.expand_dims(np.moveaxis(dy, axis, -1), -1)).sum(-2), -1, axis), None


def one_hot(x, *, depth):
    """(...) -> (..., depth): y[..., k] = 1 where x = k, else 0.
    An x that is no number of 0 .. depth - 1 gives zeros.
    """
    return (x[..., None] == np.arange(depth)) * 1.0


_COMBINE = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def _rows(x, indices, updates):
    """The row of each update, n for those outside, and the updates as rows."""
    return _places(indices, len(x)).ravel(), updates.reshape(indices.size, *x.shape[1:])


def scatter_update(x, indices, updates, *, reduction="none"):
    """x (n, ...), indices (...), updates (..., ...) -> (n, ...): x, with row indices[j] replaced by
    updates[j], the last of several, or combined with all its updates by `reduction`. An index below 0 counts from the
    end; outside: no effect.
    """
    rows, updates = _rows(x, indices, updates)
    y = np.concatenate([x, np.zeros_like(x[:1])])
    for row, update in zip(rows, updates, strict=True):
        y[row] = update if reduction == "none" else _COMBINE[reduction](y[row], update)
    return y[:-1]


def scatter_update_backward(dy, x, indices, updates, *, reduction="none"):
    """Of each element to those it was combined of, one of x and some updates: none: dy to the last update, without one
    to x; add: dy to each; mul: dy times the product of the others; max, min: dy to the extreme, shared by equal ones
    """
    rows, flat = _rows(x, indices, updates)
    dx, du = np.zeros_like(x), np.zeros_like(flat)
    for row in range(len(x)):
        found = np.flatnonzero(rows == row)
        terms = [x[row], *flat[found]]
        for k, term in enumerate(terms):
            if reduction == "none":
                share = k == len(terms) - 1
            elif reduction == "add":
                share = 1
            elif reduction == "mul":
                share = np.prod([t for other, t in enumerate(terms) if other != k], axis=0)
            else:
                extreme = getattr(np, reduction)(terms, axis=0)
                share = (term == extreme) / np.sum(terms == extreme, axis=0)
            if k == 0:
                dx[row] = dy[row] * share
            else:
                du[found[k - 1]] = dy[row] * share
    return dx, None, du.reshape(updates.shape)
