"""Arithmetic, comparisons, reductions and changes of shape, named as in NumPy and Keras."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import converted, of, result_type, standardize
from ..tensor import Tensor
from ..variable import Variable
from ._apply import apply, is_eager, shape_of
from .arguments import positive_integer
from .operation import operation

Value = Tensor | np.ndarray


@operation("x1", "x2")
def add(x1: Any, x2: Any) -> Value:
    """`x1 + x2`, shapes broadcast as in NumPy.

    Example:

    >>> cconv.ops.add([[1, 2]], [[3], [4]]).tolist()
    [[4, 5], [5, 6]]
    """
    return logical_or(x1, x2) if result_type(of(x1), of(x2)) == "bool" else apply("add", [x1, x2])


@operation("x1", "x2")
def subtract(x1: Any, x2: Any) -> Value:
    """`x1 - x2`."""
    return apply("subtract", [x1, x2])


@operation("x1", "x2")
def multiply(x1: Any, x2: Any) -> Value:
    """`x1 * x2`, element by element."""
    return logical_and(x1, x2) if result_type(of(x1), of(x2)) == "bool" else apply("multiply", [x1, x2])


@operation("x1", "x2")
def divide(x1: Any, x2: Any) -> Value:
    """`x1 / x2`."""
    return apply("divide", [x1, x2])


true_divide = divide


@operation("x1", "x2")
def power(x1: Any, x2: Any) -> Value:
    """`x1 ** x2`."""
    return apply("power", [x1, x2])


@operation("x1", "x2")
def maximum(x1: Any, x2: Any) -> Value:
    """The larger one, element by element."""
    return apply("maximum", [x1, x2])


@operation("x1", "x2")
def minimum(x1: Any, x2: Any) -> Value:
    """The smaller one, element by element."""
    return apply("minimum", [x1, x2])


@operation("x1", "x2")
def equal(x1: Any, x2: Any) -> Value:
    """Whether they are equal, element by element, as bools."""
    return apply("equal", [x1, x2])


@operation("x1", "x2")
def not_equal(x1: Any, x2: Any) -> Value:
    """Whether they differ."""
    return apply("not_equal", [x1, x2])


@operation("x1", "x2")
def greater(x1: Any, x2: Any) -> Value:
    """Whether `x1 > x2`."""
    return apply("greater", [x1, x2])


@operation("x1", "x2")
def greater_equal(x1: Any, x2: Any) -> Value:
    """Whether `x1 >= x2`."""
    return apply("greater_equal", [x1, x2])


@operation("x1", "x2")
def less(x1: Any, x2: Any) -> Value:
    """Whether `x1 < x2`."""
    return apply("less", [x1, x2])


@operation("x1", "x2")
def less_equal(x1: Any, x2: Any) -> Value:
    """Whether `x1 <= x2`."""
    return apply("less_equal", [x1, x2])


@operation("x1", "x2")
def logical_and(x1: Any, x2: Any) -> Value:
    """Whether both hold, that is, are not 0."""
    return apply("minimum", [_as_bool(x1), _as_bool(x2)])


@operation("x1", "x2")
def logical_or(x1: Any, x2: Any) -> Value:
    """Whether one of them holds."""
    return apply("maximum", [_as_bool(x1), _as_bool(x2)])


@operation("x")
def logical_not(x: Any) -> Value:
    """Whether `x` does not hold, that is, is 0."""
    return apply("equal", [_as_bool(x), False])


def _as_bool(x: Any) -> Any:
    return x if of(x) == "bool" else apply("cast", [x], {"to": "bool"})


@operation("condition", "x1", "x2")
def where(condition: Any, x1: Any, x2: Any) -> Value:
    """`x1` where `condition` holds (is not 0), else `x2`.

    Example:

    >>> cconv.ops.where([True, False], [1, 2], 0).tolist()
    [1, 0]
    """
    return apply("where", [condition, x1, x2])


@operation("x1", "x2")
def matmul(x1: Any, x2: Any) -> Value:
    """Matrix product over the last two axes; leading axes broadcast.

    Example:

    >>> cconv.ops.matmul([[1.0, 2.0]], [[3], [4]]).tolist()
    [[11.0]]
    """
    if result_type(of(x1), of(x2)) == "bool":
        return cast(matmul(cast(x1, "int32"), x2), "bool")
    a, b = len(shape_of(x1)), len(shape_of(x2))
    if a > 1 and b > 1:
        return apply("matmul", [x1, x2])
    # a vector counts as a row on the left and as a column on the right; its axis vanishes from the result
    y = apply("matmul", [apply("expand_dims", [x1], {"axis": 0}) if a == 1 else x1,
                         apply("expand_dims", [x2], {"axis": -1}) if b == 1 else x2])  # fmt: skip
    axes = ([-2] if a == 1 else []) + ([-1] if b == 1 else [])
    return apply("squeeze", [y], {"axes": [len(shape_of(y)) + axis for axis in axes]})


@operation("x")
def negative(x: Any) -> Value:
    """`-x`."""
    return apply("negative", [x])


@operation("x")
def absolute(x: Any) -> Value:
    """`|x|`."""
    return apply("identity" if of(x) == "bool" else "abs", [x])


abs = absolute


@operation("x")
def sqrt(x: Any) -> Value:
    """The square root."""
    return apply("sqrt", [x])


@operation("x", module="math")
def rsqrt(x: Any) -> Value:
    """1 over the square root."""
    return apply("reciprocal", [apply("sqrt", [x])])


@operation("x")
def square(x: Any) -> Value:
    """`x * x`."""
    return apply("square", [x])


@operation("x")
def exp(x: Any) -> Value:
    """The exponential function."""
    return apply("exp", [x])


@operation("x")
def log(x: Any) -> Value:
    """The natural logarithm."""
    return apply("log", [x])


@operation("x")
def log1p(x: Any) -> Value:
    """`log(1 + x)`."""
    return apply("log", [apply("add", [x, 1.0])])


@operation("x")
def sin(x: Any) -> Value:
    """The sine of `x` in radians."""
    return apply("sin", [x])


@operation("x")
def cos(x: Any) -> Value:
    """The cosine of `x` in radians."""
    return apply("cos", [x])


@operation("x")
def tanh(x: Any) -> Value:
    """The hyperbolic tangent."""
    return apply("tanh", [x])


@operation("x")
def arctan(x: Any) -> Value:
    """The angle, in radians, whose tangent is `x`."""
    return apply("arctan", [x])


@operation("x")
def floor(x: Any) -> Value:
    """The largest whole number not above `x`."""
    return apply("floor", [x])


@operation("x")
def ceil(x: Any) -> Value:
    """The smallest whole number not below `x`."""
    return apply("negative", [apply("floor", [apply("negative", [x])])])


@operation("x")
def round(x: Any) -> Value:
    """The nearest whole number; halves go to the even one."""
    return apply("round" if of(x) == "float32" else "identity", [x])


@operation("x")
def sign(x: Any) -> Value:
    """-1, 0 or 1."""
    return apply("identity" if of(x) == "bool" else "sign", [x])


@operation("x")
def reciprocal(x: Any) -> Value:
    """`1 / x`."""
    return apply("reciprocal", [x])


@operation("x")
def clip(x: Any, x_min: float, x_max: float) -> Value:
    """`x` limited to `x_min` .. `x_max`.

    Example:

    >>> cconv.ops.clip([-2, 0.5, 3], 0, 1).tolist()
    [0.0, 0.5, 1.0]
    """
    if isinstance(x_min, (int, float)) and isinstance(x_max, (int, float)) and of(x) == "float32":
        return apply("clip", [x], {"minimum": float(x_min), "maximum": float(x_max)})
    return apply("minimum", [apply("maximum", [x, x_min]), x_max])


def _reduce(op: str, x: Any, axis: int | Sequence[int] | None, keepdims: bool) -> Value:
    axes = [] if axis is None else [axis] if isinstance(axis, (int, np.integer)) else list(axis)
    if axis is not None and not axes:
        return convert_to_tensor(x)
    return apply(op, [x], {"axes": [int(a) for a in axes], "keepdims": bool(keepdims)})


@operation("x")
def sum(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """The sum over `axis` (one, several, or all of them if `None`).

    Example:

    >>> cconv.ops.sum([[1, 2], [3, 4]], axis=0).tolist()
    [4, 6]
    """
    return _reduce("sum", x, axis, keepdims)


@operation("x")
def mean(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """The mean over `axis`."""
    return _reduce("mean", x, axis, keepdims)


@operation("x")
def max(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """The largest value over `axis`."""
    return _reduce("max", x, axis, keepdims)


amax = max


@operation("x")
def min(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """The smallest value over `axis`."""
    return _reduce("min", x, axis, keepdims)


amin = min


@operation("x")
def prod(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """The product over `axis`."""
    return _reduce("prod", x, axis, keepdims)


@operation("x")
def var(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """The variance over `axis` (mean of the squared distances from the mean)."""
    distance = apply("subtract", [x, _reduce("mean", x, axis, True)])
    return _reduce("mean", apply("square", [distance]), axis, keepdims)


@operation("x")
def std(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """The standard deviation over `axis`."""
    distance = apply("subtract", [x, _reduce("mean", x, axis, True)])
    return apply("sqrt", [_reduce("mean", apply("square", [distance]), axis, keepdims)])


@operation("x", module="math")
def logsumexp(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """`log(sum(exp(x)))` over `axis`, without overflow."""
    top = apply("stop_gradient", [_reduce("max", x, axis, True)])
    total = apply("log", [_reduce("sum", apply("exp", [apply("subtract", [x, top])]), axis, True)])
    y = apply("add", [total, top])
    return y if keepdims else _reduce("sum", y, axis, False)


@operation("x")
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """The position of the largest value along `axis` (`None`: of all values), the first of equal ones, as an int32.

    Example:

    >>> cconv.ops.argmax([[1, 9, 2], [5, 4, 3]], axis=-1).tolist()
    [1, 0]
    """
    return _position("argmax", x, axis, keepdims)


def _position(op: str, x: Any, axis: int | None, keepdims: bool) -> Value:
    rank = len(shape_of(x))
    if axis is None:
        y = apply(op, [apply("reshape", [x], {"shape": [-1]})], {"axis": -1})
        return apply("reshape", [y], {"shape": [1] * rank}) if keepdims and rank else y
    y = apply(op, [x], {"axis": int(axis)})
    return apply("expand_dims", [y], {"axis": int(axis)}) if keepdims else y


@operation("x")
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """The position of the smallest value along `axis`, the first of equal ones, as an int32."""
    return _position("argmin", x, axis, keepdims)


@operation("x")
def argsort(x: Any, axis: int | None = -1) -> Value:
    """The positions that would sort `x` along `axis` (`None`: all values), from the smallest on, as int32.

    Equal values keep their order; a NaN is the largest.

    Example:

    >>> cconv.ops.argsort([0.5, 0.1, 0.3]).tolist()
    [1, 2, 0]
    """
    if axis is None:
        return apply("argsort", [apply("reshape", [x], {"shape": [-1]})])
    return apply("argsort", [x], {"axis": int(axis)})


@operation("x", module="math")
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Value, Value]:
    """The `k` largest values along the last axis, from the largest on, and their positions as int32.

    Args:
        x: Tensor of rank 1 or more.
        k: How many, at most the size of the last axis. Of equal values the first come first; a NaN is the largest.
        sorted: Whether the order matters to the caller; the result has it in any case.

    Example:

    >>> values, positions = cconv.ops.top_k([0.1, 0.5, 0.3], 2)
    >>> positions.tolist()
    [1, 2]
    """
    positions = apply("top_k_indices", [x], {"k": positive_integer(k, "k")})
    return apply("take_along_axis", [x, positions], {"axis": -1}), positions


@operation("x", "indices")
def take(x: Any, indices: Any, axis: int | None = None) -> Value:
    """The elements of `x` at positions along `axis` (`None`: of all values in one row).

    A position below 0 counts from the end; one outside gives 0. The positions' axes take the place of `axis`.

    Example:

    >>> cconv.ops.take([[1, 2], [3, 4], [5, 6]], [2, 0], axis=0).tolist()
    [[5, 6], [1, 2]]
    """
    if axis is None:
        return apply("take", [apply("reshape", [x], {"shape": [-1]}), indices], {"axis": 0})
    return apply("take", [x, indices], {"axis": int(axis)})


@operation("x", "indices")
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Value:
    """The elements of `x` at positions along `axis`, of each line its own (`None`: of all values in one row).

    Args:
        x: Tensor.
        indices: Positions, of the shape of `x` but for `axis`. One below 0 counts from the end; one outside gives 0.
        axis: The axis.

    Example:

    >>> cconv.ops.take_along_axis([[1, 2, 3], [4, 5, 6]], [[2], [0]], axis=1).tolist()
    [[3], [4]]
    """
    if axis is None:
        x, indices = (apply("reshape", [value], {"shape": [-1]}) for value in (x, indices))
    return apply("take_along_axis", [x, indices], {"axis": -1 if axis is None else int(axis)})


@operation("x")
def reshape(x: Any, newshape: Sequence[int | None]) -> Value:
    """The same values in another shape; one size may be -1 (what is left). `None` stands for a size not known yet.

    Example:

    >>> cconv.ops.reshape([[1, 2], [3, 4]], (4,)).tolist()
    [1, 2, 3, 4]
    """
    newshape = (newshape,) if isinstance(newshape, (int, np.integer)) else tuple(newshape)
    shape = shape_of(x)
    sizes = []
    for i, size in enumerate(newshape):
        if size is None:
            size = 0 if i < len(shape) and shape[i] is None else -1
        elif isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < -1:
            raise ValueError(f"`newshape` takes sizes of at least 0, and -1 once. Received: newshape={newshape}")
        sizes.append(int(size))
    if any(size == 0 for size in newshape):
        # to the core, a 0 means "the size there is now"
        if is_eager(x):
            return convert_to_tensor(x).reshape(newshape)
        raise ValueError(
            f"A symbolic tensor cannot take a shape with a size of 0. Received: shape={shape}, newshape={newshape}"
        )
    return apply("reshape", [x], {"shape": sizes})


@operation("x")
def transpose(x: Any, axes: Sequence[int] | None = None) -> Value:
    """The axes in the order `axes`; reversed if `None`."""
    rank = len(shape_of(x))
    axes = list(range(rank))[::-1] if axes is None else [int(a) + (rank if a < 0 else 0) for a in axes]
    if rank == 0:
        return convert_to_tensor(x)
    return apply("transpose", [x], {"axes": axes})


@operation("x")
def moveaxis(x: Any, source: int, destination: int) -> Value:
    """Moves one axis to another place."""
    rank = len(shape_of(x))
    axes = list(range(rank))
    axes.insert(destination % rank, axes.pop(source % rank))
    return apply("transpose", [x], {"axes": axes})


@operation("x")
def expand_dims(x: Any, axis: int | Sequence[int]) -> Value:
    """A new axis of size 1 at place `axis`."""
    for a in [axis] if isinstance(axis, (int, np.integer)) else sorted(axis):
        x = apply("expand_dims", [x], {"axis": int(a)})
    return x


@operation("x")
def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Value:
    """Without the axes of size 1 (all of them if `None`)."""
    shape = shape_of(x)
    if axis is None:
        axes = [i for i, size in enumerate(shape) if size == 1]
        if not axes:
            return convert_to_tensor(x)
    else:
        axes = [axis] if isinstance(axis, (int, np.integer)) else list(axis)
    return apply("squeeze", [x], {"axes": [int(a) for a in axes]})


@operation("xs")
def concatenate(xs: Sequence[Any], axis: int = 0) -> Value:
    """The tensors one after another along `axis`.

    Example:

    >>> cconv.ops.concatenate([[[1, 2]], [[3, 4]]], axis=1).tolist()
    [[1, 2, 3, 4]]
    """
    return apply("concatenate", list(xs), {"axis": int(axis)})


@operation("x")
def stack(x: Sequence[Any], axis: int = 0) -> Value:
    """The tensors side by side along a new axis."""
    return apply("concatenate", [apply("expand_dims", [item], {"axis": int(axis)}) for item in x], {"axis": int(axis)})


@operation("x")
def broadcast_to(x: Any, shape: Sequence[int]) -> Value:
    """`x` repeated until it has this shape."""
    return apply("broadcast_to", [x], {"shape": [-1 if s is None else int(s) for s in shape]})


@operation("x")
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Value:
    """Zeros around images.

    Args:
        x: Tensor of rank 4, `(n, h, w, c)`.
        pad_width: A pair `(before, after)` for each axis (those of the batch and the channels `(0, 0)`).
        mode: `"constant"`.
        constant_values: 0.

    Example:

    >>> cconv.ops.pad(np.ones((1, 1, 1, 1)), ((0, 0), (0, 1), (1, 0), (0, 0)))[0, :, :, 0].tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    rank = len(shape_of(x))
    if mode != "constant" or constant_values not in (None, 0):
        raise ValueError(
            f"`pad` fills with zeros: expected mode='constant', constant_values=0. "
            f"Received: mode={mode!r}, constant_values={constant_values}"
        )
    if isinstance(pad_width, (int, np.integer)):
        pad_width = ((pad_width, pad_width),) * rank
    pads = [tuple(int(v) for v in pair) for pair in pad_width]
    if len(pads) == 1:
        pads = pads * rank
    if rank != 4 or len(pads) != 4 or pads[0] != (0, 0) or pads[3] != (0, 0):
        raise ValueError(
            "`pad` takes images (n, h, w, c) and pads height and width: expected "
            f"pad_width=((0, 0), (top, bottom), (left, right), (0, 0)). Received: shape={shape_of(x)}, "
            f"pad_width={pad_width}"
        )
    (top, bottom), (left, right) = pads[1:3]
    return apply("zero_pad2d", [x], {"pads": [top, left, bottom, right]})


