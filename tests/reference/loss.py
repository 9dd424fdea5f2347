"""Losses: y_true and y_pred in, one number per sample out (the last axis is reduced)."""

import numpy as np

# The bounds of probabilities are float32 numbers: 1 - 1e-7 becomes 1 - 2**-23, whose distance to 1 is not 1e-7.
LOW = float(np.float32(1e-7))
HIGH = float(np.float32(1) - np.float32(1e-7))


def mean_over_last(dy, gradient):
    return dy[..., None] * gradient / gradient.shape[-1]


def mean_squared_error(t, p):
    return np.mean((p - t) ** 2, -1)


def mean_squared_error_backward(dy, t, p):
    dp = mean_over_last(dy, 2 * (p - t))
    return -dp, dp


def mean_absolute_error(t, p):
    return np.mean(np.abs(p - t), -1)


def mean_absolute_error_backward(dy, t, p):
    dp = mean_over_last(dy, np.sign(p - t))
    return -dp, dp


def l1_loss(t, p):
    return np.sum(np.abs(p - t), -1)


def l1_loss_backward(dy, t, p):
    dp = dy[..., None] * np.sign(p - t)
    return -dp, dp


def l2_loss(t, p):
    return np.sum((p - t) ** 2, -1)


def l2_loss_backward(dy, t, p):
    dp = dy[..., None] * 2 * (p - t)
    return -dp, dp


def mean_squared_logarithmic_error(t, p):
    return np.mean((np.log(np.maximum(p, LOW) + 1) - np.log(np.maximum(t, LOW) + 1)) ** 2, -1)


def mean_squared_logarithmic_error_backward(dy, t, p):
    d = 2 * (np.log(np.maximum(p, LOW) + 1) - np.log(np.maximum(t, LOW) + 1))
    dt, dp = np.where(t >= LOW, -d / (1 + t), 0), np.where(p >= LOW, d / (1 + p), 0)
    return mean_over_last(dy, dt), mean_over_last(dy, dp)


def mean_absolute_percentage_error(t, p):
    return 100 * np.mean(np.abs(p - t) / np.maximum(np.abs(t), LOW), -1)


def mean_absolute_percentage_error_backward(dy, t, p):
    whole, sign = np.maximum(np.abs(t), LOW), np.sign(p - t)
    dt = -sign / whole - np.where(np.abs(t) > LOW, np.abs(p - t) * np.sign(t) / whole**2, 0)
    return mean_over_last(dy, 100 * dt), mean_over_last(dy, 100 * sign / whole)


def hinge(t, p):
    return np.mean(np.maximum(1 - hinge_labels(t) * p, 0), -1)


def hinge_backward(dy, t, p):
    s = hinge_labels(t)
    active = s * p < 1
    return mean_over_last(dy, np.where(active, -p, 0)), mean_over_last(dy, np.where(active, -s, 0))


def hinge_labels(t):
    return 2 * t - 1 if np.all((t == 0) | (t == 1)) else t


def kl_divergence(t, p):
    t, p = np.clip(t, LOW, 1), np.clip(p, LOW, 1)
    return np.sum(t * np.log(t / p), -1)


def kl_divergence_backward(dy, t, p):
    tc, pc = np.clip(t, LOW, 1), np.clip(p, LOW, 1)
    dt = np.where(tc == t, np.log(tc / pc) + 1, 0)
    dp = np.where(pc == p, -tc / pc, 0)
    return dy[..., None] * dt, dy[..., None] * dp


def binary_crossentropy(t, p, *, from_logits=False, label_smoothing=0.0):
    z = t * (1 - label_smoothing) + label_smoothing / 2
    if from_logits:
        return np.mean(z * np.logaddexp(0, -p) + (1 - z) * np.logaddexp(0, p), -1)
    q = np.clip(p, LOW, HIGH)
    return np.mean(-z * np.log(q) - (1 - z) * np.log1p(-q), -1)


def binary_crossentropy_backward(dy, t, p, *, from_logits=False, label_smoothing=0.0):
    z = t * (1 - label_smoothing) + label_smoothing / 2
    if from_logits:
        dz, dp = -p, (1 + np.tanh(p / 2)) / 2 - z
    else:
        q = np.clip(p, LOW, HIGH)
        dz, dp = np.log1p(-q) - np.log(q), np.where(p == q, (1 - z) / (1 - q) - z / q, 0)
    return mean_over_last(dy, dz * (1 - label_smoothing)), mean_over_last(dy, dp)


def categorical_crossentropy(t, p, *, from_logits=False, label_smoothing=0.0, axis=-1):
    z = t * (1 - label_smoothing) + label_smoothing / p.shape[axis]
    return -np.sum(z * log_probabilities(p, from_logits, axis), axis)


def categorical_crossentropy_backward(dy, t, p, *, from_logits=False, label_smoothing=0.0, axis=-1):
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
    labels = t.reshape(p.shape[:-1])
    return categorical_crossentropy(_one_hot(labels, p.shape[-1]), p, from_logits=from_logits)


def sparse_categorical_crossentropy_backward(dy, t, p, *, from_logits=False):
    labels = t.reshape(p.shape[:-1])
    return None, categorical_crossentropy_backward(dy, _one_hot(labels, p.shape[-1]), p, from_logits=from_logits)[1]


def _one_hot(labels, classes):
    return (labels[..., None] == np.arange(classes)).astype(np.float64)


def weight_penalty(w, *, l1=0.0, l2=0.0):
    return l1 * np.sum(np.abs(w)) + l2 * np.sum(w**2)


def weight_penalty_backward(dy, w, *, l1=0.0, l2=0.0):
    return (dy * (l1 * np.sign(w) + 2 * l2 * w),)
