"""Data that comes in batches: the `PyDataset` base class and the (x, y, sample_weight) convention."""

import math
from collections.abc import Iterator
from typing import Any


class PyDataset:
    """Base class of data sets that hand out whole batches, for data that does not fit in memory or is made on the fly.

    Subclasses define `__getitem__(index)`, which returns batch `index` as `(x, y)` or `(x, y, sample_weight)`, and
    `__len__`, the number of batches. `on_epoch_end` may, for example, reshuffle. Batches are asked for one after
    another, by the thread that trains.

    Args:
        workers: Accepted for Keras' sake; only 1 is supported.
        use_multiprocessing: Accepted for Keras' sake; only `False` is supported.
        max_queue_size: Accepted for Keras' sake; without effect, since nothing is queued.

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
        if workers != 1 or use_multiprocessing:
            raise ValueError(
                "PyDataset supports workers=1 and use_multiprocessing=False. "
                f"Received: workers={workers}, use_multiprocessing={use_multiprocessing}"
            )
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

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
