"""PyTorch's `.pth` and `.pt` files: a zip archive with a pickle that describes tensors, and their elements beside it.
Those of before version 1.6 are no archives: see `torch_old_file`.

The pickle is not unpickled: `plain_pickle` reads it, with a table of the few names that state dicts need.
"""

from __future__ import annotations

import contextlib
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from .plain_pickle import ForbiddenNameError, Name, load_plain
from .torch_old_file import MAGIC, OldArchive

BFLOAT16 = "bfloat16"
_LONGEST_PICKLE = 1 << 27  # bytes
_MOST_AXES = 32
_STORAGES = {
    "DoubleStorage": "f8", "FloatStorage": "f4", "HalfStorage": "f2", "BFloat16Storage": BFLOAT16, "LongStorage": "i8",
    "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip
_WRAPPERS = ("state_dict", "model", "model_state_dict", "net", "params")
_SAVE_AGAIN = "Save what is needed of it where PyTorch is: `torch.save(model.state_dict(), path)`."


class _Storage(NamedTuple):
    member: str
    kind: str
    count: int


class TorchTensor(NamedTuple):
    """A tensor in a file: which elements of a storage it has, in what order."""

    archive: Any
    where: str
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self) -> np.ndarray:
        """Its elements, checked against the archive's sum."""
        with _reading(self.where):
            data = self.archive.read(self.storage.member)
            order = _byte_order(self.archive)
        flat = as_array(data, self.storage.kind, order)
        strides = tuple(step * flat.itemsize for step in self.strides)
        view = np.lib.stride_tricks.as_strided(flat[self.offset :], self.shape, strides, writeable=False)
        return np.ascontiguousarray(view).reshape(self.shape)


