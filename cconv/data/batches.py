"""Where batches come from: arrays, of which row numbers are handed on, or sources of whole batches."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..utils.py_dataset import PyDataset, unpack_x_y_sample_weight
from .arrays import Data

_ACCEPTED = (
    "NumPy arrays (or lists of numbers, or objects with `__array__`), a list or dictionary of them for several inputs, "
    "a cconv.utils.PyDataset, or a generator of batches (x, y)"
)

Batch = tuple[Data, np.ndarray | None, int]


class ArrayFeed:
    """Batches of arrays, as row numbers; one permutation of them per pass.

    Args:
        data: The arrays.
        batch_size: Samples per batch; the last one may be smaller.
        steps: Batches per epoch; by default a whole pass.
        shuffle: `True`, `False`, or `"batch"` to shuffle whole batches only.
        seed: Seed of the permutations.
    """

    def __init__(
        self, data: Data, batch_size: int | None, steps: int | None, shuffle: Any = False, seed: int = 0
    ) -> None:
        if batch_size is None:
            batch_size = math.ceil(data.size / steps) if steps else 32
        self.data = data
        self.batch_size = min(batch_size, data.size)
        self.steps = steps
        self.num_batches: int | None = steps or math.ceil(data.size / batch_size)
        self._whole = math.ceil(data.size / batch_size)
        self._shuffle = shuffle
        # Not default_rng: NumPy promises that RandomState's streams never change.
        self._random = np.random.RandomState(seed % 2**32) if shuffle else None
        self._order: np.ndarray | None = None
        self._next = 0

    def example(self) -> Data:
        """Data with the shapes of a batch."""
        return self.data

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch: (data, rows, number of samples)."""
        if self.steps is None:
            self._next = 0
        for _ in range(self.num_batches):
            if self._next == 0:
                self._order = self._permutation()
            elif self._next >= self._whole:
                self._next = 0
                warnings.warn(
                    f"The data ran out: {self._whole} batches of {self.batch_size} are fewer than steps_per_epoch="
                    f"{self.steps} asks for. This epoch ends early.",
                    stacklevel=5,
                )
                return
            rows = self._order[self._next * self.batch_size : (self._next + 1) * self.batch_size]
            self._next += 1
            yield self.data, rows, len(rows)
        if self._next >= self._whole:
            self._next = 0

    def _permutation(self) -> np.ndarray:
        size, first = self.data.size, self.data.first
        if not self._shuffle:
            return self._order if self._order is not None else np.arange(first, first + size, dtype=np.int64)
        if self._shuffle == "batch":
            whole = size // self.batch_size
            order = np.arange(size, dtype=np.int64)
            order[: whole * self.batch_size] = (
                order[: whole * self.batch_size].reshape(whole, -1)[self._random.permutation(whole)].ravel()
            )
            return order + first
        return self._random.permutation(size).astype(np.int64) + first


class BatchFeed:
    """Batches that come ready-made, from a `PyDataset` or a generator.

    Args:
        source: The data set, or an iterable of `(x, y)` or `(x, y, sample_weight)`.
        convert: Makes `Data` of one batch.
        steps: Batches per epoch; by default all of them.
        shuffle: Whether a `PyDataset` is read in a random order.
        seed: Seed of that order.
    """

    def __init__(
        self, source: Any, convert: Callable[..., Data], steps: int | None, shuffle: bool = False, seed: int = 0
    ) -> None:
        self._source = source
        self._convert = convert
        self._is_dataset = is_dataset(source)
        size = getattr(source, "num_batches", None) if self._is_dataset else None
        if self._is_dataset and size is None and hasattr(source, "__len__"):
            size = len(source)
        if size == 0:
            raise ValueError("Expected at least one batch. Received an empty data set (0 batches).")
        self.num_batches: int | None = steps or size
        self.steps = steps
        self._size = size
        self._random = np.random.RandomState(seed % 2**32) if shuffle and self._is_dataset and size else None
        self._iterator: Iterator[Any] | None = None
        self._peeked: list[Data] = []
        self.batch_size = 0

    def example(self) -> Data:
        """The first batch; it is not lost."""
        if not self._peeked:
            self._begin()
            try:
                self._peeked.append(self._read())
            except StopIteration:
                raise ValueError("Expected at least one batch. Received an iterator without any.") from None
        return self._peeked[0]

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch: (data, None, number of samples)."""
        if not self._peeked and (self._iterator is None or self._is_dataset):
            self._begin()
        count = 0
        while self.num_batches is None or count < self.num_batches:
            try:
                data = self._peeked.pop() if self._peeked else self._read()
            except StopIteration:
                if self.num_batches is not None and not self._is_dataset:
                    warnings.warn(
                        f"The data ran out after {count} of {self.num_batches} batches. This epoch ends early.",
                        stacklevel=5,
                    )
                break
            count += 1
            yield data, None, data.size
        if count == 0:
            raise ValueError(
                "The data ran out before this epoch. For several epochs give `steps_per_epoch`, or a PyDataset."
            )
        if self.num_batches is None:
            self.num_batches = count
        if hasattr(self._source, "on_epoch_end") and self._is_dataset:
            self._source.on_epoch_end()

    def _begin(self) -> None:
        if self._is_dataset:
            if hasattr(self._source, "on_epoch_begin"):
                self._source.on_epoch_begin()
            if self._size is None:
                self._iterator = iter(self._source)
            else:
                order = range(self._size) if self._random is None else self._random.permutation(self._size)
                self._iterator = (self._source[int(i)] for i in order)
        else:
            self._iterator = iter(self._source)

    def _read(self) -> Data:
        batch = next(self._iterator)
        if not isinstance(batch, (tuple, list)):
            batch = (batch,)
        return self._convert(*unpack_x_y_sample_weight(tuple(batch)))


def is_dataset(x: Any) -> bool:
    """Whether x hands out batches by number: a `PyDataset`, or one of another library that looks like it."""
    if isinstance(x, PyDataset):
        return True
    return hasattr(x, "__getitem__") and hasattr(x, "num_batches") and not hasattr(x, "__array__")


def is_batches(x: Any) -> bool:
    """Whether x is a source of whole batches."""
    return is_dataset(x) or (
        isinstance(x, Iterable)
        and not isinstance(x, (list, tuple, dict, str, bytes))
        and not hasattr(x, "__array__")
        and not hasattr(x, "tocoo")
    )


def refuse(x: Any, method: str) -> None:
    """Raises for data that is of no accepted kind."""
    if x is None or isinstance(x, (str, bytes)) or callable(x):
        raise TypeError(f"{method}: expected x to be {_ACCEPTED}. Received: {type(x).__name__} {x!r:.60}")
