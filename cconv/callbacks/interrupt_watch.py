"""Ctrl-C that Python loses: noticed, and raised again between two batches."""

from __future__ import annotations

import sys
import threading
from typing import Any


class InterruptWatch:
    """While entered, remembers a `KeyboardInterrupt` that Python could not hand to anybody.

    Python raises it wherever the main thread happens to be. Is that the callback of a weak reference or a `__del__`
    (when a file of h5py's is closed, for instance), the exception ends there, printed and ignored, and a training
    would go on for hours as if nobody had pressed a key.

    Only the main thread is interrupted; in others this does nothing.

    Attributes:
        lost: Whether there was one.
    """

    def __init__(self) -> None:
        self.lost = False
        self._before: Any = None

    def __enter__(self) -> InterruptWatch:
        self.lost = False
        if threading.current_thread() is threading.main_thread():
            self._before, sys.unraisablehook = sys.unraisablehook, self._heard
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._before is not None:
            sys.unraisablehook, self._before = self._before, None

    def _heard(self, unraisable: Any) -> None:
        if unraisable.exc_type is not None and issubclass(unraisable.exc_type, KeyboardInterrupt):
            self.lost = True
        else:
            self._before(unraisable)

    def raise_again(self) -> None:
        self.lost = False
        raise KeyboardInterrupt
