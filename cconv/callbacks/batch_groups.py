"""The hooks of a batch, called once for several: what `steps_per_execution` means to callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import tree


class BatchGroups:
    """Stands before callbacks, which hear of groups of batches as if each were one.

    They are told the number of the first batch when a group begins, of the last when it ends, and of a prediction the
    outputs of all.

    Args:
        callbacks: Those that are told.
        size: Batches in a group.
    """

    def __init__(self, callbacks: Any, size: int) -> None:
        self._size = size
        self._callbacks = callbacks
        self._unfinished: Callable[[], None] | None = None  # ends the group that is under way
        self._outputs: list[Any] = []

    def _begin(self, hook: Callable[[int], None], batch: int) -> None:
        if batch % self._size == 0:
            hook(batch)

    def _end(self, hook: Callable[[int, Any], None], batch: int, logs: Any) -> None:
        self._unfinished = lambda: hook(batch, logs)
        if (batch + 1) % self._size == 0:
            self.end_group()

    def end_group(self) -> None:
        """Ends a group that is smaller than others, since the batches have come to an end."""
        end, self._unfinished = self._unfinished, None
        if end is not None:
            end()

    def on_train_batch_begin(self, batch: int) -> None:
        self._begin(self._callbacks.on_train_batch_begin, batch)

    def on_train_batch_end(self, batch: int, logs: Any) -> None:
        self._end(self._callbacks.on_train_batch_end, batch, logs)

    def on_test_batch_begin(self, batch: int) -> None:
        self._begin(self._callbacks.on_test_batch_begin, batch)

    def on_test_batch_end(self, batch: int, logs: Any) -> None:
        self._end(self._callbacks.on_test_batch_end, batch, logs)

    def on_predict_batch_begin(self, batch: int) -> None:
        self._begin(self._callbacks.on_predict_batch_begin, batch)

    def on_predict_batch_end(self, batch: int, logs: Any) -> None:
        self._outputs.append(logs["outputs"])
        self._end(self._tell_outputs, batch, None)

    def _tell_outputs(self, batch: int, _: Any) -> None:
        outputs, self._outputs = self._outputs, []
        parts = zip(*(tree.flatten(part) for part in outputs), strict=True)
        joined = tree.pack(outputs[0], [np.concatenate(arrays) for arrays in parts])
        self._callbacks.on_predict_batch_end(batch, {"outputs": joined})
