"""Goes on with a training that was killed."""

import contextlib
import os
from typing import Any

import numpy as np

from ..ops.arguments import positive_integer
from ..saving.backup import read_backup, write_backup
from ..seeds import get_state, set_state
from ..warning import warn
from .callback import Callback, Logs


class BackupAndRestore(Callback):
    """Stores the state of a training while it runs, and goes on from it where the same training begins once more.

    A `fit` that finds a backup goes on behind it, within an epoch too, and reaches what it would have reached without
    the interruption, bit for bit: weights, optimizer, order of samples, dropout and other random numbers, the logs of
    the epoch, and what `EarlyStopping`, `ModelCheckpoint` and `ReduceLROnPlateau` remember. The program must be the
    same: the model, `compile`, the data and the arguments of `fit`. Batches of a generator or another iterable that
    came before the backup are read once more and left out; those of arrays and of a `PyDataset` are not. What is
    stored: the state of cconv, and of Python's and NumPy's global random numbers. What is not: random numbers of
    other libraries, and what callbacks and data sets of the user's own keep. Its hooks run after those of all others.

    Args:
        backup_dir: The folder for the backup, and for nothing else; it is made.
        save_freq: `"epoch"`: at the end of each; or a number of batches.
        double_checkpoint: Whether to keep the backup before the last one, too, in case that the last one is damaged.
        delete_checkpoint: Whether a `fit` that has come to its end deletes the backup.

    Raises:
        ValueError: If `backup_dir` is empty or `save_freq` is neither; in `fit`, if the backup is damaged or of another
            model.

    Example:

    >>> import tempfile
    >>> callback = cconv.callbacks.BackupAndRestore(tempfile.mkdtemp(), save_freq=100)
    """

    _last = True

    def __init__(
        self,
        backup_dir: str | os.PathLike,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        self.backup_dir = os.fspath(backup_dir)
        if not self.backup_dir:
            raise ValueError("Expected `backup_dir` to name a folder. Received: an empty name")
        if save_freq != "epoch":
            save_freq = positive_integer(save_freq, "save_freq")
        self.save_freq = save_freq
        self.double_checkpoint = bool(double_checkpoint)
        self.delete_checkpoint = bool(delete_checkpoint)
        self._path = os.path.join(self.backup_dir, "latest.npz")
        self._previous = os.path.join(self.backup_dir, "previous.npz")
        self._epoch = 0
        self._batches = 0
        self._state: dict[str, Any] | None = None  # to be restored again, when others have begun the epoch

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._batches, self._state = 0, None
        state = self._read()
        if state is None:
            return
        trainer = self.model._trainer
        trainer.feed().resume(state["feed"])  # a generator draws its random numbers anew while it is read
        self._restore(state)
        self._batches = state["batches"]
        trainer.first_epoch = self.params["epochs"] if state["stop"] else state["epoch"]
        if state["feed"]["done"]:
            self._state = state

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch
        if self._state is not None:
            self._restore(self._state)
            self._state = None

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch + 1)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.delete_checkpoint:
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path)
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._previous)
            with contextlib.suppress(OSError):  # something else is in it
                os.rmdir(self.backup_dir)

    # ---- The state

    def _save(self, epoch: int) -> None:
        model, trainer = self.model, self.model._trainer
        optimizer = trainer.optimizer
        state = {
            "epoch": epoch,
            "batches": self._batches,
            "stop": trainer.stop_training,
            "weights": [variable.numpy() for variable in model.variables],
            "optimizer": [variable.numpy() for variable in optimizer.variables],
            # the variable's has the core's precision, which what is computed from it later need not have
            "rate": None if callable(optimizer._learning_rate) else float(optimizer._learning_rate),
            "totals": trainer.totals.state(),
            "metrics": [metric.state() for metric in trainer.metrics],
            "seed": trainer.seed,
            "random": get_state(),
            "feed": trainer.feed().state(),
            "callbacks": [{name: vars(c)[name] for name in c._resumed} for c in self._others()],
        }
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and os.path.exists(self._path):
            os.replace(self._path, self._previous)
        write_backup(self._path, state)

    def _restore(self, state: dict[str, Any]) -> None:
        model, trainer = self.model, self.model._trainer
        optimizer, metrics, callbacks = trainer.optimizer, trainer.metrics, self._others()
        places = [*model.variables, *optimizer.variables]
        values = [*state["weights"], *state["optimizer"]]
        shapes = [tuple(variable.shape) for variable in places], [np.shape(value) for value in values]
        counts = (len(metrics), len(callbacks)), (len(state["metrics"]), len(state["callbacks"]))
        if shapes[0] != shapes[1] or counts[0] != counts[1]:
            raise ValueError(
                f"The backup in {self.backup_dir!r} is of another training: it holds {len(values)} arrays, "
                f"{counts[1][0]} metrics and {counts[1][1]} callbacks, expected {len(places)} arrays of the shapes of "
                f"this model and its optimizer, {counts[0][0]} metrics and {counts[0][1]} callbacks. Give another "
                "`backup_dir`, or delete this one."
            )
        for variable, value in zip(places, values):
            variable.assign(value)
        if state["rate"] is not None:
            optimizer.learning_rate = state["rate"]
        trainer.totals.resume(state["totals"])
        for metric, own in zip(metrics, state["metrics"]):
            metric.resume(own)
        trainer.seed = state["seed"]
        for callback, own in zip(callbacks, state["callbacks"]):
            vars(callback).update(own)
        set_state(state["random"])

    def _others(self) -> list[Callback]:
        return [callback for callback in self.model._trainer.callbacks().callbacks if callback._resumed]

    def _read(self) -> dict[str, Any] | None:
        for path, other in ((self._path, self._previous), (self._previous, None)):
            if not os.path.exists(path):
                continue
            try:
                return read_backup(path)
            except (OSError, ValueError) as error:
                if other is None or not os.path.exists(other):
                    raise ValueError(
                        f"The training cannot go on from its backup: {error} Delete it to begin anew."
                    ) from error
                warn(f"The training goes on from the backup before the last one. {error}")
        return None
