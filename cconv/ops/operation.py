"""Functions of `cconv.ops` as steps of functional models: `x + 1` between two layers, and its form in a saved file."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from ..keras_names import KERAS_ONLY, unknown
from ..naming import auto_name
from ..scope import is_tracing, name_scope, tracing
from ..tensor import Tensor
from ..tree import flatten, map_structure

#: every operation by the class name Keras saves it under
OPERATIONS: dict[str, Callable] = {}


class Node:
    """One call of a layer or operation on symbolic tensors: what it was given, what it returned.

    Tensors hold the call that made them, a call holds its owner and its inputs, and not the other way round: what was
    made goes when the last tensor and the last model that need it go.
    """

    __slots__ = ("owner", "index", "args", "kwargs", "inputs", "_outputs", "__weakref__")

    def __init__(self, owner: Any, args: tuple, kwargs: dict[str, Any], outputs: Any) -> None:
        self.owner = owner
        self.args = args
        self.kwargs = kwargs
        self.inputs = [x for x in flatten([args, kwargs]) if isinstance(x, Tensor)]
        self.index = owner._inbound_nodes.append(self)
        self._outputs = []
        for i, tensor in enumerate(x for x in flatten(outputs) if isinstance(x, Tensor)):
            self._place(tensor, i)
            self._outputs.append((weakref.ref(tensor), tensor.shape, tensor.dtype, tensor.name))

    def _place(self, tensor: Tensor, i: int) -> None:
        tensor.history, tensor.node = (self.owner, self.index, i), self

    @property
    def outputs(self) -> list[Tensor]:
        """What the call returned; another tensor that stands for the same where nobody holds the first one."""
        found = []
        for i, (reference, shape, dtype, name) in enumerate(self._outputs):
            tensor = reference()
            if tensor is None:
                tensor = Tensor(shape, name=name, dtype=dtype)
                self._place(tensor, i)
                self._outputs[i] = (weakref.ref(tensor), shape, dtype, name)
            found.append(tensor)
        return found

    @property
    def is_input(self) -> bool:
        return not self.inputs

    def parents(self) -> list[Node]:
        """The nodes that made the inputs."""
        return [x.node for x in self.inputs]

    def arguments(self, values: dict[int, Any]) -> tuple[tuple, dict[str, Any]]:
        """The arguments of this call with the tensors replaced, by `id`."""

        def replace(x):
            return values.get(id(x), x) if isinstance(x, Tensor) else x

        return map_structure(replace, self.args), map_structure(replace, self.kwargs)


class Calls:
    """The calls of one layer or operation that somebody holds, in order."""

    def __init__(self) -> None:
        self._made = 0
        self._nodes: list[weakref.ref[Node]] = []

    def append(self, node: Node) -> int:
        """Adds a call; returns its number among all there were."""
        self._nodes = [reference for reference in self._nodes if reference() is not None]
        self._nodes.append(weakref.ref(node))
        self._made += 1
        return self._made - 1

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __iter__(self) -> Iterator[Node]:
        return iter([node for reference in self._nodes if (node := reference()) is not None])


# classes of Keras whose functions are other names of one function here
_OTHER_NAMES = {"Abs": "Absolute", "Amax": "Max", "Amin": "Min", "TrueDivide": "Divide"}


class Operation:
    """A function of `cconv.ops` with its settings, as a step of a functional model."""

    def __init__(self, function: Callable, name: str | None = None, **settings: Any) -> None:
        self.function = function
        self.name = name or auto_name(function.operation_class)
        self.settings = settings
        self._inbound_nodes = Calls()

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
        class_name = _OTHER_NAMES.get(class_name, class_name)
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
            if parameters.parameters[tensors[-1]].kind is inspect.Parameter.VAR_POSITIONAL:
                inputs = [*inputs[:-1], *inputs[-1]]
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
