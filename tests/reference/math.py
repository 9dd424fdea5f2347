"""Functions of one, two and three elements. `reduce_to` undoes broadcasting: what was repeated gets the sum."""

import numpy as np
from scipy import special


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


def ceil(x):
    """(...) -> (...): y = the smallest whole number that is not below x."""
    return np.ceil(x)


def isnan(x):
    """(...) -> (...): y = 1 where x is a NaN, else 0."""
    return np.isnan(x)


def isinf(x):
    """(...) -> (...): y = 1 where x is an infinity of either sign, else 0."""
    return np.isinf(x)


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


def tan(x):
    """(...) -> (...): y = the tangent of x in radians."""
    return np.tan(x)


def tan_backward(dy, x):
    """dx = dy (1 + y^2)"""
    return (dy * (1 + np.tan(x) ** 2),)


def arcsin(x):
    """(...) -> (...): y = the angle whose sine is x; NaN where |x| > 1."""
    return np.arcsin(x)


def arcsin_backward(dy, x):
    """dx = dy / sqrt(1 - x^2)"""
    return (dy / np.sqrt(1 - x**2),)


def arccos(x):
    """(...) -> (...): y = the angle whose cosine is x; NaN where |x| > 1."""
    return np.arccos(x)


def arccos_backward(dy, x):
    """dx = -dy / sqrt(1 - x^2)"""
    return (-dy / np.sqrt(1 - x**2),)


def arcsinh(x):
    """(...) -> (...): y = the number whose hyperbolic sine is x."""
    return np.arcsinh(x)


def arcsinh_backward(dy, x):
    """dx = dy / sqrt(x^2 + 1)"""
    return (dy / np.hypot(x, 1),)


def arccosh(x):
    """(...) -> (...): y = the number from 0 on whose hyperbolic cosine is x; NaN where x < 1."""
    return np.arccosh(x)


def arccosh_backward(dy, x):
    """dx = dy / sqrt(x^2 - 1)"""
    return (dy / np.sqrt(x**2 - 1),)


def arctanh(x):
    """(...) -> (...): y = the number whose hyperbolic tangent is x; NaN where |x| > 1."""
    return np.arctanh(x)


def arctanh_backward(dy, x):
    """dx = dy / (1 - x^2)"""
    return (dy / (1 - x**2),)


def exp2(x):
    """(...) -> (...): y = 2^x."""
    return np.exp2(x)


def exp2_backward(dy, x):
    """dx = dy y ln 2"""
    return (dy * np.exp2(x) * np.log(2),)


def log2(x):
    """(...) -> (...): y = the logarithm of x to the base 2."""
    return np.log2(x)


def log2_backward(dy, x):
    """dx = dy / (x ln 2)"""
    return (dy / (x * np.log(2)),)


def log10(x):
    """(...) -> (...): y = the logarithm of x to the base 10."""
    return np.log10(x)


def log10_backward(dy, x):
    """dx = dy / (x ln 10)"""
    return (dy / (x * np.log(10)),)


def cbrt(x):
    """(...) -> (...): y = the cube root of x."""
    return np.cbrt(x)


def cbrt_backward(dy, x):
    """dx = dy / (3 y^2)"""
    return (dy / (3 * np.cbrt(x) ** 2),)


