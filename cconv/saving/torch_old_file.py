"""The form of PyTorch's files before version 1.6: pickles one behind the other, then the elements of all storages.

a number that tells the form, the form's version, the machine     three pickles
the state dict, in which tensors name their storages by keys      a pickle
the keys in the order of what follows                             a pickle
for each key: how many elements (8 bytes), the elements
"""

from __future__ import annotations

import os
from typing import Any, BinaryIO

from .plain_pickle import load_plain

MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."  # a pickle of the number it begins with
_VERSION = 1001


class OldArchive:
    """The storages of an open file by their keys, as if they were members of a zip archive."""

    def __init__(self, file: BinaryIO, where: str) -> None:
        self._file, self._where = file, where
        self._sizes: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self.byte_order = "<"

    def head(self) -> None:
        """Reads up to the state dict.

        Raises:
            ValueError: It is damaged, or of another version.
        """
        self._file.seek(len(MAGIC))
        version, machine = (load_plain(self._file, {}, _none) for _ in range(2))
        if version != _VERSION or not isinstance(machine, dict):
            raise ValueError(f"expected version {_VERSION} of the form, found {version!r}")
        self.byte_order = "<" if machine.get("little_endian", True) else ">"

    def member(self, key: str, size: int, view: Any) -> str:
        """Notes that a storage of this key is to have so many bytes."""
        if view is not None or self._sizes.setdefault(key, size) != size:
            raise ValueError(f"the storage {key!r} is described in an unknown way")
        return key

    def find(self) -> None:
        """Reads what stands behind the state dict: where each storage is.

        Raises:
            ValueError: The elements are not as many as the state dict says, or the file ends before.
        """
        keys = load_plain(self._file, {}, _none)
        if not isinstance(keys, list) or set(map(str, keys)) != set(self._sizes) or len(keys) != len(self._sizes):
            raise ValueError("the storages are not those that the tensors name")
        at, end = self._file.tell(), os.fstat(self._file.fileno()).st_size
        for key in keys:
            self._places[key] = at + 8
            at += 8 + self._sizes[key]
        if at != end:
            raise ValueError(f"expected {at} bytes, as its tensors need, found {end}")

    def read(self, key: str) -> bytes:
        """The elements of a storage."""
        self._file.seek(self._places[key])
        data = self._file.read(self._sizes[key])
        if len(data) != self._sizes[key]:
            raise ValueError(f"{self._where}: the file ended within the storage {key!r}.")
        return data


def _none(_: Any) -> None:
    raise ValueError("it names something outside of it where nothing is")
