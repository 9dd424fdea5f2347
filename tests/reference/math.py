"""Functions of one, two and three elements. `reduce_to` undoes broadcasting: what was repeated gets the sum."""

import numpy as np


def reduce_to(shape, gradient):
    """Sums the gradient over the axes along which a tensor of this shape was repeated."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    repeated = tuple(axis for axis, size in enumerate(shape) if size == 1 and gradient.shape[axis] != 1)
    return gradient.sum(axis=repeated, keepdims=True)


def negative(x):
    """(...) -> (...): y = -x."""
    return -x


def negative_backward(dy, x):
    """dx = -dy"""
    return (-dy,)


def abs(x):
    """(...) -> (...): y = |x|."""
    return np.abs(x)


def abs_backward(dy, x):
    """dx = dy sign(x), sign(0) = 0"""
    return (dy * np.sign(x),)


def square(x):
    """(...) -> (...): y = x^2."""
    return x**2


def square_backward(dy, x):
    """dx = 2 dy x"""
    return (2 * x * dy,)


def sqrt(x):
    """(...) -> (...): y = the square root of x; NaN where x < 0."""
    return np.sqrt(x)


def sqrt_backward(dy, x):
    """dx = dy / (2 y), infinite where y = 0"""
    return (dy / (2 * np.sqrt(x)),)


def exp(x):
    """(...) -> (...): y = e^x."""
    return np.exp(x)


def exp_backward(dy, x):
    """dx = dy y"""
    return (dy * np.exp(x),)


def log(x):
    """(...) -> (...): y = the natural logarithm of x; -infinity where x = 0, NaN where x < 0."""
    return np.log(x)


def log_backward(dy, x):
    """dx = dy / x"""
    return (dy / x,)


def expm1(x):
    """(...) -> (...): y = e^x - 1, to the last place where x is small."""
    return np.expm1(x)


def expm1_backward(dy, x):
    """dx = dy e^x"""
    return (dy * np.exp(x),)


def log1p(x):
    """(...) -> (...): y = log(1 + x), to the last place where x is small; -infinity where x = -1, NaN where x < -1."""
    return np.log1p(x)


def log1p_backward(dy, x):
    """dx = dy / (1 + x)"""
    return (dy / (1 + x),)


def sin(x):
    """(...) -> (...): y = sin x, x in radians."""
    return np.sin(x)


def sin_backward(dy, x):
    """dx = dy cos x"""
    return (dy * np.cos(x),)


def cos(x):
    """(...) -> (...): y = cos x, x in radians."""
    return np.cos(x)


def cos_backward(dy, x):
    """dx = -dy sin x"""
    return (-dy * np.sin(x),)


def cosh(x):
    """(...) -> (...): y = (e^x + e^-x) / 2, the hyperbolic cosine."""
    return np.cosh(x)


def cosh_backward(dy, x):
    """dx = dy sinh x"""
    return (dy * np.sinh(x),)


def sinh(x):
    """(...) -> (...): y = (e^x - e^-x) / 2, the hyperbolic sine."""
    return np.sinh(x)


def sinh_backward(dy, x):
    """dx = dy cosh x"""
    return (dy * np.cosh(x),)


def reciprocal(x):
    """(...) -> (...): y = 1 / x."""
    return 1 / x


def reciprocal_backward(dy, x):
    """dx = -dy y^2"""
    return (-dy / x**2,)


def floor(x):
    """(...) -> (...): y = the largest whole number that is not above x."""
    return np.floor(x)


def round(x):
    """(...) -> (...): y = the whole number nearest to x; halves go to the even one."""
    return np.round(x)


def sign(x):
    """(...) -> (...): y = 1 where x > 0, -1 where x < 0, 0 where x = 0. A NaN stays one."""
    return np.sign(x)


def clip(x, *, minimum, maximum):
    """(...) -> (...): y = min(max(x, minimum), maximum); minimum <= maximum. A NaN stays one."""
    return np.clip(x, minimum, maximum)


def clip_backward(dy, x, *, minimum, maximum):
    """dx = dy where minimum <= x <= maximum (at both ends, too), else 0"""
    return (dy * ((x >= minimum) & (x <= maximum)),)


def add(a, b):
    """a (...), b (...) -> (...), broadcast: y = a + b."""
    return a + b


def add_backward(dy, a, b):
    """da = dy        db = dy        each summed over the axes along which it was repeated"""
    return reduce_to(a.shape, dy), reduce_to(b.shape, dy)


def subtract(a, b):
    """a (...), b (...) -> (...), broadcast: y = a - b."""
    return a - b


def subtract_backward(dy, a, b):
    """da = dy        db = -dy        each summed over the axes along which it was repeated"""
    return reduce_to(a.shape, dy), reduce_to(b.shape, -dy)


def multiply(a, b):
    """a (...), b (...) -> (...), broadcast: y = a b."""
    return a * b


def multiply_backward(dy, a, b):
    """da = dy b        db = dy a        each summed over the axes along which it was repeated"""
    return reduce_to(a.shape, dy * b), reduce_to(b.shape, dy * a)


def divide(a, b):
    """a (...), b (...) -> (...), broadcast: y = a / b."""
    return a / b


def divide_backward(dy, a, b):
    """da = dy / b        db = -dy a / b^2        each summed over the axes along which it was repeated"""
    return reduce_to(a.shape, dy / b), reduce_to(b.shape, -dy * a / b**2)


def power(a, b):
    """a (...), b (...) -> (...), broadcast: y = a^b; NaN where a < 0 and b is not whole."""
    return a**b


def power_backward(dy, a, b):
    """da = dy b a^(b - 1), 0 where b = 0        db = dy a^b log a, 0 where a = 0 and b >= 0
    each summed over the axes along which it was repeated.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        da = np.where(b == 0, 0, b * a ** (b - 1.0))
        db = np.where((a == 0) & (b >= 0), 0, a**b * np.log(a))
    return reduce_to(a.shape, dy * da), reduce_to(b.shape, dy * db)


