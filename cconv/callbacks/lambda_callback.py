"""A callback made of functions."""

from collections.abc import Callable
from typing import Any

from .callback import Callback


class LambdaCallback(Callback):
    """Callback whose hooks are the functions it is given.

    Args:
        on_epoch_begin, on_epoch_end: Functions of `(epoch, logs)`.
        on_train_begin, on_train_end: Functions of `(logs)`.
        on_train_batch_begin, on_train_batch_end: Functions of `(batch, logs)`.
        **kwargs: Any other hook of `Callback` by its name.

    Raises:
        ValueError: If a name is not a hook.

    Example:

    >>> losses = []
    >>> callback = cconv.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: losses.append(logs["loss"]))
    """

    def __init__(
        self,
        on_epoch_begin: Callable | None = None,
        on_epoch_end: Callable | None = None,
        on_train_begin: Callable | None = None,
        on_train_end: Callable | None = None,
        on_train_batch_begin: Callable | None = None,
        on_train_batch_end: Callable | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        known = [name for name in dir(Callback) if name.startswith("on_")]
        for name, function in hooks.items():
            if name not in known:
                raise ValueError(f"LambdaCallback has no hook {name!r}. Possible: {', '.join(known)}")
            if function is None:
                continue
            if not callable(function):
                raise TypeError(f"Expected {name} to be a function. Received: {function!r}")
            setattr(self, name, function)
