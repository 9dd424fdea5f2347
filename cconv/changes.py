"""Who is told of a change, and what is looked at because it changes without telling.

What was derived from layers (a plan, a cached call) is out of date as soon as one of them, or anything that their code
reads, has changed. Objects of ours tell their dependents when an attribute is set (`Observed`). Lists, dictionaries,
arrays, objects and functions of the user's tell nobody: a `Watch` remembers what they held, and compares.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections import deque
from collections.abc import Iterable
from functools import lru_cache, partial
from operator import is_
from types import CellType, CodeType, FunctionType, MethodType, SimpleNamespace
from typing import Any, Protocol

import numpy as np

from .scope import is_tracing
from .tensor import Tensor

FLAGS = frozenset({"trainable", "_trainable", "_frozen_by_layer"})  # whether training changes something
_MOST_ITEMS, _MOST_BYTES = 10_000, 1 << 18  # a watch that holds more would cost more than tracing anew
_NOTHING = object()
_lock = threading.Lock()  # of all lists of dependents


class Dependent(Protocol):
    """Something that was derived from attributes of observed objects."""

    def forget(self, name: str) -> None:
        """The attribute `name` was set: what was derived may be out of date."""


class Observed:
    """The base of objects that plans are made from: whoever depends on one hears of each attribute that is set.

    Attributes:
        _unobserved: Names of attributes that are bookkeeping: nothing that is derived depends on them.
    """

    _dependents: tuple[weakref.ref[Dependent], ...] = ()
    _unobserved: frozenset[str] = frozenset()

    def __setattr__(self, name: str, value: Any) -> None:
        before = self.__dict__.get(name, _NOTHING)
        super().__setattr__(name, value)
        if not self._dependents or before is value or name in self._unobserved or _is_of_a_trace(value):
            return
        if not isinstance(getattr(type(self), name, None), property):  # whose setter sets attributes, too
            self._changed(name)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._changed(name)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_dependents"}

    def _changed(self, name: str) -> None:
        for reference in self._dependents:
            dependent = reference()
            if dependent is not None:
                dependent.forget(name)

    def _tell(self, dependent: Dependent) -> None:
        """From now on `dependent` hears of every attribute that is set here."""
        if not any(reference() is dependent for reference in self._dependents):
            with _lock:
                living = [reference for reference in self._dependents if reference() is not None]
                object.__setattr__(self, "_dependents", (*living, weakref.ref(dependent)))

    def _watched(self) -> Iterable[Any]:
        """The values that are looked at for what changes by itself."""
        return [value for name, value in list(vars(self).items()) if name not in self._unobserved]


def _is_of_a_trace(value: Any) -> bool:
    """Whether a value means nothing outside of the trace that made it: symbolic tensors that a call leaves behind."""
    if type(value) in (list, tuple):
        return is_tracing() and bool(value) and all(isinstance(item, Tensor) for item in value)
    return isinstance(value, Tensor) and is_tracing()


class Watch:
    """What everything that can be reached from some objects held when the watch was made.

    It goes through attributes (but those in `_unobserved`), lists, tuples, dictionaries, sets, objects of the user's
    classes and those classes, and functions of the user's: their defaults, closures, and the global names they use. It
    does not go into modules and objects of other packages, which count as what they are.

    Args:
        roots: Where to begin.
        dependent: Told of the changes of the `Observed` objects on the way, from now on.
        ignored: An object that functions may name without being looked at for it.

    Attributes:
        observed: The `Observed` objects on the way.
    """

    def __init__(self, roots: Iterable[Any] = (), dependent: Dependent | None = None, ignored: Any = None) -> None:
        self.observed: list[Observed] = []
        self._checks: list[tuple[Any, ...]] = []
        self._seen: dict[int, Any] = {}  # with the objects: no other one gets the same id meanwhile
        self._items, self._bytes = 0, 0
        self._ignored = ignored
        stack = list(reversed(list(roots)))
        while stack:
            value = stack.pop()
            if isinstance(value, _PLAIN) or id(value) in self._seen:
                continue
            self._seen[id(value)] = value
            stack.extend(self._enter(value, dependent))
        self._blind = self._items > _MOST_ITEMS or self._bytes > _MOST_BYTES
        if self._blind:
            self._checks = []
        del self._seen, self._ignored

    def holds(self) -> bool:
        """Whether nothing has changed; also false where there is too much to look at."""
        for look, known, *where in self._checks:
            if not _same(look(*where), known):
                return False
        return not self._blind

    def _enter(self, value: Any, dependent: Dependent | None) -> Iterable[Any]:
        if isinstance(value, Observed):
            self.observed.append(value)
            if dependent is not None:
                value._tell(dependent)
            return [*self._classes(type(value)), *value._watched()]
        if isinstance(value, (tuple, frozenset)):
            return value
        if isinstance(value, (list, deque, set)):
            return self._check(list, value)
        if isinstance(value, dict):
            return self._check(_content, value)
        if isinstance(value, np.ndarray):
            self._bytes += value.nbytes
            if value.dtype != object and value.nbytes <= _MOST_BYTES:
                self._checks.append((_numbers, _numbers(value), value))
            return ()
        if isinstance(value, partial):
            return (value.func, value.args, value.keywords)
        if isinstance(value, MethodType):
            return (value.__func__, value.__self__)
        if isinstance(value, FunctionType):
            return self._function(value) if _is_users(value.__module__) else ()
        if hasattr(type(value), "_unobserved"):
            return [*self._classes(type(value)), *self._check(_content_of_settings, value, value._unobserved)]
        if isinstance(value, type) or not (_is_users(type(value).__module__) or isinstance(value, SimpleNamespace)):
            return ()
        return [*self._classes(type(value)), *self._check(_content_of_object, value)]

    def _check(self, look: Any, *where: Any) -> list[Any]:
        known = look(*where)
        self._items += len(known)
        self._checks.append((look, known, *where))
        return known

    def _classes(self, kind: type) -> Iterable[Any]:
        """The attributes and methods of the user's classes that `kind` is made of."""
        found: list[Any] = []
        for part in kind.__mro__:
            if id(part) not in self._seen and _is_users(part.__module__):
                self._seen[id(part)] = part
                for member in self._check(_content_of_class, part):
                    found.append(getattr(member, "fget", None) or getattr(member, "__func__", member))
        return found

    def _function(self, function: FunctionType) -> Iterable[Any]:
        found = [function.__defaults__, function.__kwdefaults__]
        if function.__closure__:
            found += self._check(_content_of_cells, function.__closure__)
        names = sorted(_names(function.__code__) & function.__globals__.keys())
        names = [n for n in names if n != "__class__" and function.__globals__[n] is not self._ignored]
        if names:
            known = self._check(_content_of_globals, function.__globals__, names)
            package = _package(function.__module__)
            found += [v for v in known if _package(getattr(v, "__module__", None) or "") in ("", package)]
        return [value for value in found if value is not self._ignored]


