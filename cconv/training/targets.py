"""What `compile` was told to reach and to measure: for each output its loss, its weight and its metrics.

Nothing is fixed before the outputs are known (`bind`), and "accuracy" and "crossentropy" not before the shapes are
(`trace`), since they stand for different things for one-hot labels, class numbers and yes-or-no labels.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import losses as known_losses
from .. import metrics as known_metrics
from ..data import Data
from ..losses.class_numbers import check_class_numbers
from ..scope import name_scope, untraced
from ..tensor import Tensor
from .totals import Totals

_ACCURACY = ("accuracy", "acc")
_CROSSENTROPY = ("crossentropy", "ce")


class Targets:
    """The losses and metrics of a compiled model.

    Args:
        loss, loss_weights, metrics, weighted_metrics: As for `compile`.

    Attributes:
        names: The names of the outputs, once they are known.
        totals: What an epoch adds up, once the shapes are known.
    """

    def __init__(self, loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any) -> None:
        self.names: tuple[str, ...] | None = None
        self._given = (loss, loss_weights, metrics, weighted_metrics)
        _check_names(loss, _loss_object, _CROSSENTROPY)
        for argument, value in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            if value is not None and not isinstance(value, (list, tuple, dict)):
                raise ValueError(
                    f"`{argument}`: expected a list, tuple or dictionary. Received: {value!r} ({type(value).__name__})"
                )
            _check_names(value, _metric_object, _ACCURACY + _CROSSENTROPY)
        if loss_weights is not None:
            _check_weights(loss_weights)
        self._losses: list[Any] = []
        self._weights: list[float] = []
        self._metrics: list[list[Any]] = []
        self._weighted: list[list[Any]] = []
        self._chosen: list[list[Any]] | None = None
        self.totals: Totals | None = None

    @property
    def with_loss(self) -> list[bool]:
        """For each output whether it needs labels."""
        return [
            loss is not None or bool(metrics) or bool(weighted)
            for loss, metrics, weighted in zip(self._losses, self._metrics, self._weighted, strict=True)
        ]

    @property
    def parts(self) -> list[Any]:
        """What plans are made from: the losses, and the metrics that compute their numbers within a plan."""
        metrics = [metric for group in self._chosen or () for metrics in group for metric in metrics]
        return [*self._losses, *(metric for metric in metrics if metric.is_traced)]

    def bind(self, names: Sequence[str]) -> None:
        """Deals losses and metrics out to the outputs.

        Raises:
            ValueError: If what was given does not match the outputs.
        """
        loss, weights, metrics, weighted = self._given
        names = tuple(names)
        self._losses = _deal("loss", loss, names)
        self._weights = [1.0 if w is None else float(w) for w in _deal("loss_weights", weights, names)]
        self._metrics = [_metric_list(item) for item in _deal_metrics("metrics", metrics, names)]
        self._weighted = [_metric_list(item) for item in _deal_metrics("weighted_metrics", weighted, names)]
        self.names = names

    # ---- tracing -----------------------------------------------------------------------------------------------------

    def trace(
        self,
        y_true: list[Tensor | None],
        y_pred: list[Tensor],
        weights: list[Tensor | None],
        penalties: list[Tensor],
    ) -> tuple[Tensor, list[Tensor], list[list[Tensor]]]:
        """The total loss, the loss of each output that has one, and the numbers of each metric, as symbolic tensors.

        Raises:
            ValueError: If labels are missing, a loss does not fit its output, or there is nothing to minimize.
        """
        for i, needed in enumerate(self.with_loss):
            if needed and y_true[i] is None:
                raise ValueError(
                    f"Output '{self.names[i]}' has a loss or metrics: expected labels for it. Received: y=None"
                )
        self._choose(y_true, y_pred)
        losses, total = [], None
        for i, loss in enumerate(self._losses):
            if loss is None:
                continue
            value = self._applied(i, loss, lambda i=i, loss=loss: loss(y_true[i], y_pred[i], weights[i]))
            if value.shape != ():
                raise ValueError(
                    f"{_name(loss)} of output '{self.names[i]}': expected one number for the batch (a loss with "
                    f"reduction=None cannot be minimized). Received shape {value.shape}."
                )
            losses.append(value)
            scaled = value if self._weights[i] == 1 else value * self._weights[i]
            total = scaled if total is None else total + scaled
        for penalty in penalties:
            total = penalty if total is None else total + penalty
        if total is None:
            raise ValueError("No loss to compute. Provide a `loss` argument in `compile()`.")
        values = []
        for i, metrics in enumerate(self._chosen[0]):
            for metric in metrics:
                values.append(self._numbers(i, metric, y_true[i], y_pred[i], None))
        for i, metrics in enumerate(self._chosen[1]):
            for metric in metrics:
                values.append(self._numbers(i, metric, y_true[i], y_pred[i], weights[i]))
        if self.totals is None:
            with untraced():
                self.totals = Totals(*self._names_and_metrics())
        return total, losses, values

    def _choose(self, y_true: list[Tensor | None], y_pred: list[Tensor]) -> None:
        """Decides what "accuracy" and "crossentropy" stand for. Once: metrics keep their sums from plan to plan."""
        if self._chosen is not None:
            return
        for i, loss in enumerate(self._losses):
            if isinstance(loss, str) and loss.lower() in _CROSSENTROPY:
                loss = f"{_variant(y_true[i], y_pred[i])}_crossentropy"
            self._losses[i] = _loss_object(loss)
        self._chosen = [
            [[self._metric(m, y_true[i], y_pred[i]) for m in metrics] for i, metrics in enumerate(group)]
            for group in (self._metrics, self._weighted)
        ]

    def _metric(self, metric: Any, y_true: Tensor, y_pred: Tensor) -> Any:
        if not isinstance(metric, str):
            return metric
        kind = "accuracy" if metric.lower() in _ACCURACY else "crossentropy"
        chosen = _metric_object(f"{_variant(y_true, y_pred)}_{kind}")
        chosen.name = metric
        return chosen

    def _numbers(self, i: int, metric: Any, y_true: Any, y_pred: Any, weight: Any) -> list[Tensor]:
        return list(self._applied(i, metric, lambda: metric.batch_values(y_true, y_pred, weight)))

    def _applied(self, i: int, what: Any, function: Any) -> Any:
        """Calls a loss or a metric; an error says for which output."""
        try:
            with name_scope(_name(what)):
                return function()
        except ValueError as error:
            raise ValueError(f"{_name(what)} of output '{self.names[i]}': {error}") from error

    def _names_and_metrics(self) -> tuple[list[str], list[str], list[Any]]:
        """The names of the metrics in the logs, the names of the outputs' losses, and the metrics."""
        several = len(self.names) > 1
        with_loss = [name for name, loss in zip(self.names, self._losses, strict=True) if loss is not None]
        loss_names = [f"{name}_loss" for name in with_loss] if len(with_loss) > 1 else []
        names: list[str] = []
        objects: list[Any] = []
        counts: dict[str, int] = {}
        for prefix, group in (("", self._chosen[0]), ("weighted_", self._chosen[1])):
            for output, metrics in zip(self.names, group, strict=True):
                start = f"{output}_" if several else ""
                for metric in metrics:
                    name = f"{start}{metric.name}"
                    if name in counts and prefix:
                        name = f"{start}{prefix}{metric.name}"
                    counts[name] = counts.get(name, 0) + 1
                    names.append(name if counts[name] == 1 else f"{name}_{counts[name] - 1}")
                    objects.append(metric)
        return names, loss_names, objects

    # ---- labels ------------------------------------------------------------------------------------------------------

    def check_labels(self, data: Data, shapes: Sequence[Sequence[int | None]], label: str) -> None:
        """Checks all class numbers against the number of classes, once for a whole data set.

        Args:
            data: The data set.
            shapes: The shape of each output.
            label: What errors call the labels.

        Raises:
            ValueError: If labels are not class numbers of the output.
        """
        for i, loss in enumerate(self._losses):
            y = data.labels(i)
            if loss is None or y is None or not _is_sparse(loss):
                continue
            settings = loss.settings
            classes = shapes[i][settings.get("axis", -1)]
            if classes is not None:
                where = f"{label} (output '{self.names[i]}', {_name(loss)})"
                check_class_numbers(y, classes, settings.get("ignore_class"), where)


