"""Objects to configuration dictionaries and back, in Keras' form.

A configuration names a class; it can never name code. Which classes and functions it may name, says `registry.py`.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import types
from collections.abc import Generator, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from .dtypes import is_number
from .registry import CustomObjectScope, find_class, find_function, get_registered_name, public_name
from .tensor import Tensor
from .trampoline import each, steps_of, trampolined

# Keras writes these classes under the name of a private module, and looks for them there.
_WRITTEN_AS = {
    "Sequential": ("keras", None),
    "Functional": ("keras.src.models.functional", "Functional"),
    "LayerScale": ("keras.src.applications.convnext", "LayerScale"),
    "StochasticDepth": ("keras.src.applications.convnext", "StochasticDepth"),
}
_PLAIN_TYPES = (str, int, float, bool)
_OF_A_CONFIGURATION = {"module", "class_name", "config", "registered_name"}

_local = threading.local()


class TensorReference(NamedTuple):
    """A symbolic tensor in a configuration. `history`: name of a layer, which call of it, which output of that call."""

    shape: tuple[int | None, ...]
    dtype: str
    history: tuple[str, int, int]


@contextlib.contextmanager
def object_sharing_scope() -> Iterator[None]:
    """Within this scope, one object that is met twice is stored once and comes back as one object."""
    outer = getattr(_local, "shared", None)
    _local.shared = _Shared()
    try:
        yield
    finally:
        _local.shared = outer


@contextlib.contextmanager
def noting_custom_objects() -> Iterator[dict[str, Any]]:
    """Within this scope, classes and functions of the user's that are serialized are noted by their name."""
    outer = getattr(_local, "noted", None)
    _local.noted = {}
    try:
        yield _local.noted
    finally:
        _local.noted = outer


def _note(name: str, item: Any) -> None:
    if getattr(_local, "noted", None) is not None and not str(item.__module__).startswith("cconv."):
        _local.noted[name] = item


class _Shared:
    """What a sharing scope has seen. Objects are kept, so that an address is never met again for another object."""

    def __init__(self) -> None:
        self.configs: dict[int, tuple[Any, dict[str, Any]]] = {}
        self.loaded: dict[Any, Any] = {}

    def saved(self, item: Any, config: dict[str, Any]) -> None:
        if id(item) not in self.configs:
            self.configs[id(item)] = (item, config)
            return
        first = self.configs[id(item)][1]
        number = first.setdefault("shared_object_id", list(self.configs).index(id(item)) + 1)
        config["shared_object_id"] = number