@operation("x", "key", class_name="GetItem")
def get_item(x: Any, key: Any) -> Value:
    """`x[key]`, for whole numbers, slices of step 1, `...` and `None`.

    Example:

    >>> cconv.ops.get_item(np.arange(6).reshape(2, 3), (0, slice(1, None))).tolist()
    [1, 2]
    """
    shape = shape_of(x)
    keys = list(key) if isinstance(key, (tuple, list)) else [key]
    for k in keys:
        if not (k is None or k is Ellipsis or isinstance(k, (slice, int, np.integer))) or isinstance(k, bool):
            raise TypeError(f"Tensors are indexed by whole numbers, slices, `...` and `None`. Received: {k!r}")
    used = len([k for k in keys if k is not None and k is not Ellipsis])
    if used > len(shape):
        raise IndexError(f"Too many indices for a tensor of shape {shape}. Received: {key!r}")
    if not any(k is Ellipsis for k in keys):
        keys.append(Ellipsis)
    at = next(i for i, k in enumerate(keys) if k is Ellipsis)
    keys[at : at + 1] = [slice(None)] * (len(shape) - used)
    begin, size, result, axis = [], [], [], 0
    for k in keys:
        if k is None:
            result.append("new")
            continue
        b, s = _range(k, shape[axis], key, shape)
        begin.append(b)
        size.append(s)
        result.append("keep" if isinstance(k, slice) else "drop")
        axis += 1
    y = x
    if any(b != 0 or s != -1 for b, s in zip(begin, size, strict=True)):
        y = apply("slice", [x], {"begin": begin, "size": size})
    drop = [i for i, r in enumerate(r for r in result if r != "new") if r == "drop"]
    if drop:
        y = apply("squeeze", [y], {"axes": drop})
    for i, r in enumerate(r for r in result if r != "drop"):
        if r == "new":
            y = apply("expand_dims", [y], {"axis": i})
    return y if y is not x else identity(x)