def _name(what: Any) -> str:
    return str(getattr(what, "name", None) or type(what).__name__)


def _is_sparse(loss: Any) -> bool:
    return getattr(loss, "fn", None) is known_losses.sparse_categorical_crossentropy


def _variant(y_true: Tensor, y_pred: Tensor) -> str:
    """Which labels these are: "binary", "sparse_categorical" (class numbers) or "categorical" (one-hot)."""
    if y_pred.shape[-1] == 1:
        return "binary"
    fewer = len(y_true.shape) < len(y_pred.shape)
    return "sparse_categorical" if fewer or (y_true.shape[-1] == 1 and y_pred.shape[-1] > 1) else "categorical"


def _loss_object(identifier: Any) -> Any:
    """The loss that a name, a function or an object stands for."""
    loss = known_losses.get(identifier)
    if loss is None or isinstance(loss, known_losses.Loss):
        return loss
    name = identifier if isinstance(identifier, str) else getattr(loss, "__name__", type(loss).__name__)
    return known_losses.LossFunctionWrapper(loss, name=name)


def _metric_object(identifier: Any) -> Any:
    """The metric that a name, a function or an object stands for; "accuracy" and "crossentropy" stay names."""
    if identifier is None:
        raise ValueError("`metrics`: expected a name, a function or an instance. Received: None")
    if isinstance(identifier, str) and identifier.lower() in _ACCURACY + _CROSSENTROPY:
        return identifier
    metric = known_metrics.get(identifier)
    if inspect.isclass(metric) or not (isinstance(metric, known_metrics.Metric) or callable(metric)):
        raise ValueError(
            f"`metrics`: expected a name, an instance of cconv.metrics.Metric or a function. Received: {identifier!r}"
        )
    name = identifier if isinstance(identifier, str) else getattr(metric, "name", None) or metric.__name__
    if not isinstance(metric, known_metrics.Metric):
        metric = known_metrics.MeanMetricWrapper(metric, name=name)
    metric.name = name
    return metric


