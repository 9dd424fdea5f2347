"""Reductions: one value of many, along axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import axes as numbers_of_axes
from .arguments import axis as number_of_axis
from .operation import operation
from .tensors import cast, convert_to_tensor

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "average",
    "count_nonzero",
    "logsumexp",
    "max",
    "mean",
    "min",
    "moments",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]


def _reduce(op: str, x: Any, axis: int | Sequence[int] | None, keepdims: bool) -> Value:
    axes = [] if axis is None else numbers_of_axes(axis, len(shape_of(x)))
    if axis is not None and not axes:
        return convert_to_tensor(x)
    return apply(op, [x], {"axes": axes, "keepdims": bool(keepdims)})


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
    """The mean over `axis`.

    Example:

    >>> cconv.ops.mean([[1.0, 3.0], [2.0, 6.0]], axis=1, keepdims=True).tolist()
    [[2.0], [4.0]]
    """
    return _reduce("mean", x, axis, keepdims)


@operation("x")
def max(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False, initial: Any = None) -> Value:
    """The largest value over `axis`, and `initial` if it is given.

    Example:

    >>> cconv.ops.max([[1, 5], [4, 2]], axis=1).tolist()
    [5, 4]
    """
    y = _reduce("max", x, axis, keepdims)
    return y if initial is None else apply("maximum", [y, initial])


amax = max


@operation("x")
def min(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False, initial: Any = None) -> Value:
    """The smallest value over `axis`, and `initial` if it is given.

    Example:

    >>> cconv.ops.min([[1, 5], [4, 2]], axis=0).tolist()
    [1, 2]
    """
    y = _reduce("min", x, axis, keepdims)
    return y if initial is None else apply("minimum", [y, initial])


amin = min


@operation("x")
def prod(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False, dtype: str | None = None) -> Value:
    """The product over `axis`, of the values as `dtype` if it is given.

    Example:

    >>> cconv.ops.prod([[1, 5], [4, 2]], axis=1).tolist()
    [5, 8]
    """
    return _reduce("prod", x if dtype is None else cast(x, dtype), axis, keepdims)


@operation("x")
def var(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """The variance over `axis` (mean of the squared distances from the mean).

    Example:

    >>> cconv.ops.var([[1.0, 3.0], [2.0, 6.0]], axis=1).tolist()
    [1.0, 4.0]
    """
    x = cast(x, "float32")
    distance = apply("subtract", [x, _reduce("mean", x, axis, True)])
    return _reduce("mean", apply("square", [distance]), axis, keepdims)


@operation("x")
def std(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """The standard deviation over `axis`.

    Example:

    >>> cconv.ops.std([[1.0, 3.0], [2.0, 6.0]], axis=1).tolist()
    [1.0, 2.0]
    """
    distance = apply("subtract", [x, _reduce("mean", x, axis, True)])
    return apply("sqrt", [_reduce("mean", apply("square", [distance]), axis, keepdims)])


@operation("x", module="math")
def logsumexp(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """`log(sum(exp(x)))` over `axis`, without overflow, and with all digits where one number outweighs the others.

    Example:

    >>> cconv.ops.logsumexp([1000.0, 1000.0]).round(3).tolist()
    1000.6929931640625
    """
    top = _reduce("max", x, axis, True)
    tops = apply("equal", [x, top])
    count = _reduce("sum", cast(tops, "float32"), axis, True)
    others = apply("where", [tops, float("-inf"), apply("subtract", [x, top])])  # infinite ones are among the largest
    share = apply("divide", [_reduce("sum", apply("exp", [others]), axis, True), count])
    y = apply("add", [top, apply("add", [apply("log", [count]), apply("log1p", [share])])])
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
    place = {"axis": number_of_axis(axis, rank)}
    y = apply(op, [x], place)
    return apply("expand_dims", [y], place) if keepdims else y


@operation("x")
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """The position of the smallest value along `axis`, the first of equal ones, as an int32.

    Example:

    >>> cconv.ops.argmin([[3.0, 1.0], [0.0, 2.0]], axis=1).tolist()
    [1, 0]
    """
    return _position("argmin", x, axis, keepdims)


@operation("x")
def all(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """Whether all values over `axis` hold, that is, are not 0.

    Example:

    >>> cconv.ops.all([[True, False], [True, True]], axis=1).tolist()
    [False, True]
    """
    return _reduce("min", cast(x, "bool"), axis, keepdims)


@operation("x")
def any(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """Whether one value over `axis` holds, or more.

    Example:

    >>> cconv.ops.any([[True, False], [False, False]], axis=1).tolist()
    [True, False]
    """
    return _reduce("max", cast(x, "bool"), axis, keepdims)


@operation("x")
def count_nonzero(x: Any, axis: int | Sequence[int] | None = None) -> Value:
    """How many values over `axis` are not 0, as int32.

    Example:

    >>> cconv.ops.count_nonzero([[0, 1], [2, 3]], axis=1).tolist()
    [1, 2]
    """
    return _reduce("sum", cast(cast(x, "bool"), "int32"), axis, False)


@operation("x")
def ptp(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """The largest value less the smallest over `axis` ("peak to peak").

    Example:

    >>> cconv.ops.ptp([[1.0, 5.0], [4.0, 2.0]], axis=1).tolist()
    [4.0, 2.0]
    """
    return apply("subtract", [_reduce(op, x, axis, keepdims) for op in ("max", "min")])


@operation("x")
def average(x: Any, axis: int | Sequence[int] | None = None, weights: Any = None) -> Value:
    """The mean over `axis`, each value counting by its weight.

    Args:
        x: Tensor.
        axis: One axis, several, or all of them if `None`.
        weights: Tensor of the shape of `x`, or of one axis, for those along `axis`; `None`: all count the same.

    Raises:
        ValueError: The weights have another shape.

    Example:

    >>> cconv.ops.average([1.0, 2.0], weights=[3.0, 1.0]).tolist()
    1.25
    """
    if weights is None:
        return _reduce("mean", x, axis, False)
    shape, given = shape_of(x), shape_of(weights)
    if len(given) == 1 and len(shape) != 1:
        place = number_of_axis(axis, len(shape))
        weights = apply("reshape", [weights], {"shape": [-1 if k == place else 1 for k in range(len(shape))]})
    elif len(given) != len(shape):
        raise ValueError(
            f"`average` takes weights of the shape of `x`, or of one axis. Received: shapes {given} for {shape}"
        )
    weights = cast(weights, "float32")
    total = _reduce("sum", apply("multiply", [x, weights]), axis, False)
    return apply("divide", [total, _reduce("sum", weights, axis, False)])


@operation("x", module="nn")
def moments(
    x: Any, axes: int | Sequence[int], keepdims: bool = False, synchronized: bool = False
) -> tuple[Value, Value]:
    """The mean and the variance over `axes`.

    Args:
        x: Tensor.
        axes: One axis or several.
        keepdims: Whether the axes stay, with size 1.
        synchronized: Over several machines: not supported.

    Example:

    >>> mean, variance = cconv.ops.moments([1.0, 3.0], axes=0)
    >>> (mean.tolist(), variance.tolist())
    (2.0, 1.0)
    """
    if synchronized:
        raise NotImplementedError("`moments` over several machines is not supported. Received: synchronized=True")
    return mean(x, axes, keepdims), var(x, axes, keepdims)
