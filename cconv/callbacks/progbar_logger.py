"""The callback behind the display of `fit`, `evaluate` and `predict`."""

import time
from typing import Any

from ..utils import io_utils
from ..utils.progbar import Progbar
from .callback import Callback, Logs

_WORTH_A_WORD = 1.0  # seconds


class ProgbarLogger(Callback):
    """Writes the epoch, a progress bar and the metrics to standard output. Added unless `verbose=0`.

    Where training waited for its data more than a third of an epoch (and more than a second), a line says so.

    Example:

    >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])
    >>> model.compile("sgd", "mse")
    >>> _ = model.fit(np.ones((2, 4)), np.ones((2, 2)), verbose=0, callbacks=[cconv.callbacks.ProgbarLogger()])
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._in_fit = False
        self._began = 0.0

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def due(self, hook: str) -> bool:
        """Whether the values at the end of this batch will be seen; keeps the bar's count either way."""
        if hook == "on_test_batch_end" and self._in_fit:
            return False
        self.seen += 1
        return self.progbar is not None and self.progbar.due()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._in_fit = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.verbose and self.epochs > 1:
            io_utils.print_msg(f"Epoch {epoch + 1}/{self.epochs}")
        self._began = time.perf_counter()
        self._restart()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        if not self._in_fit:
            self._restart()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._restart()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._update(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self._in_fit:
            self._update(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._update(batch, None)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._finish(logs)
        feed = self.model._trainer.feed if self.model is not None else None
        waited = getattr(feed() if feed else None, "waited", 0)  # seconds
        took = time.perf_counter() - self._began
        if self.verbose and waited > _WORTH_A_WORD and waited > took / 3:
            io_utils.print_msg(
                f"Data was the bottleneck: training waited for it {waited:.0f} of {took:.0f} s. "
                "More threads may help (`num_parallel_calls`, `workers`), or to `cache` or `prefetch` it."
            )

    def on_test_end(self, logs: Logs | None = None) -> None:
        if not self._in_fit:
            self._finish(logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._finish(None)

    def on_exception(self, exception: BaseException) -> None:
        if self.progbar is not None:
            self.progbar.leave()
        self.progbar = None
        self._in_fit = False

    def _restart(self) -> None:
        self.seen = 0
        self.progbar = Progbar(self.target, verbose=self.verbose, stateless_metrics=())

    def _update(self, batch: int, logs: Logs | None) -> None:
        self.seen = batch + 1
        if self.progbar is not None:
            self.progbar.update(self.seen, list((logs or {}).items()), finalize=False)

    def _finish(self, logs: Logs | None) -> None:
        if self.progbar is None:
            return
        if self.target is None:
            self.target = self.progbar.target = self.seen
        # A run that was stopped early shows how far it came.
        self.progbar.update(self.seen or self.target, list((logs or {}).items()), finalize=True)
        self.progbar = None
