"""What `compile` was told to reach and to measure: for each output its loss, its weight and its metrics.

What is for which output is fixed when the outputs are known (`bind`), and what "accuracy" and "crossentropy" are when
the shapes are (`trace`): they stand for different things for one-hot labels, class numbers and yes-or-no labels.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import losses as known_losses
from .. import metrics as known_metrics
from .. import tree
from ..data import Data, deal
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
        structure: The names of the outputs as they nest, once they are known.
        names: The same in flat order.
        totals: What an epoch adds up, once the outputs are known.
    """

    def __init__(self, loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any) -> None:
        self.structure: Any = None
        self.names: tuple[str, ...] | None = None
        _check_names(loss)
        if loss_weights is not None:
            _check_weights(loss_weights)
        self._given = (loss, loss_weights)
        self._given_metrics = [
            _metric_objects(argument, value)
            for argument, value in (("metrics", metrics), ("weighted_metrics", weighted_metrics))
        ]
        self._losses: list[Any] = []
        self._weights: list[float] = []
        self._metrics: list[list[list[Any]]] = [[], []]  # for each output, without and with weights
        self.totals: Totals | None = None
        self.tracker = known_metrics.Mean("loss")

    @property
    def metrics(self) -> list[Any]:
        """Those of all outputs: in their order, or as they were given before the outputs are known."""
        found = self._metrics if self.names is not None else self._given_metrics
        return [metric for metric in tree.flatten(found) if metric is not None]

    @property
    def with_loss(self) -> list[bool]:
        """For each output whether it needs labels."""
        return [
            loss is not None or bool(metrics) or bool(weighted)
            for loss, metrics, weighted in zip(self._losses, *self._metrics, strict=True)
        ]

    @property
    def parts(self) -> list[Any]:
        """What plans are made from: the losses, and the metrics that compute their numbers within a plan."""
        return [*self._losses, *(metric for metric in self.metrics if metric.is_traced)]

    def bind(self, structure: Any) -> None:
        """Deals losses and metrics out to the outputs.

        Args:
            structure: The names of the outputs, as they nest.

        Raises:
            ValueError: If what was given does not match the outputs.
        """
        loss, weights = self._given
        self._losses = deal("loss", loss, structure)
        self._weights = [1.0 if w is None else float(w) for w in deal("loss_weights", weights, structure)]
        for i, argument in enumerate(("metrics", "weighted_metrics")):
            self._metrics[i] = _dealt_metrics(argument, self._given_metrics[i], structure)
        self.structure, self.names = structure, tuple(tree.flatten(structure))
        with untraced():
            self.totals = Totals(*self._names_and_metrics(), self.tracker)

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
        return *self.total(y_true, y_pred, weights, penalties), self.values(y_true, y_pred, weights)

    def total(
        self, y_true: list[Any], y_pred: list[Any], weights: list[Any], penalties: list[Any]
    ) -> tuple[Any, list[Any]]:
        """The total loss, and the loss of each output that has one; see `trace`."""
        for i, needed in enumerate(self.with_loss):
            if needed and y_true[i] is None:
                raise ValueError(
                    f"Output '{self.names[i]}' has a loss or metrics: expected labels for it. Received: y=None"
                )
        self._choose_losses(y_true, y_pred)
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
        return total, losses

    def values(self, y_true: list[Any], y_pred: list[Any], weights: list[Any]) -> list[list[Any]]:
        """The numbers of each metric for a batch."""
        values = []
        for group, given in zip(self._metrics, ([None] * len(weights), weights), strict=True):
            for i, metrics in enumerate(group):
                values += [self._numbers(i, metric, y_true[i], y_pred[i], given[i]) for metric in metrics]
        return values

    def _choose_losses(self, y_true: list[Tensor | None], y_pred: list[Tensor]) -> None:
        """Decides what "crossentropy" stands for."""
        for i, loss in enumerate(self._losses):
            if isinstance(loss, str) and loss.lower() in _CROSSENTROPY:
                loss = f"{_variant(y_true[i], y_pred[i])}_crossentropy"
            self._losses[i] = _loss_object(loss)

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
        for prefix, group in zip(("", "weighted_"), self._metrics, strict=True):
            for output, metrics in zip(self.names, group, strict=True):
                start = f"{output.rpartition('/')[2]}_" if several else ""
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


def _accuracy(y_true: Any, y_pred: Any) -> Any:
    """The accuracy for labels of this kind."""
    return getattr(known_metrics, f"{_variant(y_true, y_pred)}_accuracy")(y_true, y_pred)


def _crossentropy(y_true: Any, y_pred: Any) -> Any:
    """The cross-entropy for labels of this kind."""
    return getattr(known_metrics, f"{_variant(y_true, y_pred)}_crossentropy")(y_true, y_pred)


def _metric_object(identifier: Any) -> Any:
    """The metric that a name, a function or an object stands for."""
    if identifier is None or isinstance(identifier, known_metrics.Metric):
        return identifier
    if isinstance(identifier, str) and identifier.lower() in _ACCURACY + _CROSSENTROPY:
        function = _accuracy if identifier.lower() in _ACCURACY else _crossentropy
        return known_metrics.MeanMetricWrapper(function, name=identifier)
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


def _metric_objects(argument: str, metrics: Any) -> Any:
    """The argument with a metric for each name and function: unknown names are refused by `compile` already."""
    if metrics is not None and not isinstance(metrics, (list, tuple, dict)):
        raise ValueError(
            f"`{argument}`: expected a list, tuple or dictionary. Received: {metrics!r} ({type(metrics).__name__})"
        )
    return tree.map_structure(_metric_object, metrics)


def _dealt_metrics(argument: str, metrics: Any, structure: Any) -> list[list[Any]]:
    """The metrics of each output; all that a list holds are those of a single one."""
    count = len(tree.flatten(structure))
    if not metrics:
        return [[] for _ in range(count)]
    one = count == 1 and not isinstance(metrics, dict)
    dealt = [metrics] if one else deal(argument, metrics, structure, spread=False)
    return [[metric for metric in tree.flatten(item) if metric is not None] for item in dealt]


def _check_names(loss: Any) -> None:
    """Unknown names are refused by `compile` already, whatever output they are meant for."""
    for item in tree.flatten(loss):
        if not (isinstance(item, str) and item.lower() in _CROSSENTROPY):
            _loss_object(item)


def _check_weights(weights: Any) -> None:
    for value in tree.flatten(weights):
        is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if value is not None and not (is_number and math.isfinite(value)):
            raise ValueError(f"`loss_weights`: expected finite numbers. Received: {value!r}")
