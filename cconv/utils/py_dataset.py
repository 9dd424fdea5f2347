"""Data that comes in batches: the `PyDataset` base class and the (x, y, sample_weight) convention."""

import functools
import math
from collections.abc import Iterable, Iterator
from typing import Any

from ..pipeline.elements import count_of
from ..pipeline.workers import in_processes, in_threads, item


class PyDataset:
    """Base class of data sets that hand out whole batches, for data that does not fit in memory or is made on the fly.

    Subclasses define `__getitem__(index)`, which returns batch `index` as `(x, y)` or `(x, y, sample_weight)`, and
    `__len__`, the number of batches. `on_epoch_end` may, for example, reshuffle. With workers, several batches are made
    at a time, ahead of the model; they come in order, and do not depend on the number of workers where
    `__getitem__(index)` depends on `index` only. Without, batches are asked for one after another, by the thread that
    trains.

    Args:
        workers: How many threads or processes make batches. For 0 and 1 the thread that trains makes them, unless
            processes are asked for.
        use_multiprocessing: Whether the workers are processes: each has a copy of the data set, made at the beginning
            of each pass (forked, or pickled where processes are not forked). `on_epoch_begin` and `on_epoch_end` are
            called in the process that trains, when no worker is at work.
        max_queue_size: How many batches, at most, are made before they are asked for.

    Raises:
        ValueError: A count is none.

    Example:

    >>> class Squares(cconv.utils.PyDataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, index):
    ...         x = np.full((8, 1), index, "float32")
    ...         return x, x**2
    >>> len(list(Squares()))
    4
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers = count_of("PyDataset", "workers", workers, least=0)
        self.use_multiprocessing = bool(use_multiprocessing)
        self.max_queue_size = count_of("PyDataset", "max_queue_size", max_queue_size)

    def __len__(self) -> int:
        raise TypeError(f"{type(self).__name__} must define `__len__`, the number of batches")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define `__getitem__(index)`, which returns one batch")

    @property
    def num_batches(self) -> int | None:
        """Number of batches of an epoch; `None` if it has no end."""
        return len(self)

    def __iter__(self) -> Iterator[Any]:
        count = self.num_batches
        index = 0
        while index < (math.inf if count is None else count):
            yield self[index]
            index += 1

    def on_epoch_begin(self) -> None:
        """Called before the first batch of an epoch."""

    def on_epoch_end(self) -> None:
        """Called after the last batch of an epoch."""


Sequence = PyDataset


def batches_of(dataset: Any, order: Iterable[int]) -> Iterator[Any]:
    """The batches of a `PyDataset`, or what looks like one, in an order, made by its workers.

    Raises:
        Exception: What the data set raises; where a worker did, with the number of the batch.
    """
    workers = getattr(dataset, "workers", 1)
    if isinstance(dataset, PyDataset) and workers and (workers > 1 or dataset.use_multiprocessing):
        # as many as there are workers are being made while one waits to be taken
        ahead = max(dataset.max_queue_size, workers)
        if dataset.use_multiprocessing:
            return in_processes(dataset, order, workers, ahead)
        return in_threads(functools.partial(item, dataset), map(int, order), workers, ahead)
    return (dataset[int(i)] for i in order)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Splits `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)` into three, with `None` for what is missing.

    Example:

    >>> cconv.utils.unpack_x_y_sample_weight(("x", "y"))
    ('x', 'y', None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(f"Expected `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`. Received {len(data)} elements")
    return (*data, None, None)[:3]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The inverse of `unpack_x_y_sample_weight`: leaves out what is `None`.

    Example:

    >>> cconv.utils.pack_x_y_sample_weight("x", "y")
    ('x', 'y')
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
