"""Files of named tensors, as PyTorch's world writes them: `.safetensors`, and the `.pth` and `.pt` of state dicts.

Knows tensors and their names, not models. A file is opened, its tensors are listed with their shapes, and each is read
when it is asked for; nothing that a file says of sizes is believed before it is compared with the file's own.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from .torch_file import BFLOAT16, as_array, torch_tensors

SUFFIXES = (".safetensors", ".pth", ".pt", ".pth.tar")
_LONGEST_HEADER = 100_000_000  # bytes; what the format allows
_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": BFLOAT16, "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip
_METADATA = "__metadata__"


class StoredTensor(NamedTuple):
    """A tensor in a file: its shape, and a function that reads it."""

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]


@contextlib.contextmanager
def open_tensors(path: str | os.PathLike) -> Iterator[dict[str, StoredTensor]]:
    """The tensors of a file by their names, none of them read yet.

    Args:
        path: Name of the file; it ends in `.safetensors`, `.pth`, `.pt` or `.pth.tar`.

    Raises:
        ValueError: The file is damaged, of another kind, or one that only code could load.
        OSError: It cannot be opened.
    """
    path = os.fspath(path)
    if not path.endswith(SUFFIXES):
        raise ValueError(
            f"The file name of tensors must end in {', '.join(map(repr, SUFFIXES))}. Received: filepath={path!r}"
        )
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(path, "rb"))
        if path.endswith(".safetensors"):
            yield _safetensors(file, repr(path))
        else:
            found = stack.enter_context(torch_tensors(file, repr(path)))
            yield {name: StoredTensor(tensor.shape, tensor.read) for name, tensor in found.items()}


def _safetensors(file: BinaryIO, where: str) -> dict[str, StoredTensor]:
    """The length of the header (8 bytes), the header in JSON, the elements: one tensor behind the other."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    start = 8 + length
    if size < 8 or length > _LONGEST_HEADER or start > size:
        raise ValueError(
            f"{where} is no `.safetensors` file, or damaged: expected the length of a header within its {size} bytes, "
            f"found {length}."
        )
    try:
        header = json.loads(file.read(length), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: expected a header in JSON, found something else ({error}).") from error
    if not isinstance(header, dict):
        raise ValueError(f"{where}: expected a header of named tensors, found a {type(header).__name__}.")
    header.pop(_METADATA, None)
    entries = {name: _entry(name, value, where) for name, value in header.items()}
    at = 0
    for name, (_, _, begin, end) in sorted(entries.items(), key=lambda item: item[1][2:]):
        if begin != at:
            raise ValueError(f"{where}: expected the elements of {name!r} at byte {at}, found {begin}.")
        at = end
    if start + at != size:
        raise ValueError(f"{where}: expected {start + at} bytes, as the header says, found {size}.")
    return {
        name: StoredTensor(shape, lambda e=entry, n=name: _elements(file, start, n, e, where))
        for name, entry in entries.items()
        for shape in (entry[1],)
    }


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _entry(name: str, value: Any, where: str) -> tuple[str, tuple[int, ...], int, int]:
    """Type, shape, begin and end of a tensor, that agree with each other."""

    def whole(numbers: Any) -> bool:
        return isinstance(numbers, list) and all(type(n) is int and n >= 0 for n in numbers)

    kind, shape, span = (
        value.get(key) if isinstance(value, dict) else None for key in ("dtype", "shape", "data_offsets")
    )
    if not (isinstance(kind, str) and whole(shape) and whole(span) and len(span) == 2 and span[0] <= span[1]):
        raise ValueError(f"{where}: expected type, shape and place of the tensor {name!r}, found something else.")
    if kind in _TYPES and math.prod(shape) * _itemsize(kind) != span[1] - span[0]:
        raise ValueError(
            f"{where}: the tensor {name!r} of shape {tuple(shape)} and type {kind} declares {span[1] - span[0]} bytes."
        )
    return kind, tuple(shape), span[0], span[1]


def _itemsize(kind: str) -> int:
    return 2 if _TYPES[kind] == BFLOAT16 else np.dtype(_TYPES[kind]).itemsize


def _elements(file: BinaryIO, start: int, name: str, entry: tuple[str, tuple[int, ...], int, int], where: str) -> Any:
    kind, shape, begin, end = entry
    if kind not in _TYPES:
        raise ValueError(f"{where}: the tensor {name!r} is of the type {kind}, which is not read.")
    file.seek(start + begin)
    data = file.read(end - begin)
    if len(data) != end - begin:
        raise ValueError(f"{where}: the file ended within the tensor {name!r}.")
    return as_array(data, _TYPES[kind]).reshape(shape)
