"""Ends training when the loss is no longer a number."""

import math

from ..utils import io_utils
from .callback import Callback, Logs


class TerminateOnNaN(Callback):
    """Stops training when the loss becomes NaN or infinite.

    Args:
        raise_error: Whether to raise a `RuntimeError` instead of ending `fit` in order.

    Example:

    >>> callback = cconv.callbacks.TerminateOnNaN()
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"The loss is {loss} at batch {batch}: training is terminated.")
        io_utils.print_msg(f"\nBatch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