def _range(k: Any, n: int | None, key: Any, shape: Sequence[int | None]) -> tuple[int, int]:
    """First index and count (-1: to the end) that one index takes from an axis of size n."""
    if not isinstance(k, slice):
        k = int(k)
        if n is None:
            if k < 0:
                raise IndexError(f"A negative index needs an axis of known size. Received: {key!r} for shape {shape}")
            return k, 1
        if not -n <= k < n:
            raise IndexError(f"Index {k} is out of bounds for an axis of size {n}. Received: {key!r} for shape {shape}")
        return k % n, 1
    if k.step not in (None, 1):
        raise ValueError(f"Tensors are sliced with step 1. Received: {key!r}")
    if n is not None:
        start, stop, _ = k.indices(n)
        if stop <= start:
            raise ValueError(f"A slice of a tensor cannot be empty. Received: {key!r} for shape {shape}")
        return start, -1 if stop == n else stop - start
    start, stop = k.start or 0, k.stop
    if start < 0 or (stop is not None and stop <= start):
        raise ValueError(
            f"A slice of an axis of unknown size must start at 0 or later and not be empty. Received: {key!r}"
        )
    return start, -1 if stop is None else stop - start


@operation("inputs", module="core")
def slice_(inputs: Any, start_indices: Sequence[int], shape: Sequence[int]) -> Value:
    """The block of this shape that starts at `start_indices`."""
    return apply("slice", [inputs], {"begin": [int(i) for i in start_indices], "size": [int(s) for s in shape]})