@trampolined
def serialize_object(item: Any) -> Any:
    """Returns the configuration of an object: a structure of plain values that JSON can hold.

    Args:
        item: A layer, model, initializer, loss, ... with a `get_config()` method, a named function, an array, or a
            list, tuple or dictionary of such. What is a configuration already stays as it is.

    Raises:
        TypeError: The object has no `get_config()`.
        ValueError: The object is a lambda, which only its code could describe.

    Example:

    >>> import cconv
    >>> cconv.saving.serialize_object(cconv.initializers.Zeros())["class_name"]
    'Zeros'
    """
    if item is None or type(item) in _PLAIN_TYPES:
        return item
    if isinstance(item, np.generic) or (isinstance(item, np.ndarray) and item.ndim == 0):
        return item.item()
    if isinstance(item, _PLAIN_TYPES):
        return item
    if isinstance(item, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": item.tolist(), "dtype": item.dtype.name}}
    if isinstance(item, Tensor):
        if item.history is None:
            raise ValueError(f"A symbolic tensor can be saved as part of a functional model only. Received: {item!r}")
        item = TensorReference(tuple(item.shape), item.dtype, (item.history[0].name, *item.history[1:3]))
    if isinstance(item, TensorReference):
        config = {"shape": list(item.shape), "dtype": item.dtype, "keras_history": list(item.history)}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(item, (list, tuple)):
        values = yield each(_serialize, item)
        return tuple(values) if isinstance(item, tuple) else values
    if isinstance(item, Mapping) and not hasattr(item, "get_config"):
        if item.keys() >= _OF_A_CONFIGURATION:
            return item
        return dict(zip(item, (yield each(_serialize, item.values())), strict=True))
    if isinstance(item, bytes):
        return {"class_name": "__bytes__", "config": {"value": item.decode("utf-8")}}
    if item is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(item, slice):
        parts = {key: getattr(item, key) for key in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": (yield _serialize(parts))}
    if isinstance(item, (types.FunctionType, types.BuiltinFunctionType, type)):
        return _serialize_function(item)
    return (yield _serialize_instance(item))


_serialize = serialize_object.steps


def to_json(config: Any, name: str, **kwargs: Any) -> str:
    """A configuration as text.

    Args:
        config: What `serialize_object` returned.
        name: The name of what it describes, for errors.
        **kwargs: Further arguments of `json.dumps`.

    Raises:
        TypeError: It holds something that JSON cannot.
        ValueError: Models stand within models more deeply than the interpreter's stack takes.
    """
    try:
        return json.dumps(config, **kwargs)
    except RecursionError as error:
        raise ValueError(
            f"The configuration of {name!r} is nested too deeply for JSON: the interpreter's stack does not take so "
            f"many models within each other (its recursion limit is {sys.getrecursionlimit()})."
        ) from error
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"The configuration of {name!r} holds something that JSON cannot: {error}. "
            "Every `get_config()` must return plain values."
        ) from error


def _serialize_function(item: Any) -> dict[str, Any]:
    if item.__name__ == "<lambda>":
        raise ValueError(
            "A lambda cannot be saved: a file would have to hold its code, and loading would have to run it. "
            f"Use a named function registered with `cconv.saving.register_serializable`. Received: {item}"
        )
    kind = "class" if isinstance(item, type) else "function"
    name = get_registered_name(item)
    _note(name, item)
    return {"module": "builtins", "class_name": kind, "config": name, "registered_name": kind}


def _serialize_instance(item: Any) -> Generator:
    cls = type(item)
    if cls.__name__ == "Lambda":
        raise ValueError(
            "A Lambda layer cannot be saved: a file would have to hold its code, and loading would have to run it. "
            f"Write a subclass of `Layer` instead. Received: {getattr(item, 'name', item)!r}"
        )
    if not hasattr(item, "get_config"):
        raise TypeError(
            f"A {cls.__name__} cannot be saved: a class needs a `get_config()` method for that. Received: {item!r}"
        )
    steps = steps_of(cls.get_config)
    inner = item.get_config() if steps is None else (yield steps(item))
    if not isinstance(inner, Mapping):
        raise TypeError(f"`{cls.__name__}.get_config()` must return a dictionary. It returned: {inner!r}")

    public = public_name(cls)
    if public is None:
        module = None if cls.__module__ == "__main__" else cls.__module__
        config = {"module": module, "class_name": cls.__name__}
        registered_name = get_registered_name(cls)
        _note(registered_name, cls)
    else:
        module, name = public
        module, registered_name = _WRITTEN_AS.get(name, (module, None))
        config = {"module": module, "class_name": name}
    config["config"] = dict(zip(inner, (yield each(_serialize, inner.values())), strict=True))
    config["registered_name"] = registered_name
    for key in ("build_config", "compile_config"):
        part = getattr(item, f"get_{key}", lambda: None)()
        if part is not None:
            config[key] = dict(zip(part, (yield each(_serialize, part.values())), strict=True))
    if getattr(_local, "shared", None) is not None:
        _local.shared.saved(item, config)
    return config


@trampolined
def deserialize_object(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the object that a configuration describes; the reverse of `serialize_object`.

    Args:
        config: What `serialize_object` (or Keras) returned.
        custom_objects: Dictionary of names to the classes and functions of the caller that `config` may name.

    Raises:
        ValueError: `config` names a class that is neither part of cconv, nor registered, nor in `custom_objects`; or
            its arguments do not fit the class; or it holds code (a lambda).

    Example:

    >>> import cconv
    >>> config = cconv.saving.serialize_object(cconv.initializers.Constant(0.5))
    >>> cconv.saving.deserialize_object(config).value
    0.5
    """
    if custom_objects:
        with CustomObjectScope(custom_objects):
            return (yield _deserialize(config))
    if config is None or isinstance(config, _PLAIN_TYPES):
        return config
    if isinstance(config, (list, tuple)):
        return (yield each(_deserialize, config))
    if not isinstance(config, Mapping):
        return config  # already an object
    if "class_name" not in config or "config" not in config:
        return dict(zip(config, (yield each(_deserialize, config.values())), strict=True))

    class_name, inner = config["class_name"], config["config"]
    if not isinstance(class_name, str):
        raise ValueError(f"'class_name' must be a string. Received: {_shorten(class_name)}")
    if class_name.startswith("__"):
        return _deserialize_value(class_name, inner)
    if class_name in ("function", "class") and isinstance(inner, str):
        return find_function(inner, config)

    shared = getattr(_local, "shared", None)
    number = config.get("shared_object_id")
    if shared is not None and number is not None and number in shared.loaded:
        return shared.loaded[number]
    if not isinstance(inner, Mapping):
        raise ValueError(f"'config' of {class_name} must be a dictionary. Received: {_shorten(inner)}")
    if class_name == "DTypePolicy":
        return _dtype(inner.get("name"))
    instance = yield _from_config(find_class(config), class_name, dict(inner))
    _build_and_compile(instance, config)
    if shared is not None and number is not None:
        shared.loaded[number] = instance
    return instance


_deserialize = deserialize_object.steps


def _from_config(cls: Any, class_name: str, inner: dict[str, Any]) -> Generator:
    if isinstance(cls, types.FunctionType):
        return cls
    steps = steps_of(getattr(cls, "from_config", None))
    try:
        if steps is not None:
            return (yield steps(cls, inner))
        return cls.from_config(inner) if hasattr(cls, "from_config") else cls(**inner)
    except (TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError(
            f"The configuration of {class_name!r} does not fit that class: {type(error).__name__}: {error}. "
            f"Received: config={_shorten(inner)}"
        ) from error


def _build_and_compile(instance: Any, config: Mapping[str, Any]) -> None:
    build_config = config.get("build_config")
    if build_config and not getattr(instance, "built", True) and hasattr(instance, "build_from_config"):
        instance.build_from_config(build_config)
        instance.built = True
    compile_config = config.get("compile_config")
    if compile_config and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(compile_config)


def _deserialize_value(class_name: str, inner: Any) -> Any:
    try:
        if class_name == "__keras_tensor__":
            name, node_index, tensor_index = inner["keras_history"]
            shape = tuple(None if size is None else int(size) for size in inner["shape"])
            return TensorReference(shape, str(inner["dtype"]), (str(name), int(node_index), int(tensor_index)))
        if class_name in ("__numpy__", "__tensor__"):
            dtype = np.dtype(str(inner["dtype"]))
            if not is_number(dtype):
                raise ValueError(f"an array of numbers is expected, not of {dtype}")
            return np.array(inner["value"], dtype=dtype)
        if class_name == "__bytes__":
            return inner["value"].encode("utf-8")
        if class_name == "__ellipsis__":
            return Ellipsis
        if class_name == "__slice__":
            return slice(*(deserialize_object(inner[key]) for key in ("start", "stop", "step")))
    except (TypeError, KeyError, AttributeError, OverflowError, ValueError) as error:
        raise ValueError(f"Damaged {class_name} value: {error}. Received: {_shorten(inner)}") from error
    if class_name == "__lambda__":
        raise ValueError(
            "The configuration holds a lambda, that is, code. cconv never runs code from a file. "
            "Save the model with a named function, and pass that as `custom_objects`."
        )
    raise ValueError(f"Unknown value {class_name!r} in the configuration. Received: {_shorten(inner)}")


def _dtype(name: Any) -> str:
    if name != "float32":
        raise ValueError(f"cconv computes in float32; the configuration asks for another dtype. Received: {name!r}")
    return name


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."


serialize_keras_object = serialize_object
deserialize_keras_object = deserialize_object
