"""`.keras` files: a model's configuration and variables, and a word about the writer, in Keras' layout."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from .. import _core
from ..layers import Layer
from ..serialization import deserialize_object, object_sharing_scope, serialize_object, to_json
from ..size_limit import size_limit
from . import hdf5
from .archive import CONFIG, WEIGHTS, read_archive, write_archive
from .legacy_config import modern, modern_training
from .legacy_file import assign_legacy, assign_optimizer, check_suffix, configurations, write_legacy
from .state import collect
from .weights_file import assign_weights, attributes, check_built, check_path, open_arrays, write_checked

SUFFIX = ".keras"
_KERAS_VERSION = "3.15.1"  # the layout written here is that of this version


def save_model(model: Any, path: str | os.PathLike, overwrite: bool = True) -> None:
    """Saves a model (architecture, variables, and, if compiled, optimizer, loss and metrics) as a `.keras` file.

    A name that ends in `.h5` or `.hdf5` makes a file of the older form, which holds no more of a subclassed model than
    its weights. Keras opens both. A file is written whole or not at all: an old one of that name stays until the new
    one is on the disk.

    Args:
        model: A built model.
        path: Name of the file; it must end in `.keras`, `.h5` or `.hdf5`.
        overwrite: False: an existing file is an error.

    Raises:
        ValueError: The name ends differently, the model is not built, the file exists and `overwrite` is False, or the
            model holds something that only code could describe (a lambda).
        TypeError: A layer, loss, ... of the model has no `get_config()`.

    Example:

    >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])
    >>> cconv.saving.save_model(model, "model.keras")
    """
    old = check_suffix(path)
    path = check_path(path, os.path.splitext(path)[1] if old else SUFFIX, overwrite)
    check_built(model)
    if old:
        write_checked(path, lambda file, size: write_legacy(file, model, size))
        return
    with object_sharing_scope():
        config = to_json(serialize_object(model), model.name)
    weights = io.BytesIO()
    hdf5.write_groups(weights, collect(model), attributes(model))
    metadata = {"keras_version": _KERAS_VERSION, "cconv_version": _core.version()}
    write_archive(path, config.encode(), weights.getbuffer(), metadata)


def load_model(
    path: str | os.PathLike,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Loads a model from a `.keras` file, of cconv or of Keras, or from a `.h5` or `.hdf5` file of any Keras.

    Loading never runs code from the file, nor imports a module that the file names: it knows cconv's classes, those
    registered with `register_serializable`, and `custom_objects`.

    Args:
        path: Name of the file.
        custom_objects: Dictionary of names to classes and functions of yours that the model uses.
        compile: Whether to compile the model as it was when it was saved, with the state of its optimizer.
        safe_mode: Must be True; here for the sake of Keras' signature.

    Returns:
        The model.

    Raises:
        ValueError: There is no such file, or it is damaged, or no `.keras` file; it names an unknown class; its
            variables do not fit.

    Example:

    >>> import os, tempfile
    >>> import cconv, numpy as np
    >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])
    >>> path = os.path.join(tempfile.mkdtemp(), "model.keras")
    >>> model.save(path)
    >>> loaded = cconv.saving.load_model(path)
    >>> x = np.ones((3, 4), np.float32)
    >>> bool((loaded.predict(x, verbose=0) == model.predict(x, verbose=0)).all())
    True
    """
    if not safe_mode:
        raise ValueError("cconv never runs code from a model file. Expected: safe_mode=True. Received: safe_mode=False")
    path = os.fspath(path)
    if check_suffix(path):
        return _load_legacy(path, custom_objects, compile)
    if not os.path.isfile(path) and not path.endswith((".h5", ".hdf5")):  # Keras' kinds of errors
        raise ValueError(f"File not found: expected a `.keras` file. Received: {path!r}")
    members = read_archive(path)
    config = _from_json(members[CONFIG], f"{path!r}, {CONFIG}")
    if not compile and isinstance(config, dict):
        config["compile_config"] = None
    with hdf5.ArrayFile(io.BytesIO(members[WEIGHTS]), f"{path!r}, {WEIGHTS}") as arrays:
        with size_limit(arrays.elements, f"{path!r}: the file holds"):
            model = _build(config, custom_objects, f"{path!r}, {CONFIG}")
        assign_weights(model, arrays, strict_optimizer=True)
    return model


def _load_legacy(path: str, custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    with open_arrays(path) as arrays:
        config, training, version = configurations(arrays)
        with _understood(repr(path)):
            config = modern(config, version)
        if compile and training is not None:
            with _understood(f"{path!r}, training (load with `compile=False` to leave it out)"):
                config["compile_config"] = modern_training(training)
        with size_limit(arrays.elements, f"{path!r}: the file holds"):
            model = _build(config, custom_objects, repr(path))
        assign_legacy(model, arrays)
        if compile and training is not None:
            assign_optimizer(model, arrays)
    return model


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Makes a model from the text that `Model.to_json` returned: the same architecture with new weights.

    Args:
        json_string: The text.
        custom_objects: Dictionary of names to classes and functions of yours that the model uses.

    Raises:
        ValueError: The text is not the configuration of a model, or names an unknown class.

    Example:

    >>> import cconv
    >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2, name="only")])
    >>> [layer.name for layer in cconv.models.model_from_json(model.to_json()).layers]
    ['only']
    """
    return _build(_from_json(json_string, "json_string"), custom_objects, "json_string")


@contextlib.contextmanager
def _understood(where: str) -> Iterator[None]:
    """Inside, whatever a damaged configuration leads to becomes a ValueError."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    except (TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise ValueError(f"{where}: the configuration is damaged ({type(error).__name__}: {error}).") from error


def _build(config: Any, custom_objects: Mapping[str, Any] | None, where: str) -> Any:
    with _understood(where), object_sharing_scope():
        model = deserialize_object(config, custom_objects)
    if not isinstance(model, Layer) or not hasattr(model, "compile_from_config"):
        raise ValueError(f"{where}: expected the configuration of a model, found that of a {type(model).__name__}.")
    return model


def _from_json(data: bytes | str, where: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: expected JSON, found something else ({error}).") from error
