"""Functions of one, two and three elements. `reduce_to` undoes broadcasting: what was repeated gets the sum."""

import numpy as np


def reduce_to(shape, gradient):
    """Sums the gradient over the axes along which a tensor of this shape was repeated."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    repeated = tuple(axis for axis, size in enumerate(shape) if size == 1 and gradient.shape[axis] != 1)
    return gradient.sum(axis=repeated, keepdims=True)


def negative(x):
    return -x


def negative_backward(dy, x):
    return (-dy,)


def abs(x):
    return np.abs(x)


def abs_backward(dy, x):
    return (dy * np.sign(x),)


def square(x):
    return x**2


def square_backward(dy, x):
    return (2 * x * dy,)


def sqrt(x):
    return np.sqrt(x)


def sqrt_backward(dy, x):
    return (dy / (2 * np.sqrt(x)),)


def exp(x):
    return np.exp(x)


def exp_backward(dy, x):
    return (dy * np.exp(x),)


def log(x):
    return np.log(x)


def log_backward(dy, x):
    return (dy / x,)


def sin(x):
    return np.sin(x)


def sin_backward(dy, x):
    return (dy * np.cos(x),)


def cos(x):
    return np.cos(x)


def cos_backward(dy, x):
    return (-dy * np.sin(x),)


def reciprocal(x):
    return 1 / x


def reciprocal_backward(dy, x):
    return (-dy / x**2,)


def floor(x):
    return np.floor(x)


def round(x):
    return np.round(x)


def sign(x):
    return np.sign(x)


def clip(x, *, minimum, maximum):
    return np.clip(x, minimum, maximum)


def clip_backward(dy, x, *, minimum, maximum):
    return (dy * ((x >= minimum) & (x <= maximum)),)


def add(a, b):
    return a + b


def add_backward(dy, a, b):
    return reduce_to(a.shape, dy), reduce_to(b.shape, dy)


def subtract(a, b):
    return a - b


def subtract_backward(dy, a, b):
    return reduce_to(a.shape, dy), reduce_to(b.shape, -dy)


def multiply(a, b):
    return a * b


def multiply_backward(dy, a, b):
    return reduce_to(a.shape, dy * b), reduce_to(b.shape, dy * a)


def divide(a, b):
    return a / b


def divide_backward(dy, a, b):
    return reduce_to(a.shape, dy / b), reduce_to(b.shape, -dy * a / b**2)


def power(a, b):
    return a**b


def power_backward(dy, a, b):
    with np.errstate(divide="ignore", invalid="ignore"):
        da = np.where(b == 0, 0, b * a ** (b - 1.0))
        db = np.where((a == 0) & (b >= 0), 0, a**b * np.log(a))
    return reduce_to(a.shape, dy * da), reduce_to(b.shape, dy * db)


def maximum(a, b):
    return np.maximum(a, b)


def maximum_backward(dy, a, b):
    half = 0.5 * (a == b)
    return reduce_to(a.shape, dy * ((a > b) + half)), reduce_to(b.shape, dy * ((b > a) + half))


def minimum(a, b):
    return np.minimum(a, b)


def minimum_backward(dy, a, b):
    half = 0.5 * (a == b)
    return reduce_to(a.shape, dy * ((a < b) + half)), reduce_to(b.shape, dy * ((b < a) + half))


def cast(x, *, to):
    return {"float32": x, "int32": np.trunc(x), "bool": x != 0}[to]


def cast_backward(dy, x, *, to):
    return (dy if to == "float32" else None,)


def equal(a, b):
    return (a == b) * 1.0


def not_equal(a, b):
    return (a != b) * 1.0


def greater(a, b):
    return (a > b) * 1.0


def greater_equal(a, b):
    return (a >= b) * 1.0


def less(a, b):
    return (a < b) * 1.0


def less_equal(a, b):
    return (a <= b) * 1.0


def where(condition, a, b):
    return np.where(condition != 0, a, b)


def where_backward(dy, condition, a, b):
    return (
        None,
        reduce_to(a.shape, np.where(condition != 0, dy, 0)),
        reduce_to(b.shape, np.where(condition != 0, 0, dy)),
    )
