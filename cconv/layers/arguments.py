"""What functions of layers take: names of parameters, and which arguments of a call are tensors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..naming import nearest, signature
from ..tensor import Tensor
from ..tree import flatten
from ..variable import Variable

_TENSORS = (Tensor, Variable, np.ndarray)


def takes(function: Callable, name: str) -> bool:
    """Whether a function has a parameter of this name."""
    return name in signature(function).parameters


def takes_base_arguments(cls: type) -> bool:
    """Whether a layer's constructor passes `name` and the like on."""
    parameters = signature(cls.__init__).parameters
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()) or "name" in parameters


def position(function: Callable, args: tuple, name: str) -> int | None:
    """Where among the positional arguments of a method the one of this name is; `None` where they end before it."""
    parameters = list(signature(function).parameters.values())
    at = [p.name for p in parameters].index(name)
    given = parameters[at].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and len(args) >= at
    return at - 1 if given else None


def argument_names(cls: type) -> list[str]:
    """The arguments that a class takes: those of its constructor, and of the next one where it passes others on."""
    names: list[str] = []
    for base in cls.__mro__:
        if "__init__" in vars(base):
            parameters = signature(base.__init__).parameters.values()
            names += [
                p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name != "self"
            ]
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                break
    return list(dict.fromkeys(names))


@functools.lru_cache(maxsize=512)
def _plain(function: Callable) -> tuple[list[str], list[str], frozenset[str], bool] | None:
    """The parameters of a method behind `self`, those that may be positional, those without a default, and whether it
    takes others by name; `None` where some are positional only or as many as there are."""
    parameters = list(signature(function).parameters.values())[1:]
    if any(p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL) for p in parameters):
        return None
    named = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
    positional = [p.name for p in named if p.kind is p.POSITIONAL_OR_KEYWORD]
    required = frozenset(p.name for p in named if p.default is p.empty)
    return [p.name for p in named], positional, required, len(named) < len(parameters)


def _bound(
    function: Callable, instance: Any, args: tuple, kwargs: dict[str, Any], numbered: bool = True
) -> dict[str, Any]:
    """The arguments of a method by name, in the order of its parameters; those of `*args` as `args0`, `args1`... if
    they are to be `numbered`, else not.

    Raises:
        TypeError: They do not fit; in the words of `Signature.bind`, which is slow and asked only where it must be.
    """
    plain = _plain(function)
    if plain is not None and "self" not in kwargs:
        names, positional, required, takes_others = plain
        given = {**dict(zip(positional, args, strict=False)), **kwargs}
        fits = len(args) <= len(positional) and len(given) == len(args) + len(kwargs) and required <= given.keys()
        found = {name: given[name] for name in names if name in given}
        if fits and (takes_others or len(found) == len(given)):
            return {**found, **given}
    bound, found = signature(function).bind(instance, *args, **kwargs), {}
    for name, value in list(bound.arguments.items())[1:]:
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            found.update(value)
        elif kind is inspect.Parameter.VAR_POSITIONAL:
            found.update({f"{name}{i}": item for i, item in enumerate(value)} if numbered else {})
        else:
            found[name] = value
    return found


def constructor_arguments(cls: type, instance: Any, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """What a constructor is given, by name; `None` where it does not fit.

    Raises:
        TypeError: It does not fit, and has an argument that no constructor of the class takes.
    """
    try:
        found = _bound(cls.__init__, instance, args, kwargs, numbered=False)
    except TypeError as error:
        known = argument_names(cls)
        for name in kwargs:
            if name not in known:
                raise TypeError(f"{cls.__name__}: {error}. Received {name!r}. {nearest(name, known)}") from None
        return None
    return found


def tensor_arguments(layer: Any, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The tensor arguments of a call of `layer` by name.

    Raises:
        TypeError: The arguments are not those that `call` takes.
        ValueError: There are no tensors among them, or something else stands where tensors do.
    """
    function = type(layer).call
    try:
        bound = _bound(function, layer, args, kwargs)
    except TypeError:
        # `training` may be given to a layer whose call does not know it
        rest = {k: v for k, v in kwargs.items() if k != "training"}
        try:
            bound = _bound(function, layer, args, rest)
        except TypeError as error:
            raise TypeError(f"Layer '{layer.name}': {error}") from None
    found = {name: value for name, value in bound.items() if any(isinstance(x, _TENSORS) for x in flatten(value))}
    if not found:
        given = [*args, *kwargs.values()]
        raise ValueError(
            f"Layer '{layer.name}' expected a symbolic tensor (such as `cconv.Input`) or a NumPy array. "
            f"Received: {', '.join(repr(x) for x in given)} (of type {', '.join(type(x).__name__ for x in given)})"
        )
    names = list(signature(function).parameters)[1:]
    for x in flatten([x for i, x in enumerate(args) if names[i : i + 1] != ["training"]]):
        if x is not None and not isinstance(x, (*_TENSORS, np.generic)):
            raise ValueError(
                f"Layer '{layer.name}': only tensors may be positional arguments of a call; pass others by name. "
                f"Received: {x!r} (of type {type(x).__name__})"
            )
    return found


def shape_arguments(function: Callable, shapes: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """How `build` or `compute_output_shape` takes the shapes of a call's tensors: the first, or each by its name."""
    parameters = [p for p in signature(function).parameters.values() if p.name != "self"]
    names = [p.name for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]
    if len(names) == 1 or len(shapes) == 1 or not all(f"{k}_shape" in names for k in shapes):
        return (next(iter(shapes.values())),), {}
    return (), {f"{k}_shape": v for k, v in shapes.items()}