def maximum(a, b):
    """a (...), b (...) -> (...), broadcast: y = the larger of both. A NaN of either goes through."""
    return np.maximum(a, b)


def maximum_backward(dy, a, b):
    """da = dy where a > b, dy / 2 where a = b, else 0        db = dy where b > a, dy / 2 where a = b, else 0
    each summed over the axes along which it was repeated.
    """
    half = 0.5 * (a == b)
    return reduce_to(a.shape, dy * ((a > b) + half)), reduce_to(b.shape, dy * ((b > a) + half))


def minimum(a, b):
    """a (...), b (...) -> (...), broadcast: y = the smaller of both. A NaN of either goes through."""
    return np.minimum(a, b)


def minimum_backward(dy, a, b):
    """da = dy where a < b, dy / 2 where a = b, else 0        db = dy where b < a, dy / 2 where a = b, else 0
    each summed over the axes along which it was repeated.
    """
    half = 0.5 * (a == b)
    return reduce_to(a.shape, dy * ((a < b) + half)), reduce_to(b.shape, dy * ((b < a) + half))


def cast(x, *, to):
    """(...) -> (...): y = x as the type that `to` names.
    To int32, fractions are cut off and x beyond its range becomes its nearest end, a NaN the lowest.
    To bool, y is whether x is not 0. A bool counts as 0 or 1.
    """
    whole = np.trunc(np.clip(np.nan_to_num(x, nan=-(2**31)), -(2**31), 2**31 - 1))
    return {"float32": x, "int32": whole, "bool": x != 0}[to]


def cast_backward(dy, x, *, to):
    """dx = dy, from float32 to float32; else no gradient passes"""
    return (dy if to == "float32" else None,)


def equal(a, b):
    """a (...), b (...) -> (...), broadcast: y = 1 where a = b, else 0. A NaN equals nothing."""
    return (a == b) * 1.0


def not_equal(a, b):
    """a (...), b (...) -> (...), broadcast: y = 0 where a = b, else 1. A NaN equals nothing."""
    return (a != b) * 1.0


def greater(a, b):
    """a (...), b (...) -> (...), broadcast: y = 1 where a > b, else 0: 0 where either is a NaN."""
    return (a > b) * 1.0


def greater_equal(a, b):
    """a (...), b (...) -> (...), broadcast: y = 1 where a >= b, else 0: 0 where either is a NaN."""
    return (a >= b) * 1.0


def less(a, b):
    """a (...), b (...) -> (...), broadcast: y = 1 where a < b, else 0: 0 where either is a NaN."""
    return (a < b) * 1.0


def less_equal(a, b):
    """a (...), b (...) -> (...), broadcast: y = 1 where a <= b, else 0: 0 where either is a NaN."""
    return (a <= b) * 1.0


def where(condition, a, b):
    """condition (...), a (...), b (...) -> (...), broadcast: y = a where condition is not 0, else b."""
    return np.where(condition != 0, a, b)


def where_backward(dy, condition, a, b):
    """da = dy where condition is not 0, else 0        db = dy where condition is 0, else 0
    each summed over the axes along which it was repeated. The condition gets none.
    """
    return (
        None,
        reduce_to(a.shape, np.where(condition != 0, dy, 0)),
        reduce_to(b.shape, np.where(condition != 0, 0, dy)),
    )
