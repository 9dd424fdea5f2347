"""Choices and loops. On arrays they are Python's; in a model both sides of a choice are computed, loops unrolled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..tree import flatten, map_structure, pack
from ._apply import is_eager, shape_of
from .arguments import axis as number_of_axis
from .arguments import whole
from .comparison import less_equal, where
from .indexing import take
from .shapes import concatenate, stack
from .subscripts import get_item
from .tensors import convert_to_numpy, convert_to_tensor

__all__ = [
    "associative_scan",
    "cond",
    "fori_loop",
    "map",
    "scan",
    "switch",
    "vectorized_map",
    "while_loop",
]


def _chosen(condition: Any, first: Any, second: Any) -> Any:
    """The leaves of the one or the other of two structures."""
    a, b = flatten(first), flatten(second)
    if len(a) != len(b):
        raise ValueError(f"Both sides of a choice must return as many tensors. Received: {len(a)} and {len(b)}")
    return pack(first, [None if x is None else where(condition, x, y) for x, y in zip(a, b, strict=True)])


def _known(x: Any) -> Any:
    """The number of an array of one element."""
    return convert_to_numpy(x).reshape(()).item()


def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """What one of two functions returns.

    Args:
        pred: One bool.
        true_fn: Called without arguments where it holds.
        false_fn: Called where it does not.

    Returns:
        What the function returns. Of a symbolic `pred` both are computed, and the tensors of one are chosen: both must
        return the same structure.

    Example:

    >>> cconv.ops.cond(True, lambda: 1, lambda: 2)
    1
    """
    if not callable(true_fn) or not callable(false_fn):
        raise TypeError(f"`cond` takes two functions. Received: true_fn={true_fn!r}, false_fn={false_fn!r}")
    if is_eager(pred):
        return true_fn() if _known(pred) else false_fn()
    return _chosen(pred, true_fn(), false_fn())


def switch(index: Any, branches: Sequence[Callable], *operands: Any) -> Any:
    """What the function of number `index`, the nearest where there is none, returns for the operands.

    Of a symbolic index all are computed, and one is chosen; see `cond`.

    Example:

    >>> cconv.ops.switch(1, [lambda x: x + 1, lambda x: x * 2], 5)
    10
    """
    if not branches:
        raise ValueError("`switch` takes one function or more. Received: none")
    if is_eager(index):
        return branches[min(max(int(_known(index)), 0), len(branches) - 1)](*operands)
    y = branches[-1](*operands)
    for k in range(len(branches) - 2, -1, -1):
        y = _chosen(less_equal(index, k), branches[k](*operands), y)
    return y


def while_loop(cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: int | None = None) -> Any:
    """Calls `body` on its own results as long as `cond` of them holds.

    Args:
        cond: Function of the loop variables that returns one bool.
        body: Function of the loop variables that returns new ones.
        loop_vars: The first ones: a tuple or list, or one tensor.
        maximum_iterations: How often at most.

    Returns:
        The last loop variables. Where `cond` is symbolic, `maximum_iterations` steps are part of the model, and
        those behind the last one change nothing.

    Raises:
        NotImplementedError: `cond` is symbolic, and there is no `maximum_iterations`.

    Example:

    >>> cconv.ops.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, s * 2), (0, 1))
    (3, 8)
    """
    several = isinstance(loop_vars, (tuple, list))
    values = tuple(loop_vars) if several else (loop_vars,)
    done = 0
    while maximum_iterations is None or done < whole(maximum_iterations, "maximum_iterations", 0):
        going = cond(*values)
        if is_eager(going):
            if not _known(going):
                break
            values = _variables(body(*values), several)
        elif maximum_iterations is None:
            raise NotImplementedError(
                "A loop in a model is unrolled, so the number of its steps must be known: `while_loop` of a symbolic "
                "condition takes `maximum_iterations`."
            )
        else:
            values = _chosen(going, _variables(body(*values), several), values)
        done += 1
    return (list(values) if isinstance(loop_vars, list) else values) if several else values[0]


def _variables(returned: Any, several: bool) -> tuple:
    return tuple(returned) if several or isinstance(returned, (tuple, list)) else (returned,)


def fori_loop(lower: int, upper: int, body_fun: Callable, init_val: Any) -> Any:
    """Calls `body_fun(i, value)` for each `i` from `lower` to `upper - 1`, on its own results.

    Args:
        lower: The first `i`, a known number.
        upper: Where to end, a known number.
        body_fun: Function of `i` and the value that returns the next one.
        init_val: The first value.

    Example:

    >>> cconv.ops.fori_loop(0, 4, lambda i, s: s + i, 0)
    6
    """
    if not is_eager(lower, upper):
        raise NotImplementedError(
            "A loop in a model is unrolled: `fori_loop` takes known numbers as `lower` and `upper`. "
            f"Received: lower={lower!r}, upper={upper!r}"
        )
    bounds = [_known(lower), _known(upper)]
    if not np.isfinite(bounds).all():
        raise ValueError(
            f"`fori_loop` takes whole numbers as `lower` and `upper`. Received: lower={lower}, upper={upper}"
        )
    for i in range(int(bounds[0]), int(bounds[1])):
        init_val = body_fun(i, init_val)
    return init_val


def _length(op: str, xs: Any, length: int | None = None) -> int:
    """The size of the first axis, which all leaves share."""
    sizes = {shape_of(x)[0] if shape_of(x) else None for x in flatten(xs) if x is not None}
    sizes |= {length} if length is not None else set()
    if len(sizes) != 1 or None in sizes:
        raise ValueError(
            f"`{op}` is unrolled: it takes tensors whose first axes have the same known size. Received: sizes {sizes}"
        )
    return int(sizes.pop())


def _row(xs: Any, i: int) -> Any:
    return map_structure(lambda x: None if x is None else take(x, np.int32(i), axis=0), xs)


def _stacked(results: list) -> Any:
    """Structures of the same form as one of their leaves along a new first axis."""
    if not results:
        raise ValueError("A loop over no elements has no results.")
    columns = [flatten(result) for result in results]
    leaves = [None if group[0] is None else stack(list(group)) for group in zip(*columns, strict=True)]
    return pack(results[0], leaves)


def scan(
    f: Callable, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, unroll: int | bool = 1
) -> tuple[Any, Any]:
    """Calls `f(carry, x)`, which returns `(carry, y)`, on each row of `xs` in turn.

    Args:
        f: The function.
        init: The first carry: a tensor or a structure of them.
        xs: Tensors whose rows are the `x`; `None`: each `x` is.
        length: How many rows there are, without `xs`.
        reverse: Whether to begin at the last row.
        unroll: All steps always are; see Keras.

    Returns:
        The last carry, and all `y` along a new first axis, in the order of the rows.

    Example:

    >>> carry, ys = cconv.ops.scan(lambda c, x: (c + x, c * x), np.int32(0), np.array([1, 2, 3]))
    >>> (int(carry), ys.tolist())
    (6, [0, 2, 9])
    """
    if xs is None and length is None:
        raise ValueError("`scan` takes `xs` or the number of steps as `length`. Received: neither")
    n = _length("scan", [] if xs is None else xs, length)
    carry, results = init, [None] * n
    for i in range(n - 1, -1, -1) if reverse else range(n):
        carry, results[i] = f(carry, None if xs is None else _row(xs, i))
    return carry, _stacked(results)


def associative_scan(f: Callable, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Combines all elements so far along an axis by an associative function, in as many calls as their number has bits.

    Args:
        f: Function of two structures like `elems` that combines them element by element.
        elems: A tensor or a structure of them.
        reverse: Whether to begin at the last.
        axis: The axis, of the same known size in all.

    Example:

    >>> cconv.ops.associative_scan(lambda a, b: a * b, np.array([1, 2, 3, 4])).tolist()
    [1, 2, 6, 24]
    """
    leaves = [convert_to_tensor(x) for x in flatten(elems)]
    places = [number_of_axis(axis, len(shape_of(x))) for x in leaves]
    sizes = {shape_of(x)[place] for x, place in zip(leaves, places, strict=True)}
    if len(sizes) != 1 or None in sizes:
        raise ValueError(f"`associative_scan` takes axes of the same known size. Received: sizes {sizes}")
    n = sizes.pop()

    def part(values: list, begin: int, end: int | None) -> list:
        cut = [(..., slice(begin, end), *[slice(None)] * (len(shape_of(x)) - 1 - place))
               for x, place in zip(values, places, strict=True)]  # fmt: skip
        return [get_item(x, key) for x, key in zip(values, cut, strict=True)]

    distance = 1
    while distance < n:
        early, late = part(leaves, 0, n - distance), part(leaves, distance, n)
        first, second = (late, early) if reverse else (early, late)
        combined = flatten(f(pack(elems, first), pack(elems, second)))
        kept = part(leaves, n - distance, n) if reverse else part(leaves, 0, distance)
        leaves = [
            concatenate([new, old] if reverse else [old, new], axis=place)
            for old, new, place in zip(kept, combined, places, strict=True)
        ]
        distance *= 2
    return pack(elems, leaves)


def map(f: Callable, xs: Any) -> Any:
    """What `f` returns for each row of `xs`, along a new first axis.

    Args:
        f: Function of a row, or of a structure of rows.
        xs: A tensor, or a structure of them, whose first axes have the same known size.

    Example:

    >>> cconv.ops.map(lambda row: cconv.ops.sum(row), np.array([[1, 2], [3, 4]])).tolist()
    [3, 7]
    """
    return _stacked([f(_row(xs, i)) for i in range(_length("map", xs))])


def vectorized_map(function: Callable, elements: Any) -> Any:
    """The same as `map`: a function that takes a whole batch is faster.

    Example:

    >>> cconv.ops.vectorized_map(lambda row: cconv.ops.sum(row), np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [3.0, 7.0]
    """
    return _stacked([function(_row(elements, i)) for i in range(_length("vectorized_map", elements))])
