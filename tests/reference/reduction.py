"""Reductions over axes. `spread` puts the reduced axes back, with size 1, so that y fits beside x."""

import numpy as np


def over(axes, x):
    """NumPy's axis argument for an attribute list, where an empty one means all."""
    return tuple(axis % x.ndim for axis in axes) or tuple(range(x.ndim))


def spread(y, x, axes):
    return y.reshape([1 if axis in over(axes, x) else size for axis, size in enumerate(x.shape)])


def sum(x, *, axes=(), keepdims=False):
    """(...) -> (...) without `axes` (none given: all), or with size 1 there if keepdims: y = sum of x."""
    return x.sum(over(axes, x), keepdims=bool(keepdims))


def sum_backward(dy, x, *, axes=(), keepdims=False):
    """dx = dy, repeated along `axes`"""
    return (spread(dy, x, axes) * np.ones_like(x),)


def mean(x, *, axes=(), keepdims=False):
    """(...) -> (...) without `axes` (none given: all), or with size 1 there if keepdims: y = mean of x.
    A mean of no elements is NaN.
    """
    return x.mean(over(axes, x), keepdims=bool(keepdims))


def mean_backward(dy, x, *, axes=(), keepdims=False):
    """dx = dy / m, repeated along `axes`; m is the number of elements in a mean"""
    return (spread(dy, x, axes) * np.ones_like(x) * (dy.size / x.size if x.size else 0),)


def max(x, *, axes=(), keepdims=False):
    """(...) -> (...) without `axes` (none given: all), or with size 1 there if keepdims: y = the largest x.
    A NaN is the largest. `axes` have at least one element.
    """
    return x.max(over(axes, x), keepdims=bool(keepdims))


def min(x, *, axes=(), keepdims=False):
    """(...) -> (...) without `axes` (none given: all), or with size 1 there if keepdims: y = the smallest x.
    A NaN is the smallest. `axes` have at least one element.
    """
    return x.min(over(axes, x), keepdims=bool(keepdims))


def _to_the_extreme(dy, x, y, axes):
    """Equal extremes share the gradient."""
    chosen = x == spread(y, x, axes)
    return (chosen * spread(dy, x, axes) / chosen.sum(over(axes, x), keepdims=True),)


def max_backward(dy, x, *, axes=(), keepdims=False):
    """dx = dy / k where x = y, else 0; k is the number of such x: equal ones share the gradient"""
    return _to_the_extreme(dy, x, max(x, axes=axes), axes)


def min_backward(dy, x, *, axes=(), keepdims=False):
    """dx = dy / k where x = y, else 0; k is the number of such x: equal ones share the gradient"""
    return _to_the_extreme(dy, x, min(x, axes=axes), axes)


def prod(x, *, axes=(), keepdims=False):
    """(...) -> (...) without `axes` (none given: all), or with size 1 there if keepdims: y = product of x.
    A product of no elements is 1.
    """
    return x.prod(over(axes, x), keepdims=bool(keepdims))


def prod_backward(dy, x, *, axes=(), keepdims=False):
    """dx = dy times the product of all other x of its y; exact with zeros among them, too"""
    axes = over(axes, x)
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    order = [*kept, *sorted(axes)]
    if x.size == 0:
        return (np.zeros_like(x),)
    rows = x.transpose(order).reshape(dy.size, -1)
    others = np.stack([np.delete(rows, i, 1).prod(1) for i in range(rows.shape[1])], 1)
    others = others.reshape([x.shape[axis] for axis in order]).transpose(np.argsort(order))
    return (spread(dy, x, axes) * others,)


def argsort(x, *, axis=-1):
    """(...) -> (...): y[k] = position of the x that is number k from the smallest on along `axis`, both from 0.
    Equal ones keep their order; a NaN is the largest.
    """
    return np.argsort(x, axis, kind="stable")


def top_k_indices(x, *, k):
    """(..., c) -> (..., k): y[j] = position of the x that is number j from the largest on along the last axis.
    Both count from 0. Of equal ones the first comes first; a NaN is the largest. `k` is at most c.
    """
    last = x.shape[-1] - 1
    return last - np.argsort(x[..., ::-1], -1, kind="stable")[..., ::-1][..., :k]


def argmin(x, *, axis=-1, keepdims=False):
    """(...) -> (...) without `axis`, or with size 1 there if keepdims: y = position of the smallest x along it, from 0.
    Of equal ones the first; a NaN comes before all others. `axis` has at least one element.
    """
    return x.argmin(axis, keepdims=bool(keepdims)).astype(np.float64)


def argmax(x, *, axis=-1, keepdims=False):
    """(...) -> (...) without `axis`, or with size 1 there if keepdims: y = position of the largest x along it, from 0.
    Of equal ones the first; a NaN is the largest. `axis` has at least one element.
    """
    return x.argmax(axis, keepdims=bool(keepdims)).astype(np.float64)


def cumsum(x, *, axis=-1, exclusive=False, reverse=False):
    """(...) -> (...): y[i] = x[0] + ... + x[i] along `axis`; with reverse x[i] + x[i+1] + ... to the last; with
    exclusive without x[i].
    """
    x = np.flip(x, axis) if reverse else x
    y = np.cumsum(x, axis)
    if exclusive:
        y = np.roll(y, 1, axis)
        np.moveaxis(y, axis, 0)[:1] = 0
    return np.flip(y, axis) if reverse else y


def cumsum_backward(dy, x, *, axis=-1, exclusive=False, reverse=False):
    """dx[i] = dy[i] + dy[i+1] + ... along `axis`; with exclusive without dy[i]; with reverse dy[0] + ... + dy[i]"""
    return (cumsum(dy, axis=axis, exclusive=exclusive, reverse=not reverse),)


def cumprod(x, *, axis=-1):
    """(...) -> (...): y[i] = x[0] x[1] ... x[i] along `axis`."""
    return np.cumprod(x, axis)


def cumprod_backward(dy, x, *, axis=-1):
    """dx[i] = the sum over k >= i of dy[k] times the product of x[0] ... x[k] without x[i]"""
    x, dy = np.moveaxis(x, axis, -1), np.moveaxis(dy, axis, -1)
    dx = np.zeros_like(x)
    for i in range(x.shape[-1]):
        others = x.copy()
        others[..., i] = 1
        dx[..., i] = (dy * np.cumprod(others, -1))[..., i:].sum(-1)
    return (np.moveaxis(dx, -1, axis),)
