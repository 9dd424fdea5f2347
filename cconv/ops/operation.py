"""Functions of `cconv.ops` as steps of functional models: `x + 1` between two layers, and its form in a saved file."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from ..keras_names import KERAS_ONLY, unknown
from ..naming import auto_name
from ..scope import is_tracing, name_scope, tracing
from ..tensor import Tensor
from ..tree import flatten, map_structure

#: every operation by the class name Keras saves it under
OPERATIONS: dict[str, Callable] = {}


class Node:
    """One call of a layer or operation on symbolic tensors: what it was given, what it returned."""

    __slots__ = ("owner", "args", "kwargs", "inputs", "outputs")

    def __init__(self, owner: Any, args: tuple, kwargs: dict[str, Any], outputs: Any) -> None:
        self.owner = owner
        self.args = args
        self.kwargs = kwargs
        self.inputs = [x for x in flatten([args, kwargs]) if isinstance(x, Tensor)]
        self.outputs = [x for x in flatten(outputs) if isinstance(x, Tensor)]
        index = len(owner._inbound_nodes)
        owner._inbound_nodes.append(self)
        for i, tensor in enumerate(self.outputs):
            tensor.history = (owner, index, i)

    @property
    def is_input(self) -> bool:
        return not self.inputs

    def parents(self) -> list[Node]:
        """The nodes that made the inputs."""
        return [node_of(x) for x in self.inputs]

    def arguments(self, values: dict[int, Any]) -> tuple[tuple, dict[str, Any]]:
        """The arguments of this call with the tensors replaced, by `id`."""

        def replace(x):
            return values.get(id(x), x) if isinstance(x, Tensor) else x

        return map_structure(replace, self.args), map_structure(replace, self.kwargs)


def node_of(tensor: Tensor) -> Node:
    """The call that made a tensor."""
    owner, index, _ = tensor.history
    return owner._inbound_nodes[index]


class Operation:
    """A function of `cconv.ops` with its settings, as a step of a functional model."""

    def __init__(self, function: Callable, name: str | None = None, **settings: Any) -> None:
        self.function = function
        self.name = name or auto_name(function.operation_class)
        self.settings = settings
        self._inbound_nodes: list[Node] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if is_tracing():
            with name_scope(self.name):
                return self.function(*args, **self.settings, **kwargs)
        with tracing(), name_scope(self.name):
            outputs = map_structure(fresh, self.function(*args, **self.settings, **kwargs))
        Node(self, args, kwargs, outputs)
        return outputs

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, **self.settings}

    @classmethod
    def from_config(cls, class_name: str, config: dict[str, Any]) -> Operation:
        """The operation saved under a class name."""
        if class_name not in OPERATIONS:
            raise ValueError(f"Unknown operation {class_name!r}. {_unknown(class_name)}")
        function = OPERATIONS[class_name]
        known = inspect.signature(function).parameters
        settings = {k: v for k, v in config.items() if k in known}
        unknown = {k: v for k, v in config.items() if k not in known and k not in ("name", "dtype") and v is not None}
        if unknown:
            raise ValueError(f"Operation '{class_name}': settings that are not supported here: {unknown}")
        return cls(function, name=config.get("name"), **settings)


def operation(*tensors: str, module: str = "numpy", class_name: str | None = None) -> Callable:
    """Makes a function usable as a step of functional models.

    Args:
        tensors: The names of the parameters that take tensors (the others are settings).
        module: Keras' module with the operation.
        class_name: Keras' name of the operation, if it is not the function's in camel case.
    """

    def decorate(function: Callable) -> Callable:
        parameters = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if is_tracing() or not any(isinstance(x, Tensor) for x in flatten([args, kwargs])):
                return function(*args, **kwargs)
            bound = parameters.bind(*args, **kwargs)
            settings = {k: v for k, v in bound.arguments.items() if k not in tensors}
            late = {k: v for k, v in settings.items() if any(isinstance(x, Tensor) for x in flatten(v))}
            bound.apply_defaults()
            inputs = [bound.arguments[k] for k in tensors]
            while inputs and inputs[-1] is None:
                inputs.pop()
            return Operation(call, **{k: v for k, v in settings.items() if k not in late})(*inputs, **late)

        call.operation_class = class_name or _camel_case(function.__name__)
        call.operation_module = module
        OPERATIONS[call.operation_class] = call
        return call

    return decorate


def _unknown(class_name: str) -> str:
    """What to say of the class name of an operation that is none here."""
    name = next((n for n in KERAS_ONLY["cconv.ops"] if _camel_case(n) == class_name), class_name)
    return unknown("cconv.ops", name, OPERATIONS)


def _camel_case(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def fresh(x: Any) -> Any:
    """A tensor that has no history yet: `x` itself, or a node that repeats it."""
    if not isinstance(x, Tensor):
        return x
    if x.history is None and x.op not in ("variable", "input"):
        return x
    y = Tensor(x.shape, op="identity", inputs=(x,), name=x.name, dtype=x.dtype)
    y.mask = x.mask
    return y
