"""Losses: y_true and y_pred in, one number per sample out (the last axis is reduced)."""

import numpy as np

# The bounds of probabilities are float32 numbers: 1 - 1e-7 becomes 1 - 2**-23, whose distance to 1 is not 1e-7.
LOW = float(np.float32(1e-7))
HIGH = float(np.float32(1) - np.float32(1e-7))


def mean_over_last(dy, gradient):
    return dy[..., None] * gradient / gradient.shape[-1]


def mean_squared_error(t, p):
    """y_true t (..., c), y_pred p (..., c) -> (...): y = mean of (p - t)^2 over the last axis."""
    return np.mean((p - t) ** 2, -1)


def mean_squared_error_backward(dy, t, p):
    """dp = 2 dy (p - t) / c        dt = -dp"""
    dp = mean_over_last(dy, 2 * (p - t))
    return -dp, dp


def mean_absolute_error(t, p):
    """y_true t (..., c), y_pred p (..., c) -> (...): y = mean of |p - t| over the last axis."""
    return np.mean(np.abs(p - t), -1)


def mean_absolute_error_backward(dy, t, p):
    """dp = dy sign(p - t) / c, sign(0) = 0        dt = -dp"""
    dp = mean_over_last(dy, np.sign(p - t))
    return -dp, dp


def l1_loss(t, p):
    """y_true t (..., c), y_pred p (..., c) -> (...): y = sum of |p - t| over the last axis."""
    return np.sum(np.abs(p - t), -1)


def l1_loss_backward(dy, t, p):
    """dp = dy sign(p - t), sign(0) = 0        dt = -dp"""
    dp = dy[..., None] * np.sign(p - t)
    return -dp, dp


def l2_loss(t, p):
    """y_true t (..., c), y_pred p (..., c) -> (...): y = sum of (p - t)^2 over the last axis."""
    return np.sum((p - t) ** 2, -1)


def l2_loss_backward(dy, t, p):
    """dp = 2 dy (p - t)        dt = -dp"""
    dp = dy[..., None] * 2 * (p - t)
    return -dp, dp


def mean_squared_logarithmic_error(t, p):
    """y_true t (..., c), y_pred p (..., c) -> (...): y = mean of (log(1 + P) - log(1 + T))^2 over the last axis.
    P = max(p, 1e-7), T = max(t, 1e-7)
    """
    return np.mean((np.log(np.maximum(p, LOW) + 1) - np.log(np.maximum(t, LOW) + 1)) ** 2, -1)


def mean_squared_logarithmic_error_backward(dy, t, p):
    """With d = log(1 + P) - log(1 + T):
    dp = 2 dy d / (1 + P) / c, 0 where p < 1e-7        dt = -2 dy d / (1 + T) / c, 0 where t < 1e-7
    """
    d = 2 * (np.log(np.maximum(p, LOW) + 1) - np.log(np.maximum(t, LOW) + 1))
    dt, dp = np.where(t >= LOW, -d / (1 + t), 0), np.where(p >= LOW, d / (1 + p), 0)
    return mean_over_last(dy, dt), mean_over_last(dy, dp)


def mean_absolute_percentage_error(t, p):
    """y_true t (..., c), y_pred p (..., c) -> (...): y = 100 mean of |p - t| / T over the last axis.
    T = max(|t|, 1e-7)
    """
    return 100 * np.mean(np.abs(p - t) / np.maximum(np.abs(t), LOW), -1)


def mean_absolute_percentage_error_backward(dy, t, p):
    """dp = 100 dy sign(p - t) / T / c, sign(0) = 0
    dt = -dp - 100 dy |p - t| sign(t) / T^2 / c, the second term only where |t| > 1e-7
    """
    whole, sign = np.maximum(np.abs(t), LOW), np.sign(p - t)
    dt = -sign / whole - np.where(np.abs(t) > LOW, np.abs(p - t) * np.sign(t) / whole**2, 0)
    return mean_over_last(dy, 100 * dt), mean_over_last(dy, 100 * sign / whole)


def hinge(t, p):
    """y_true t (..., c), y_pred p (..., c) -> (...): y = mean of max(1 - s p, 0) over the last axis.
    s = t; if every number in y_true is 0 or 1, s = 2 t - 1.
    """
    return np.mean(np.maximum(1 - hinge_labels(t)[0] * p, 0), -1)


def hinge_backward(dy, t, p):
    """dp = -dy s / c        dt = -dy p (ds/dt) / c, ds/dt = 1 or 2        both 0 where s p >= 1"""
    s, slope = hinge_labels(t)
    active = s * p < 1
    return mean_over_last(dy, np.where(active, -p * slope, 0)), mean_over_last(dy, np.where(active, -s, 0))


def hinge_labels(t):
    """Labels as -1 and 1, and their slope by t."""
    return (2 * t - 1, 2) if np.all((t == 0) | (t == 1)) else (t, 1)


def kl_divergence(t, p):
    """y_true t (..., c), y_pred p (..., c) -> (...): y = sum of T log(T / P) over the last axis.
    T and P are t and p clipped to [1e-7, 1].
    """
    t, p = np.clip(t, LOW, 1), np.clip(p, LOW, 1)
    return np.sum(t * np.log(t / p), -1)


