"""What `attention=` of networks means: which block stands where, by name, or a function of the user's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .. import layers
from ..tensor import Tensor


class _Way(NamedTuple):
    """A block of attention and where in a residual network its authors have it."""

    layer: type[layers.Layer]
    stages: tuple[int, ...] = (2, 3, 4, 5)
    every: int = 1  # which blocks of a stage: 2 is every second
    behind: bool = False  # behind the sum and its activation, not in the branch before it


_WAYS = {
    "cbam": _Way(layers.CBAM),
    "gc": _Way(layers.GlobalContext, stages=(3, 4, 5)),
    "nonlocal": _Way(layers.NonLocal, stages=(3, 4), every=2, behind=True),
    "scse": _Way(layers.ConcurrentSCSE),
    "se": _Way(layers.SqueezeExcitation),
}


class ResidualAttention:
    """The blocks of attention of a residual network, whose stages are numbered from 2 and their blocks from 1."""

    def __init__(self, given: str | Callable[[Tensor], Tensor] | None) -> None:
        check_attention(given)
        self.given = given

    def in_branch(self, x: Tensor, stage: int, block: int) -> Tensor:
        """What is added to the shortcut, weighted."""
        return self._weighted(x, stage, block, behind=False)

    def behind(self, x: Tensor, stage: int, block: int) -> Tensor:
        """What a residual block gives, weighted."""
        return self._weighted(x, stage, block, behind=True)

    def _weighted(self, x: Tensor, stage: int, block: int, behind: bool) -> Tensor:
        if not isinstance(self.given, str):
            return x if self.given is None or behind else applied(self.given, x)
        way = _WAYS[self.given]
        if way.behind != behind or stage not in way.stages or block % way.every:
            return x
        return way.layer(name=f"conv{stage}_block{block}_{self.given}")(x)


def named_attention(given: str, x: Tensor, name: str) -> Tensor:
    """The block of this name applied to a tensor."""
    return _WAYS[given].layer(name=f"{name}_{given}")(x)


def applied(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """What the user's function makes of a tensor, which must keep its shape."""
    y = function(x)
    if not isinstance(y, Tensor) or y.shape != x.shape:
        raise ValueError(
            "`attention` must return a symbolic tensor of the shape it was given. "
            f"Received: {y!r}, from a tensor of shape {x.shape}"
        )
    return y


def check_attention(given: Any) -> None:
    if given is not None and given not in _WAYS and not (callable(given) and not isinstance(given, type)):
        raise ValueError(
            f"`attention` must be None, one of {tuple(_WAYS)}, or a function that takes a tensor and gives one. "
            f"Received: attention={given!r}"
        )
