"""Images: other sizes, and images seen through a map.

A cell k of an axis covers k to k + 1; its centre is at k + 1/2.
"""

import itertools

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


def inside(place, n, padding_mode, align_corners):
    """A place moved into an axis of n cells, and the slope of that."""
    slope = np.ones(place.shape)
    if padding_mode == "reflection":
        low, span = (0, n - 1) if align_corners else (-0.5, n)
        if span == 0:
            return np.zeros(place.shape), np.zeros(place.shape)
        turns, rest = np.divmod(place - low, 2 * span)
        place, slope = low + np.where(rest < span, rest, 2 * span - rest), np.where(rest < span, 1.0, -1.0)
    return np.clip(place, 0, n - 1), slope * ((place > 0) & (place < n - 1))


def cubic(t):
    """Keys' kernel with -0.75, and its slope."""
    s, x = -0.75, np.abs(t)
    near, far = (s + 2) * x**3 - (s + 3) * x**2 + 1, s * x**3 - 5 * s * x**2 + 8 * s * x - 4 * s
    slopes = 3 * (s + 2) * x**2 - 2 * (s + 3) * x, 3 * s * x**2 - 10 * s * x + 8 * s
    return np.where(x < 1, near, far), np.sign(t) * np.where(x < 1, *slopes)


def axis_taps(g, n, interpolation, padding_mode, align_corners):
    """Of one axis: cells, weights, slopes by g, and whether the cells are inside."""
    slope = (n - 1) / 2 if align_corners else n / 2
    place = (g + 1) / 2 * (n - 1) if align_corners else ((g + 1) * n - 1) / 2
    if interpolation != "bicubic" and padding_mode != "zeros":
        place, inner = inside(place, n, padding_mode, align_corners)
        slope = slope * inner
    if interpolation == "nearest":
        found = [(np.rint(place), np.ones(g.shape), np.zeros(g.shape))]
    elif interpolation == "bilinear":
        low = np.floor(place)
        found = [(low, 1 - place + low, -slope), (low + 1, place - low, slope + 0 * place)]
    else:
        low = np.floor(place)
        found = [(low + k, *(v * f for v, f in zip(cubic(place - low - k), (1, slope)))) for k in (-1, 0, 1, 2)]
    for cell, weight, rate in found:
        if interpolation == "bicubic" and padding_mode != "zeros":
            cell, _ = inside(cell, n, padding_mode, align_corners)
        there = (cell >= 0) & (cell < n) | np.isnan(cell)
        yield np.clip(np.nan_to_num(cell), 0, n - 1).astype(int), weight * there, rate * there, there


def grid_taps(x, grid, interpolation, padding_mode, align_corners):
    """For each choice of a tap for each axis: the cells' index, the cells or 0 outside, weights and slopes by axis."""
    axes = x.ndim - 2
    n = np.arange(len(x)).reshape(-1, *[1] * axes)
    taps = [
        list(axis_taps(grid[..., axes - 1 - k], x.shape[1 + k], interpolation, padding_mode, align_corners))
        for k in range(axes)
    ]
    for chosen in itertools.product(*taps):
        cells, weights, slopes, there = zip(*chosen, strict=True)
        cells = (n, *cells)
        yield cells, np.where(np.all(there, axis=0)[..., None], x[cells], 0), weights, slopes


def grid_sample(x, grid, *, interpolation="bilinear", padding_mode="zeros", align_corners=False):
    """x (n, h, w, c), grid (n, oh, ow, 2) -> (n, oh, ow, c), or x (n, d, h, w, c), grid (n, od, oh, ow, 3) ->
    (n, od, oh, ow, c): y[i, j] = x at place p(g) along each axis, g = grid[i, j], whose first number is of the last
    axis. Along an axis of n cells p(g) = ((g + 1) n - 1) / 2, or (g + 1) (n - 1) / 2 with align_corners. nearest: cell
    round(p), of two the even one; bilinear: with q = floor(p) the cells q and q + 1, weighted 1 - (p - q) and p - q;
    bicubic: the cells q - 1 to q + 2, weighted K(|p - k|), K(t) = 1.25 t^3 - 2.25 t^2 + 1 below 1,
    -0.75 t^3 + 3.75 t^2 - 6 t + 3 below 2. Weights of several axes are multiplied. Outside: zeros: cells are 0;
    border: p, of bicubic a cell, is the nearest from 0 to n - 1; reflection: it is mirrored at -1/2 and n - 1/2, with
    align_corners at 0 and n - 1, as often as it takes, and then as border. Where g is NaN, so is y.
    """
    taps = grid_taps(x, grid, interpolation, padding_mode, align_corners)
    y = sum(np.prod(weights, axis=0)[..., None] * values for _, values, weights, _ in taps)
    return np.where(np.isnan(grid).any(-1, keepdims=True), np.nan, y)


def grid_sample_backward(dy, x, grid, *, interpolation="bilinear", padding_mode="zeros", align_corners=False):
    """dx[p] = sum of dy times the weight that x[p] has in y
    dgrid = sum of dy x[p] times the slope of that weight by the number of the grid: 0 for nearest, and where border or
    reflection moved p to an end
    """
    dx, dgrid = np.zeros(x.shape), np.zeros(grid.shape)
    nowhere = np.isnan(grid).any(-1)
    for cells, values, weights, slopes in grid_taps(x, grid, interpolation, padding_mode, align_corners):
        product = np.where(nowhere, 0, np.prod(weights, axis=0))
        np.add.at(dx, tuple(np.broadcast_arrays(*cells)), product[..., None] * dy)
        along = np.sum(dy * values, axis=-1)
        for k in range(len(weights)):
            others = np.prod([slopes[j] if j == k else w for j, w in enumerate(weights)], axis=0)
            dgrid[..., len(weights) - 1 - k] += np.where(nowhere, 0, others * along)
    return dx, dgrid