def as_array(data: bytes, kind: str, order: str = "<") -> np.ndarray:
    """Elements of one of the types of `_STORAGES`; bfloat16 as float32, of which it is the upper half."""
    if kind == BFLOAT16:
        return (np.frombuffer(data, f"{order}u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, np.dtype(kind).newbyteorder(order))


@contextlib.contextmanager
def torch_tensors(file: BinaryIO, where: str) -> Iterator[dict[str, TorchTensor]]:
    """The tensors of a state dict by their names; `file` is open for reading, `where` what errors call it.

    Raises:
        ValueError: The file is damaged, of another kind, or holds more than tensors and plain values.
    """
    if _is_old(file, where):
        yield _old_tensors(file, where)
        return
    with _reading(where):
        archive = zipfile.ZipFile(file)
    with archive:
        with _reading(where):
            root, members = _members(archive, os.fstat(file.fileno()).st_size, where)
            data = archive.read(f"{root}/data.pkl")

        def member(key: str, size: int, _: Any) -> str:
            name = f"{root}/data/{key}"
            held = members[name].file_size if name in members else -1
            if held != size:
                raise ValueError(f"{name!r} should have {size} bytes, and has {max(held, 0)}")
            return name

        yield _state_dict(_unpickled(data, archive, member, where), where)


def _is_old(file: BinaryIO, where: str) -> bool:
    head = file.read(len(MAGIC))
    if head != MAGIC and not head.startswith(b"PK\x03\x04"):
        raise ValueError(f"{where}: expected a zip archive, as `torch.save` writes it, found {head[:8]!r}...")
    return head == MAGIC


def _old_tensors(file: BinaryIO, where: str) -> dict[str, TorchTensor]:
    archive = OldArchive(file, where)
    with _damaged(where):
        archive.head()
    value = _unpickled(file, archive, archive.member, where)
    with _damaged(where):
        archive.find()
    return _state_dict(value, where)


def _members(archive: zipfile.ZipFile, size: int, where: str) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """The folder that all is in, and what is there. Members are not compressed, so none is longer than the file."""
    infos = archive.infolist()
    members = {info.filename: info for info in infos}
    roots = [name.removesuffix("/data.pkl") for name in members if name.endswith("/data.pkl")]
    if len(roots) != 1 or len(members) != len(infos):
        raise ValueError(f"{where}: expected a zip archive with one `data.pkl`, as `torch.save` writes it.")
    if any(name.startswith(f"{roots[0]}/code/") for name in members):
        raise ValueError(f"{where} is a program of TorchScript, which is not run. {_SAVE_AGAIN}")
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.file_size > size:
            raise ValueError(
                f"{where}: expected members that are not compressed, found {info.filename!r} that declares "
                f"{info.file_size} bytes in {info.compress_size}; the whole file has {size}."
            )
    if members[f"{roots[0]}/data.pkl"].file_size > _LONGEST_PICKLE:
        raise ValueError(f"{where}: expected at most {_LONGEST_PICKLE} bytes of `data.pkl`.")
    return roots[0], members


@contextlib.contextmanager
def _reading(where: str) -> Iterator[None]:
    """Inside, whatever zip has to say against the file becomes a ValueError."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise ValueError(f"{where} is damaged: {error}.") from error


def _byte_order(archive: Any) -> str:
    if isinstance(archive, OldArchive):
        return archive.byte_order
    name = next((name for name in archive.namelist() if name.endswith("/byteorder")), None)
    return ">" if name is not None and archive.read(name) == b"big" else "<"


def _unpickled(data: bytes | BinaryIO, archive: Any, member: Callable[[str, int, Any], str], where: str) -> Any:
    """What a pickle describes. `member` names the storage of a key, of so many bytes, and refuses what does not fit."""

    def storage(described: Any) -> _Storage:
        kind, name, key, _, count, *view = described if isinstance(described, tuple) else (None,) * 5
        element = _STORAGES.get(name.name) if isinstance(name, Name) and name.module == "torch" else None
        if kind != "storage" or element is None or type(key) is not str or type(count) is not int or count < 0:
            raise ValueError(f"it holds elements of an unknown kind ({name if isinstance(name, Name) else kind})")
        size = 2 if element == BFLOAT16 else np.dtype(element).itemsize
        return _Storage(member(key, size * count, view[0] if view else None), element, count)

    def tensor(kept: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> TorchTensor:
        if not isinstance(kept, _Storage) or not len(shape) == len(strides) <= _MOST_AXES:
            raise ValueError("a tensor is described in an unknown way")
        numbers = (offset, *shape, *strides)
        if not all(type(n) is int for n in numbers):
            raise ValueError("a tensor is described in an unknown way")
        strides = tuple(step if n > 1 else 0 for n, step in zip(shape, strides, strict=True))
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        empty = 0 in shape
        if min(numbers) < 0 or not (empty or (last < kept.count and math.prod(shape) <= kept.count)):
            raise ValueError(f"a tensor of shape {shape} declares more elements than the {kept.count} it has")
        return TorchTensor(archive, where, kept, 0 if empty else offset, shape, strides)

    calls = {
        "collections.OrderedDict": _nothing_named,
        "torch._utils._rebuild_tensor": tensor,
        "torch._utils._rebuild_tensor_v2": tensor,
        "torch._utils._rebuild_parameter": lambda value, *_: value,
        "torch.device": lambda *_: None,
    }
    try:
        return load_plain(data, calls, storage)
    except ForbiddenNameError as error:
        raise ValueError(
            f"{where} is refused: it asks for {error}, which is more than tensors and plain values. Such a file could "
            f"run any code. {_SAVE_AGAIN}"
        ) from error
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where} is damaged, or no state dict: {error}.") from error


@contextlib.contextmanager
def _damaged(where: str) -> Iterator[None]:
    """Inside, what is not as expected names the file."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{where} is damaged, or no state dict: {error}.") from error


def _nothing_named() -> dict:
    """An ordered dictionary, into which the pickle puts its items one by one."""
    return {}


def _state_dict(value: Any, where: str) -> dict[str, TorchTensor]:
    """The named tensors: the value itself, or what a checkpoint has under one of the usual names."""
    for found in (value, *(value.get(key) for key in _WRAPPERS if isinstance(value, dict))):
        if isinstance(found, dict):
            tensors = {name: item for name, item in found.items() if isinstance(item, TorchTensor)}
            if tensors and all(isinstance(name, str) for name in tensors):
                return tensors
    raise ValueError(f"{where}: expected named tensors, or those under one of {', '.join(_WRAPPERS)}. {_SAVE_AGAIN}")
