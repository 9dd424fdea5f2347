"""The classes and functions that a configuration may name, by the names that stand in files.

It is a closed set: the public ones of cconv, under the module names Keras writes (each public module says what it has,
with `register_public`), those registered with `register_serializable`, and those the caller hands over as
`custom_objects`. Nothing here imports a module, or evaluates anything, that a file asks for.
"""

from __future__ import annotations

import inspect
import threading
import types
from collections.abc import Callable, Mapping
from typing import Any

from .keras_names import keras_only, unknown

_FUNCTION_MODULES = ("keras.activations", "keras.losses", "keras.metrics", "keras.initializers", "keras.ops")

# public module of Keras -> what cconv has in it
_public: dict[str, dict[str, Any]] = {}
_public_names: dict[type, tuple[str, str]] = {}
_registered: dict[str, Any] = {}
_registered_names: dict[Any, str] = {}
_local = threading.local()


def register_public(module: str, namespace: Mapping[str, Any]) -> None:
    """Makes known what a module of cconv lists in `__all__`.

    Args:
        module: The public module of Keras with these names.
        namespace: The module's `globals()`.
    """
    _public[module] = {name: namespace[name] for name in namespace["__all__"]}
    for name, item in _public[module].items():
        if inspect.isclass(item) and item.__name__ == name:
            _public_names.setdefault(item, (module, name))


def register_serializable(package: str | type | Callable = "Custom", name: str | None = None) -> Any:
    """Registers a class or function, so that models that use it can be saved and loaded.

    Args:
        package: Name of the group the class belongs to; the class is stored in files as `package>name`.
        name: Name of the class in files. Default: the name of the class.

    Returns:
        A decorator that registers the class and returns it unchanged.

    Raises:
        TypeError: It is neither a class nor a function.
        ValueError: The class has no `get_config()`.

    Example:

    >>> import cconv
    >>> @cconv.saving.register_serializable("my_project")
    ... class Halve:
    ...     def get_config(self):
    ...         return {}
    >>> cconv.saving.get_registered_name(Halve)
    'my_project>Halve'
    """

    def register(item: Any) -> Any:
        _check_named(item)
        if inspect.isclass(item) and not hasattr(item, "get_config"):
            raise ValueError(f"A class must have a `get_config()` method to be registered. Received: {item}")
        key = f"{package}>{name or item.__name__}"
        _registered[key] = item
        _registered_names[item] = key
        return item

    if not isinstance(package, str):  # used without brackets: @register_serializable
        item, package = package, "Custom"
        return register(item)
    return register


def get_custom_objects() -> dict[str, Any]:
    """Returns the registry of custom classes and functions itself, by their name in files.

    Example:

    >>> isinstance(cconv.utils.get_custom_objects(), dict)
    True
    """
    return _registered


def get_registered_name(item: Any) -> str:
    """Returns the name under which a class or function is stored in files.

    Example:

    >>> @cconv.utils.register_keras_serializable("mine")
    ... class Doubled(cconv.layers.Layer):
    ...     pass
    >>> cconv.utils.get_registered_name(Doubled)
    'mine>Doubled'
    """
    _check_named(item)
    return _registered_names.get(item, item.__name__)


def _check_named(item: Any) -> None:
    if not hasattr(item, "__name__"):
        raise TypeError(f"Expected a class or a function. Received: {item!r}")


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """Returns the custom class or function of this name, or None.

    Args:
        name: Name as stored in files.
        custom_objects: Looked in before the registry.
        module_objects: Looked in last.

    Example:

    >>> @cconv.utils.register_keras_serializable("mine")
    ... class Tripled(cconv.layers.Layer):
    ...     pass
    >>> cconv.utils.get_registered_object("mine>Tripled") is Tripled
    True
    """
    for objects in (custom_objects, getattr(_local, "custom_objects", None), _registered, module_objects):
        if objects and name in objects:
            return objects[name]
    return None


