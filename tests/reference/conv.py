"""Convolution, dense and matmul: in NumPy and float64, loops over the kernel's cells, one matrix product for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def activate(name: str, x: np.ndarray, alpha: float) -> np.ndarray:
    """The fused activations, as a textbook writes them."""
    if name == "linear":
        return x
    if name == "relu":
        return np.where(x > 0, x, 0)
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
        return np.where(x >= 0, 1.0, 0.0)
    if name == "relu6":
        return np.clip(x, 0, 6)
    raise ValueError(name)


def activation_slope(name: str, x: np.ndarray, alpha: float) -> np.ndarray:
    """Their derivatives, from x (the C core tells them from y)."""
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


def pair(value: int | Sequence[int]) -> tuple[int, int]:
    values = (value,) if isinstance(value, int) else tuple(value)
    return values * 2 if len(values) == 1 else values


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Keras' rule: as many outputs as the stride fits into the input, an odd cell of padding at the end."""
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2


class Geometry:
    """What a window sees: for each kernel cell, the slice of the padded image that meets the outputs."""

    def __init__(self, x, w, strides, padding, pads, dilation, groups) -> None:
        self.n, self.h, self.w, self.c = x.shape
        self.kh, self.kw, self.depth, self.oc = w.shape
        self.stride, self.dilation, self.groups = pair(strides), pair(dilation), groups
        if padding == "explicit":
            top, left, bottom, right = pads
        elif padding == "same":
            top, bottom = same_padding(self.h, self.kh, self.stride[0], self.dilation[0])
            left, right = same_padding(self.w, self.kw, self.stride[1], self.dilation[1])
        else:
            top = left = bottom = right = 0
        self.pad = ((0, 0), (top, bottom), (left, right), (0, 0))
        self.oh = (self.h + top + bottom - self.dilation[0] * (self.kh - 1) - 1) // self.stride[0] + 1
        self.ow = (self.w + left + right - self.dilation[1] * (self.kw - 1) - 1) // self.stride[1] + 1

    def padded(self, x: np.ndarray) -> np.ndarray:
        return np.pad(x, self.pad)

    def cells(self):
        """(ty, tx, rows, columns) of each kernel cell."""
        for ty in range(self.kh):
            for tx in range(self.kw):
                first_y, first_x = ty * self.dilation[0], tx * self.dilation[1]
                rows = slice(first_y, first_y + (self.oh - 1) * self.stride[0] + 1, self.stride[0])
                columns = slice(first_x, first_x + (self.ow - 1) * self.stride[1] + 1, self.stride[1])
                yield ty, tx, rows, columns

    def channels(self):
        """(input channels, output channels) of each group."""
        for g in range(self.groups):
            yield (
                slice(g * self.depth, (g + 1) * self.depth),
                slice(g * self.oc // self.groups, (g + 1) * self.oc // self.groups),
            )


def correlate(x, w, b, strides, padding, pads, dilation, groups):
    """The convolution before its activation."""
    g = Geometry(x, w, strides, padding, pads, dilation, groups)
    padded, z = g.padded(x), np.zeros((g.n, g.oh, g.ow, g.oc))
    for ty, tx, rows, columns in g.cells():
        for ins, outs in g.channels():
            z[..., outs] += padded[:, rows, columns, ins] @ w[ty, tx, :, outs]
    return z if b is None else z + b


def conv2d(
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
    act is the op that `activation` names, with its alpha; linear is z, relu6 min(max(z, 0), 6).
    `algorithm` is how the sum is computed; it changes roundings only.
    """
    z = correlate(x, w, b, strides, padding, pads, dilation, groups)
    return activate(activation, z if r is None else z + r, alpha)


def conv2d_backward(
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
    for ty, tx, rows, columns in g.cells():
        for ins, outs in g.channels():
            # Each output is a sum of products x w: what it receives goes to x times w, and to w times x.
            dpadded[:, rows, columns, ins] += dz[..., outs] @ w[ty, tx, :, outs].T
            dw[ty, tx, :, outs] = np.einsum("nhwi,nhwo->io", padded[:, rows, columns, ins], dz[..., outs])
    (_, _), (top, _), (left, _), (_, _) = g.pad
    dx = dpadded[:, top : top + g.h, left : left + g.w]
    db = None if b is None else dz.sum((0, 1, 2))
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
