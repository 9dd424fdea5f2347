"""What an epoch adds up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..metrics import Mean


class Totals:
    """What an epoch adds up: the loss, the losses of the outputs, the metrics."""

    def __init__(self, names: list[str], loss_names: list[str], metrics: list[Any], tracker: Mean) -> None:
        self.names = names  # of the metrics, as in the logs
        self.loss_names = loss_names
        self.metrics = metrics
        self.tracker = tracker  # of the loss
        self._clear()

    def reset(self) -> None:
        self._clear()
        self.tracker.reset_state()

    def _clear(self) -> None:
        self._samples = 0
        self._sums = [0.0] * len(self.loss_names)
        for metric in self.metrics:
            metric.reset_state()

    def state(self) -> dict[str, Any]:
        """What it has added up beside the metrics, for `resume`."""
        return {"samples": self._samples, "sums": list(self._sums)}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Goes on from what others have added up."""
        self._samples, self._sums = state["samples"], list(state["sums"])

    def add(self, results: list[np.ndarray], n: int, n_losses: int, metric_counts: list[int]) -> None:
        """Adds a step's outputs: the total loss, the losses of the outputs, then the numbers of each metric."""
        self.tracker.add(float(results[0]) * n, n)
        at = 1
        if self.loss_names:
            self.add_losses(results[at : at + n_losses], n)
        at += n_losses
        for metric, count in zip(self.metrics, metric_counts, strict=True):
            metric.accumulate(tuple(results[at : at + count]))
            at += count

    def add_losses(self, losses: Sequence[Any], n: int) -> None:
        """Adds the losses of the outputs, of n samples."""
        self._samples += n
        for i, loss in enumerate(losses):
            self._sums[i] += float(loss) * n

    def output_losses(self) -> dict[str, float]:
        """The average losses of the outputs so far, by name."""
        return {name: total / max(self._samples, 1) for name, total in zip(self.loss_names, self._sums, strict=True)}

    def logs(self) -> dict[str, float]:
        """The averages so far, by name in alphabetical order."""
        values = {"loss": self.tracker.result()}
        if self.loss_names:
            values.update(self.output_losses())
        for name, metric in zip(self.names, self.metrics, strict=True):
            values[name] = _number(metric.result())
        return {name: values[name] for name in sorted(values)}

    def result_order(self, names: Sequence[str]) -> list[str]:
        """The order of `evaluate`'s list: the loss, then the metrics of a single output; with several outputs their
        losses in the order of the outputs, then the rest by name."""
        if self.loss_names:
            first = ["loss", *self.loss_names]
            return first + sorted(name for name in names if name not in first)
        return ["loss", *self.names]

    def in_result_order(self, logs: dict[str, float]) -> float | list[float]:
        """The values of `logs` in that order; a number if there is only one."""
        values = [logs[name] for name in self.result_order(list(logs))]
        return values[0] if len(values) == 1 else values


def _number(value: Any) -> Any:
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else array
