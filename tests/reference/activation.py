"""Activations, each by its textbook formula; derivatives from x."""

import numpy as np


def relu(x):
    return np.maximum(x, 0)


def relu_backward(dy, x):
    return (dy * (x > 0),)


def leaky_relu(x, *, alpha=0.2):
    return np.where(x > 0, x, alpha * x)


def leaky_relu_backward(dy, x, *, alpha=0.2):
    return (dy * np.where(x > 0, 1, alpha),)


def elu(x, *, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_backward(dy, x, *, alpha=1.0):
    return (dy * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0))),)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_backward(dy, x):
    return (dy * np.exp(-x) / (1 + np.exp(-x)) ** 2,)


def tanh(x):
    return np.tanh(x)


def tanh_backward(dy, x):
    return (dy / np.cosh(x) ** 2,)


def arctan(x):
    return np.arctan(x)


def arctan_backward(dy, x):
    return (dy / (1 + x**2),)


def softplus(x):
    return np.logaddexp(0, x)


def softplus_backward(dy, x):
    return (dy * sigmoid(x),)


def softsign(x):
    return x / (1 + np.abs(x))


def softsign_backward(dy, x):
    return (dy / (1 + np.abs(x)) ** 2,)


def binary_step(x):
    return np.where(np.isnan(x), x, x >= 0)


def softmax(x, *, axis=-1):
    exponentials = np.exp(x - x.max(axis, keepdims=True))
    return exponentials / exponentials.sum(axis, keepdims=True)


def softmax_backward(dy, x, *, axis=-1):
    y = softmax(x, axis=axis)
    return (y * (dy - (y * dy).sum(axis, keepdims=True)),)


def log_softmax(x, *, axis=-1):
    shifted = x - x.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def log_softmax_backward(dy, x, *, axis=-1):
    return (dy - softmax(x, axis=axis) * dy.sum(axis, keepdims=True),)
