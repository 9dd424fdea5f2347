"""Means by attention: in NumPy and float64, from whole matrices of scores."""

import numpy as np


def scores(query, key, scale):
    return scale * query @ np.swapaxes(key, -1, -2)


def weights_of(s, activation):
    if activation == "softmax":
        e = np.exp(s - s.max(-1, keepdims=True)) if s.shape[-1] else s
        return e / e.sum(-1, keepdims=True)
    return (np.maximum(s, 0) if activation == "relu" else s) / max(s.shape[-1], 1)


def attention(query, key, value, *, scale=1.0, activation="softmax"):
    """(..., tq, d), (..., tk, d), (..., tk, dv) -> (..., tq, dv): y = p v, with s = scale q k^T over the last two axes
    and p the softmax of each row of s; or s / tk (linear), or max(s, 0) / tk (relu).
    """
    return weights_of(scores(query, key, scale), activation) @ value


def attention_backward(dy, query, key, value, *, scale=1.0, activation="softmax"):
    """dv = p^T dy        dq = scale ds k        dk = scale ds^T q
    where dp = dy v^T and ds = p (dp - the sum of p dp over its row); or dp / tk, or that where s > 0.
    """
    s = scores(query, key, scale)
    p, dp = weights_of(s, activation), dy @ np.swapaxes(value, -1, -2)
    if activation == "softmax":
        ds = p * (dp - (p * dp).sum(-1, keepdims=True))
    else:
        ds = dp / max(s.shape[-1], 1) * ((s > 0) if activation == "relu" else 1)
    return scale * ds @ key, scale * np.swapaxes(ds, -1, -2) @ query, np.swapaxes(p, -1, -2) @ dy
