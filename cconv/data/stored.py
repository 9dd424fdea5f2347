"""Arrays in files, of which no more than the rows of a batch are in memory at a time."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..dtypes import accepted, gathers

_SMALL = 8  # bytes: a row that takes no more than its number does in the order of the rows is read with all others
_PART = 1 << 24  # bytes that are read at a time where all rows are gone through


class StoredArray:
    """An array that is read a few rows at a time.

    Args:
        source: What knows its `shape` and `dtype` and gives rows by a slice: a data set of an HDF5 file, a memory map.
        shape: The shape it is to have; by default the source's.

    Attributes:
        shape, dtype, ndim: As of an array.
    """

    def __init__(self, source: Any, shape: Sequence[int] | None = None) -> None:
        self._source = source
        self.shape = tuple(source.shape if shape is None else shape)
        self.dtype = np.dtype(source.dtype)
        self.ndim = len(self.shape)

    def reshape(self, shape: Sequence[int]) -> StoredArray:
        """The same rows, each in another shape."""
        return StoredArray(self._source, shape)

    def rows(self, rows: np.ndarray) -> np.ndarray:
        """These rows, as the core accepts them. Each is read once; neighbours are read together."""
        if isinstance(self._source, np.ndarray):
            array = self._source[rows]
        else:
            order = np.argsort(rows, kind="stable")
            runs = np.split(rows[order], np.flatnonzero(np.diff(rows[order]) != 1) + 1)
            array = np.empty((len(rows), *self._source.shape[1:]), self.dtype)
            array[order] = np.concatenate([np.asarray(self._source[int(r[0]) : int(r[-1]) + 1]) for r in runs])
        return accepted(array.reshape(len(rows), *self.shape[1:]))

    def parts(self) -> Iterator[np.ndarray]:
        """All rows, some at a time."""
        size = max(1, _PART // max(self.dtype.itemsize * math.prod(self.shape[1:]), 1))
        for first in range(0, self.shape[0], size):
            yield self.rows(np.arange(first, min(first + size, self.shape[0])))


def is_stored(value: Any, gathered: bool) -> bool:
    """Whether an array lies in a file and is not to be read whole: with more than a number in a row.

    Args:
        value: An array of any kind.
        gathered: Whether only the core looks at it, which reads no more of a memory map than the rows of a batch.
    """
    if isinstance(value, np.ndarray):
        if not _is_mapped(value):
            return False
        if gathered and gathers(value.dtype) and value.flags.c_contiguous and value.flags.aligned:
            return False
    elif not all(hasattr(value, name) for name in ("shape", "dtype", "chunks", "__getitem__")):
        return False
    shape = tuple(value.shape)
    return len(shape) > 0 and np.dtype(value.dtype).itemsize * math.prod(shape[1:]) > _SMALL


def _is_mapped(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap):
            return True
        array = array.base
    return isinstance(array, mmap.mmap)
