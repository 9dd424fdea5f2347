"""Attention as a function: masks, weights, weighted means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import of
from ..tensor import Tensor, Value
from ._apply import apply, shape_of
from .arguments import number
from .comparison import greater, greater_equal, less, logical_and
from .contraction import einsum
from .operation import operation
from .tensors import cast

__all__ = ["dot_product_attention"]

#: what a score becomes that must not count: its exponential, beside any other one, is 0
_NEVER = -1e9


@operation("query", "key", "value", "bias", "mask", module="nn")
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Value:
    """`softmax(query . key * scale + bias) . value`, for each head (Vaswani et al., 2017).

    Args:
        query: `(b, t, n, h)`, of `n` heads.
        key: `(b, s, k, h)`, where `n` is a multiple of `k`: so many neighbouring heads share a key.
        value: The shape of `key`.
        bias: Added to the scores; its shape broadcasts to `(b, n, t, s)`.
        mask: Where it is false a value gets no weight; likewise. Where none is left the result is 0.
        scale: Of the scores; `None`: `1 / sqrt(h)`.
        is_causal: Whether a query sees only values up to its own position.
        flash_attention: Must not be true: there is one way to compute it.
        attn_logits_soft_cap: Must be `None`.

    Returns:
        `(b, t, n, h)`.

    Raises:
        ValueError: The tensors are not of rank 4, or their heads do not fit.

    Example:

    >>> query, value = np.zeros((1, 1, 1, 2)), np.array([[[[1.0, 0.0]], [[3.0, 2.0]]]])
    >>> cconv.ops.dot_product_attention(query, value, value).tolist()
    [[[[2.0, 1.0]]]]
    """
    if flash_attention:
        raise NotImplementedError("`dot_product_attention`: flash attention is not supported: expected None or False.")
    if attn_logits_soft_cap is not None:
        raise ValueError(
            "`dot_product_attention`: expected attn_logits_soft_cap=None. "
            f"Received: attn_logits_soft_cap={attn_logits_soft_cap}"
        )
    shapes = [shape_of(x) for x in (query, key, value)]
    if any(len(shape) != 4 for shape in shapes):
        raise ValueError(
            "`dot_product_attention`: expected query, key and value of rank 4, (batch, steps, heads, size). "
            f"Received: shapes {', '.join(map(str, shapes))}"
        )
    n, k = shapes[0][2], shapes[1][2]
    if n % k:
        raise ValueError(
            "`dot_product_attention`: the number of the query's heads must be a multiple of the key's. "
            f"Received: {n} and {k}, of shapes {shapes[0]} and {shapes[1]}"
        )
    masks = [] if mask is None else [mask if of(mask) == "bool" else cast(mask, "bool")]
    if is_causal:
        masks.append(causal_mask(query, key))
    scale = 1 / math.sqrt(shapes[0][3]) if scale is None else number(scale, "scale")
    scores = attention_scores(apply("multiply", [query, scale]), key)
    if bias is not None:
        scores = apply("add", [scores, bias])
    return attention_values(masked_softmax(scores, masks), value)


def attention_scores(query: Any, key: Any) -> Value:
    """`(b, t, n, h)` and `(b, s, k, h)` to `(b, n, t, s)`."""
    n, k = shape_of(query)[2], shape_of(key)[2]
    if n == k:
        return einsum("btnh,bsnh->bnts", query, key)
    scores = einsum("btkgh,bskh->bkgts", _grouped(query, 2, k), key)
    return _ungrouped(scores, 1)


def attention_values(weights: Any, value: Any) -> Value:
    """`(b, n, t, s)` and `(b, s, k, h)` to `(b, t, n, h)`."""
    n, k = shape_of(weights)[1], shape_of(value)[2]
    if n == k:
        return einsum("bnts,bsnh->btnh", weights, value)
    return _ungrouped(einsum("bkgts,bskh->btkgh", _grouped(weights, 1, k), value), 2)


def _grouped(x: Any, axis: int, k: int) -> Value:
    """An axis of heads as two: of `k` groups, and of the heads of each."""
    shape = shape_of(x)
    parts = [*shape[:axis], k, shape[axis] // k, *shape[axis + 1 :]]
    return _reshaped(x, parts)


def _ungrouped(x: Any, axis: int) -> Value:
    shape = shape_of(x)
    return _reshaped(x, [*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]])


def _reshaped(x: Any, sizes: Sequence[int | None]) -> Value:
    shape = shape_of(x)
    unknown = [i for i, size in enumerate(sizes) if size is None]
    kept = [i for i in unknown if i < len(shape) and shape[i] is None]
    if len(unknown) - len(kept) > 1:
        raise ValueError(f"Attention in groups needs a known number of steps. Received: shape {shape}")
    return apply(
        "reshape", [x], {"shape": [s if s is not None else 0 if i in kept else -1 for i, s in enumerate(sizes)]}
    )


def masked_softmax(scores: Any, masks: Sequence[Any], empty: str = "zero", axes: int = 1) -> Value:
    """The softmax of scores over the last `axes`, in which only those count where all masks are true.

    Args:
        scores: Tensor.
        masks: Bools whose shapes broadcast to that of the scores.
        empty: What the weights of a row are in which nothing counts: `"zero"`, or `"uniform"`.
        axes: How many axes the softmax is over.
    """
    mask = None
    for other in masks:
        mask = other if mask is None else logical_and(mask, other)
    if mask is not None:
        scores = apply("where", [mask, scores, _NEVER])
    shape = shape_of(scores)
    if axes > 1:
        scores = _last_merged(scores, axes)
    weights = apply("softmax", [scores], {"axis": -1})
    if axes > 1:
        weights = apply("reshape", [weights], {"shape": [0 if s is None else s for s in shape]})
    if mask is None or empty == "uniform" or _never_empty(mask, axes):
        return weights
    return apply("multiply", [weights, cast(mask, "float32")])


def _last_merged(x: Any, axes: int) -> Value:
    shape = shape_of(x)
    last = shape[len(shape) - axes :]
    if None in last:
        raise ValueError(f"Attention over several axes needs their sizes. Received: scores of shape {shape}")
    return apply("reshape", [x], {"shape": [*(0 if s is None else s for s in shape[:-axes]), math.prod(last)]})


def _never_empty(mask: Any, axes: int) -> bool:
    """Whether every row of a mask whose numbers are known has something that counts."""
    if isinstance(mask, Tensor):
        mask = mask.value if mask.op == "constant" else None
    return isinstance(mask, np.ndarray) and bool(mask.any(axis=tuple(range(-axes, 0))).all())


def causal_mask(query: Any, key: Any, window: int | None = None, causal: bool = True, axis: int = 1) -> Value:
    """`(1, t, s)`, or `(t, s)` where sizes are known: whether a query of `(b, t, ...)` sees a key of `(b, s, ...)`.

    Args:
        query: Tensor.
        key: Tensor.
        window: With a number, only keys that are less than so far away.
        causal: Whether keys behind the query are not seen.
        axis: On which the steps of both are.
    """
    t, s = shape_of(query)[axis], shape_of(key)[axis]
    if t is not None and s is not None:
        apart = np.arange(t)[:, None] - np.arange(s)
        seen = apart >= 0 if causal else np.ones((t, s), bool)
        return seen if window is None else seen & (np.abs(apart) < window)
    rows, columns = _positions(query, axis, 2), _positions(key, axis, 1)
    seen = greater_equal(rows, columns) if causal else None
    if window is not None:
        near = logical_and(less(rows, columns + window), greater(rows, columns - window))
        seen = near if seen is None else logical_and(seen, near)
    return seen


def _positions(x: Any, along: int, axis: int) -> Value:
    """0, 1, ... along an axis of `x`, whose size only the data tell, as a column or row."""
    rank = len(shape_of(x))
    size = [-1 if i == along % rank else 1 for i in range(rank)]
    line = apply("slice", [x], {"begin": [0] * rank, "size": size})
    line = apply("reshape", [line], {"shape": [1, -1]})
    zeros = cast(greater(line, line), "float32")  # false of any number
    return apply("expand_dims", [apply("argsort", [zeros], {"axis": 1})], {"axis": axis})
