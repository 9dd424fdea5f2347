"""Saves the model while it trains."""

import math
import os

from ..saving.weights_file import read_reached
from ..utils import io_utils
from .callback import Logs
from .monitor_callback import MonitorCallback


class ModelCheckpoint(MonitorCallback):
    """Saves the model or its weights at the end of epochs, or after a number of batches.

    Each file is complete or absent at any moment: saving writes beside the old file and renames.

    Args:
        filepath: Path to write to, ending in `.keras`, or in `.weights.h5` with `save_weights_only`. It may hold format
            fields for the epoch (from 1), the batch and anything in the logs: `"{epoch:02d}-{val_loss:.2f}.keras"`.
        monitor: Name of the value that decides what is best.
        verbose: 1 writes a message when it acts.
        save_best_only: Whether to save only when the model is better than all before. The value it reached is stored in
            the file: where the file exists already, of an earlier training too, only what is better replaces it.
        save_weights_only: Whether to save only the weights.
        mode: `"min"`, `"max"` or `"auto"`.
        save_freq: `"epoch"`, or a number of batches.
        initial_value_threshold: With `save_best_only`, a value the model must beat to be saved at all.

    Raises:
        ValueError: If `filepath` or `save_freq` is not of this form.

    Example:

    >>> callback = cconv.callbacks.ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True)
    """

    _resumed = ("best", "_batches")

    def __init__(
        self,
        filepath: str | os.PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.initial_value_threshold = initial_value_threshold
        self._epoch = 0
        self._batches = 0
        self._known: set[str] = set()  # files whose value is known
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f"Expected `save_freq` to be 'epoch' or a number of batches. Received: {save_freq!r}")
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            raise ValueError(
                f"Expected `filepath` to end in {ending} with save_weights_only={save_weights_only}. "
                f"Received: {self.filepath}"
            )

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._epoch, {"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, logs or {})

    def _save(self, epoch: int, logs: Logs) -> None:
        try:
            path = self.filepath.format(**{"epoch": epoch + 1, **logs})
        except KeyError as error:
            raise KeyError(
                f"The filepath {self.filepath!r} has the field {error}, which is not available. "
                f"Available: epoch, {', '.join(logs)}"
            ) from None
        if not self._should_save(epoch, logs, path):
            return
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        trainer = self.model._trainer
        trainer.reached = {self.monitor: logs[self.monitor]} if self.save_best_only and self.monitor in logs else {}
        try:
            if self.save_weights_only:
                self.model.save_weights(path, overwrite=True)
            else:
                self.model.save(path, overwrite=True)
        finally:
            trainer.reached = {}
        if self.verbose > 0:
            io_utils.print_msg(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _should_save(self, epoch: int, logs: Logs, path: str) -> bool:
        start = f"\nEpoch {epoch + 1}: "
        if not self.save_best_only:
            self._say(f"{start}saving model to {path}")
            return True
        current = self._monitored(logs, "Saving the best model")
        if current is None:
            return True
        self._learn_from(path)
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(current, self.best):
            self._say(f"{start}{self.monitor} did not improve from {best}")
            return False
        self._say(f"{start}{self.monitor} improved from {best} to {current:.5f}, saving model to {path}")
        self.best = current
        return True

    def _learn_from(self, path: str) -> None:
        """Takes what the file that would be replaced was kept for into account."""
        if path in self._known:
            return
        self._known.add(path)
        try:
            reached = read_reached(path, self.monitor)
        except (OSError, ValueError):  # no file, or none that is worth keeping
            return
        if reached is not None and not math.isnan(reached) and self._is_improvement(reached, self.best):
            self.best = reached

    def _say(self, message: str) -> None:
        if self.verbose > 0:
            io_utils.print_msg(message)
