"""Random numbers in models: dropout."""

from __future__ import annotations

from typing import Any

from ..random import next_seed
from ..tensor import Tensor, Value
from ._apply import apply
from .arguments import number
from .operation import operation

__all__ = [
    "dropout",
]


@operation("x", module="nn")
def dropout(x: Any, rate: float, seed: int | None = None) -> Value:
    """Sets a share `rate` of the values to 0 and multiplies the others by `1 / (1 - rate)`."""
    rate = number(rate, "rate", 0, 1, open_top=True)
    seed = next_seed() if seed is None else int(seed)
    # the attribute tells nodes of one graph apart, the run's seed one call from the next
    return apply("dropout", [x], {"rate": rate, "seed": 0 if not isinstance(x, Tensor) else seed}, seed=seed)
