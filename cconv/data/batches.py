"""Where batches come from: arrays, of which row numbers are handed on, or sources of whole batches.

Samples are seen in passes: a pass is all of them, once, in one order. An epoch is a pass; or, where `steps` says how
many batches make one, it goes on where the last epoch ended, and a pass ends where it ends.
"""

from __future__ import annotations

import array
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from types import GeneratorType
from typing import Any

import numpy as np

from ..array_like import is_array_like
from ..pipeline import INFINITE_CARDINALITY, Dataset
from ..seeds import get_state, set_state
from ..utils.py_dataset import PyDataset, unpack_x_y_sample_weight
from ..warning import warn
from .arrays import Data

_ACCEPTED = (
    "NumPy arrays (or lists of numbers, or objects with `__array__`), a list or dictionary of them for several inputs, "
    "a cconv.data.Dataset or cconv.utils.PyDataset, or a generator or other iterable of batches (x, y)"
)

_ONCE = (
    "A generator gives its batches once: for several epochs give enough of them and the steps of each, a PyDataset, or "
    "what can be iterated over again."
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

    Attributes:
        checked: Whether the labels can be checked at once; else each batch's are.
        done: Batches of this epoch that were handed out.
    """

    def __init__(
        self, data: Data, batch_size: int | None, steps: int | None, shuffle: Any = False, seed: int = 0
    ) -> None:
        if batch_size is None:
            batch_size = math.ceil(data.size / steps) if steps else 32
        self.data = data
        self.checked = not data.stored
        self.batch_size = min(batch_size, data.size)
        self.steps = steps
        self.num_batches: int | None = steps or math.ceil(data.size / batch_size)
        self._whole = math.ceil(data.size / batch_size)
        self._shuffle = shuffle
        # Not default_rng: NumPy promises that RandomState's streams never change.
        self._random = np.random.RandomState(seed % 2**32) if shuffle else None
        self._began: tuple | None = None  # the random state before this pass
        self._order: np.ndarray | None = None
        self._next = 0
        self.done = 0

    def example(self) -> Data:
        """Data with the shapes of a batch."""
        return self.data

    def check_passes(self, several: bool, argument: str) -> None:
        """Arrays serve any number of passes."""

    def rewind(self) -> None:
        """The next epoch begins with the first batch of a pass."""
        self._next = self.done = 0

    def state(self) -> dict[str, Any]:
        """Where in its passes and epochs it is, for `resume`."""
        random = None if self._random is None else self._began if self._next else self._random.get_state()
        return {"random": random, "next": self._next, "done": self.done}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Goes on where another feed of the same data was."""
        if self._random is not None:
            self._random.set_state(tuple(state["random"]))
        self._next, self.done = state["next"], state["done"]
        if self._next:
            self._order = self._permutation()

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch, or what is left of it: (data, rows, number of samples)."""
        if self.steps is None and not self.done:
            self._next = 0
        for count in range(self.done, self.num_batches):
            if self._next == 0:
                self._order = self._permutation()
            elif self._next >= self._whole:
                _warn_of_end(count, self.num_batches)
                break
            rows = self._order[self._next * self.batch_size : (self._next + 1) * self.batch_size]
            self._next += 1
            self.done = count + 1
            if self.data.stored:
                yield self.data.batch(rows), None, len(rows)
            else:
                yield self.data, rows, len(rows)
        self.done = 0
        if self._next >= self._whole:
            self._next = 0

    def _permutation(self) -> np.ndarray:
        size, first = self.data.size, self.data.first
        if not self._shuffle:
            return self._order if self._order is not None else np.arange(first, first + size, dtype=np.int64)
        self._began = self._random.get_state()
        if self._shuffle == "batch":
            whole = size // self.batch_size
            order = np.arange(size, dtype=np.int64)
            order[: whole * self.batch_size] = (
                order[: whole * self.batch_size].reshape(whole, -1)[self._random.permutation(whole)].ravel()
            )
            return order + first
        return self._random.permutation(size).astype(np.int64) + first


class BatchFeed:
    """Batches that come ready-made, from a `PyDataset` or anything that can be iterated over.

    Args:
        source: The data set, or an iterable of `(x, y)` or `(x, y, sample_weight)`. Each pass iterates over it anew;
            a generator has one pass only.
        convert: Makes `Data` of one batch.
        steps: Batches per epoch; by default a whole pass.
        shuffle: Whether a `PyDataset` is read in a random order.
        seed: Seed of that order.

    Attributes:
        checked: False: each batch's labels are still to be checked.
        num_batches: Batches per epoch, as far as they are known.
        done: Batches of this epoch that were handed out.
    """

    checked = False

    def __init__(
        self, source: Any, convert: Callable[..., Data], steps: int | None, shuffle: bool = False, seed: int = 0
    ) -> None:
        self._source = source
        self._convert = convert
        self._is_dataset = is_dataset(source)
        size = _count_of(source, self._is_dataset)
        if size == 0:
            raise ValueError("Expected at least one batch. Received an empty data set (0 batches).")
        if steps is None and isinstance(source, Dataset) and source.cardinality() == INFINITE_CARDINALITY:
            raise ValueError("Expected the number of steps for a data set without end. Received: None")
        self.num_batches: int | None = steps or size
        self.steps = steps
        self._size = size
        self._random = np.random.RandomState(seed % 2**32) if shuffle and self._is_dataset and size else None
        self._iterator: Iterator[Any] | None = None  # None: the next batch begins a pass
        self._first: Data | None = None  # of the next epoch, where it is known already
        self._began: Any = None  # the random state before this pass
        self._read_count = 0  # batches of this pass that were read
        self.batch_size = self.done = 0

    def example(self) -> Data:
        """The first batch; it is not lost."""
        if self._first is None:
            self._begin_epoch()
            self._first = self._read(0)
            if self._first is None:
                raise ValueError("Expected at least one batch. Received an iterator without any.")
        return self._first

    def check_passes(self, several: bool, argument: str) -> None:
        """Refuses a generator that would be needed for several passes; `argument` says how to make do with one."""
        if several and self.steps is None and isinstance(self._source, GeneratorType):
            raise ValueError(f"{_ONCE} Received no `{argument}`, and more than one epoch needs them.")

    def rewind(self) -> None:
        """The next epoch begins with the first batch of a pass."""
        self.done = 0
        if self._first is None:
            self._iterator = None

    def state(self) -> dict[str, Any]:
        """Where in its passes and epochs it is, for `resume`."""
        within = self._iterator is not None
        return {"random": self._began if within else self._randomness(), "within": within, "read": self._read_count,
                "done": self.done}  # fmt: skip

    def resume(self, state: Mapping[str, Any]) -> None:
        """Goes on where another feed of the same source was. What cannot be read by number is read and left out."""
        self.done, self._read_count = state["done"], state["read"]
        left = self._read_count - (self._first is not None)
        self._first = None
        if isinstance(self._source, Iterator):
            self._iterator = self._source
        else:
            self._iterator, left = None, state["read"]
            if self._random is not None:
                self._random.set_state(tuple(state["random"]))
            elif state["random"] is not None:
                set_state(state["random"])
            if not state["within"]:
                return
            self._iterator = self._begin_pass(state["read"] if self._by_number else 0)
        if not self._by_number:
            for _ in itertools.islice(self._iterator, left):
                pass

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch, or what is left of it: (data, None, number of samples)."""
        data, self._first = self._first, None
        if data is None and self.done:
            data = None if self.done == self.steps else self._read(self.done)
        elif data is None:
            self._begin_epoch()
            if self.steps is None:
                self._iterator = None
            data = self._read(0)
            if data is None and self.steps is not None:  # the last epoch ended with the pass
                self._iterator = None
                data = self._read(0)
        if data is None and not self.done:
            raise ValueError(f"The data ran out before this epoch. {_ONCE}")
        while data is not None:
            self.done += 1
            yield data, None, data.size
            data = None if self.done == self.steps else self._read(self.done)
        count, self.done = self.done, 0
        if self.steps is not None and count < self.steps:
            _warn_of_end(count, self.steps)
            self._iterator = None
        if self.num_batches is None:
            self.num_batches = count
        if self._is_dataset and hasattr(self._source, "on_epoch_end"):
            self._source.on_epoch_end()

    def _begin_epoch(self) -> None:
        if self._is_dataset and hasattr(self._source, "on_epoch_begin"):
            self._source.on_epoch_begin()

    @property
    def _by_number(self) -> bool:
        return self._is_dataset and self._size is not None

    def _randomness(self) -> Any:
        """What decides the order of a pass that begins now."""
        return get_state() if self._random is None else self._random.get_state()

    def _begin_pass(self, read: int = 0) -> Iterator[Any]:
        self._began, self._read_count = self._randomness(), read
        if not self._by_number:
            return iter(self._source)
        order = range(self._size) if self._random is None else self._random.permutation(self._size)
        return (self._source[int(i)] for i in order[read:])

    def _read(self, number: int) -> Data | None:
        """The next batch of the pass; `None` at its end. `number` is what errors call it: its place in the epoch."""
        if self._iterator is None:
            self._iterator = self._begin_pass()
        try:
            batch = next(self._iterator)
        except StopIteration:
            return None
        self._read_count += 1
        if not isinstance(batch, (tuple, list)):
            batch = (batch,)
        try:
            return self._convert(*unpack_x_y_sample_weight(tuple(batch)))
        except (ValueError, TypeError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"Batch {number}: {error}") from error


Feed = ArrayFeed | BatchFeed


def _count_of(source: Any, is_dataset: bool) -> int | None:
    """How many batches a pass has; `None` if that is not known before."""
    if is_dataset and getattr(source, "num_batches", None) is not None:
        return source.num_batches
    try:
        return len(source)
    except (TypeError, NotImplementedError):
        return None


def _warn_of_end(count: int, steps: int) -> None:
    warn(f"The data ran out after {count} of {steps} batches, the steps asked for. This epoch ends early.")


def is_dataset(x: Any) -> bool:
    """Whether x hands out batches by number: a `PyDataset`, or one of another library that looks like it."""
    if isinstance(x, PyDataset):
        return True
    return hasattr(x, "__getitem__") and hasattr(x, "num_batches") and not hasattr(x, "__array__")


def is_batches(x: Any) -> bool:
    """Whether x is a source of whole batches."""
    return is_dataset(x) or (
        isinstance(x, Iterable)
        and not isinstance(x, (list, tuple, Mapping, Set, str, bytes, memoryview, range, array.array))
        and not is_array_like(x)
        and not hasattr(x, "tocoo")
    )


def refuse(x: Any, method: str) -> None:
    """Raises for data that is of no accepted kind."""
    if x is None or isinstance(x, (str, bytes)) or (callable(x) and not (is_batches(x) or is_array_like(x))):
        raise TypeError(f"{method}: expected x to be {_ACCEPTED}. Received: {type(x).__name__} {x!r:.60}")