@operation("x")
def identity(x: Any) -> Value:
    """`x` itself."""
    return apply("identity", [x])


def convert_to_tensor(x: Any, dtype: str | None = None) -> Value:
    """A tensor as it is; anything else as an array of its type: bool, int32 or float32, or of `dtype`."""
    dtype = standardize(dtype, default=of(x))
    if isinstance(x, Tensor) or not is_eager(x):
        return x if of(x) == dtype else cast(x, dtype)
    return np.array(converted(x, dtype))


def convert_to_numpy(x: Any) -> np.ndarray:
    """The numbers of a variable or array. A symbolic tensor has none: TypeError."""
    return np.array(x)


@operation("x", module="core")
def cast(x: Any, dtype: str) -> Value:
    """`x` as `"float32"`, `"int32"` or `"bool"`.

    To int32 fractions are cut off; numbers beyond its range become its nearest end, a NaN the lowest. To bool: whether
    the number is not 0.

    Example:

    >>> cconv.ops.cast([0.5, -1.5], "int32").tolist()
    [0, -1]
    """
    dtype = standardize(dtype)
    if of(x) == dtype:
        return apply("identity", [x])
    return apply("cast", [x], {"to": dtype})


def shape(x: Any) -> tuple[int | None, ...]:
    """The shape as a tuple; `None` where a size is not known yet."""
    return tuple(shape_of(x))


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(shape_of(x))