class CustomObjectScope:
    """Within this scope, loading knows the given classes and functions by their names.

    Args:
        custom_objects: Dictionary of names to classes or functions.

    Example:

    >>> import cconv
    >>> def my_loss(y_true, y_pred):
    ...     return cconv.ops.mean(cconv.ops.abs(y_true - y_pred), axis=-1)
    >>> with cconv.saving.CustomObjectScope({"my_loss": my_loss}):
    ...     print(cconv.saving.get_registered_object("my_loss") is my_loss)
    True
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        self.custom_objects = dict(custom_objects or {})
        self._outer: dict[str, Any] | None = None

    def __enter__(self) -> CustomObjectScope:
        self._outer = getattr(_local, "custom_objects", None)
        _local.custom_objects = {**(self._outer or {}), **self.custom_objects}
        return self

    def __exit__(self, *exception: object) -> None:
        _local.custom_objects = self._outer


def public_name(cls: type) -> tuple[str, str] | None:
    """(module, name) under which Keras knows one of our public classes; None for others, and registered ones."""
    return None if cls in _registered_names else _public_names.get(cls)


def find_class(config: Mapping[str, Any]) -> Any:
    """The class that a configuration names.

    Raises:
        ValueError: There is no such class, or it would need code from the file.
    """
    name, module = config["class_name"], config.get("module")
    for key in (config.get("registered_name"), name):
        found = get_registered_object(key) if isinstance(key, str) else None
        if found is not None:
            return found
    if name == "Lambda":
        raise ValueError(
            "The configuration holds a Lambda layer, that is, code. cconv never runs code from a file. "
            "Save the model with a subclass of `Layer`, and pass that as `custom_objects`."
        )
    for key in _candidates(module):
        found = _public.get(key, {}).get(name)
        if isinstance(found, type) and hasattr(found, "get_config"):
            return found
    raise ValueError(
        f"Unknown class {name!r} (module {module!r}). {_unknown(name, module)} If it is yours, register it with "
        f"`@cconv.saving.register_serializable` or pass custom_objects={{{name!r}: ...}}."
    )


def _unknown(name: str, module: Any) -> str:
    """What to say of a name that none of the modules it may stand in has."""
    modules = [key.replace("keras", "cconv", 1) for key in _candidates(module) or _public]
    lacking = next((key for key in modules if keras_only(key, name)), None)
    names = {item for key in modules for item in _public[key.replace("cconv", "keras", 1)]}
    return unknown(lacking or "cconv", name, names)


def find_function(name: str, config: Mapping[str, Any]) -> Any:
    """The function (or the class itself) that a configuration names.

    Raises:
        ValueError: There is none.
    """
    found = get_registered_object(name)
    if found is None:  # files of older versions have only the second half of "package>name"
        objects = {**_registered, **(getattr(_local, "custom_objects", None) or {})}
        found = next((item for key, item in objects.items() if key.endswith(f">{name}")), None)
    if found is not None:
        return found
    for key in _candidates(config.get("module")):
        found = _public.get(key, {}).get(name)
        if isinstance(found, (types.FunctionType, type)):
            return found
    raise ValueError(
        f"Unknown function {name!r}. {_unknown(name, config.get('module'))} If it is yours, register it with "
        f"`@cconv.saving.register_serializable` or pass custom_objects={{{name!r}: ...}}."
    )


def _candidates(module: Any) -> list[str]:
    """The public modules that a module name of a file may mean."""
    if not isinstance(module, str):
        return []
    if module.split(".")[0] == "cconv":
        module = "keras" + module[len("cconv") :]
    if module in _public:
        return [module]
    if module == "keras":
        return ["keras.models", "keras.layers"]
    if module.startswith("keras.src.applications."):  # whose layers are among the others here
        return ["keras.layers"]
    if module == "builtins":
        return list(_FUNCTION_MODULES)
    if module.startswith("keras."):  # private: keras.src.backend.torch.optimizers.torch_adam is keras.optimizers
        found = [f"keras.{part}" for part in module.split(".") if f"keras.{part}" in _public]
        return found + (["keras.optimizers.schedules"] if "keras.optimizers" in found else [])
    return []


custom_object_scope = CustomObjectScope
register_keras_serializable = register_serializable
