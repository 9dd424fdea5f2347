"""`Dataset`: elements that are made, changed, mixed and put together into batches as they are asked for."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .. import tree
from .elements import arrays_of
from .passes import rows
from .steps import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Steps


class Dataset(Steps):
    """A sequence of elements that can be gone through any number of times, each time made anew.

    An element is an array, a number, a text, or a tuple or dictionary of them. A data set is made by
    `from_tensor_slices`, `from_generator`, `range` or `list_files`, and each method that changes it returns a new one.
    Nothing is computed before an element is asked for. `fit`, `evaluate` and `predict` take data sets of batches
    `(x, y)` or `(x, y, sample_weight)`.

    The elements and their order do not depend on the number of threads. With `cconv.utils.set_random_seed`, nor do
    random numbers that `map`'s function draws by cconv's layers or `cconv.random`.

    Args:
        source: Called for each pass: what it returns is iterated over.
        cardinality: The number of elements of a pass, `INFINITE_CARDINALITY` or `UNKNOWN_CARDINALITY`.

    Example:

    >>> data = cconv.data.Dataset.from_tensor_slices((np.arange(5), np.arange(5) * 10))
    >>> for x, y in data.map(lambda x, y: (x + 1, y)).batch(2):
    ...     print(x, y)
    [1 2] [ 0 10]
    [3 4] [20 30]
    [5] [40]
    """

    def __init__(self, source: Callable[[], Iterable[Any]], cardinality: int = UNKNOWN_CARDINALITY) -> None:
        if not callable(source):
            raise TypeError(
                "Dataset: expected a function that returns an iterable for each pass. For arrays there is "
                f"`Dataset.from_tensor_slices`. Received: {type(source).__name__}"
            )
        self._source = source
        self._size = cardinality
        self._counts: list[list[int]] = []  # of each step that differs from pass to pass: how many it has begun

    # ---- making ------------------------------------------------------------------------------------------------------

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> Dataset:
        """The rows of arrays of one length, in a structure of tuples and dictionaries.

        Args:
            tensors: Arrays of shape (n, ...), nested in any way. Data sets of HDF5 files are read row by row.

        Raises:
            ValueError: An array has no rows, or they are not of one length.

        Example:

        >>> [row["a"].tolist() for row in cconv.data.Dataset.from_tensor_slices({"a": [[1, 2], [3, 4]]})]
        [[1, 2], [3, 4]]
        """
        arrays = arrays_of(tensors)
        shapes = [np.shape(leaf) for leaf in tree.flatten(arrays)]
        if not shapes or () in shapes or len({shape[0] for shape in shapes}) > 1:
            raise ValueError(
                f"from_tensor_slices: expected arrays with one row per element, all of one length. Received shapes "
                f"{shapes}."
            )

        return cls(lambda: rows(arrays), shapes[0][0])

    @classmethod
    def from_generator(cls, generator: Callable[..., Iterable[Any]], args: tuple = ()) -> Dataset:
        """The elements of what `generator(*args)` returns, which is called for each pass.

        Args:
            generator: A function that returns an iterable: a generator function, or one that opens a file.
            args: Its arguments.

        Raises:
            TypeError: It is no function, but a generator that has been started and gives its elements once.

        Example:

        >>> list(cconv.data.Dataset.from_generator(lambda: iter("ab")))
        ['a', 'b']
        """
        if not callable(generator):
            raise TypeError(
                "from_generator: expected a function that returns a generator, so that each pass has one of its own. "
                f"Received: {type(generator).__name__}"
            )
        return cls(lambda: generator(*args))

    @classmethod
    def range(cls, *args: int) -> Dataset:
        """The whole numbers of Python's `range`, as int64.

        Args:
            *args: `stop`, or `start, stop`, or `start, stop, step`.

        Example:

        >>> [int(i) for i in cconv.data.Dataset.range(2, 8, 3)]
        [2, 5]
        """
        numbers = range(*args)
        return cls(lambda: map(np.int64, numbers), len(numbers))

    @classmethod
    def list_files(cls, file_pattern: str | Iterable[str], shuffle: bool = True, seed: int | None = None) -> Dataset:
        """The names of files that match a pattern, or several.

        Args:
            file_pattern: With `*`, `?`, `[...]`, as in a shell.
            shuffle: Whether they come in a random order, another one in each pass; else in that of their names.
            seed: Seed of that order; by default drawn from the global one.

        Raises:
            ValueError: No file matches.

        Example:

        >>> for name in "ab":
        ...     _ = open(f"{name}.csv", "w").close()
        >>> list(cconv.data.Dataset.list_files("*.csv", shuffle=False))
        ['a.csv', 'b.csv']
        """
        patterns = [file_pattern] if isinstance(file_pattern, str) else list(file_pattern)
        names = sorted(set().union(*map(glob.glob, patterns)))
        if not names:
            raise ValueError(f"list_files: expected a pattern that files match. Received: {file_pattern!r}")
        made = cls(lambda: iter(names), len(names))
        return made.shuffle(len(names), seed) if shuffle else made

    @staticmethod
    def zip(*datasets: Any) -> Dataset:
        """Tuples of the elements of several data sets; ends with the shortest.

        Args:
            *datasets: The data sets; or one tuple or dictionary of them, in whose structure the elements then are.

        Raises:
            TypeError: One is no data set.

        Example:

        >>> a, b = cconv.data.Dataset.range(3), cconv.data.Dataset.range(10, 12)
        >>> [(int(x), int(y)) for x, y in cconv.data.Dataset.zip(a, b)]
        [(0, 10), (1, 11)]
        """
        if len(datasets) == 1 and isinstance(datasets[0], (tuple, list, dict)):
            datasets = datasets[0] if isinstance(datasets[0], dict) else tuple(datasets[0])
        leaves = tree.flatten(datasets)
        for leaf in leaves:
            if not isinstance(leaf, Dataset):
                raise TypeError(f"zip: expected data sets. Received: {type(leaf).__name__}")
        sizes = [leaf._size for leaf in leaves if leaf._size != INFINITE_CARDINALITY]
        size = INFINITE_CARDINALITY if not sizes else min(sizes)
        made = Dataset(lambda: (tree.pack(datasets, row) for row in zip(*map(iter, leaves))), size)
        made._counts = [count for leaf in leaves for count in leaf._counts]
        return made

    # ---- going through -----------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        return iter(self._source())

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The same as iterating: elements are arrays.

        Example:

        >>> list(cconv.data.Dataset.from_tensor_slices([1, 2]).as_numpy_iterator())[1]
        np.int64(2)
        """
        return iter(self)

    def cardinality(self) -> int:
        """The number of elements, `INFINITE_CARDINALITY` (-1), or `UNKNOWN_CARDINALITY` (-2) if only a pass tells.

        `len()` tells the same, and raises a TypeError where there is no number.

        Example:

        >>> data = cconv.data.Dataset.range(5)
        >>> data.batch(2).cardinality(), data.repeat().cardinality(), data.filter(lambda x: x > 2).cardinality()
        (3, -1, -2)
        """
        return self._size

    def __len__(self) -> int:
        if self._size < 0:
            known = "infinite" if self._size == INFINITE_CARDINALITY else "not known before a pass"
            raise TypeError(f"The length of this data set is {known}.")
        return self._size

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        size = {INFINITE_CARDINALITY: "infinitely many", UNKNOWN_CARDINALITY: "some"}.get(self._size, self._size)
        return f"<Dataset of {size} elements>"

    def state(self) -> list[int]:
        """How many passes the steps have begun that differ from pass to pass, for `resume`."""
        return [count[0] for count in self._counts]

    def resume(self, state: list[int]) -> None:
        """The next pass is the one that followed when another process asked the same data set for its `state`."""
        for count, value in zip(self._counts, state):
            count[0] = int(value)

    def _changed(self, elements: Callable[[], Iterable[Any]], size: int | None = None, *counts: list[int]) -> Dataset:
        made = Dataset(elements, self._size if size is None else size)
        made._counts = [*self._counts, *counts]
        return made
