"""Pickles of plain values, read by an interpreter of our own: it knows no way to import a module or to call a function
of one.

A pickle is a program for a machine with a stack. The machine here has the instructions for numbers, texts, tuples,
lists and dictionaries. A name of a class or a function is just that, a name, and "calling" it is looked up in the
caller's table; one that is not there is an error.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

_MOST_INSTRUCTIONS = 2_000_000  # some thirty are needed for a tensor
_SKIPPED = {"PROTO", "FRAME"}
_VALUES = {
    "BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "BINFLOAT", "FLOAT", "BINUNICODE",
    "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BINSTRING", "SHORT_BINSTRING", "STRING", "BINBYTES",
    "SHORT_BINBYTES", "BINBYTES8",
}  # fmt: skip
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_KEYS = (str, bytes, int, float, type(None))
_PUTS, _GETS = {"PUT", "BINPUT", "LONG_BINPUT"}, {"GET", "BINGET", "LONG_BINGET"}


class Name(NamedTuple):
    """What a pickle calls by its module and name."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class ForbiddenNameError(ValueError):
    """A pickle calls something that is not in the table."""

    def __init__(self, name: object) -> None:
        super().__init__(str(name)[:200])


def load_plain(
    data: bytes | BinaryIO, calls: Mapping[str, Callable[..., Any]], persistent: Callable[[Any], Any]
) -> Any:
    """The value that a pickle describes.

    Args:
        data: The pickle, or a file, which is left behind its end.
        calls: What stands for the classes and functions that it may name, by `module.name`.
        persistent: Called with what stands for a value outside of the pickle; returns it.

    Raises:
        ForbiddenNameError: It calls something else, or sets attributes.
        ValueError: It is damaged, too long, or has other values than plain ones.
    """
    try:
        return _Machine(calls, persistent).run(data)
    except (IndexError, KeyError, TypeError, OverflowError, AttributeError, struct.error) as error:
        raise ValueError(f"the pickle is damaged ({type(error).__name__}: {error})") from error


class _Machine:
    def __init__(self, calls: Mapping[str, Callable[..., Any]], persistent: Callable[[Any], Any]) -> None:
        self._calls, self._persistent = calls, persistent
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self, data: bytes | BinaryIO) -> Any:
        for count, (opcode, arg, _) in enumerate(pickletools.genops(data)):
            if count >= _MOST_INSTRUCTIONS:
                raise ValueError(f"the pickle has more than {_MOST_INSTRUCTIONS} instructions")
            if opcode.name == "STOP":
                return self._stack[-1]
            self._step(opcode.name, arg)
        raise ValueError("the pickle has no end")

    def _step(self, name: str, arg: Any) -> None:
        stack = self._stack
        if name in _VALUES:
            stack.append(arg)
        elif name in _PUTS:
            self._memo[arg] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in _GETS:
            stack.append(self._memo[arg])
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "MARK":
            self._marks.append(len(stack))
        elif name in _TUPLES:
            self._push_tuple(self._taken(len(stack) - _TUPLES[name]))
        elif name == "TUPLE":
            self._push_tuple(self._taken(self._marks.pop()))
        elif name == "LIST":
            stack.append(self._taken(self._marks.pop()))
        elif name in ("APPEND", "APPENDS"):
            items = self._taken(len(stack) - 1 if name == "APPEND" else self._marks.pop())
            _of(stack[-1], list).extend(items)
        elif name in ("SETITEM", "SETITEMS", "DICT"):
            items = self._taken(len(stack) - 2 if name == "SETITEM" else self._marks.pop())
            if name == "DICT":
                stack.append({})
            self._set(_of(stack[-1], dict), items)
        elif name == "GLOBAL":
            stack.append(Name(*arg.split(" ", 1)))
        elif name == "STACK_GLOBAL":
            stack.append(Name(*(_of(part, str) for part in self._taken(len(stack) - 2))))
        elif name in ("REDUCE", "NEWOBJ"):
            called, arguments = self._taken(len(stack) - 2)
            stack.append(self._call(called, _of(arguments, tuple)))
        elif name == "BUILD":
            stack.pop()
            if not isinstance(stack[-1], dict):  # what PyTorch notes of a state dict is not needed
                raise ForbiddenNameError(type(stack[-1]).__name__)
        elif name == "BINPERSID":
            stack.append(self._persistent(stack.pop()))
        elif name not in _SKIPPED:
            raise ValueError(f"the pickle has the instruction {name}, which plain values do not need")

    def _taken(self, start: int) -> list[Any]:
        """What is on the stack from a place on, taken away from it."""
        if start < 0 or (self._marks and start < self._marks[-1]):
            raise IndexError("too little on the stack")
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _push_tuple(self, items: list[Any]) -> None:
        self._stack.append(tuple(items))

    def _set(self, target: dict, items: list[Any]) -> None:
        if len(items) % 2:
            raise IndexError("a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, _KEYS):
                raise TypeError(f"a key of type {type(key).__name__}")
            target[key] = value

    def _call(self, called: Any, arguments: tuple) -> Any:
        known = self._calls.get(str(called)) if isinstance(called, Name) else None
        if known is None:
            raise ForbiddenNameError(called if isinstance(called, Name) else type(called).__name__)
        return known(*arguments)


def _of(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"expected a {kind.__name__}, found a {type(value).__name__}")
    return value
