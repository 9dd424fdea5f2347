"""Goes on with a training that was killed."""

import contextlib
import os
from typing import Any

import numpy as np

from ..layers.held import held
from ..ops.arguments import positive_integer
from ..optimizers.optimizer import Optimizer
from ..saving.backup import read_backup, write_backup
from ..seeds import SeedGenerator, get_state, set_state
from ..warning import warn
from .callback import Callback, Logs


class BackupAndRestore(Callback):
    """Stores the state of a training while it runs, and goes on from it where the same training begins once more.

    A `fit` that finds a backup goes on behind it, within an epoch too, and reaches what it would have reached without
    the interruption, bit for bit: weights, optimizer, order of samples, dropout and other random numbers, the logs of
    the epoch, and what `EarlyStopping`, `ModelCheckpoint` and `ReduceLROnPlateau` remember. The program must be the
    same: the model, `compile`, the data and the arguments of `fit`. Batches of a generator or another iterable that
    came before the backup are read once more and left out; those of arrays and of a `PyDataset` are not. What is
    stored: the state of cconv, and of Python's and NumPy's global random numbers; with a `train_step` of the model's
    own also the other optimizers, the metrics and the seed generators among the attributes of the model and its
    layers. What is not: random numbers of other libraries, what callbacks and data sets of the user's own keep, and
    plain numbers that a model keeps in attributes. Its hooks run after those of all others.

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
        state = {
            "epoch": epoch,
            "batches": self._batches,
            "stop": trainer.stop_training,
            "weights": [variable.numpy() for variable in model.variables],
            "optimizers": [_optimizer_state(optimizer, model) for optimizer in _optimizers(model)],
            "totals": None if trainer.totals is None else trainer.totals.state(),
            "metrics": [metric.state() for metric in trainer.metrics],
            "logs": trainer.own.last_logs(),
            "generators": [generator.state.numpy().tolist() for generator in held(model, SeedGenerator)],
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
        if len(model.variables) < len(state["weights"]) and not all(part.built for part in model._flatten_layers()):
            raise ValueError(
                f"Model '{model.name}' has layers without weights yet, so that its training cannot go on from the "
                f"backup in {self.backup_dir!r}: call the model once, or `build` its layers, before `fit`."
            )
        parts = (model.variables, _optimizers(model), trainer.metrics, self._others(), held(model, SeedGenerator))
        stored = [state[name] for name in ("weights", "optimizers", "metrics", "callbacks", "generators")]
        shapes = [[tuple(np.shape(value)) for value in values] for values in (parts[0], stored[0])]
        if shapes[0] != shapes[1] or [len(part) for part in parts] != [len(part) for part in stored]:
            raise ValueError(
                f"The backup in {self.backup_dir!r} is of another training: it holds {_counts(stored)}, expected "
                f"{_counts(parts)}, of the shapes of this model. Give another `backup_dir`, or delete this one."
            )
        for optimizer, own in zip(_optimizers(model), state["optimizers"]):
            _restore_optimizer(optimizer, own, model, self.backup_dir)
        for variable, value in zip(model.variables, state["weights"]):
            variable.assign(value)
        if state["totals"] is not None and trainer.totals is not None:
            trainer.totals.resume(state["totals"])
        for metric, own in zip(trainer.metrics, state["metrics"]):
            metric.resume(own)
        for generator, own in zip(held(model, SeedGenerator), state["generators"]):
            generator.state.assign(np.array(own, np.uint64))
        trainer.own.logs = state["logs"]
        trainer.seed = state["seed"]
        for callback, own in zip(self._others(), state["callbacks"]):
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


def _optimizers(model: Any) -> list[Optimizer]:
    """That of `compile`, and those that a step of the model's own may use."""
    found = [model._trainer.optimizer, *held(model, Optimizer)]
    found += [inner for optimizer in found for inner in getattr(optimizer, "optimizers", ())]
    return list({id(optimizer): optimizer for optimizer in found}.values())


def _optimizer_state(optimizer: Any, model: Any) -> dict[str, Any]:
    """What an optimizer remembers, and of which of the model's variables."""
    numbers = {id(variable): i for i, variable in enumerate(model.variables)}
    trained = [numbers.get(id(variable)) for variable in optimizer._trainable]
    if None in trained:
        raise ValueError(
            f"Optimizer '{optimizer.name}' trains variables that are not those of model '{model.name}', so that its "
            "training cannot be stored: make them, or the layers that they belong to, attributes of the model."
        )
    return {
        "trained": trained,
        "values": [variable.numpy() for variable in optimizer.variables],
        # the variable's has the core's precision, which what is computed from it later need not have
        "rate": None if callable(optimizer._learning_rate) else float(optimizer._learning_rate),
    }


def _restore_optimizer(optimizer: Any, state: dict[str, Any], model: Any, where: str) -> None:
    optimizer.build([model.variables[i] for i in state["trained"]])
    places, values = optimizer.variables, state["values"]
    if [variable.shape for variable in places] != [np.shape(value) for value in values]:
        raise ValueError(
            f"The backup in {where!r} is of another training: its optimizer holds {len(values)} arrays, expected "
            f"{len(places)} of the shapes of '{optimizer.name}'. Give another `backup_dir`, or delete this one."
        )
    for variable, value in zip(places, values):
        variable.assign(value)
    if state["rate"] is not None:
        optimizer.learning_rate = state["rate"]


def _counts(parts: Any) -> str:
    names = ("weights", "optimizers", "metrics", "callbacks", "seed generators")
    return ", ".join(f"{len(part)} {name}" for part, name in zip(parts, names))
