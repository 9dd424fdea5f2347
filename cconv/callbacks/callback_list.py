"""Calls several callbacks as one, and computes `logs` only when one of them listens."""

from collections.abc import Callable, Iterable
from typing import Any

from .batch_groups import BatchGroups
from .callback import Callback, Logs, listens
from .history import History
from .interrupt_watch import InterruptWatch
from .progbar_logger import ProgbarLogger

_BATCH_HOOKS = tuple(f"on_{mode}_batch_{end}" for mode in ("train", "test", "predict") for end in ("begin", "end"))


class CallbackList(Callback):
    """Container of callbacks: each hook calls that hook of all of them, in order.

    Hooks are given a dictionary as `logs`, an empty one where nothing is known yet.

    In a `with` statement it tells all of them of an exception that ends it, and raises a Ctrl-C that Python lost.

    The hooks of a batch accept, in place of `logs`, a function that makes them: between two drawings of the progress
    bar nobody looks, and then it is not called.

    Args:
        callbacks: A callback, or a list of them (lists inside it are flattened).
        add_history: Whether to add a `History` if there is none.
        add_progbar: Whether to add a `ProgbarLogger` if there is none.
        model: The model they are for.
        **params: Given to each callback's `set_params`: `verbose`, `epochs`, `steps`.

    Example:

    >>> callbacks = cconv.callbacks.CallbackList([cconv.callbacks.TerminateOnNaN()], add_history=True, epochs=3)
    >>> [type(callback).__name__ for callback in callbacks.callbacks]
    ['TerminateOnNaN', 'History']
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self._interrupts = InterruptWatch()
        self.callbacks: list[Callback] = list(_flatten(callbacks))
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                hint = f"; did you mean {callback.__name__}()?" if isinstance(callback, type) else ""
                raise TypeError(
                    f"Expected `callbacks` to be cconv.callbacks.Callback instances. Received: {callback!r}{hint}"
                )
        self._history = next((c for c in self.callbacks if isinstance(c, History)), None)
        if self._history is None and add_history:
            self._history = History()
            self.callbacks.append(self._history)
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        # Only the plain display may be asked whether it is due; one that someone extended gets every batch.
        self._progbar = next((c for c in self.callbacks if type(c) is ProgbarLogger), None)
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def __enter__(self) -> "CallbackList":
        self._interrupts.__enter__()
        return self

    def __exit__(self, kind: Any, exception: BaseException | None, traceback: Any) -> None:
        self._interrupts.__exit__()
        if exception is not None:
            self.on_exception(exception)
        elif self._interrupts.lost:
            self._interrupts.raise_again()

    def append(self, callback: Callback) -> None:
        """Adds a callback at the end."""
        self.callbacks.append(callback)
        self._find_listeners()

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)
        self._find_listeners()

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def in_groups(self, size: int) -> Any:
        """For an epoch: what has the hooks of its batches, if callbacks are to hear of so many as of one."""
        return self if size == 1 else BatchGroups(self, size)

    def end_group(self) -> None:
        """Nothing: batches that are told one by one leave no group unfinished."""

    def _find_listeners(self) -> None:
        self.callbacks.sort(key=lambda callback: callback._last)
        self._listeners = {
            hook: [c for c in self.callbacks if c is not self._progbar and listens(c, hook)] for hook in _BATCH_HOOKS
        }

    def _batch(self, hook: str, batch: int, logs: Logs | Callable[[], Any] | None) -> None:
        if self._interrupts.lost:
            self._interrupts.raise_again()
        listeners = self._listeners[hook]
        draw = self._progbar is not None and hook.endswith("_end") and self._progbar.due(hook)
        if not listeners and not draw:
            return
        values = logs() if callable(logs) else _dict(logs)
        for callback in listeners:
            getattr(callback, hook)(batch, values)
        if draw:
            getattr(self._progbar, hook)(batch, values)

    def _all(self, hook: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._batch("on_train_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batch("on_train_batch_end", batch, logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._batch("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batch("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batch("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batch("on_predict_batch_end", batch, logs)

    def on_exception(self, exception: BaseException) -> None:
        self._all("on_exception", exception)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._all("on_epoch_begin", epoch, _dict(logs))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._all("on_epoch_end", epoch, _dict(logs))

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._all("on_train_begin", _dict(logs))

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._all("on_train_end", _dict(logs))

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._all("on_test_begin", _dict(logs))

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._all("on_test_end", _dict(logs))

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._all("on_predict_begin", _dict(logs))

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._all("on_predict_end", _dict(logs))


def _dict(logs: Any) -> Any:
    return {} if logs is None else logs


def _flatten(callbacks: Any) -> Iterable[Any]:
    if callbacks is None:
        return
    if isinstance(callbacks, (list, tuple)):
        for callback in callbacks:
            yield from _flatten(callback)
    else:
        yield callbacks
