"""How much of the targets' variance is predicted."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..ops._apply import shape_of
from ..ops.arguments import whole
from ..warning import warn
from .fbeta import _column
from .metric import ArrayState, ones_like, traced

__all__ = ["R2Score"]


class R2Score(ArrayState):
    """The coefficient of determination: 1 less the part of the targets' variance that the predictions leave.

    Targets and predictions have shape (n, outputs).

    Args:
        class_aggregation: `"uniform_average"`: the mean of the outputs' scores; `"variance_weighted_average"`: their
            mean weighted by the variance of the targets; `None`: the score of each output.
        num_regressors: The number of independent regressors for the adjusted score; 0: the standard one. As in Keras,
            each target counts as a sample of it, several of one sample, too.
        name: Name of the metric.
        dtype: `"float32"`.

    Example:

    >>> metric = cconv.metrics.R2Score()
    >>> metric.update_state([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
    >>> round(metric.result(), 4)
    0.5714
    """

    _state = ("num_samples", "squared_sum", "sum", "residual", "count")

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(
                "Invalid value for argument `class_aggregation`. Expected one of (None, 'uniform_average', "
                f"'variance_weighted_average'). Received: class_aggregation={class_aggregation!r}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = whole(num_regressors, "num_regressors", 0)
        self.reset_state()

    @traced
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        self.add(*self.numbers(y_true, y_pred, sample_weight))

    def numbers(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Any]:
        y_true, y_pred = (ops.cast(ops.convert_to_tensor(y), "float32") for y in (y_true, y_pred))
        shapes = [shape_of(y) for y in (y_true, y_pred)]
        if any(len(shape) != 2 for shape in shapes) or shapes[0][1] != shapes[1][1]:
            raise ValueError(
                "R2Score expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                f"y_true.shape={shapes[0]} and y_pred.shape={shapes[1]}."
            )
        ones = ones_like(y_true)
        weights = ones if sample_weight is None else _column(sample_weight) * ones
        values = (y_true * y_true, y_true, ops.square(y_true - y_pred), ones)
        return [ops.sum(ones), *(ops.sum(value * weights, axis=0) for value in values)]

    def result(self) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = self.squared_sum - self.sum * (self.sum / self.count)
            scores = 1 - self.residual / spread
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            score = np.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            score = np.sum(spread * scores) / np.sum(spread)
        else:
            score = scores
        if self.num_regressors:
            freedom = self.num_samples - self.num_regressors - 1
            if freedom <= 0:
                warn(
                    f"The adjusted R2 score is not defined for {self.num_regressors} regressors and "
                    f"{int(self.num_samples)} samples; the standard one is used."
                )
            else:
                score = 1 - (1 - score) * (self.num_samples - 1) / freedom
        return np.asarray(score) if self.class_aggregation is None else float(score)

    def get_config(self) -> dict[str, Any]:
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}
