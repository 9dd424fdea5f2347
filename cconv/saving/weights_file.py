"""`.weights.h5` files: the variables of a model, without its architecture.

Keras' layout. In front of the HDF5 data stands a user block, an area that HDF5 leaves to the writer and that readers
skip; ours holds the SHA-256 of the whole file, so that damage is found before any of it is parsed. Files without a user
block (those of Keras) have no checksum to hold them against.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from ..warning import warn
from . import hdf5, legacy_file, name_tables, tensor_files
from .archive import WEIGHTS, read_archive
from .atomic import atomic_write
from .state import OPTIMIZER, SEED, Group, collect

SUFFIX = ".weights.h5"
_REACHED = "cconv_reached_"  # attributes of the file: in front of the name of a monitored quantity
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_BLOCK_SIZE = 512
_BLOCK_START = b"cconv weights, HDF5 after 512 bytes; sha256 of all but these 64 digits: "
_DIGITS = slice(len(_BLOCK_START), len(_BLOCK_START) + 64)


def save_weights(model: Any, path: str | os.PathLike, overwrite: bool = True) -> None:
    """Saves the variables of a model, and of its optimizer, as a `.weights.h5` file that Keras opens, too.

    The file is written whole or not at all: an old file of that name stays until the new one is on the disk.

    Args:
        model: A built model.
        path: Name of the file; it must end in `.weights.h5`.
        overwrite: False: an existing file is an error.

    Raises:
        ValueError: The name ends differently, the model is not built, or the file exists and `overwrite` is False.

    Example:

    >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])
    >>> cconv.saving.save_weights(model, "model.weights.h5")
    """
    path = check_path(path, SUFFIX, overwrite)
    check_built(model)
    write_checked(path, lambda file, size: hdf5.write_groups(file, collect(model), attributes(model), size))


def write_checked(path: str, write: Callable[[BinaryIO, int], None]) -> None:
    """Writes an HDF5 file with a checksum in front, whole or not at all.

    Args:
        path: Its name.
        write: Called with the file and the number of bytes to leave free in front.
    """
    with atomic_write(path) as file:
        write(file, _BLOCK_SIZE)
        block = bytearray((_BLOCK_START + b"0" * 64 + b"\n").ljust(_BLOCK_SIZE, b"\0"))
        file.seek(0)
        file.write(block)
        file.seek(_DIGITS.start)
        file.write(_digest(file))


def load_weights(
    model: Any,
    path: str | os.PathLike,
    skip_mismatch: bool = False,
    *,
    by_name: bool = False,
    names: Mapping[str, str] | name_tables.NameTable | None = None,
) -> None:
    """Loads the variables of a model from a file: of cconv, of Keras, or of PyTorch.

    | File | What it is |
    |---|---|
    | `.weights.h5`, `.keras` | of cconv and Keras 3 |
    | `.h5`, `.hdf5` | of Keras 1 and 2, whole models and weights alone, and of Keras 3 |
    | `.safetensors` | tensors with names |
    | `.pth`, `.pt`, `.pth.tar` | PyTorch's state dicts, and checkpoints that hold one |

    All arrays are checked and read before the first variable changes: a file that does not fit leaves the model as it
    is. The state of the optimizer is loaded if both the file and the model have one of the same kind. No code of a
    file is run.

    Names and axes of PyTorch's weights are brought into those of the model, for the networks of `cconv.applications` by
    tables of their own, for others by `names`.

    Args:
        model: A built model of the same architecture.
        path: Name of the file.
        skip_mismatch: True: layers whose variables do not fit are left as they are, with a warning for each, and
            variables for which the model has no layer are ignored.
        by_name: True: layers are found by their names, and those that the file does not have stay as they are. Only the
            files of Keras 1 and 2 (and `.h5` files of whole models), `.safetensors` and PyTorch's have names.
        names: For `.safetensors` and PyTorch's files: a dictionary from the names of layers here to those of modules
            there. `{i}` stands for a number: `{"block{i}_conv": "features.{i-1}"}`.

    Raises:
        ValueError: The file is damaged, or holds variables of other shapes than the model's, or lacks some; all are
            named.

    Example:

    >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])
    >>> model.save_weights("model.weights.h5")
    >>> cconv.saving.load_weights(cconv.models.clone_model(model), "model.weights.h5")

    ```python
    own.load_weights("net.pth", names={"conv{i}": "features.{i-1}", "dense": "classifier"})  # a model of your own
    ```
    """
    check_built(model)
    path = os.fspath(path)
    if path.endswith(tensor_files.SUFFIXES):
        tables = getattr(model, "_name_tables", ()) if names is None else (name_tables.as_table(names),)
        with tensor_files.open_tensors(path) as tensors:
            name_tables.assign_named(model, tensors, tables, repr(path), skip_mismatch, by_name)
        return
    if names is not None:
        raise ValueError(
            f"`names` are for files that end in {', '.join(map(repr, tensor_files.SUFFIXES))}. "
            f"Received: filepath={path!r}"
        )
    with open_arrays(path) as weights:
        if legacy_file.is_legacy(weights):
            legacy_file.assign_legacy(model, weights, by_name, skip_mismatch)
            return
        if by_name:
            raise ValueError(f"`by_name=True`: {path!r} has no names of layers: they are told apart by their places.")
        assign_weights(model, weights, strict_optimizer=False, skip_mismatch=skip_mismatch)


def assign_weights(model: Any, file: hdf5.ArrayFile, strict_optimizer: bool, skip_mismatch: bool = False) -> None:
    """Checks all arrays of a file against the model, and only then assigns them.

    Args:
        model: A built model.
        file: The file, open for reading.
        strict_optimizer: True: state of another kind of optimizer is an error; False: it is left out, with a warning.
        skip_mismatch: Whether to leave layers that do not fit as they are, with a warning.
    """
    groups = collect(model)
    assignments = []
    with file.reading():
        for group in groups:
            if group.path == OPTIMIZER:
                values = _read_optimizer(file.arrays, group, file.where, strict_optimizer)
            else:
                values = _read_layer(file.arrays, group, file.where, skip_mismatch)
            if values is not None:
                assignments.append((group.slots[: len(values)], values))
        if not skip_mismatch:
            _check_nothing_left(file.arrays, groups, file.where)
    seed = file.number(SEED)
    for slots, values in assignments:
        for slot, value in zip(slots, values, strict=True):
            slot.set(value)
    if seed is not None and getattr(model, "compiled", False):
        model._trainer.seed = int(seed) % 2**31


def _read_layer(arrays: dict[str, Any], group: Group, where: str, skip_mismatch: bool) -> list | None:
    try:
        return hdf5.read_group(arrays, group, where)
    except ValueError as error:
        if not skip_mismatch:
            raise
        warn(f"{group.label} is not loaded. {error}")
        return None


def _read_optimizer(arrays: dict[str, Any], group: Group, where: str, strict: bool) -> list | None:
    """The optimizer's arrays; None if the file has none, and only the first two if it had not made a step yet."""
    found = hdf5.stored(arrays, group.path)
    if not found:
        return None
    if len(found) < len(group.slots) and all(slot.shape == () for slot in group.slots[: len(found)]):
        group = group._replace(slots=group.slots[: len(found)])
    try:
        return hdf5.read_group(arrays, group, where)
    except ValueError as error:
        if strict:
            raise ValueError(f"{error} Load with `compile=False` to leave the optimizer's state out.") from error
        warn(f"The state of the optimizer is not loaded. {error}")
        return None