def kl_divergence_backward(dy, t, p):
    """dp = -dy T / P, 0 where p was clipped        dt = dy (log(T / P) + 1), 0 where t was clipped"""
    tc, pc = np.clip(t, LOW, 1), np.clip(p, LOW, 1)
    dt = np.where(tc == t, np.log(tc / pc) + 1, 0)
    dp = np.where(pc == p, -tc / pc, 0)
    return dy[..., None] * dt, dy[..., None] * dp


def binary_crossentropy(t, p, *, from_logits=False, label_smoothing=0.0):
    """y_true t (..., c), y_pred p (..., c) -> (...): y = mean of -z log q - (1 - z) log(1 - q) over the last axis.
    z = t (1 - label_smoothing) + label_smoothing / 2
    q is p clipped to [1e-7, 1 - 1e-7]; from_logits: q = 1 / (1 + e^-p), computed so that nothing overflows.
    """
    z = t * (1 - label_smoothing) + label_smoothing / 2
    if from_logits:
        return np.mean(z * np.logaddexp(0, -p) + (1 - z) * np.logaddexp(0, p), -1)
    q = np.clip(p, LOW, HIGH)
    return np.mean(-z * np.log(q) - (1 - z) * np.log1p(-q), -1)


def binary_crossentropy_backward(dy, t, p, *, from_logits=False, label_smoothing=0.0):
    """dp = dy (q - z) / (q (1 - q)) / c, 0 where p was clipped; from_logits: dp = dy (q - z) / c
    dt = dy (1 - label_smoothing) (log(1 - q) - log q) / c
    """
    z = t * (1 - label_smoothing) + label_smoothing / 2
    if from_logits:
        dz, dp = -p, (1 + np.tanh(p / 2)) / 2 - z
    else:
        q = np.clip(p, LOW, HIGH)
        dz, dp = np.log1p(-q) - np.log(q), np.where(p == q, (1 - z) / (1 - q) - z / q, 0)
    return mean_over_last(dy, dz * (1 - label_smoothing)), mean_over_last(dy, dp)


def categorical_crossentropy(t, p, *, from_logits=False, label_smoothing=0.0, axis=-1):
    """y_true t (..., c), y_pred p (..., c) -> (...): y = -sum of z log q over the c classes along `axis`.
    z = t (1 - label_smoothing) + label_smoothing / c; a class whose z is 0 adds nothing, even if its q is 0.
    q = p / (sum of p), clipped to [1e-7, 1 - 1e-7]; from_logits: q = softmax(p), not clipped.
    """
    z = t * (1 - label_smoothing) + label_smoothing / p.shape[axis]
    return -np.sum(z * log_probabilities(p, from_logits, axis), axis)


def categorical_crossentropy_backward(dy, t, p, *, from_logits=False, label_smoothing=0.0, axis=-1):
    """dp = dy (g - sum of g q) / (sum of p), g = -z / q, 0 where q was clipped; from_logits: dp = dy (q (sum of z) - z)
    dt = -dy (1 - label_smoothing) log q
    """
    z = t * (1 - label_smoothing) + label_smoothing / p.shape[axis]
    dy = np.expand_dims(dy, axis)
    dt = -dy * (1 - label_smoothing) * log_probabilities(p, from_logits, axis)
    if from_logits:
        return dt, dy * (np.exp(log_probabilities(p, True, axis)) * z.sum(axis, keepdims=True) - z)
    total = p.sum(axis, keepdims=True)
    q = p / total
    dq = np.where((q >= LOW) & (q <= HIGH), -z / np.maximum(q, LOW), 0)
    return dt, dy * (dq - np.sum(dq * q, axis, keepdims=True)) / total


def log_probabilities(p, from_logits, axis):
    if from_logits:
        return p - np.logaddexp.reduce(p, axis, keepdims=True)
    return np.log(np.clip(p / p.sum(axis, keepdims=True), LOW, HIGH))


def sparse_categorical_crossentropy(t, p, *, from_logits=False):
    """y_true t (...) or (..., 1), y_pred p (..., c) -> (...): y = -log q[t], t the number of the class, from 0.
    q = p / (sum of p), clipped to [1e-7, 1 - 1e-7]; from_logits: q = softmax(p), not clipped.
    A t that is no class ends the run with an error.
    """
    labels = t.reshape(p.shape[:-1])
    return categorical_crossentropy(_one_hot(labels, p.shape[-1]), p, from_logits=from_logits)


def sparse_categorical_crossentropy_backward(dy, t, p, *, from_logits=False):
    """With [i = t], 1 where i = t, else 0:
    dp[i] = dy (1 - [i = t] / q[t]) / (sum of p), all 0 if q[t] was clipped; from_logits: dp[i] = dy (q[i] - [i = t])
    y_true gets none.
    """
    labels = t.reshape(p.shape[:-1])
    return None, categorical_crossentropy_backward(dy, _one_hot(labels, p.shape[-1]), p, from_logits=from_logits)[1]


def _one_hot(labels, classes):
    return (labels[..., None] == np.arange(classes)).astype(np.float64)


def weight_penalty(w, *, l1=0.0, l2=0.0):
    """(...) -> (): y = l1 (sum of |w|) + l2 (sum of w^2); l1 >= 0, l2 >= 0."""
    return l1 * np.sum(np.abs(w)) + l2 * np.sum(w**2)


def weight_penalty_backward(dy, w, *, l1=0.0, l2=0.0):
    """dw = dy (l1 sign(w) + 2 l2 w), sign(0) = 0"""
    return (dy * (l1 * np.sign(w) + 2 * l2 * w),)
