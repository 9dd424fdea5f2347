"""Steps that are the user's Python: `train_step` and its kin, where a model overrides them.

Where it does, `fit`, `evaluate` and `predict` call the method with each batch, as Keras does. What it computes is
recorded by its tape and runs as a few plans, which the next step finds again (`recording.py`).
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from .. import tree
from ..data import ArrayFeed, Feed, by_output
from ..data.packed import PackedData
from ..layers.arguments import takes
from ..metrics import Metric
from ..recorded_tensor import RecordedTensor
from ..scope import settle
from ..utils.py_dataset import unpack_x_y_sample_weight
from .feeder import Feeder

_HOOKS = {
    "train": ("train_step", "compute_loss", "compute_metrics"),
    "test": ("test_step", "compute_loss", "compute_metrics"),
    "predict": ("predict_step",),
}


class PackedFeeder(Feeder):
    """Makes data of what `fit` and its kin are given without asking what it is for."""

    def inputs(self, x: Any) -> PackedData:
        return PackedData(x)

    def data(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None) -> PackedData:
        return PackedData(x, y, sample_weight, class_weight)

    def held_out(self, data: Any) -> Any:
        return data if isinstance(data, PackedData) else PackedData.of(data)

    def validation(self, given: Any, batch_size: int | None, training_size: int | None, steps: int | None) -> Feed:
        if isinstance(given, PackedData):
            return ArrayFeed(given, batch_size or training_size, steps)
        return super().validation(given, batch_size, training_size, steps)


class OwnSteps:
    """Runs a model's own steps, and has what the steps of `Model` are made of.

    Args:
        model: The model, which is not kept alive.
        trainer: Its trainer, which is not kept alive either.
    """

    def __init__(self, model: Any, trainer: Any) -> None:
        self._owner, self._trainer = weakref.ref(model), weakref.ref(trainer)
        self._losses: list[Any] = []
        self.logs: dict[str, Any] = {}  # of the last batch of training

    @property
    def _model(self) -> Any:
        return self._owner()

    def are_used(self, mode: str) -> bool:
        """Whether the steps of a mode are Python's."""
        kind = type(self._owner())
        if self._trainer().arguments.get("run_eagerly"):
            return True
        return bool([name for name in _HOOKS[mode] if not hasattr(getattr(kind, name), "is_default")])

    def feeder(self, mode: str) -> Feeder:
        """What makes data for a mode."""
        trainer = self._trainer()
        return PackedFeeder(self._model, None, trainer.targets) if self.are_used(mode) else trainer.feeder

    # ---- running them

    def step(self, mode: str, data: PackedData, rows: np.ndarray | None) -> Any:
        """One step; returns what the method returns: logs, or predictions."""
        model = self._model
        result = getattr(model, f"{mode}_step")(data.tensors(rows))
        settle()
        if mode != "predict":
            self._add_losses(data.size if rows is None else len(rows))
            if not isinstance(result, dict):
                raise ValueError(
                    f"`{mode}_step` of model '{model.name}': expected a dictionary of logs as its result. "
                    f"Received: {result!r}"
                )
        return result

    def train_epoch(self, feed: Feed, callbacks: Any) -> dict[str, float]:
        """One epoch of training; returns the logs of its last batch."""
        logs = self.logs if feed.done else {}  # an epoch that goes on may have no batch left
        groups = callbacks.in_groups(self._trainer().steps_per_execution)
        for batch, (data, rows, _) in enumerate(feed.epoch(), feed.done):
            groups.on_train_batch_begin(batch)
            logs = self.logs = self.step("train", data, rows)
            groups.on_train_batch_end(batch, lambda logs=logs: as_logs(logs))
            if self._trainer().stop_training:
                break
        groups.end_group()
        return as_logs(logs)

    def last_logs(self) -> dict[str, Any]:
        """The numbers of the last batch of training."""
        return as_logs(self.logs)

    def test_epoch(self, feed: Feed, callbacks: Any) -> dict[str, float]:
        """All batches of an evaluation; returns the logs of the last one."""
        trainer = self._trainer()
        self._model.reset_metrics()
        trainer.stop_evaluating = False
        callbacks.on_test_begin()
        logs: dict[str, Any] = {}
        groups = callbacks.in_groups(self._trainer().steps_per_execution)
        for batch, (data, rows, _) in enumerate(feed.epoch()):
            groups.on_test_batch_begin(batch)
            logs = self.step("test", data, rows)
            groups.on_test_batch_end(batch, lambda logs=logs: as_logs(logs))
            if trainer.stop_evaluating:
                break
        groups.end_group()
        found = as_logs(logs)
        callbacks.on_test_end(found)
        return found

    def predict(self, feed: Feed, callbacks: Any) -> Any:
        """All batches of a prediction; returns the outputs, joined."""
        trainer = self._trainer()
        trainer.stop_predicting = False
        pieces: list[Any] = []
        with callbacks:
            callbacks.on_predict_begin()
            groups = callbacks.in_groups(trainer.steps_per_execution)
            for batch, (data, rows, _) in enumerate(feed.epoch()):
                groups.on_predict_batch_begin(batch)
                pieces.append(as_arrays(self.step("predict", data, rows)))
                groups.on_predict_batch_end(batch, {"outputs": pieces[-1]})
                if trainer.stop_predicting:
                    break
            groups.end_group()
            callbacks.on_predict_end()
        joined = [np.concatenate(parts) for parts in zip(*map(tree.flatten, pieces), strict=True)]
        return tree.pack(pieces[0], joined)

    def on_batch(self, mode: str, x: Any, y: Any, weights: Any, class_weight: Any, return_dict: bool) -> Any:
        """One step with these samples."""
        data = PackedData(x, y, weights, class_weight).in_memory()
        self._model.reset_metrics()
        logs = as_logs(self.step(mode, data, None))
        return logs if return_dict else in_order(logs)

    # ---- what the default steps do

    def train_step(self, data: Any, tape: Any) -> dict[str, float]:
        """The default step of training, recorded by a tape that was not entered yet."""
        model = self._model
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with tape:
            y_pred = model(x, training=True)
            loss = self._compute(x, y, y_pred, sample_weight, True)
            scaled = model.optimizer.scale_loss(loss)
        variables = model.trainable_variables
        if variables:
            model.optimizer.apply_gradients(zip(tape.gradient(scaled, variables), variables, strict=True))
        self._track(loss, x)
        return model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, float]:
        """The default step of an evaluation."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self._model(x, training=False)
        self._track(self._compute(x, y, y_pred, sample_weight, False), x)
        return self._model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The default step of a prediction."""
        return self._model(unpack_x_y_sample_weight(data)[0], training=False)

    def _compute(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        method = self._model.compute_loss
        mode = {"training": training} if takes(method, "training") else {}
        return method(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **mode)

    def _track(self, loss: Any, x: Any) -> None:
        tracker = self._trainer().targets.tracker
        if any(metric is tracker for metric in self._model.metrics):
            tracker.add(float(loss) * len(tree.flatten(x)[0]), len(tree.flatten(x)[0]))

    def compute_loss(self, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """The losses of `compile` with their weights, and all penalties."""
        targets, model = self._bound(y_pred), self._model
        total, self._losses = targets.total(
            self._labels(y, targets), tree.flatten(y_pred), self._weights(sample_weight, targets), model.losses
        )
        return total

    def compute_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> dict[str, float]:
        """Updates the metrics of `compile`; returns all values."""
        targets = self._bound(y_pred)
        self._add_losses(len(tree.flatten(y_pred)[0]))
        if targets.metrics:
            ys, weights = self._labels(y, targets), self._weights(sample_weight, targets)
            values = targets.values(ys, tree.flatten(y_pred), weights)
            settle()
            for metric, numbers in zip(targets.totals.metrics, values, strict=True):
                metric.accumulate([np.asarray(value) for value in numbers])
        return self._model.get_metrics_result()

    def _bound(self, y_pred: Any) -> Any:
        targets = self._trainer().targets
        if targets is None:
            raise ValueError("You must call `compile()` before using the model.")
        if targets.names is None:
            targets.bind(self._trainer().output_structure(y_pred))
        return targets

    def _labels(self, y: Any, targets: Any) -> list[Any]:
        """Labels, one array for each output."""
        leaves = self._dealt(y, targets)
        if len(leaves) != len(targets.names):
            raise ValueError(
                f"y: expected a list or dictionary of {len(targets.names)} arrays, for outputs {list(targets.names)}. "
                f"Received: {len(leaves)}"
            )
        return leaves

    def _weights(self, sample_weight: Any, targets: Any) -> list[Any]:
        """Weights, one array for each output, or one for all."""
        leaves = self._dealt(sample_weight, targets)
        return leaves * len(targets.names) if len(leaves) == 1 else leaves

    def _dealt(self, value: Any, targets: Any) -> list[Any]:
        """The arrays in the order of the outputs."""
        if value is None:
            return [None] * len(targets.names)
        value = by_output(value, targets.structure, targets.with_loss)
        if isinstance(value, dict):
            return [value.get(name) for name in targets.names]
        return tree.flatten(value)

    def _add_losses(self, n: int) -> None:
        """Adds the losses of the outputs to the epoch's."""
        losses, self._losses = self._losses, []
        totals = self._trainer().totals
        if losses and totals is not None and totals.loss_names:
            totals.add_losses([float(loss) for loss in losses], n)

    def results(self) -> dict[str, Any]:
        """The values of the model's metrics, by name."""
        totals = self._trainer().totals
        names = {} if totals is None else {id(m): n for n, m in zip(totals.names, totals.metrics, strict=True)}
        found: dict[str, Any] = {}
        for metric in self._model.metrics:
            result = metric.result()
            found.update(result if isinstance(result, dict) else {names.get(id(metric), metric.name): result})
        return {**found, **({} if totals is None else totals.output_losses())}


def as_logs(logs: dict[str, Any]) -> dict[str, Any]:
    """Numbers instead of tensors, metrics' own values, by name in alphabetical order."""
    found: dict[str, Any] = {}
    for name, value in logs.items():
        if isinstance(value, Metric):
            value = value.result()
        if isinstance(value, dict):
            found.update(as_logs(value))
            continue
        array = np.asarray(value)
        found[name] = float(array) if array.ndim == 0 else array
    return {name: found[name] for name in sorted(found)}


def as_arrays(outputs: Any) -> Any:
    """The same structure with arrays for tensors."""
    return tree.map_structure(lambda y: y.numpy() if isinstance(y, RecordedTensor) else np.asarray(y), outputs)


def in_order(logs: dict[str, Any]) -> Any:
    """The values, the loss first; a number if there is only one."""
    names = sorted(logs, key=lambda name: (name != "loss", name))
    values = [logs[name] for name in names]
    return values[0] if len(values) == 1 else values