def _metric_list(metrics: Any) -> list[Any]:
    if metrics is None:
        return []
    if not isinstance(metrics, (list, tuple)):
        metrics = [metrics]
    return [_metric_object(metric) for metric in metrics if metric is not None]


def _check_names(value: Any, make: Any, later: tuple[str, ...]) -> None:
    """Unknown names are refused by `compile` already, whatever output they are meant for."""
    if isinstance(value, dict):
        for item in value.values():
            _check_names(item, make, later)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check_names(item, make, later)
    elif isinstance(value, str):
        if value.lower() not in later:
            make(value)
    elif value is not None:
        make(value)


def _check_weights(weights: Any) -> None:
    values = list(weights.values()) if isinstance(weights, dict) else weights
    for value in values if isinstance(values, (list, tuple)) else [values]:
        is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if value is not None and not (is_number and math.isfinite(value)):
            raise ValueError(f"`loss_weights`: expected finite numbers. Received: {value!r}")


def _deal(argument: str, value: Any, names: tuple[str, ...]) -> list[Any]:
    """One entry for each output: from a dictionary by name, from a list by position, or the same for all."""
    if isinstance(value, dict):
        unknown = [key for key in value if key not in names]
        if unknown:
            raise KeyError(
                f"`{argument}`: expected the names of outputs {list(names)} as keys. Received: {list(value)}"
            )
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(
                f"`{argument}`: expected one entry for each of the {len(names)} outputs {list(names)}. "
                f"Received {len(value)}: {value!r}"
            )
        return list(value)
    return [value] * len(names)


def _deal_metrics(argument: str, value: Any, names: tuple[str, ...]) -> list[Any]:
    """Like `_deal`; the list of a single output is a list of its metrics."""
    if not value:
        return [None] * len(names)
    if len(names) == 1 and not isinstance(value, dict):
        flat: list[Any] = []
        for item in value:
            flat.extend(item) if isinstance(item, (list, tuple)) else flat.append(item)
        return [flat]
    return _deal(argument, value, names)
