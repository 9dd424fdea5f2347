"""The ops once more, in NumPy and float64: short and slow, what the C core is held against.

One module per family. For an op called `name` with inputs `x w b?` and attributes `strides`, `padding`:

    def name(x, w, b=None, *, strides=(1, 1), padding="valid"): ...  # -> y
    def name_backward(dy, x, w, b=None, *, strides=(1, 1), padding="valid"): ...  # -> (dx, dw, db)

Inputs are float64 arrays, `None` where an optional one is left out. Keywords are the op's attributes with the defaults
of its table (a list that is empty by default is `()`); one that does not change the result (`algorithm`) is accepted
and ignored. `_backward` gives one gradient per input, `None` where none flows or the input is absent; an op through
which no gradient flows has no `_backward`. A backward pass is written as a formula of its own, not by differentiating
the forward code: the harness checks it numerically. An op whose result depends on the run (dropout) has a keyword
`run`, see `Run`.

The docstrings of both are an op's formulas in docs/ops.md (`make docs`): what the C core computes, in a few lines of
plain mathematics, the shapes of inputs and output first, and what holds at ties, at kinks and for a NaN. A module's
docstring begins with the heading of its family, up to a full stop or colon.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """What a result depends on besides inputs and attributes: seed, step, number among random ops, the plan's mode."""

    seed: int = 0
    step: int = 0
    draw: int = 1
    training: bool = True


DEFAULT_RUN = Run()


def find(name: str) -> Callable | None:
    """The function of that name in any family, or None."""
    for module in pkgutil.iter_modules(__path__):
        function = getattr(importlib.import_module(f"{__name__}.{module.name}"), name, None)
        if function is not None and function.__module__.startswith(__name__):
            return function
    return None