def _check_nothing_left(arrays: dict[str, Any], groups: list[Group], where: str) -> None:
    """Refuses variables that the model has no place for: they are a sign of another architecture."""
    known = {f"{group.path}/vars" if group.path else "vars" for group in groups}
    left = sorted(
        {
            path
            for path in (name.rsplit("/", 1)[0] for name in arrays)
            # what a model has beside its weights: state of random numbers, metrics, and of an optimizer it does not use
            if path not in known and not path.startswith(f"{OPTIMIZER}/") and "seed_generator" not in path
        }
    )
    left = [path for path in left if path.startswith(("layers/", "vars")) or "/" not in path.removesuffix("/vars")]
    if left:
        raise ValueError(
            f"{where}: expected variables for the model's {len(groups)} layers only, received also variables at "
            f"{', '.join(left[:5])}{', ...' if len(left) > 5 else ''}, for which the model has no layer."
        )


def _digest(file: BinaryIO) -> bytes:
    """SHA-256 of a file, leaving out the digits themselves, as text."""
    digest = hashlib.sha256()
    file.flush()
    file.seek(0)
    block = file.read(_BLOCK_SIZE)
    digest.update(block[: _DIGITS.start] + block[_DIGITS.stop :])
    for chunk in iter(lambda: file.read(1 << 20), b""):
        digest.update(chunk)
    file.seek(_DIGITS.start)
    return digest.hexdigest().encode()


