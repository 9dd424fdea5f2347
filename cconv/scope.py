"""What is going on in this thread: whether ops are being traced, inside which layer, in which mode.

`tracing()` is the scope in which a model is turned into a graph: there, ops on variables alone become nodes too, and
layers leave no trace in the history from which functional models are made. What is assigned to a variable there becomes
a node as well; `recording()` hands these nodes to whoever makes a program of what was traced.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

#: Held while layers are built and calls are traced for a program: by one thread at a time.
building = threading.RLock()


class _State(threading.local):
    def __init__(self) -> None:
        self.tracing = 0
        self.names: tuple[str, ...] = ()
        self.training: bool | None = None
        self.assigned: dict[int, tuple[Any, Any]] | None = None
        self.callers: tuple[object, ...] = ()
        self.tapes = 0
        self.open_tapes = 0  # of them and those that `untraced` suspends
        self.record: Any = None
        self.live: list[Any] = []
        self.given: tuple[list[Any], ...] = ()


_state = _State()


def is_tracing() -> bool:
    """True inside `tracing()` and inside the `call` of a layer that is being traced."""
    return _state.tracing > 0


@contextlib.contextmanager
def tracing() -> Iterator[None]:
    """Inside, ops return symbolic tensors even where their inputs are variables only."""
    outermost = _state.assigned is None
    if outermost:
        _state.assigned = {}
    _state.tracing += 1
    try:
        yield
    finally:
        _state.tracing -= 1
        if outermost:
            _state.assigned = None


@contextlib.contextmanager
def recording() -> Iterator[dict[int, tuple[Any, Any]]]:
    """Like `tracing`; gives what is assigned inside: a variable and its last value's tensor, by the variable's `id`."""
    before, _state.assigned = _state.assigned, {}
    try:
        with tracing():
            yield _state.assigned
    finally:
        _state.assigned = before


def assignments() -> dict[int, tuple[Any, Any]] | None:
    """What has been assigned to variables in the trace that is under way; `None` where nothing is traced."""
    return _state.assigned


@contextlib.contextmanager
def layer_call(layer: Any, tensors: list[Any], training: bool | None) -> Iterator[bool]:
    """The length of a layer's call with these tensors: inside, it is traced, errors and variables have the layer's name
    in their path, and layers called without `training` take this mode. Tells whether it is the outermost call."""
    before = callers, given, names, _ = _state.callers, _state.given, _state.names, _state.training
    _state.callers, _state.given = (*callers, layer), (*given, tensors)
    _state.names, _state.training = (*names, layer.name), training
    try:
        with tracing():
            yield not callers
    finally:
        _state.callers, _state.given, _state.names, _state.training = before


def tensors_of_call() -> list[Any]:
    """The symbolic tensors that the layers being called were given, the innermost layer's first."""
    return [x for tensors in reversed(_state.given) for x in tensors]


def is_calling(layer: object) -> bool:
    """Whether a call of this layer is under way."""
    return any(layer is caller for caller in _state.callers)


@contextlib.contextmanager
def name_scope(name: str) -> Iterator[None]:
    """Inside, errors of ops name `name`, and variables get it as part of their path.

    Example:

    >>> with cconv.name_scope("outer"):
    ...     v = cconv.Variable(1.0, name="v")
    >>> v.path
    'outer/v'
    """
    before = _state.names
    _state.names = (*before, name)
    try:
        yield
    finally:
        _state.names = before


@contextlib.contextmanager
def device(device_name: str) -> Iterator[None]:
    """Names the device on which to compute. There is one: the CPU.

    Args:
        device_name: `"cpu"`, or with a number that counts nothing, `"cpu:0"`.

    Raises:
        ValueError: It is another device.

    Example:

    >>> with cconv.device("cpu:0"):
    ...     y = cconv.ops.add(1.0, 2.0)
    """
    if str(device_name).lower().strip("/").removeprefix("device:").partition(":")[0] != "cpu":
        raise ValueError(f"cconv computes on the CPU only: expected device_name='cpu'. Received: {device_name!r}")
    yield


@contextlib.contextmanager
def absolute_name_scope(path: tuple[str, ...]) -> Iterator[None]:
    """Like `name_scope`, but with the whole path."""
    before = _state.names
    _state.names = tuple(path)
    try:
        yield
    finally:
        _state.names = before


def current_path() -> tuple[str, ...]:
    """The names of the scopes, outermost first."""
    return _state.names


def current_name() -> str | None:
    """The innermost name, for errors."""
    return _state.names[-1] if _state.names else None


def current_training() -> bool | None:
    """The mode of the layer that is calling, or None."""
    return _state.training


@contextlib.contextmanager
def untraced() -> Iterator[None]:
    """Inside, everything is as at the top level: layers and models build themselves there while they are traced."""
    before = _state.tracing, _state.assigned, _state.tapes
    _state.tracing, _state.assigned, _state.tapes = 0, None, 0
    try:
        yield
    finally:
        _state.tracing, _state.assigned, _state.tapes = before


def is_recording() -> bool:
    """Whether a tape records what this thread computes."""
    return _state.tapes > 0 and _state.tracing == 0


def change_tapes(by: int) -> None:
    """So many tapes more record what this thread computes."""
    _state.tapes += by
    _state.open_tapes += by


def has_open_tape() -> bool:
    """Whether a tape records, or will go on when what is `untraced` ends: its record must stay."""
    return _state.open_tapes > 0


def current_record() -> Any:
    """What this thread has recorded and not computed yet, or still records; `None` if there is nothing of the kind."""
    return _state.record


def set_record(record: Any) -> None:
    """From now on this is `current_record()`."""
    _state.record = record


def settle() -> None:
    """Computes what has been recorded: a variable is about to be read by somebody else, or to change."""
    if _state.record is not None:
        _state.record.settle()


def live_records() -> list[Any]:
    """Weak references to this thread's records that tapes may ask for gradients."""
    return _state.live


def changing() -> None:
    """Variables are about to change: what was recorded is computed, or notes the values that it was made from."""
    settle()
    for reference in _state.live:
        record = reference()
        if record is not None:
            record.keep_values()
