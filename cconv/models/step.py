"""A step of training, evaluation or prediction: one run of a plan, and what its numbers mean."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import _core
from ..random import next_seed
from ..tensor import Tensor


class Traced(NamedTuple):
    """A model, its losses and its metrics as symbolic tensors."""

    inputs: list[Tensor]
    predictions: list[Tensor]
    structure: Any  # how the model nests its outputs
    total: Tensor | None
    losses: list[Tensor]  # one for each output that has a loss
    metrics: list[list[Tensor]]  # what each metric adds up


class Step:
    """A plan, and what its outputs mean.

    Attributes:
        shapes: The shape of each prediction, batch first.
        dtypes: Its element type.
        structure: How the model nests its outputs.
        drops: Whether something is dropped at random: in training, and where a layer was called with `training=True`.
        constrained: The variables trained that must be brought back into a range after each step.
    """

    def __init__(
        self,
        plan: _core.Plan,
        traced: Traced,
        outputs: Sequence[Tensor],
        nodes: Sequence[int],
        variables: Sequence[Tensor],
        drops: bool,
    ) -> None:
        self.plan = plan
        self.shapes = [tensor.shape for tensor in traced.predictions]
        self.dtypes = [tensor.dtype for tensor in traced.predictions]
        self.structure = traced.structure
        self.constrained = [t.value for t in variables if t.value.constraint is not None]
        self.drops = drops
        self._lock = threading.Lock()
        self._loss_count = len(traced.losses)
        self._metric_counts = [len(values) for values in traced.metrics]
        # What does not grow with the batch gets its place once.
        self._results = [
            None if None in tensor.shape else np.empty(plan.shape(node, 1), tensor.dtype)
            for tensor, node in zip(outputs, nodes, strict=True)
        ]

    def run(
        self, arrays: list[np.ndarray], n: int, rows: np.ndarray | None, seed: int, step: int, totals: Totals
    ) -> None:
        """One training or test step; adds its numbers to `totals`."""
        with self._lock:
            results = self.plan.run(arrays, n=n, rows=rows, outputs=self._results, seed=seed, step=step)
            totals.add(results, n, self._loss_count, self._metric_counts)

    def predict(
        self, arrays: list[np.ndarray], n: int, rows: np.ndarray | None, outputs: list[np.ndarray] | None
    ) -> list:
        """One batch of predictions, into `outputs` if given; in several runs if the plan is for fewer samples."""
        most = self.plan.max_batch
        with self._lock:
            if n <= most:
                return self.plan.run(arrays, n=n, rows=rows, outputs=outputs, seed=next_seed() if self.drops else 0)
            if outputs is None:
                outputs = self.empty(n)
            for first in range(0, n, most):
                part = slice(first, min(first + most, n))
                given = arrays if rows is not None else [a[part] for a in arrays]
                places = [output[part] for output in outputs]
                some = None if rows is None else rows[part]
                self.plan.run(given, n=part.stop - first, rows=some, outputs=places)
            return outputs

    def empty(self, n: int) -> list[np.ndarray]:
        """Room for n predictions."""
        return [
            _core.empty_aligned((n, *shape[1:]), np.dtype(dtype))
            for shape, dtype in zip(self.shapes, self.dtypes, strict=True)
        ]

    def describe(self, profile: bool | None) -> str:
        """The plan's table, and from then on timed runs or not."""
        with self._lock:
            text = self.plan.describe()
            if profile is not None:
                self.plan.profile(profile)
            return text


class Totals:
    """What an epoch adds up: the loss, the losses of the outputs, the metrics."""

    def __init__(self, names: list[str], loss_names: list[str], metrics: list[Any]) -> None:
        self.names = names  # of the metrics, as in the logs
        self.loss_names = loss_names
        self.metrics = metrics
        self.reset()

    def reset(self) -> None:
        self._samples = 0
        self._sums = [0.0] * (1 + len(self.loss_names))
        for metric in self.metrics:
            metric.reset_state()

    def add(self, results: list[np.ndarray], n: int, n_losses: int, metric_counts: list[int]) -> None:
        """Adds a step's outputs: the total loss, the losses of the outputs, then the numbers of each metric."""
        self._samples += n
        self._sums[0] += float(results[0]) * n
        at = 1
        if self.loss_names:
            for i in range(n_losses):
                self._sums[1 + i] += float(results[at + i]) * n
        at += n_losses
        for metric, count in zip(self.metrics, metric_counts, strict=True):
            metric.accumulate(tuple(results[at : at + count]))
            at += count

    def logs(self) -> dict[str, float]:
        """The averages so far, by name in alphabetical order."""
        values = {"loss": self._average(0)}
        values.update({name: self._average(1 + i) for i, name in enumerate(self.loss_names)})
        values.update({name: _number(metric.result()) for name, metric in zip(self.names, self.metrics, strict=True)})
        return {name: values[name] for name in sorted(values)}

    def _average(self, i: int) -> float:
        return self._sums[i] / self._samples if self._samples else 0.0


def _number(value: Any) -> Any:
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else array
