"""Convolution, dense and matmul: in NumPy and float64, loops over the kernel's cells, one matrix product for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from . import activation as activation_ops

BENT_TWICE = ("hard_sigmoid", "gelu", "gelu_tanh", "silu", "mish", "hard_silu")


def activate(name: str, x: np.ndarray, alpha: float) -> np.ndarray:
    """The fused activations, as a textbook writes them."""
    if name in BENT_TWICE:
        return getattr(activation_ops, name)(x)
    if name == "linear":
        return x
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, alpha * x)
    if name == "elu":
        return np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))
    if name == "sigmoid":
        return 1 / (1 + np.exp(-x))
    if name == "tanh":
        return np.tanh(x)
    if name == "softplus":
        return np.logaddexp(x, 0)
    if name == "softsign":
        return x / (1 + np.abs(x))
    if name == "arctan":
        return np.arctan(x)
    if name == "binary_step":
        return np.where(np.isnan(x), x, np.where(x >= 0, 1.0, 0.0))
    if name == "relu6":
        return np.clip(x, 0, 6)
    raise ValueError(name)


def activation_slope(name: str, x: np.ndarray, alpha: float) -> np.ndarray:
    """Their derivatives, from x (the C core tells them from y where it can)."""
    if name in BENT_TWICE:
        return getattr(activation_ops, name + "_backward")(np.ones_like(x), x)[0]
    if name == "linear":
        return np.ones_like(x)
    if name == "relu":
        return np.where(x > 0, 1.0, 0.0)
    if name == "leaky_relu":
        return np.where(x > 0, 1.0, alpha)
    if name == "elu":
        return np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0)))
    if name == "sigmoid":
        return 1 / (1 + np.exp(-x)) / (1 + np.exp(x))
    if name == "tanh":
        return 1 / np.cosh(x) ** 2
    if name == "softplus":
        return 1 / (1 + np.exp(-x))
    if name == "softsign":
        return 1 / (1 + np.abs(x)) ** 2
    if name == "arctan":
        return 1 / (1 + x * x)
    if name == "binary_step":
        return np.zeros_like(x)
    if name == "relu6":
        return np.where((x > 0) & (x < 6), 1.0, 0.0)
    raise ValueError(name)


def each(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """One number for each axis."""
    values = (value,) if isinstance(value, int) else tuple(value)
    return values * axes if len(values) == 1 else values


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Keras' rule: as many outputs as the stride fits into the input, an odd cell of padding at the end."""
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def groups_of(groups: int, *channels: int) -> Iterator[tuple[slice, ...]]:
    """The slice of each of the counts of channels that belongs to each group."""
    for g in range(groups):
        yield tuple(slice(g * c // groups, (g + 1) * c // groups) for c in channels)


def cells(kernel: Sequence[int], dilation: Sequence[int], strides: Sequence[int], count: Sequence[int]):
    """Each cell of a kernel, and the slices (batch and axes) of a padded image that it meets at `count` places."""
    for cell in itertools.product(*map(range, kernel)):
        firsts = [t * d for t, d in zip(cell, dilation, strict=True)]
        axes = zip(firsts, strides, count, strict=True)
        yield cell, (slice(None), *(slice(first, first + n * s - s + 1 if n else first, s) for first, s, n in axes))


def summed_outer(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The sum over all pixels of the products of the channels of one with those of the other."""
    pixels = tuple(range(a.ndim - 1))
    return np.tensordot(a, b, (pixels, pixels))


class Geometry:
    """What a window sees: for each kernel cell, the slices of the padded image that meet the outputs."""

    def __init__(self, x, w, strides, padding, pads, dilation, groups) -> None:
        axes = x.ndim - 2
        self.size, self.kernel = x.shape[1:-1], w.shape[:-2]
        self.strides, self.dilation = each(strides, axes), each(dilation, axes)
        self.channels = list(groups_of(groups, x.shape[-1], w.shape[-1]))
        if padding == "explicit":
            self.pads = list(zip(pads[:axes], pads[axes:], strict=True))
        elif padding == "same":
            rows = zip(self.size, self.kernel, self.strides, self.dilation, strict=True)
            self.pads = [same_padding(*row) for row in rows]
        else:
            self.pads = [(0, 0)] * axes
        rows = zip(self.size, self.kernel, self.strides, self.dilation, self.pads, strict=True)
        self.out = tuple((n + sum(p) - d * (k - 1) - 1) // s + 1 for n, k, s, d, p in rows)

    def padded(self, x: np.ndarray) -> np.ndarray:
        return np.pad(x, ((0, 0), *self.pads, (0, 0)))

    def cells(self):
        return cells(self.kernel, self.dilation, self.strides, self.out)

    def unpadded(self, x: np.ndarray) -> np.ndarray:
        rows = zip(self.pads, self.size, strict=True)
        return x[(slice(None), *(slice(before, before + n) for (before, _), n in rows))]


def correlate(x, w, b, strides, padding, pads, dilation, groups):
    """The convolution before its activation."""
    g = Geometry(x, w, strides, padding, pads, dilation, groups)
    padded, z = g.padded(x), np.zeros((len(x), *g.out, w.shape[-1]))
    for cell, seen in g.cells():
        for ins, outs in g.channels:
            z[..., outs] += padded[(*seen, ..., ins)] @ w[cell][:, outs]
    return z if b is None else z + b


def conv(
    x,
    w,
    b=None,
    r=None,
    *,
    strides=(1,),
    padding="valid",
    pads=(),
    dilation=(1,),
    groups=1,
    activation="linear",
    alpha=0.0,
    algorithm="auto",
):
    """x (n, h, w, c), w (kh, kw, c / groups, oc), b (oc), r (n, oh, ow, oc) -> (n, oh, ow, oc): y = act(z),
    z[n, o, p, k] = b[k] + r[n, o, p, k] + sum of x[n, sh o + dh i - top, sw p + dw j - left, c] w[i, j, c, k]
    over i < kh, j < kw and the channels c of k's group; (sh, sw) = strides, (dh, dw) = dilation; x is 0 outside.
    oh = floor((h + top + bottom - dh (kh - 1) - 1) / sh) + 1, ow likewise. Explicit padding is pads = top, left,
    bottom, right; valid none; same what makes oh = ceil(h / sh), an odd cell of it at the end.
    x may as well be (n, w, c) or (n, d, h, w, c), and w, r, y, strides, dilation and pads have an axis less or more.
    act is the op that `activation` names, with its alpha; linear is z, relu6 min(max(z, 0), 6).
    `algorithm` is how the sum is computed; it changes roundings only.
    """
    z = correlate(x, w, b, strides, padding, pads, dilation, groups)
    return activate(activation, z if r is None else z + r, alpha)


def conv_backward(
    dy,
    x,
    w,
    b=None,
    r=None,
    *,
    strides=(1,),
    padding="valid",
    pads=(),
    dilation=(1,),
    groups=1,
    activation="linear",
    alpha=0.0,
    algorithm="auto",
):
    """dz = dy act'(z): at 0 the slope of the left side; of relu6 at 6, of binary_step anywhere 0
    dx[n, sh o + dh i - top, sw p + dw j - left, c] = sum of dz[n, o, p, k] w[i, j, c, k] over all o, p, i, j, k there
    dw[i, j, c, k] = sum over n, o, p of dz[n, o, p, k] x[n, sh o + dh i - top, sw p + dw j - left, c]
    db[k] = sum over n, o, p of dz[n, o, p, k]        dr = dz
    """
    z = correlate(x, w, b, strides, padding, pads, dilation, groups)
    if r is not None:
        z = z + r
    dz = dy * activation_slope(activation, z, alpha)
    g = Geometry(x, w, strides, padding, pads, dilation, groups)
    padded, dw = g.padded(x), np.zeros_like(w)
    dpadded = np.zeros_like(padded)
    for cell, seen in g.cells():
        for ins, outs in g.channels:
            # Each output is a sum of products x w: what it receives goes to x times w, and to w times x.
            dpadded[(*seen, ..., ins)] += dz[..., outs] @ w[cell][:, outs].T
            dw[cell][:, outs] = summed_outer(padded[(*seen, ..., ins)], dz[..., outs])
    db = None if b is None else dz.sum(tuple(range(dz.ndim - 1)))
    gradients = (g.unpadded(dpadded), dw, db)
    return gradients if r is None else (*gradients, dz)


class Canvas:
    """Where the kernels of a transposed convolution are laid, and the part of it that is the output.

    The canvas has the cells that some kernel covers, `(n - 1) s + reach` along an axis. The output begins `before`
    cells after it does, and may end earlier or later.
    """

    def __init__(self, x, w, strides, padding, pads, dilation, groups, output_padding) -> None:
        axes = x.ndim - 2
        self.kernel, self.count = w.shape[:-2], x.shape[1:-1]
        self.strides, self.dilation = each(strides, axes), each(dilation, axes)
        oc = w.shape[-2] * groups
        self.channels = list(groups_of(groups, x.shape[-1], oc))
        extras = (None,) * axes if output_padding == () else each(output_padding, axes)
        self.before, self.size, canvas = [], [], []
        for i, (n, k, s, d, extra) in enumerate(
            zip(self.count, self.kernel, self.strides, self.dilation, extras, strict=True)
        ):
            reach = (k - 1) * d + 1
            if padding == "same":  # as Keras has it
                size = n * s if extra is None else (n - 1) * s + reach % 2 + extra
                before = max((n - 1) * s + reach - size, 0) // 2
            elif padding == "valid":
                size, before = (n - 1) * s + (max(reach, s) if extra is None else reach + extra), 0
            else:
                before = pads[i]
                size = (n - 1) * s + reach - before - pads[axes + i] + (extra or 0)
            self.before.append(before)
            self.size.append(size if n else 0)
            canvas.append(max((n - 1) * s + reach, before + self.size[i]))
        self.shape = (len(x), *canvas, oc)
        rows = zip(self.before, self.size, strict=True)
        self.output = (slice(None), *(slice(first, first + size) for first, size in rows))

    def cells(self):
        return cells(self.kernel, self.dilation, self.strides, self.count)


def lay(x, w, b, canvas: Canvas):
    """The transposed convolution before its activation."""
    z = np.zeros(canvas.shape)
    for cell, seen in canvas.cells():
        for ins, outs in canvas.channels:
            z[(*seen, ..., outs)] += x[..., ins] @ w[cell][:, ins].T
    return z[canvas.output] if b is None else z[canvas.output] + b


def conv_transpose(
    x,
    w,
    b=None,
    r=None,
    *,
    strides=(1,),
    padding="valid",
    pads=(),
    dilation=(1,),
    groups=1,
    activation="linear",
    alpha=0.0,
    algorithm="auto",
    output_padding=(),
):
    """x (n, h, w, c), w (kh, kw, oc / groups, c), b (oc), r (n, oh, ow, oc) -> (n, oh, ow, oc): y = act(z),
    z[n, o, p, k] = b[k] + r[n, o, p, k] + sum of x[n, i, j, c] w[s, t, k, c] over the channels c of k's group and all
    i, j, s, t with sh i + dh s - top = o and sw j + dw t - left = p; (sh, sw) = strides, (dh, dw) = dilation.
    With reach = dh (kh - 1) + 1 and output_padding e, oh is, and ow likewise:
    valid: (h - 1) sh + reach + e, without e (h - 1) sh + max(reach, sh); top = left = 0
    explicit, pads = top, left, bottom, right: (h - 1) sh + reach - top - bottom + e, without e as with 0
    same: (h - 1) sh + reach mod 2 + e, without e h sh; top = floor(max((h - 1) sh + reach - oh, 0) / 2)
    x may as well be (n, w, c) or (n, d, h, w, c), and w, r, y and the lists have an axis less or more.
    act is the op that `activation` names, with its alpha; linear is z, relu6 min(max(z, 0), 6).
    `algorithm` is how the sum is computed; it changes roundings only.
    """
    z = lay(x, w, b, Canvas(x, w, strides, padding, pads, dilation, groups, output_padding))
    return activate(activation, z if r is None else z + r, alpha)


def conv_transpose_backward(
    dy,
    x,
    w,
    b=None,
    r=None,
    *,
    strides=(1,),
    padding="valid",
    pads=(),
    dilation=(1,),
    groups=1,
    activation="linear",
    alpha=0.0,
    algorithm="auto",
    output_padding=(),
):
    """dz = dy act'(z): at 0 the slope of the left side; of relu6 at 6, of binary_step anywhere 0
    dx[n, i, j, c] = sum of dz[n, sh i + dh s - top, sw j + dw t - left, k] w[s, t, k, c] over s, t, k
    dw[s, t, k, c] = sum over n, i, j of dz[n, sh i + dh s - top, sw j + dw t - left, k] x[n, i, j, c]
    db[k] = sum over n, o, p of dz[n, o, p, k]        dr = dz
    """
    canvas = Canvas(x, w, strides, padding, pads, dilation, groups, output_padding)
    z = lay(x, w, b, canvas)
    dz = dy * activation_slope(activation, z if r is None else z + r, alpha)
    whole, dx, dw = np.zeros(canvas.shape), np.zeros_like(x), np.zeros_like(w)
    whole[canvas.output] = dz
    for cell, seen in canvas.cells():
        for ins, outs in canvas.channels:
            dx[..., ins] += whole[(*seen, ..., outs)] @ w[cell][:, ins]
            dw[cell][:, ins] = summed_outer(whole[(*seen, ..., outs)], x[..., ins])
    db = None if b is None else dz.sum(tuple(range(dz.ndim - 1)))
    return (dx, dw, db) if r is None else (dx, dw, db, dz)


def dense(x, w, b=None, *, activation="linear", alpha=0.0):
    """x (..., k), w (k, m), b (m) -> (..., m): y = act(x w + b), x of rank 2 or more.
    act is the op that `activation` names, with its alpha; linear is x w + b itself, relu6 min(max(x w + b, 0), 6).
    """
    z = x @ w
    return activate(activation, z if b is None else z + b, alpha)


def dense_backward(dy, x, w, b=None, *, activation="linear", alpha=0.0):
    """dz = dy act'(x w + b): at 0 the slope of the left side; of relu6 at 6, of binary_step anywhere 0
    dx = dz w^T        dw = x^T dz        db = sum of dz        the last two over all axes but the last
    """
    z = x @ w
    dz = dy * activation_slope(activation, z if b is None else z + b, alpha)
    rows = dz.reshape(-1, w.shape[1])
    return dz @ w.T, x.reshape(len(rows), w.shape[0]).T @ rows, None if b is None else rows.sum(0)


def swap(a: np.ndarray, transpose: bool) -> np.ndarray:
    return np.swapaxes(a, -1, -2) if transpose and a.ndim > 1 else a


def matmul(a, b, *, transpose_a=False, transpose_b=False):
    """(..., m, k), (..., k, n) -> (..., m, n), leading axes broadcast: y = A B, products over the last two axes.
    A is a, transposed (its last two axes exchanged) if transpose_a; B likewise. The shapes are those of A and B.
    An input of rank 1 is a row as a and a column as b, is not transposed, and y does not have its axis of size 1.
    """
    return np.matmul(swap(a, transpose_a), swap(b, transpose_b))


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sums over the axes along which `shape` was repeated."""
    gradient = gradient.sum(tuple(range(gradient.ndim - len(shape))))
    repeated = tuple(i for i, size in enumerate(shape) if size == 1 and gradient.shape[i] != 1)
    return gradient.sum(repeated, keepdims=True)


def matmul_backward(dy, a, b, *, transpose_a=False, transpose_b=False):
    """da = dy B^T, or B dy^T if transpose_a        db = A^T dy, or dy^T A if transpose_b
    each summed over the axes along which it was repeated.
    """
    left, right = swap(a, transpose_a), swap(b, transpose_b)
    rows = left[None, :] if a.ndim == 1 else left
    columns = right[:, None] if b.ndim == 1 else right
    if b.ndim == 1:
        dy = dy[..., None]
    if a.ndim == 1:
        dy = dy[..., None, :]
    da, db = dy @ np.swapaxes(columns, -1, -2), np.swapaxes(rows, -1, -2) @ dy
    if a.ndim > 1:
        da = swap(da, transpose_a)
    else:
        da = da.reshape(-1, a.size).sum(0)
    db = swap(db, transpose_b) if b.ndim > 1 else db.reshape(-1, b.size).sum(0)
    return unbroadcast(da, a.shape), unbroadcast(db, b.shape)
