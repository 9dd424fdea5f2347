"""Recursion that needs no stack: functions that hand the calls of themselves to a loop."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from typing import Any


def trampolined(function: Callable[..., Generator]) -> Callable[..., Any]:
    """Makes an ordinary function of a generator function, which yields generators where it would call: the value of a
    `yield` is what that generator returns, and what it raises is raised there.

    Python's stack grows by the frames of one call only, however deep the calls are. The generator function itself is
    the attribute `steps`, for such calls.

    Example:

    >>> from cconv.trampoline import trampolined
    >>> @trampolined
    ... def depth(parts):
    ...     deepest = 0
    ...     for part in parts:
    ...         deepest = max(deepest, (yield depth.steps(part)))
    ...     return deepest + 1
    >>> nested = []
    >>> for _ in range(100_000):
    ...     nested = [nested]
    >>> depth(nested)
    100001
    """

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        calls = [function(*args, **kwargs)]
        value: Any = None
        raised: BaseException | None = None
        while calls:
            try:
                called = calls[-1].send(value) if raised is None else calls[-1].throw(raised)
            except StopIteration as end:
                calls.pop()
                value, raised = end.value, None
            except BaseException as error:
                calls.pop()
                value, raised = None, error
            else:
                calls.append(called)
                value, raised = None, None
        if raised is None:
            return value
        try:
            raise raised
        finally:
            del raised  # it holds this frame

    run.steps = function
    return run


def steps_of(function: Any) -> Callable[..., Generator] | None:
    """The generator function behind a function or method, `None` if it is another one."""
    return getattr(function, "steps", None)


def each(steps: Callable[[Any], Generator], values: Any) -> Generator:
    """To be called with `yield`: the list of what a generator function returns for each value."""
    found = []
    for value in values:
        found.append((yield steps(value)))
    return found
