"""Products summed over axes: `einsum` and what it is called where the axes are fixed."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

from ..dtypes import of, result_type
from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import axes as numbers_of_axes
from .arguments import is_integer
from .arithmetic import multiply
from .operation import operation
from .reductions import sum
from .tensors import cast, convert_to_tensor

__all__ = ["dot", "einsum", "inner", "outer", "tensordot", "vdot"]


def einsum(subscripts: str, *operands: Any) -> Value:
    """Products of tensors, summed over the axes whose letters the result does not have (Einstein's convention).

    Args:
        subscripts: A letter for each axis of each operand, and after `->` those of the result, as in `"bij,bjk->bik"`.
            Without `->` the result has the letters that come once, in alphabetical order. `...` stands for any axes,
            which broadcast.
        operands: The tensors. Three or more are multiplied from the left to the right.

    Returns:
        A tensor of the type that the operands have together.

    Raises:
        ValueError: The subscripts do not fit the operands, or a letter stands for axes of different sizes.
        NotImplementedError: An operand has the same letter twice (a diagonal).

    Example:

    >>> cconv.ops.einsum("ij,j->i", [[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0]).tolist()
    [21.0, 43.0]
    """
    return _einsum(*operands, subscripts=subscripts)


@operation("operands", class_name="Einsum")
def _einsum(*operands: Any, subscripts: str) -> Value:
    shapes = [shape_of(x) for x in operands]
    labels, result = _parse(subscripts, shapes)
    _check_sizes(subscripts, labels, shapes)
    dtype = result_type(*(of(x) for x in operands))
    terms = [(cast(x, "int32") if dtype == "bool" else x, own) for x, own in zip(operands, labels, strict=True)]
    while len(terms) > 1:
        (a, la), (b, lb), *rest = terms
        wanted = set(result).union(*(own for _, own in rest))
        terms = [_pair(a, la, b, lb, wanted, None if rest else result), *rest]
    x, own = terms[0]
    y = _transposed(*_summed(x, own, set(result)), result)
    if y is operands[0]:
        y = apply("identity", [y]) if shape_of(y) else convert_to_tensor(y)
    return cast(y, "bool") if dtype == "bool" else y


def _parse(subscripts: Any, shapes: Sequence[tuple]) -> tuple[list[str], str]:
    """The letters of each operand's axes and of the result's, with letters of their own in place of `...`."""
    if not isinstance(subscripts, str):
        raise ValueError(f"`einsum`: expected subscripts as text. Received: subscripts={subscripts!r}")
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    parts = left.split(",")
    letters = set(string.ascii_letters)
    for part in [*parts, right]:
        if part.count("...") > 1 or not set(part.replace("...", "", 1)) <= letters:
            raise ValueError(
                f"`einsum`: expected letters, and `...` once for each. Received: subscripts={subscripts!r}"
            )
    if len(parts) != len(shapes):
        raise ValueError(
            f"`einsum`: expected an operand for each of {len(parts)} subscripts. Received: {subscripts!r} and "
            f"{len(shapes)} operands"
        )
    free = sorted(letters - set(text), reverse=True)
    hidden = 0
    for part, shape in zip(parts, shapes, strict=True):
        count = len(shape) - len(part.replace("...", ""))
        if count < 0 or (count > 0 and "..." not in part):
            raise ValueError(
                f"`einsum`: expected as many subscripts as an operand has axes. Received: {part!r} of "
                f"subscripts={subscripts!r} for shape {shape}"
            )
        hidden = max(hidden, count)
    dots = "".join(free[:hidden])  # right-aligned, as sizes broadcast
    labels = []
    for part, shape in zip(parts, shapes, strict=True):
        count = len(shape) - len(part.replace("...", ""))
        own = part.replace("...", dots[hidden - count :])
        if len(set(own)) < len(own):
            raise NotImplementedError(f"`einsum`: diagonals ({part!r}) are not supported. Received: {subscripts!r}")
        labels.append(own)
    if arrow:
        result = right.replace("...", dots)
    else:
        result = dots + "".join(sorted(c for c in set(left) & letters if left.count(c) == 1))
    if len(set(result)) < len(result) or not set(result) <= set("".join(labels)):
        raise ValueError(
            "`einsum`: the result's letters must be among the operands', each once. "
            f"Received: subscripts={subscripts!r}"
        )
    return labels, result


def _check_sizes(subscripts: str, labels: Sequence[str], shapes: Sequence[tuple]) -> None:
    known: dict[str, int] = {}
    for own, shape in zip(labels, shapes, strict=True):
        for letter, size in zip(own, shape, strict=True):
            if size is not None and known.setdefault(letter, size) != size:
                if 1 not in (size, known[letter]):
                    raise ValueError(
                        f"`einsum`: a letter stands for one size, {letter!r} for {known[letter]} and {size}. Received: "
                        f"subscripts={subscripts!r} and shapes {', '.join(map(str, shapes))}"
                    )
                known[letter] = max(size, known[letter])


def _summed(x: Any, own: str, wanted: set[str]) -> tuple[Any, str]:
    """Without the axes that nobody else has."""
    axes = [i for i, letter in enumerate(own) if letter not in wanted]
    return (sum(x, axis=axes), "".join(c for c in own if c in wanted)) if axes else (x, own)


def _transposed(x: Any, own: str, to: str) -> Any:
    """The axes in another order."""
    return x if own == to else apply("transpose", [x], {"axes": [own.index(letter) for letter in to]})


def _pair(a: Any, la: str, b: Any, lb: str, wanted: set[str], result: str | None) -> tuple[Any, str]:
    """The product of two, summed over what is not wanted; in the order `result` where that costs least."""
    a, la = _summed(a, la, wanted | set(lb))
    b, lb = _summed(b, lb, wanted | set(la))
    contracted = [c for c in la if c in lb and c not in wanted]
    sizes = {c: [s for s, own in ((shape_of(a), la), (shape_of(b), lb)) for s in (s[own.index(c)],)]
             for c in contracted}  # fmt: skip
    if not contracted or any(1 in pair and pair[0] != pair[1] for pair in sizes.values()):
        order = result or la + "".join(c for c in lb if c not in la)
        order += "".join(c for c in contracted if c not in order)
        y = multiply(_aligned(a, la, order), _aligned(b, lb, order))
        return _summed(y, order, wanted)
    if result is not None and not _in_order(la, lb, contracted, result) and _in_order(lb, la, contracted, result):
        a, la, b, lb = b, lb, a, la
    return _product(a, la, b, lb, contracted)


def _aligned(x: Any, own: str, order: str) -> Any:
    """With an axis for each letter of `order`, of size 1 where it has none."""
    x = _transposed(x, own, "".join(c for c in order if c in own))
    missing = [i for i, c in enumerate(order) if c not in own]
    for place in missing:
        x = apply("expand_dims", [x], {"axis": place})
    return x


def _in_order(la: str, lb: str, contracted: Sequence[str], result: str) -> bool:
    batch = [c for c in la if c in lb and c not in contracted]
    free = [[c for c in own if c not in batch and c not in contracted] for own in (la, lb)]
    return "".join(batch + free[0] + free[1]) == result


def _product(a: Any, la: str, b: Any, lb: str, contracted: list[str]) -> tuple[Any, str]:
    """By products of matrices: (batch, rows, contracted) times (batch, contracted, columns)."""
    batch = [c for c in la if c in lb and c not in contracted]
    rows = [c for c in la if c not in lb]
    columns = [c for c in lb if c not in la]
    tail = "".join(contracted)
    if not batch and rows and columns and result_type(of(a), of(b)) == "float32":
        right = _transposed(b, lb, tail + "".join(columns))
        widths = shape_of(right)[len(tail) :]
        if None not in shape_of(right):
            a = _merged(_transposed(a, la, "".join(rows) + tail), [*([1] * len(rows)), len(tail)])
            y = apply("dense", [a, _merged(right, [len(tail), len(columns)]), None])
            return y if len(columns) == 1 else _split(y, len(rows), widths), "".join(rows + columns)
    first, ones = "".join(batch), [1] * len(batch)
    turned_a = la == first + tail + "".join(rows) and bool(rows)
    # what is moved in any case keeps its last axis last
    turned_b = bool(columns) and lb != first + tail + "".join(columns) and lb[-1] == tail[-1:]
    row_sizes = [shape_of(a)[la.index(c)] for c in rows]
    column_sizes = [shape_of(b)[lb.index(c)] for c in columns]
    parts = [(len(tail), len(rows)) if turned_a else (len(rows), len(tail))]
    parts += [(len(columns), len(tail)) if turned_b else (len(tail), len(columns))]
    order_a = first + (tail + "".join(rows) if turned_a else "".join(rows) + tail)
    order_b = first + ("".join(columns) + tail if turned_b else tail + "".join(columns))
    a = _merged(_transposed(a, la, order_a), [*ones, *parts[0]])
    b = _merged(_transposed(b, lb, order_b), [*ones, *parts[1]])
    y = apply("matmul", [a, b], {"transpose_a": turned_a, "transpose_b": turned_b})
    y = _split(y, len(batch), [*row_sizes, *column_sizes]) if (len(rows), len(columns)) != (1, 1) else y
    return y, "".join(batch + rows + columns)


def _merged(x: Any, counts: Sequence[int]) -> Any:
    """Neighbouring axes made one: `counts` of them each; none: an axis of size 1."""
    if all(count == 1 for count in counts):
        return x
    shape, sizes, at = shape_of(x), [], 0
    for i, count in enumerate(counts):
        part = shape[at : at + count]
        sizes.append(-1 if None in part and not (count == 1 and at == i) else 0 if None in part else math.prod(part))
        at += count
    return apply("reshape", [x], {"shape": _one_unknown(sizes, shape)})


def _split(x: Any, kept: int, sizes: Sequence[int | None]) -> Any:
    """The first `kept` axes as they are, and the rest in these sizes."""
    shape = shape_of(x)
    first = [0 if size is None else size for size in shape[:kept]]
    return apply("reshape", [x], {"shape": _one_unknown([*first, *(-1 if s is None else s for s in sizes)], shape)})


def _one_unknown(sizes: list[int], shape: tuple) -> list[int]:
    if sizes.count(-1) > 1:
        raise ValueError(f"`einsum`: expected at most one unknown size among axes that become one. Received: {shape}")
    return sizes


def _letters(count: int) -> str:
    return string.ascii_letters[:count]


@operation("x1", "x2")
def tensordot(x1: Any, x2: Any, axes: int | Sequence[Any] = 2) -> Value:
    """Products of two tensors, summed over some axes of both.

    Args:
        x1: Tensor.
        x2: Tensor.
        axes: How many: the last of `x1` and the first of `x2`; or two lists, of axes of `x1` and of `x2`.

    Returns:
        A tensor whose shape is that of the other axes of `x1`, then those of `x2`.

    Example:

    >>> cconv.ops.tensordot(np.ones((2, 3, 4)), np.ones((4, 3, 5)), axes=[[1, 2], [1, 0]]).shape
    (2, 5)
    """
    m, n = len(shape_of(x1)), len(shape_of(x2))
    if is_integer(axes):
        if not 0 <= axes <= min(m, n):
            raise ValueError(f"`tensordot`: expected axes from 0 to {min(m, n)}. Received: axes={axes}")
        first, second = list(range(m - axes, m)), list(range(axes))
    else:
        first, second = (numbers_of_axes(a, rank, "axes") for a, rank in zip(axes, (m, n), strict=True))
    if len(first) != len(second):
        raise ValueError(f"`tensordot`: expected as many axes of x1 as of x2. Received: axes={axes}")
    left = _letters(m)
    right = [string.ascii_letters[m + i] for i in range(n)]
    for i, j in zip(first, second, strict=True):
        right[j] = left[i]
    kept = [c for i, c in enumerate(left) if i not in first] + [c for j, c in enumerate(right) if j not in second]
    return einsum(f"{left},{''.join(right)}->{''.join(kept)}", x1, x2)


@operation("x1", "x2")
def dot(x1: Any, x2: Any) -> Value:
    """Products summed over the last axis of `x1` and the last but one of `x2` (its only one, if it has one).

    With a scalar, the product element by element.

    Example:

    >>> cconv.ops.dot([[1.0, 2.0]], [3.0, 4.0]).tolist()
    [11.0]
    """
    m, n = len(shape_of(x1)), len(shape_of(x2))
    if m == 0 or n == 0:
        return multiply(x1, x2)
    return tensordot(x1, x2, axes=[[m - 1], [max(n - 2, 0)]])


@operation("x1", "x2")
def inner(x1: Any, x2: Any) -> Value:
    """Products summed over the last axis of both; with a scalar, element by element.

    Example:

    >>> cconv.ops.inner([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).tolist()
    [3.0, 7.0]
    """
    m, n = len(shape_of(x1)), len(shape_of(x2))
    return multiply(x1, x2) if m == 0 or n == 0 else tensordot(x1, x2, axes=[[m - 1], [n - 1]])


@operation("x1", "x2")
def vdot(x1: Any, x2: Any) -> Value:
    """The sum of all products of two tensors of as many elements.

    Example:

    >>> print(cconv.ops.vdot([[1.0, 2.0]], [3.0, 4.0]))
    11.0
    """
    a, b = (apply("reshape", [x], {"shape": [-1]}) for x in (x1, x2))
    return einsum("a,a->", a, b)


@operation("x1", "x2")
def outer(x1: Any, x2: Any) -> Value:
    """The product of each element of `x1` with each of `x2`, as a matrix; both are taken as rows of values.

    Example:

    >>> cconv.ops.outer([1, 2], [3, 4]).tolist()
    [[3, 4], [6, 8]]
    """
    a, b = (apply("reshape", [x], {"shape": [-1]}) for x in (x1, x2))
    return einsum("a,b->ab", a, b)
