"""Tests with the running averages of the weights."""

from ..optimizers.averages import swap
from .callback import Callback, Logs


class SwapEMAWeights(Callback):
    """Exchanges the weights and their running averages while the model is tested, and exchanges them back.

    The optimizer must keep the averages (`use_ema=True`).

    Args:
        swap_on_epoch: Whether to exchange them also at the end of an epoch, and back at the beginning of the next:
            callbacks that come later in the list, such as `ModelCheckpoint`, then see the averages. `fit` ends with the
            averages in either case.

    Raises:
        ValueError: When `fit` or `evaluate` begins, if the optimizer keeps no averages.

    Example:

    >>> optimizer = cconv.optimizers.SGD(use_ema=True)
    >>> callbacks = [cconv.callbacks.SwapEMAWeights(swap_on_epoch=True)]
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._check()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.model.optimizer.holds_weights:
            self._swap()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._swap()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._check()
        self._swap()

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._swap()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self.on_test_begin()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self.on_test_end()

    def on_exception(self, exception: BaseException) -> None:
        if getattr(self.model.optimizer, "holds_weights", False):
            self._swap()

    def _check(self) -> None:
        optimizer = self.model.optimizer
        if optimizer is None or not optimizer.use_ema:
            raise ValueError(
                "SwapEMAWeights: expected an optimizer that keeps averages of the weights, `use_ema=True`. "
                f"Received: {optimizer!r}"
            )

    def _swap(self) -> None:
        swap(self.model.optimizer, self.model.trainable_variables)
