"""`.keras` files: a zip archive of a model's configuration, its variables, and a word about the writer.

Keras' layout, members not compressed. The archive's comment (which readers ignore) holds the SHA-256 of all bytes
before it, so that damage is found before any of it is parsed. The metadata say that the comment must be there; Keras'
own files have none, and are read without, on the CRC-32 that zip keeps for each member.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from cconv.saving import hdf5
from cconv.saving.atomic import atomic_write
from cconv.saving.serialization import deserialize_object, object_sharing_scope, serialize_object
from cconv.saving.state import collect
from cconv.saving.weights_file import assign_weights, attributes, check_built, check_path

SUFFIX = ".keras"
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_KERAS_VERSION = "3.15.1"  # the layout written here is that of this version
_COMMENT_START = b"cconv model; sha256 of all bytes before these 64 digits: "
_COMMENT_SIZE = len(_COMMENT_START) + 64
_END_RECORD = struct.Struct("<4s4H2LH")  # zip's last record, before the comment
_CHECKSUM_KEY, _CHECKSUM_VALUE = "cconv_checksum", "sha256 in the archive's comment"


def save_model(model: Any, path: str | os.PathLike, overwrite: bool = True) -> None:
    """Saves a model (architecture, variables, and, if compiled, optimizer, loss and metrics) as a `.keras` file.

    Keras opens the file, too. It is written whole or not at all: an old file of that name stays until the new one is on
    the disk.

    Args:
        model: A built model.
        path: Name of the file; it must end in `.keras`.
        overwrite: False: an existing file is an error.

    Raises:
        ValueError: The name ends differently, the model is not built, the file exists and `overwrite` is False, or the
            model holds something that only code could describe (a lambda).
        TypeError: A layer, loss, ... of the model has no `get_config()`.
    """
    path = check_path(path, SUFFIX, overwrite)
    check_built(model)
    with object_sharing_scope():
        config = _to_json(serialize_object(model), model)
    weights = io.BytesIO()
    hdf5.write_groups(weights, collect(model), attributes(model))
    now = datetime.datetime.now()
    members = {
        _METADATA: json.dumps(
            {
                "keras_version": _KERAS_VERSION,
                "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S"),
                "cconv_version": _version(),
                _CHECKSUM_KEY: _CHECKSUM_VALUE,
            }
        ).encode(),
        _CONFIG: config.encode(),
        _WEIGHTS: weights.getbuffer(),
    }
    with atomic_write(path) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.comment = _COMMENT_START + b"0" * 64
            for name, data in members.items():
                archive.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), data)
        file.seek(0)
        digest = _hexdigest(file)
        file.seek(-64, os.SEEK_END)
        file.write(digest)


def load_model(
    path: str | os.PathLike,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Loads a model from a `.keras` file, of cconv or of Keras.

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
        ValueError: The file is damaged, or is no `.keras` file; it names an unknown class; its variables do not fit.

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
    from cconv.variable import size_limit

    if not safe_mode:
        raise ValueError("cconv never runs code from a model file. Expected: safe_mode=True. Received: safe_mode=False")
    path = os.fspath(path)
    members = _read_members(path)
    config = _from_json(members[_CONFIG], f"{path!r}, {_CONFIG}")
    if not compile and isinstance(config, dict):
        config["compile_config"] = None
    where = f"{path!r}, {_WEIGHTS}"
    with size_limit(hdf5.count_elements(io.BytesIO(members[_WEIGHTS]), where), f"{path!r}: the file holds"):
        model = _build(config, custom_objects, f"{path!r}, {_CONFIG}")
    assign_weights(model, members[_WEIGHTS], where, strict_optimizer=True)
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


def read_weights_member(path: str) -> bytes:
    """The HDF5 data of a `.keras` file, after all checks of the file."""
    return _read_members(path)[_WEIGHTS]


def _build(config: Any, custom_objects: Mapping[str, Any] | None, where: str) -> Any:
    from cconv.models import Model

    try:
        with object_sharing_scope():
            model = deserialize_object(config, custom_objects)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    except (TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise ValueError(f"{where}: the configuration is damaged ({type(error).__name__}: {error}).") from error
    if not isinstance(model, Model):
        raise ValueError(f"{where}: expected the configuration of a model, found that of a {type(model).__name__}.")
    return model


def _read_members(path: str) -> dict[str, bytes]:
    """The members of the archive, by name, after all checks that need no understanding of what is in them."""
    with open(path, "rb") as file:
        data = file.read()
    checked = _check_digest(data, path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _extract(archive, path, len(data))
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError) as error:
        raise ValueError(f"{path!r} is damaged: {error}.") from error
    if not checked and _CHECKSUM_KEY.encode() in members.get(_METADATA, b""):
        raise ValueError(f"{path!r} is damaged: expected the checksum in the archive's comment, found none.")
    return members


def _check_digest(data: bytes, path: str) -> bool:
    """True if the file has a checksum, and it is right; False if it has none; ValueError if it is wrong."""
    if data[:4] != b"PK\x03\x04":
        kind = "an HDF5 file" if data[:4] == b"\x89HDF" else f"{data[:8]!r}..."
        raise ValueError(f"{path!r} is not a `.keras` file: expected a zip archive, found {kind} ({len(data)} bytes).")
    comment = data[-_COMMENT_SIZE:]
    if comment.startswith(_COMMENT_START):
        found = hashlib.sha256(data[:-64]).hexdigest().encode()
        if found != data[-64:]:
            raise ValueError(
                f"{path!r} is damaged: expected content of SHA-256 {data[-64:].decode('latin1')}, "
                f"found {found.decode()} ({len(data)} bytes)."
            )
    else:
        comment = b""
    end = len(data) - len(comment) - _END_RECORD.size
    record = _END_RECORD.unpack_from(data, end) if end >= 0 else (b"",)
    if record[0] != b"PK\x05\x06" or record[-1] != len(comment):
        raise ValueError(
            f"{path!r} is truncated or damaged: expected the end of a zip archive at byte {max(end, 0)}, found "
            f"something else ({len(data)} bytes)."
        )
    return bool(comment)


def _extract(archive: zipfile.ZipFile, path: str, size: int) -> dict[str, bytes]:
    infos = archive.infolist()
    names = [info.filename for info in infos]
    missing = [name for name in (_METADATA, _CONFIG, _WEIGHTS) if name not in names]
    if missing or len(set(names)) != len(names):
        raise ValueError(
            f"{path!r} is not a `.keras` file: expected the members {_METADATA}, {_CONFIG} and {_WEIGHTS}, once each, "
            f"found {', '.join(names) or 'none'}."
        )
    for info in infos:
        if info.compress_size > size or info.file_size > 1100 * info.compress_size:  # deflate's best is 1 : 1032
            raise ValueError(
                f"{path!r} is damaged: the member {info.filename} declares {info.file_size} bytes "
                f"in {info.compress_size}, the whole file has {size}."
            )
    return {name: archive.read(name) for name in (_METADATA, _CONFIG, _WEIGHTS)}


def _hexdigest(file: BinaryIO) -> bytes:
    """SHA-256, as text, of all of a file but its last 64 bytes."""
    digest = hashlib.sha256()
    left = file.seek(0, os.SEEK_END) - 64
    file.seek(0)
    while left > 0:
        chunk = file.read(min(left, 1 << 20))
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest().encode()


def _to_json(config: Any, model: Any) -> str:
    try:
        return json.dumps(config)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"The configuration of the model {model.name!r} holds something that JSON cannot: {error}. "
            "Every `get_config()` must return plain values."
        ) from error


def _from_json(data: bytes | str, where: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: expected JSON, found something else ({error}).") from error


def _version() -> str:
    import cconv

    return cconv.__version__