_PLAIN = (type(None), bool, int, float, complex, str, bytes, np.generic, Tensor, type(sys))


def _same(values: Any, known: Any) -> bool:
    if type(known) is not list:
        return values == known
    return len(values) == len(known) and all(map(is_, values, known))


def _content(value: dict) -> list[Any]:
    return [*value, *value.values()]


def _content_of_object(value: Any) -> list[Any]:
    names = [name for part in type(value).__mro__ for name in _slots(part)]
    return [*getattr(value, "__dict__", {}).values(), *(getattr(value, name, None) for name in names)]


def _content_of_settings(value: Any, unobserved: frozenset[str]) -> list[Any]:
    return [content for name, content in vars(value).items() if name not in unobserved]


def _slots(part: type) -> Iterable[str]:
    slots = part.__dict__.get("__slots__", ())
    return [name for name in ((slots,) if isinstance(slots, str) else slots) if not name.startswith("__")]


def _content_of_class(kind: type) -> list[Any]:
    return list(vars(kind).values())


def _content_of_cells(cells: tuple) -> list[Any]:
    return [_content_of_cell(cell) for cell in cells]


def _content_of_cell(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return _NOTHING


def _content_of_globals(names_of: dict[str, Any], names: list[str]) -> list[Any]:
    return [names_of.get(name, _NOTHING) for name in names]


def _numbers(array: np.ndarray) -> tuple:
    return array.shape, array.dtype, array.tobytes()


@lru_cache(maxsize=1024)
def _names(code: CodeType) -> frozenset[str]:
    """The global names that a function may use, also in the functions within it."""
    inner = [_names(part) for part in code.co_consts if isinstance(part, CodeType)]
    return frozenset(code.co_names).union(*inner)


def _package(module: Any) -> str:
    return module.partition(".")[0] if isinstance(module, str) else ""


def _is_users(module: Any) -> bool:
    """Whether a module is the user's: neither of Python, nor of an installed package, nor of this one."""
    package = _package(module)
    return bool(package) and _is_own_package(package)


@lru_cache(maxsize=1024)
def _is_own_package(package: str) -> bool:
    if package in sys.stdlib_module_names and package != "__main__" or package in ("cconv", "numpy"):
        return False
    path = str(getattr(sys.modules.get(package), "__file__", None) or "")
    return "site-packages" not in path and "dist-packages" not in path
