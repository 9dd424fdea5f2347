"""What each op is tested on: one module per family of ops, each with `CASES`, a dict from op name to a list of `Case`.

    from cases import Case

    CASES = {
        "dense": [
            Case("bias", [(3, 5), (5, 4), (4,)], exact=True),
            Case("no bias, tanh", [(3, 5), (5, 4), None], {"activation": "tanh"}),
        ],
    }

`op_harness.check(op, case)` does the same with every case: forward and backward in C against the float64 reference
of the same name (`reference/<family>.py`), the reference's backward against numerical differentiation, equal bits for
1, 2 and 3 threads, integers exactly if the case is `exact`. `test_ops.py` runs all cases of all ops and fails for an
op without one.

Values an input can be filled with (`values`: one kind for all inputs, or one for each):

    normal           standard normal
    integers         integers in [-8, 8]
    positive         in [0.25, 2]
    unit             in [0.05, 0.95]
    away_from_zero   magnitude in [0.25, 2], both signs: for functions with a kink or a pole at zero
    distinct         a shuffled row of equally spaced numbers of both signs: for functions that care about ties
    probabilities    positive, sum to 1 along the last axis
    one_hot          one 1 along the last axis, else 0
    labels(k)        integers 0 .. k-1
    binary           0 or 1
    signs            -1 or 1
    zeros, ones

or a function `(rng, shape) -> array` for anything else. In the exact check "normal" becomes "integers", and the kinds
positive, away_from_zero and distinct keep their property in integers.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Shape = tuple[int, ...]
Values = str | Callable[[np.random.Generator, Shape], np.ndarray]


@dataclass(frozen=True)
class Case:
    """One way to use an op.

    Args:
        id: short text, unique within the op.
        inputs: the shape of each input in the op's order; `None` for an optional one that is left out.
        attributes: as given to `_core.Graph.add` and, by keyword, to the reference.
        values: how to fill the inputs, see above.
        exact: with integers in, the result is exact in float32: outputs and gradients must equal the reference bit for
            bit. For ops that only add and multiply (or choose) their inputs.
        adjoint: with `exact`, for each input whose gradient is asked for: the op is affine in it, so
            sum(dy * (y - y at 0)) = sum(dx * x). Set to False for an exact op that is not (a fused relu with a bias).
        training: the plan is made for training.
        grad: the inputs whose gradients are checked; `None`: all that the reference gives one for.
        tolerance: factor on the bound for rounding errors; write the reason beside it. The bound is 4 eps sqrt(K) times
            the reference on absolute values for `exact` ops, where K is the number of terms (the reference on ones),
            else 8 eps (|reference| + its root mean square). eps is 2**-23.
        numeric: whether to differentiate the reference numerically (False, with a reason, where it is a step function).
        min_nonzero: share of non-zero numbers the reference output must have for the comparison to mean anything.
    """

    id: str
    inputs: Sequence[Shape | None]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    values: Values | Sequence[Values] = "normal"
    exact: bool = False
    adjoint: bool = True
    training: bool = False
    grad: tuple[int, ...] | None = None
    tolerance: float = 1.0
    numeric: bool = True
    min_nonzero: float = 0.3

    def arrays(self, integers: bool = False) -> list[np.ndarray | None]:
        """The inputs as float32, the same at every call. With `integers`, small integers of the same kind."""
        rng = np.random.default_rng(zlib.crc32(self.id.encode()))
        one_for_all = isinstance(self.values, str) or callable(self.values)
        kinds = [self.values] * len(self.inputs) if one_for_all else self.values
        if len(kinds) != len(self.inputs):
            raise ValueError(f"case {self.id!r}: {len(self.inputs)} inputs but {len(kinds)} kinds of values")
        return [
            None if shape is None else fill(kind, rng, tuple(shape), integers).astype(np.float32)
            for kind, shape in zip(kinds, self.inputs, strict=True)
        ]


def fill(kind: Values, rng: np.random.Generator, shape: Shape, integers: bool = False) -> np.ndarray:
    """An array of one of the kinds listed at the head of this module."""
    if callable(kind):
        return np.asarray(kind(rng, shape))
    if kind == "integers" or (kind == "normal" and integers):
        return rng.integers(-8, 9, shape)
    if kind == "normal":
        return rng.standard_normal(shape)
    if kind == "positive":
        return rng.integers(1, 9, shape) if integers else rng.uniform(0.25, 2, shape)
    if kind == "unit":
        return rng.uniform(0.05, 0.95, shape)
    if kind == "away_from_zero":
        return rng.choice([-1, 1], shape) * fill("positive", rng, shape, integers)
    if kind == "distinct":
        count = int(np.prod(shape))
        row = rng.permutation(count).reshape(shape) - count // 2
        return row if integers else (row + 0.5) * (4 / max(count, 1))
    if kind == "probabilities":
        exponentials = np.exp(rng.standard_normal(shape))
        return exponentials / exponentials.sum(-1, keepdims=True)
    if kind == "one_hot":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if match := re.fullmatch(r"labels\((\d+)\)", kind):
        return rng.integers(0, int(match[1]), shape)
    if kind == "binary":
        return rng.integers(0, 2, shape)
    if kind == "signs":
        return rng.choice([-1, 1], shape)
    if kind in ("zeros", "ones"):
        return np.full(shape, float(kind == "ones"))
    raise ValueError(f"no such kind of values: {kind!r}")


def all_cases() -> dict[str, list[Case]]:
    """The cases of every family: op name -> cases."""
    collected: dict[str, list[Case]] = {}
    for module in pkgutil.iter_modules(__path__):
        for op, cases in importlib.import_module(f"{__name__}.{module.name}").CASES.items():
            collected.setdefault(op, []).extend(cases)
    for op, cases in collected.items():
        ids = [case.id for case in cases]
        if len(set(ids)) != len(ids):
            raise ValueError(f"cases of {op}: an id is used twice in {ids}")
    return collected
