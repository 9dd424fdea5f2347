"""Names of layers and variables: "Conv2D" becomes "conv2d", the second one "conv2d_1"; names like a misspelt one."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
import reprlib
import threading
from collections.abc import Callable, Iterable
from typing import Any

_counts: dict[str, int] = {}
_lock = threading.Lock()


@functools.lru_cache(maxsize=512)
def to_snake_case(name: str) -> str:
    """`"MaxPooling2D"` -> `"max_pooling2d"`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """The next unused name of the form `prefix`, `prefix_1`, `prefix_2`..."""
    prefix = to_snake_case(prefix)
    with _lock:
        count = _counts.get(prefix, 0)
        _counts[prefix] = count + 1
    return prefix if count == 0 else f"{prefix}_{count}"


def nearest(name: object, known: Iterable[str]) -> str:
    """What to say of a name that is not among `known`: those like it, or all there are.

    Example:

    >>> from cconv.naming import nearest
    >>> nearest("rellu", ["elu", "relu", "tanh"])
    "Did you mean 'relu' or 'elu'?"
    """
    names = sorted(known)
    folded = {item.lower(): item for item in names}
    found = [folded[item] for item in difflib.get_close_matches(str(name).lower(), folded, 3, 0.7)]
    if found:
        return f"Did you mean {' or '.join(map(repr, found))}?"
    return f"Expected one of {', '.join(names)}."


@functools.lru_cache(maxsize=512)
def signature(function: Callable) -> inspect.Signature:
    """`inspect.signature`, which takes its time."""
    return inspect.signature(function)


def explain_arguments(cls: type) -> type:
    """Makes the public methods of a class tell which argument an unknown one is like.

    Of those with one argument, what Python says is enough.
    """
    for name, method in list(vars(cls).items()):
        if inspect.isfunction(method) and not name.startswith("_") and len(inspect.signature(method).parameters) > 2:
            setattr(cls, name, _explained(method))
    return cls


def _explained(method: Callable) -> Callable:
    known = frozenset(inspect.signature(method).parameters) - {"self"}

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not known.issuperset(kwargs):
            name = next(name for name in kwargs if name not in known)
            raise TypeError(f"{method.__name__}() got an unexpected keyword argument {name!r}. {nearest(name, known)}")
        return method(self, *args, **kwargs)

    return call


def reset_names() -> None:
    """Starts all counters again."""
    with _lock:
        _counts.clear()


_short = reprlib.Repr()
_short.maxother = _short.maxstring = 200


def short_repr(value: Any) -> str:
    """A setting as a few words: functions by their names, what is long shortened."""
    return getattr(value, "__name__", None) or _short.repr(value)
