"""Images: other sizes, and images seen through a map.

A cell k of an axis covers k to k + 1; its centre is at k + 1/2.
"""

import numpy as np

KERNELS = {
    "nearest": (0.5, lambda x: (x < 0.5) * 1.0),
    "bilinear": (1, lambda x: np.maximum(1 - x, 0)),
    "bicubic": (
        2,
        lambda x: np.where(
            x < 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0)
        ),
    ),
    "lanczos3": (3, lambda x: np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0)),
    "lanczos5": (5, lambda x: np.where(x < 5, np.sinc(x) * np.sinc(x / 5), 0)),
}


def band(before, after, interpolation, antialias, scale, translation):
    """The matrix (after, before) of one axis."""
    scale = after / before if scale is None else np.float64(np.float32(scale))
    at = (np.arange(after) + 0.5 - np.float64(np.float32(translation))) / scale
    inside = (at >= 0) & (at <= before)
    if interpolation == "nearest":
        return (np.floor(at + 1e-12)[:, None] == np.arange(before)) * inside[:, None] * 1.0
    wider = max(1 / scale, 1) if antialias else 1
    weights = KERNELS[interpolation][1](np.abs(np.arange(before) + 0.5 - at[:, None]) / wider) * inside[:, None]
    sums = weights.sum(1, keepdims=True)
    return weights / np.where(sums == 0, 1, sums)


def bands(x, size, interpolation, antialias, scale, translation):
    size = size or [int(n * s) for n, s in zip(x.shape[1:-1], scale, strict=True)]
    scales = scale or [None] * len(size)
    translations = translation or [0] * len(size)
    return [
        band(before, after, interpolation, antialias, s, t)
        for before, after, s, t in zip(x.shape[1:-1], size, scales, translations, strict=True)
    ]


def along_axes(x, matrices):
    for axis, matrix in enumerate(matrices, 1):
        x = np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)
    return x


def resize(x, *, size=(), interpolation="bilinear", antialias=False, scale=(), translation=()):
    """(n, w, c) -> (n, ow, c), or (n, h, w, c), (n, d, h, w, c) likewise, one axis after the other:
    y[i] = sum over k of x[k] K(|k + 1/2 - s| / f) / sum over k of K(|k + 1/2 - s| / f),
    s = (i + 1/2 - translation) / scale. scale is ow / w if not given, ow is w scale rounded down if `size` is not.
    f = max(1 / scale, 1) with antialias, else 1. K(t), 0 from its radius on: bilinear: 1 - t below 1; bicubic:
    1.5 t^3 - 2.5 t^2 + 1 below 1, -0.5 t^3 + 2.5 t^2 - 4 t + 2 below 2; lanczos3: sinc(t) sinc(t / 3) below 3;
    lanczos5: sinc(t) sinc(t / 5) below 5, with sinc(t) = sin(pi t) / (pi t). nearest: y[i] = x[floor(s)].
    y[i] = 0 where s is outside of 0 .. w.
    """
    return along_axes(x, bands(x, size, interpolation, antialias, scale, translation))


def resize_backward(dy, x, *, size=(), interpolation="bilinear", antialias=False, scale=(), translation=()):
    """dx[k] = sum over i of dy[i] times the weight that x[k] has in y[i]"""
    return (along_axes(dy, [m.T for m in bands(x, size, interpolation, antialias, scale, translation)]),)


def cell(i, n, fill_mode):
    """The cells that stand at i, and which are the fill value."""
    inside = (i >= 0) & (i < n)
    if fill_mode == "nearest":
        return np.clip(i, 0, n - 1), inside | True
    if fill_mode == "wrap":
        return i % n, inside | True
    if fill_mode == "reflect":
        k = i % (2 * n)
        return np.where(k < n, k, 2 * n - 1 - k), inside | True
    if fill_mode == "mirror":
        k = i % max(2 * (n - 1), 1)
        return np.where(k < n, k, 2 * (n - 1) - k), inside | True
    return np.clip(i, 0, n - 1), inside


def samples(x, transform, interpolation, fill_mode, size):
    """Weights (n, h, w, 1), rows, columns and insideness of the cells that are added up."""
    n, h, w, _ = x.shape
    a0, a1, a2, b0, b1, b2, c0, c1 = np.moveaxis(np.broadcast_to(transform, (n, 8)), 1, 0)[..., None, None]
    oh, ow = size or (h, w)
    i, j = np.arange(oh)[:, None], np.arange(ow)
    k = c0 * j + c1 * i + 1
    column, row = (a0 * j + a1 * i + a2) / k, (b0 * j + b1 * i + b2) / k
    if interpolation == "nearest":
        nowhere = np.isnan(row) | np.isnan(column)
        corners = [(np.where(nowhere, np.nan, 1.0), np.rint(row), np.rint(column))]
    else:
        top, left = np.floor(row), np.floor(column)
        v, u = row - top, column - left
        corners = [
            ((1 - v) * (1 - u), top, left),
            ((1 - v) * u, top, left + 1),
            (v * (1 - u), top + 1, left),
            (v * u, top + 1, left + 1),
        ]
    for weight, y, z in corners:
        (y, y_inside), (z, z_inside) = cell(y.astype(int), h, fill_mode), cell(z.astype(int), w, fill_mode)
        yield weight[..., None], y, z, (y_inside & z_inside)[..., None]


def projective_transform(x, transform, *, interpolation="bilinear", fill_mode="constant", fill_value=0.0, size=()):
    """x (n, h, w, c), transform (n, 8) or (8,) -> (n, oh, ow, c), the size of x or `size`: with transform
    a0 a1 a2 b0 b1 b2 c0 c1, y[i, j] = x at column (a0 j + a1 i + a2) / k and row (b0 j + b1 i + b2) / k,
    k = c0 j + c1 i + 1. Between cells: nearest: the nearest, of two the even one; bilinear: the mean of the four
    around, weighted by how near they are. Where row or column is NaN, so is y. Outside, at cells a b c d: constant:
    fill_value; nearest: aaaa|abcd|dddd; reflect: dcba|abcd|dcba; wrap: abcd|abcd|abcd; mirror: dcb|abcd|cba.
    """
    n = np.arange(len(x))[:, None, None]
    parts = samples(x, transform, interpolation, fill_mode, size)
    return sum(weight * np.where(inside, x[n, i, j], fill_value) for weight, i, j, inside in parts)


def projective_transform_backward(
    dy, x, transform, *, interpolation="bilinear", fill_mode="constant", fill_value=0.0, size=()
):
    """dx[p] = sum of dy times the weight that x[p] has in y; no gradient flows to the transform"""
    dx, n = np.zeros(x.shape), np.arange(len(x))[:, None, None]
    for weight, i, j, inside in samples(x, transform, interpolation, fill_mode, size):
        np.add.at(dx, (np.broadcast_to(n, i.shape), i, j), weight * inside * dy)
    return dx, None
