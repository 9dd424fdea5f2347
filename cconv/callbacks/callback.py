"""The base class of callbacks: what can be listened to during `fit`, `evaluate` and `predict`."""

import inspect
import weakref
from typing import Any

Logs = dict[str, float]


class Callback:
    """Base class of objects that act at certain moments of training, evaluation and prediction.

    Subclasses override the hooks they need. `self.model` is the model at work, which a callback does not keep alive:
    `None` once the model is gone. `self.params` holds `verbose`, `epochs` and `steps`. The dictionary `logs` holds the
    values known at that moment, such as `loss`, `accuracy`, `val_loss`; it is empty where there are none yet.

    Hooks are given the number of the `epoch` (from 0) or of the `batch` in it (from 0), and `logs`.

    Example:

    >>> class StopBelow(cconv.callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         if logs["loss"] < 0.1:
    ...             self.model.stop_training = True
    >>> callback = StopBelow()
    """

    _resumed: tuple[str, ...] = ()  # attributes that a training which goes on must find as they were
    _last = False  # whether its hooks come after those of all others

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: weakref.ref[Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_model": None}

    def __repr__(self) -> str:
        settings = [name for name in inspect.signature(type(self).__init__).parameters if name in vars(self)]
        told = ", ".join(f"{name}={vars(self)[name]!r}" for name in settings)
        return f"<{type(self).__name__} {told}>" if told else f"<{type(self).__name__}>"

    def set_params(self, params: dict[str, Any]) -> None:
        """Receives what is about to happen, before anything else.

        Args:
            params: `verbose`, `epochs` (of `fit`) and `steps`, the number of batches of an epoch; `None`: not known.
        """
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receives the model before anything else happens.

        Args:
            model: The model; `None`: the callback leaves the one it had.
        """
        self._model = None if model is None else weakref.ref(model)

    @property
    def model(self) -> Any:
        """The model that is trained, evaluated or asked to predict; `None` before `set_model`, and once it is gone."""
        return None if self._model is None else self._model()

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Older name of `on_train_batch_end`."""

    def on_exception(self, exception: BaseException) -> None:
        """Called where `fit`, `evaluate` or `predict` ends by an exception or Ctrl-C, in place of the `on_..._end`.

        Args:
            exception: What ended it, and is raised again afterwards.
        """

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before the first batch of an epoch.

        Args:
            epoch: Its number, from 0 (from `initial_epoch`, where `fit` was given one).
            logs: Empty.
        """

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after an epoch and its validation.

        Args:
            epoch: Its number.
            logs: The epoch's loss and metrics, those of the validation as `val_...`. What a callback adds here stands
                in the history, and later callbacks see it.

        Example:

        >>> class Halving(cconv.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         logs["half"] = logs["loss"] / 2
        >>> model = cconv.Sequential([cconv.Input((1,)), cconv.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(loss="mse")
        >>> model.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0, callbacks=[Halving()]).history
        {'loss': [1.0], 'half': [0.5]}
        """

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a step of training.

        Args:
            batch: Its number in the epoch, from 0; with `steps_per_execution` that of the first of a group.
            logs: Empty.
        """
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a step of training. `self.model.stop_training = True` ends the epoch here, and the training.

        Args:
            batch: Its number in the epoch; with `steps_per_execution` that of the last of a group.
            logs: The loss and metrics, of the epoch so far.
        """
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch of `evaluate`, and of the validation in `fit`.

        Args:
            batch: Its number, from 0.
            logs: Empty.
        """

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch of `evaluate`, and of the validation in `fit`.

        Args:
            batch: Its number.
            logs: The loss and metrics of all batches so far.
        """

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch of `predict`.

        Args:
            batch: Its number, from 0.
            logs: Empty.
        """

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after a batch of `predict`.

        Args:
            batch: Its number.
            logs: `{"outputs": arrays}`, the predictions of this batch, nested as the model's outputs.
        """

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called at the beginning of `fit`.

        Args:
            logs: Empty.
        """

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called at the end of `fit`.

        Args:
            logs: Those of the last epoch.
        """

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called at the beginning of `evaluate` and of each validation in `fit`.

        Args:
            logs: Empty.
        """

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called at the end of `evaluate` and of each validation in `fit`.

        Args:
            logs: The loss and metrics.
        """

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called at the beginning of `predict`.

        Args:
            logs: Empty.
        """

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called at the end of `predict`.

        Args:
            logs: Empty.
        """


def listens(callback: Callback, hook: str) -> bool:
    """Whether a callback does anything at `hook`: it, or its older name, is not the empty one of the base class."""
    if hook in vars(callback) or getattr(type(callback), hook, None) is not getattr(Callback, hook):
        return True
    older = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}.get(hook)
    return older is not None and listens(callback, older)
