"""Objects that are made of a few settings: what they say of themselves, and of settings that they do not have."""

from __future__ import annotations

from typing import Any

from .naming import nearest, short_repr, signature


class Configured:
    """Base of losses, metrics, optimizers, schedules, regularizers, constraints and initializers.

    Shown as its class and those arguments of the constructor that it has as attributes, except those that are None.

    Example:

    >>> cconv.constraints.MaxNorm(3.0, axis=[0, 1])
    MaxNorm(max_value=3.0, axis=[0, 1])
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls.__init__ is object.__init__:
            if args or kwargs:  # object's does not say so where a class has a `__new__`
                raise TypeError(f"{cls.__name__}: unexpected argument {[*args, *kwargs][0]!r}. It has no settings.")
            return super().__new__(cls)
        parameters = signature(cls.__init__).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            known = [name for name in parameters if name != "self"]
            for name in kwargs:
                if name not in known:
                    raise TypeError(f"{cls.__name__}: unexpected argument {name!r}. {nearest(name, known)}")
        return super().__new__(cls)

    def _settings(self) -> dict[str, Any]:
        """What it is made of, by the names of the arguments."""
        own = vars(self)
        return {name: own[name] for name in signature(type(self).__init__).parameters if name in own}

    def __repr__(self) -> str:
        told = [
            f"{name}={short_repr(value)}"
            for name, value in self._settings().items()
            if value is not None and name != "dtype"
        ]
        return f"{type(self).__name__}({', '.join(told)})"