def erf(x):
    """(...) -> (...): y = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    return special.erf(x)


def erf_backward(dy, x):
    """dx = dy 2 / sqrt(pi) e^(-x^2)"""
    return (dy * 2 / np.sqrt(np.pi) * np.exp(-(x**2)),)


def erfc(x):
    """(...) -> (...): y = 1 - erf(x), to the last place where x is large."""
    return special.erfc(x)


def erfc_backward(dy, x):
    """dx = -dy 2 / sqrt(pi) e^(-x^2)"""
    return (-dy * 2 / np.sqrt(np.pi) * np.exp(-(x**2)),)


def erfinv(x):
    """(...) -> (...): y = the number whose erf is x; infinite at -1 and 1, NaN beyond."""
    return special.erfinv(x)


def erfinv_backward(dy, x):
    """dx = dy sqrt(pi) / 2 e^(y^2)"""
    return (dy * np.sqrt(np.pi) / 2 * np.exp(special.erfinv(x) ** 2),)


def trunc(x):
    """(...) -> (...): y = x without its fraction: the next whole number towards 0."""
    return np.trunc(x)


def mod(a, b):
    """(...), (...) -> (...): y = a - b floor(a / b), which has the sign of b. By b = 0: NaN, of int32 0."""
    return np.mod(a, b)


def mod_backward(dy, a, b):
    """da = dy, db = -dy floor(a / b), each summed over the repetitions of its operand"""
    return reduce_to(a.shape, dy), reduce_to(b.shape, -dy * np.floor(a / b))


def fmod(a, b):
    """(...), (...) -> (...): y = a - b trunc(a / b), which has the sign of a. By b = 0: NaN, of int32 0."""
    return np.fmod(a, b)


def fmod_backward(dy, a, b):
    """da = dy, db = -dy trunc(a / b), each summed over the repetitions of its operand"""
    return reduce_to(a.shape, dy), reduce_to(b.shape, -dy * np.trunc(a / b))


def floor_divide(a, b):
    """(...), (...) -> (...): y = floor(a / b), of the exact quotient. By b = 0: an infinity or NaN, of int32 0."""
    return np.floor_divide(a, b)


def arctan2(a, b):
    """(...), (...) -> (...): y = the angle of the point (b, a), from -pi to pi."""
    return np.arctan2(a, b)


def arctan2_backward(dy, a, b):
    """da = dy b / (a^2 + b^2), db = -dy a / (a^2 + b^2), each summed over the repetitions of its operand"""
    square = a**2 + b**2
    return reduce_to(a.shape, dy * b / square), reduce_to(b.shape, -dy * a / square)


def hypot(a, b):
    """(...), (...) -> (...): y = sqrt(a^2 + b^2)."""
    return np.hypot(a, b)


def hypot_backward(dy, a, b):
    """da = dy a / y, db = dy b / y, 0 where y = 0; each summed over the repetitions of its operand"""
    y = np.where(np.hypot(a, b) == 0, 1, np.hypot(a, b))
    return reduce_to(a.shape, dy * a / y), reduce_to(b.shape, dy * b / y)


def logaddexp(a, b):
    """(...), (...) -> (...): y = log(e^a + e^b), without overflow."""
    return np.logaddexp(a, b)


def logaddexp_backward(dy, a, b):
    """da = dy sigmoid(a - b), db = dy sigmoid(b - a), each summed over the repetitions of its operand"""
    return reduce_to(a.shape, dy * special.expit(a - b)), reduce_to(b.shape, dy * special.expit(b - a))


def bitwise_not(x):
    """(...) -> (...): y = all bits of x exchanged: -x - 1."""
    return ~x.astype(np.int32)


def bitwise_and(a, b):
    """(...), (...) -> (...): y = the bits that both have."""
    return a.astype(np.int32) & b.astype(np.int32)


def bitwise_or(a, b):
    """(...), (...) -> (...): y = the bits that a, b or both have."""
    return a.astype(np.int32) | b.astype(np.int32)


def bitwise_xor(a, b):
    """(...), (...) -> (...): y = the bits that one of the two has."""
    return a.astype(np.int32) ^ b.astype(np.int32)


def left_shift(a, b):
    """(...), (...) -> (...): y = the bits of a, b places higher; 0 where b is below 0 or above 31."""
    shifted = a.astype(np.int64) << np.clip(b, 0, 31).astype(np.int64)
    return np.where((b < 0) | (b > 31), 0, shifted.astype(np.int32))


def right_shift(a, b):
    """(...), (...) -> (...): y = the bits of a, b places lower, the sign moving in.
    A b below 0 or above 31 counts as 31.
    """
    return a.astype(np.int32) >> np.where((b < 0) | (b > 31), 31, b).astype(np.int32)
