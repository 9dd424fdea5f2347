"""A step of training, evaluation or prediction: a program, and what its numbers mean."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from .. import _core, tree
from ..graph import signature
from ..program import Program, clock
from ..scope import settle
from ..seeds import next_seed
from ..tensor import Tensor
from .totals import Totals
from .tracer import Traced


def mark_of(traced: Traced) -> Hashable:
    """A key that two traces share if they compute the same from the same variables, while these are alive."""
    return signature([*traced.outputs, *traced.assigned], traced.inputs)


class Step(Program):
    """A program whose outputs have a meaning: predictions; or the total loss, losses, the metrics' numbers, penalties.

    Args:
        traced: The model, and for training and tests its losses and metrics.
        trained: The variables' nodes that it updates.
        root: What it makes smaller.
        **options: As for `Program`.

    Attributes:
        shapes: The shape of each prediction, batch first.
        dtypes: Its element type.
        structure: How the model nests its outputs.
        constrained: The variables trained that must be brought back into a range after each step.
        mark: What is computed: the same for traces that compute the same.
        state: The planner's, when the step was last known to be what the model says.
    """

    def __init__(
        self, traced: Traced, trained: Sequence[Tensor] = (), root: Tensor | None = None, **options: Any
    ) -> None:
        outputs = traced.outputs
        super().__init__(outputs, traced.inputs, root=root, wrt=trained, assigned=traced.assigned, **options)
        # What does not grow with the batch gets its place once.
        self._results = [None if None in t.shape else np.empty(t.shape, t.dtype) for t in outputs]
        self._trained = [tensor.value for tensor in trained]
        self.state: Any = None
        self.mark = mark_of(traced)
        self.describe_as(traced)

    def describe_as(self, traced: Traced) -> None:
        """Takes over what the numbers mean from a trace that computes the same ones."""
        self.shapes = [tensor.shape for tensor in traced.predictions]
        self.dtypes = [tensor.dtype for tensor in traced.predictions]
        self.structure = tree.map_structure(lambda y: None, traced.structure)  # holds no tensors, and so no layers
        self.constrained = [variable for variable in self._trained if variable.constraint is not None]
        self._loss_count = len(traced.losses)
        self._metric_counts = [len(values) for values in traced.metrics]
        self._penalties = [(weakref.ref(part), len(losses)) for part, losses in traced.penalties]

    def accumulate(
        self, totals: Totals, arrays: list[np.ndarray], n: int, rows: np.ndarray | None, seed: int, step: int = 0
    ) -> None:
        """One training or test step; adds its numbers to `totals`."""
        with self._lock:
            results = self.run(arrays, n=n, rows=rows, outputs=self._results, seed=seed, step=step)
            totals.add(results, n, self._loss_count, self._metric_counts)
            if self._penalties:
                self._hand_back(results[1 + self._loss_count + sum(self._metric_counts) :])

    def _hand_back(self, values: Sequence[np.ndarray]) -> None:
        """Leaves the penalties of a batch to the layers that added them, whose `losses` tell them."""
        at = 0
        for reference, n in self._penalties:
            part, losses, at = reference(), values[at : at + n], at + n
            if part is not None:
                part._array_calls.losses = [np.array(x) for x in losses]

    def predict(
        self,
        arrays: list[np.ndarray],
        n: int,
        rows: np.ndarray | None = None,
        outputs: list[np.ndarray] | None = None,
    ) -> list[np.ndarray]:
        """One batch of predictions, into `outputs` if given; in several runs if the plan is for fewer samples."""
        most = self.max_batch
        if n <= most:
            seed = next_seed() if self.training else 0
            self.used = next(clock)  # what `run` does, less a call: it shows in a prediction of one small image
            settle()
            with self._lock:
                return self._plan.run(arrays, n=n, rows=rows, outputs=outputs, seed=seed)
        if outputs is None:
            outputs = self.empty(n)
        for first in range(0, n, most):
            part = slice(first, min(first + most, n))
            given = arrays if rows is not None else [a[part] for a in arrays]
            places = [output[part] for output in outputs]
            some = None if rows is None else rows[part]
            self.run(given, n=part.stop - first, rows=some, outputs=places)
        return outputs

    def empty(self, n: int) -> list[np.ndarray]:
        """Room for n predictions."""
        return [
            _core.empty_aligned((n, *shape[1:]), np.dtype(dtype))
            for shape, dtype in zip(self.shapes, self.dtypes, strict=True)
        ]
