"""Activations: each by its textbook formula, derivatives from x."""

import math

import numpy as np


def relu(x):
    """(...) -> (...): y = max(x, 0). A NaN stays one."""
    return np.maximum(x, 0)


def relu_backward(dy, x):
    """dx = dy where x > 0, else 0: the slope at 0 is 0"""
    return (dy * (x > 0),)


def leaky_relu(x, *, alpha=0.2):
    """(...) -> (...): y = x where x > 0, else alpha x; alpha >= 0. A NaN stays one."""
    return np.where(x > 0, x, alpha * x)


def leaky_relu_backward(dy, x, *, alpha=0.2):
    """dx = dy where x > 0, else alpha dy: the slope at 0 is alpha"""
    return (dy * np.where(x > 0, 1, alpha),)


def elu(x, *, alpha=1.0):
    """(...) -> (...): y = x where x > 0, else alpha (e^x - 1); alpha >= 0. A NaN stays one."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_backward(dy, x, *, alpha=1.0):
    """dx = dy where x > 0, else alpha e^x dy: the slope at 0 is alpha"""
    return (dy * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0))),)


def sigmoid(x):
    """(...) -> (...): y = 1 / (1 + e^-x)."""
    return 1 / (1 + np.exp(-x))


def sigmoid_backward(dy, x):
    """dx = dy y (1 - y)"""
    return (dy * np.exp(-x) / (1 + np.exp(-x)) ** 2,)


def tanh(x):
    """(...) -> (...): y = tanh x."""
    return np.tanh(x)


def tanh_backward(dy, x):
    """dx = dy (1 - y^2)"""
    return (dy / np.cosh(x) ** 2,)


def arctan(x):
    """(...) -> (...): y = arctan x."""
    return np.arctan(x)


def arctan_backward(dy, x):
    """dx = dy / (1 + x^2)"""
    return (dy / (1 + x**2),)


def softplus(x):
    """(...) -> (...): y = log(1 + e^x)."""
    return np.logaddexp(0, x)


def softplus_backward(dy, x):
    """dx = dy / (1 + e^-x)"""
    return (dy * sigmoid(x),)


def softsign(x):
    """(...) -> (...): y = x / (1 + |x|)."""
    return x / (1 + np.abs(x))


def softsign_backward(dy, x):
    """dx = dy / (1 + |x|)^2"""
    return (dy / (1 + np.abs(x)) ** 2,)


def binary_step(x):
    """(...) -> (...): y = 1 where x >= 0, else 0. A NaN stays one."""
    return np.where(np.isnan(x), x, x >= 0)


def hard_sigmoid(x):
    """(...) -> (...): y = min(max(x + 3, 0), 6) / 6."""
    return np.clip(x + 3, 0, 6) / 6


def hard_sigmoid_backward(dy, x):
    """dx = dy / 6 where 0 < y < 1, else 0"""
    return (dy * (np.abs(x) < 3) / 6,)


def softmax(x, *, axis=-1):
    """(...) -> (...): y = e^(x - m) / sum of e^(x - m), along `axis`.
    m is the largest x of the sum, so that nothing overflows. A NaN makes all of its sum's y NaN.
    """
    exponentials = np.exp(x - x.max(axis, keepdims=True))
    return exponentials / exponentials.sum(axis, keepdims=True)


def softmax_backward(dy, x, *, axis=-1):
    """dx = y (dy - sum of dy y), the sum along `axis`"""
    y = softmax(x, axis=axis)
    return (y * (dy - (y * dy).sum(axis, keepdims=True)),)


def log_softmax(x, *, axis=-1):
    """(...) -> (...): y = x - m - log(sum of e^(x - m)), along `axis`.
    m is the largest x of the sum, so that nothing overflows. A NaN makes all of its sum's y NaN.
    """
    shifted = x - x.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def log_softmax_backward(dy, x, *, axis=-1):
    """dx = dy - e^y (sum of dy), the sum along `axis`"""
    return (dy - softmax(x, axis=axis) * dy.sum(axis, keepdims=True),)


def normal_share(x):
    """The share of a standard normal below x."""
    return np.vectorize(lambda v: math.erfc(-v / math.sqrt(2)) / 2, otypes=[np.float64])(x)


def gelu(x):
    """(...) -> (...): y = x P(x), P(x) = (1 + erf(x / sqrt 2)) / 2, the share of a standard normal below x.
    0 at -infinity.
    """
    return x * normal_share(x)


def gelu_backward(dy, x):
    """dx = dy (P(x) + x e^(-x^2 / 2) / sqrt(2 pi))"""
    return (dy * (normal_share(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)),)


def gelu_tanh(x):
    """(...) -> (...): y = x (1 + tanh u) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3). 0 at -infinity."""
    return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2


def gelu_tanh_backward(dy, x):
    """dx = dy ((1 + tanh u) / 2 + x (1 - tanh^2 u) u' / 2), u' = sqrt(2 / pi) (1 + 0.134145 x^2)"""
    slope = np.sqrt(2 / np.pi) * (1 + 0.134145 * x**2)
    t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    return (dy * ((1 + t) / 2 + x * (1 - t**2) * slope / 2),)


def silu(x):
    """(...) -> (...): y = x / (1 + e^-x), also called swish. 0 at -infinity."""
    return x * sigmoid(x)


def silu_backward(dy, x):
    """dx = dy s (1 + x (1 - s)), s = 1 / (1 + e^-x)"""
    return (dy * sigmoid(x) * (1 + x * sigmoid(-x)),)


def mish(x):
    """(...) -> (...): y = x tanh log(1 + e^x). 0 at -infinity."""
    return x * np.tanh(softplus(x))


def mish_backward(dy, x):
    """dx = dy (t + x (1 - t^2) / (1 + e^-x)), t = tanh log(1 + e^x)"""
    t = np.tanh(softplus(x))
    return (dy * (t + x * (1 - t**2) * sigmoid(x)),)


def hard_silu(x):
    """(...) -> (...): y = x min(max(x + 3, 0), 6) / 6, also called hard swish. 0 at -infinity."""
    return x * np.clip(x + 3, 0, 6) / 6


def hard_silu_backward(dy, x):
    """dx = 0 where x <= -3, dy where x >= 3, between them dy (x / 3 + 1 / 2)"""
    return (dy * np.where(x <= -3, 0, np.where(x >= 3, 1, x / 3 + 0.5)),)
