"""What EarlyStopping, ModelCheckpoint and ReduceLROnPlateau share: is the watched value better than before?"""

import operator
from collections.abc import Callable

from ..ops.arguments import number
from ..warning import warn
from .callback import Callback, Logs

_BETTER_WHEN_HIGH = ("acc", "auc", "precision", "recall", "f1", "iou", "similarity", "score", "r2", "hits")
_BETTER_WHEN_LOW = ("loss", "error", "mse", "mae", "mape", "msle", "crossentropy", "divergence", "hinge")


class MonitorCallback(Callback):
    """Base class of callbacks that watch one value of the logs. Not for direct use.

    Args:
        monitor: Name of the value.
        mode: `"min"` or `"max"` says which is better; `"auto"` finds out from the metric.
        baseline: Value that the first one is compared with; `None`: none.
        min_delta: Smallest change that counts as an improvement.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warn(f"{type(self).__name__} mode {mode!r} is unknown; 'auto' is used.")
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(number(min_delta, "min_delta"))
        self.monitor_op: Callable[[float, float], bool] | None = None

    def _set_monitor_op(self) -> None:
        self.monitor_op = {"min": operator.lt, "max": operator.gt}.get(self.mode) or self._infer_monitor_op()

    def _infer_monitor_op(self) -> Callable[[float, float], bool]:
        name = self.monitor.removeprefix("val_")
        for metric in getattr(self.model, "metrics", ()):
            if metric.name == name and getattr(metric, "_direction", None) in ("up", "down"):
                return operator.gt if metric._direction == "up" else operator.lt
        if any(word in name for word in _BETTER_WHEN_LOW):
            return operator.lt
        if any(word in name for word in _BETTER_WHEN_HIGH):
            return operator.gt
        raise ValueError(
            f"{type(self).__name__} received monitor={self.monitor!r}, and cannot tell whether higher or lower is "
            "better. Pass mode='max' or mode='min'."
        )

    def _is_improvement(self, value: float, reference: float | None) -> bool:
        if self.monitor_op is None:
            # Not in __init__: the metrics are known once training has begun.
            self._set_monitor_op()
        delta = -self.min_delta if self.monitor_op is operator.lt else self.min_delta
        return reference is None or bool(self.monitor_op(value - delta, reference))

    def _monitored(self, logs: Logs | None, action: str) -> float | None:
        value = (logs or {}).get(self.monitor)
        if value is None:
            warn(f"{action} depends on `{self.monitor}`, which is not available. Available: {', '.join(logs or {})}")
        return value