def size(x: Any) -> int | None:
    """The number of elements; `None` if not known yet."""
    sizes = shape_of(x)
    return None if any(s is None for s in sizes) else math.prod(sizes)


def zeros(shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
    """An array of zeros: float32, int32 or bool."""
    return np.zeros(shape, standardize(dtype))


def ones(shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
    """An array of ones."""
    return np.ones(shape, standardize(dtype))


def arange(start: float, stop: float | None = None, step: float = 1, dtype: str | None = None) -> np.ndarray:
    """The numbers from `start` up to and without `stop`; int32 if all three are whole numbers."""
    default = result_type(*[of(v) for v in (start, stop, step) if v is not None])
    dtype = standardize(dtype, default=default)
    return np.arange(*((0, start) if stop is None else (start, stop)), step, dtype=dtype)


def full(shape: Sequence[int], fill_value: float, dtype: str | None = None) -> np.ndarray:
    """An array of one value."""
    return np.full(shape, fill_value, standardize(dtype))


def is_tensor(x: Any) -> bool:
    """True for symbolic tensors, variables and arrays."""
    return isinstance(x, (Tensor, Variable, np.ndarray))


@operation("variable", module="core")
def stop_gradient(variable: Any) -> Value:
    """`x` itself, but no gradient flows back through it."""
    return apply("stop_gradient", [variable])
