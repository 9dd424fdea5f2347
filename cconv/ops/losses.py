"""Cross-entropies, of which losses are made."""

from __future__ import annotations

from typing import Any

from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import whole
from .operation import operation

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
]


@operation("target", "output", module="nn")
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Value:
    """`-target * log(output) - (1 - target) * log(1 - output)`, element by element.

    Args:
        target: 0 and 1, or what lies between.
        output: Probabilities, or with `from_logits` what a sigmoid would turn into them.
        from_logits: Whether `output` is before the sigmoid.

    Example:

    >>> print(cconv.ops.binary_crossentropy([1.0, 0.0], [0.9, 0.2]).round(4))
    [0.1054 0.2231]
    """
    # the op takes the mean over the last axis: here one of size 1
    target, output = (apply("expand_dims", [x], {"axis": -1}) for x in (target, output))
    return apply("binary_crossentropy", [target, output], {"from_logits": bool(from_logits)})


@operation("target", "output", module="nn")
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Value:
    """`-sum(target * log(output))` over the classes on `axis`.

    Example:

    >>> print(cconv.ops.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(4))
    [0.6931]
    """
    return apply(
        "categorical_crossentropy", [target, output], {"from_logits": bool(from_logits), "axis": whole(axis, "axis")}
    )


@operation("target", "output", module="nn")
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Value:
    """`-log(output[target])`: cross-entropy where `target` holds the numbers of the classes.

    Example:

    >>> print(cconv.ops.sparse_categorical_crossentropy([2], [[0.1, 0.2, 0.7]]).round(4))
    [0.3567]
    """
    rank = len(shape_of(output))
    if not rank:
        raise ValueError(f"Expected an output with a number for each class. Received: {output!r}")
    axis = whole(axis, "axis") % rank
    if axis != rank - 1:
        axes = [*(i for i in range(rank) if i != axis), axis]
        output = apply("transpose", [output], {"axes": axes})
    return apply("sparse_categorical_crossentropy", [target, output], {"from_logits": bool(from_logits)})