def _check_digest(file: BinaryIO, path: str) -> None:
    file.seek(0)
    head = file.read(_BLOCK_SIZE)
    if head.startswith(_HDF5_SIGNATURE):
        return  # a file of Keras, or another tool's
    size = file.seek(0, os.SEEK_END)
    if not head.startswith(_BLOCK_START):
        raise ValueError(
            f"{path!r} is damaged, or not a file of weights: expected HDF5 data, or the head of a file of cconv, "
            f"found {head[:8]!r}... ({size} bytes)."
        )
    found = _digest(file) if size > _BLOCK_SIZE else b""
    if found != head[_DIGITS]:
        raise ValueError(
            f"{path!r} is damaged: expected content of SHA-256 {head[_DIGITS].decode('latin1')}, "
            f"found {found.decode() or 'no content'} ({size} bytes)."
        )


def attributes(model: Any) -> dict[str, float]:
    """What is stored beside the arrays: the seed of training, so that dropout goes on as it would have; in a checkpoint
    the value for which it was kept."""
    if not getattr(model, "compiled", False):
        return {}
    reached = {_REACHED + name: float(value) for name, value in model._trainer.reached.items()}
    return {SEED: int(model._trainer.seed), **reached}


def read_reached(path: str, name: str) -> float | None:
    """The value of a monitored quantity that a checkpoint was kept for; `None` if the file tells of none.

    Raises:
        ValueError: The file is damaged.
        OSError: There is none.
    """
    with open_arrays(path) as file:
        return file.number(_REACHED + name)


@contextlib.contextmanager
def open_arrays(path: str) -> Iterator[hdf5.ArrayFile]:
    """The arrays of a `.weights.h5`, `.h5`, `.hdf5` or `.keras` file."""
    with contextlib.ExitStack() as stack:
        if path.endswith(".keras"):
            file = io.BytesIO(read_archive(path)[WEIGHTS])
        elif not path.endswith((".h5", ".hdf5")):
            raise ValueError(
                "The file name must end in '.weights.h5', '.h5', '.hdf5', '.keras', "
                f"{', '.join(map(repr, tensor_files.SUFFIXES))}. Received: filepath={path!r}"
            )
        else:
            file = stack.enter_context(open(path, "rb"))
            _check_digest(file, path)
        yield stack.enter_context(hdf5.ArrayFile(file, repr(path)))


def check_path(path: str | os.PathLike, suffix: str, overwrite: bool) -> str:
    """The path as text, after the checks that come before writing."""
    path = os.fspath(path)
    if not path.endswith(suffix):
        raise ValueError(f"The file name must end in {suffix!r}. Received: filepath={path!r}")
    if not overwrite and os.path.exists(path):
        raise ValueError(f"The file exists, and `overwrite` is False. Received: filepath={path!r}")
    return path


def check_built(model: Any) -> None:
    """Only a built model has variables to save or to load; one without a call of its own is as built as its layers."""
    inner = model._flatten_layers(include_self=False) if hasattr(model, "_flatten_layers") else []
    if not getattr(model, "built", False) and not (inner and all(layer.built for layer in inner)):
        raise ValueError(
            f"The model {getattr(model, 'name', model)!r} is not built yet, so it has no variables. "
            "Call it on data, or `build()` it, first."
        )
