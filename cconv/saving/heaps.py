"""The heaps in which an HDF5 file keeps texts, looked at before HDF5 does.

The library steps from object to object of a heap by the sizes that stand there, and goes nowhere, for ever, where one
of them is zero (HDF5 File Format Specification, "Disk Format: Level 1E - Global Heap").
"""

from __future__ import annotations

import struct
from typing import BinaryIO

_HEAD = b"GCOL\x01\0\0\0"  # signature, version, reserved; too long to stand among numbers by chance
_OBJECT = struct.Struct("<HHIQ")  # index, references, reserved, size
_PART = 1 << 24  # bytes that are looked through at a time


def check_heaps(file: BinaryIO, size: int, where: str) -> None:
    """Walks through all heaps of a file.

    Args:
        file: The file, whose position is kept.
        size: Its number of bytes.
        where: What to call it in errors.

    Raises:
        ValueError: A heap is damaged.
    """
    position = file.tell()
    try:
        for start in _found(file, size):
            file.seek(start + len(_HEAD))
            (length,) = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))
            if not 16 <= length <= size - start:
                raise ValueError(f"{where}: the HDF5 file is damaged: a heap of {length} bytes at byte {start}.")
            _walk(file.read(length - 16), where, start)
    finally:
        file.seek(position)


def _found(file: BinaryIO, size: int) -> list[int]:
    starts, place = [], 0
    while place < size:
        file.seek(place)
        part = file.read(_PART + len(_HEAD) - 1)
        at = part.find(_HEAD)
        while at >= 0:
            starts.append(place + at)
            at = part.find(_HEAD, at + 1)
        place += _PART
    return starts


def _walk(heap: bytes, where: str, start: int) -> None:
    place = 0
    while place + _OBJECT.size <= len(heap):
        index, _, _, length = _OBJECT.unpack_from(heap, place)
        # what is free, object 0, counts its head in
        step = length if index == 0 else _OBJECT.size + -(-length // 8) * 8
        if step < _OBJECT.size or place + step > len(heap):
            raise ValueError(
                f"{where}: the HDF5 file is damaged: an object of {length} bytes in the heap at byte {start}."
            )
        place += step
