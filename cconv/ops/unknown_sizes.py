"""Sizes that are not known while a layer is traced, such as the batch: those that the layer's inputs will have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..scope import tensors_of_call
from ..tensor import Tensor, Value
from ._apply import apply, shape_of


def input_with_sizes(shape: Sequence[int | None], what: str) -> Tensor:
    """The input of the layers that are being called, innermost first, whose unknown sizes those of `shape` are.

    Args:
        shape: Sizes, some of them `None`.
        what: What has this shape, for errors.

    Raises:
        ValueError: There is none.
    """
    shape = tuple(shape)
    only_batch = None not in shape[1:]
    for x in tensors_of_call():
        if x.shape[:1] == (None,) and (only_batch or x.shape == shape or _fits(x.shape, shape)):
            return x
    raise ValueError(
        f"The sizes of {what} that are not known yet must be those of the layer's input along the same axes. "
        f"Received: shape={shape} for inputs of shape {', '.join(str(x.shape) for x in tensors_of_call()) or 'none'}"
    )


def _fits(known: tuple[int | None, ...], shape: tuple[int | None, ...]) -> bool:
    """Whether a tensor of a shape has all sizes that are `None` in another one, of the same rank."""
    return len(known) == len(shape) and all(a is None for a, b in zip(known, shape, strict=True) if b is None)


def broadcast(x: Any, shape: Sequence[int | None], like: Any = None) -> Value:
    """`x` repeated until it has this shape, whose sizes may be `None`: those of `x`, or of the layer's input.

    Args:
        x: Tensor.
        shape: Sizes.
        like: The tensor that has the sizes that are `None`, instead of the layer's input.
    """
    own = shape_of(x)
    own = (1,) * (len(shape) - len(own)) + tuple(own)
    sizes = [-1 if size is None else int(size) for size in shape]
    if any(size is None and has == 1 for size, has in zip(shape, own, strict=False)):
        if like is None:
            like = input_with_sizes([size if has == 1 else 1 for size, has in zip(shape, own, strict=True)], "a tensor")
        # to the core, -2 - k is the size of axis k of `like`
        sizes = [
            -2 - k if size is None and has == 1 else at
            for k, (size, has, at) in enumerate(zip(shape, own, sizes, strict=True))
        ]
        return apply("broadcast_to", [x, like], {"shape": sizes})
    return apply("broadcast_to", [x], {"shape": sizes})
