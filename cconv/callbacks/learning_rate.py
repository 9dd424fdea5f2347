"""Callbacks that change the optimizer's learning rate: by a function of the epoch, or when training stalls."""

import inspect
from collections.abc import Callable

import numpy as np

from ..ops.arguments import number, whole
from ..utils import io_utils
from .callback import Callback, Logs
from .monitor_callback import MonitorCallback


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of every epoch.

    Args:
        schedule: A function of the epoch (from 0) and the present learning rate that returns the new one as a float.
        verbose: 1 writes a message.

    Example:

    >>> def schedule(epoch, lr):
    ...     return lr if epoch < 10 else lr * 0.9
    >>> callback = cconv.callbacks.LearningRateScheduler(schedule)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"Expected `schedule` to be a function (epoch, lr) -> lr. Received: {schedule!r}")
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        rate = self.schedule(epoch, float(optimizer.learning_rate)) if self._takes_rate() else self.schedule(epoch)
        if isinstance(rate, bool) or not isinstance(rate, (float, np.floating)) or not np.isfinite(rate):
            raise ValueError(f"Expected `schedule` to return a finite float. Received: {rate!r} for epoch {epoch}")
        optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            io_utils.print_msg(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)

    def _takes_rate(self) -> bool:
        try:
            inspect.signature(self.schedule).bind(0, 0.0)
        except TypeError:
            return False
        except ValueError:
            return True  # a builtin without a signature
        return True


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by a factor when a metric has stopped improving.

    Args:
        monitor: Name of the value to watch.
        factor: Factor below 1.
        patience: Number of epochs without improvement to wait.
        verbose: 1 writes a message when it acts.
        mode: `"min"`, `"max"` or `"auto"`.
        min_delta: Smallest change that counts as an improvement.
        cooldown: Number of epochs to wait after a reduction before watching again.
        min_lr: Lower bound of the learning rate.

    Raises:
        ValueError: If `factor` is not in (0, 1).

    Example:

    >>> callback = cconv.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=5, min_lr=0.001)
    """

    _resumed = ("best", "cooldown_counter", "wait")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if not 0 < factor < 1:
            raise ValueError(f"Expected `factor` to be above 0 and below 1. Received: factor={factor}")
        self.factor = factor
        self.patience = whole(patience, "patience", 0)
        self.verbose = verbose
        self.cooldown = whole(cooldown, "cooldown", 0)
        self.min_lr = number(min_lr, "min_lr", 0)
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        current = self._monitored(logs, "The reduction of the learning rate")
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether a reduction was made so recently that nothing is watched."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch: int) -> bool:
        optimizer = self.model.optimizer
        old = float(optimizer.learning_rate)
        if old <= np.float32(self.min_lr):
            return False
        optimizer.learning_rate = max(old * self.factor, self.min_lr)
        if self.verbose > 0:
            rate = float(optimizer.learning_rate)
            io_utils.print_msg(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")
        return True
