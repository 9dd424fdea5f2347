"""The functions of `cconv.ops` that NumPy has, too, as `keras.ops.numpy` has them."""

from .arithmetic import (
    abs,
    absolute,
    add,
    clip,
    divide,
    divide_no_nan,
    fabs,
    floor_divide,
    fmax,
    fmin,
    fmod,
    gcd,
    heaviside,
    lcm,
    ldexp,
    matmul,
    maximum,
    minimum,
    mod,
    multiply,
    nan_to_num,
    negative,
    nextafter,
    subtract,
    true_divide,
)
from .arrangement import *
from .bitwise import *
from .comparison import *
from .contraction import *
from .counting import *
from .cumulation import *
from .distances import slogdet
from .exponential import exp, exp2, expm1, log, log1p, log2, log10, logaddexp, logaddexp2
from .fourier import angle, conj, conjugate, i0, imag, real
from .indexing import argsort, take, take_along_axis
from .joining import append, array_split, dsplit, dstack, hsplit, hstack, split, vsplit, vstack
from .matrices import *
from .nan_reductions import *
from .powers import cbrt, power, reciprocal, sqrt, square
from .ranges import *
from .reductions import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    average,
    count_nonzero,
    max,
    mean,
    min,
    prod,
    ptp,
    std,
    sum,
    var,
)
from .rounding import ceil, floor, round, sign, signbit, trunc
from .shapes import *
from .sorting import (
    argpartition,
    median,
    nanmedian,
    nanpercentile,
    nanquantile,
    percentile,
    quantile,
    searchsorted,
    sort,
)
from .subscripts import *
from .tensors import (
    arange,
    array,
    copy,
    empty,
    empty_like,
    eye,
    full,
    full_like,
    identity,
    ndim,
    ones,
    ones_like,
    size,
    zeros,
    zeros_like,
)
from .trigonometry import *

__all__ = [name for name in dir() if not name.startswith("_")]
