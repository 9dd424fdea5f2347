"""`Dataset`: elements that are made, changed, mixed and put together into batches as they are asked for."""

from __future__ import annotations

import glob
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .. import tree
from .._core import get_num_threads
from ..seeds import drawing_from, next_seed
from .elements import arrays_of, count_of, stacked
from .workers import ahead_of_need, described, in_threads

AUTOTUNE = -1  # as many threads as the core has; two elements ahead
INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2
_AHEAD = 2  # elements taken from the source for each thread, so that none waits


class Dataset:
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

    # ---- making ------------------------------------------------------------------------------------------------------

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> Dataset:
        """The rows of arrays of one length, in a structure of tuples and dictionaries.

        Raises:
            ValueError: An array has no rows, or they are not of one length.

        Example:

        >>> [row["a"].tolist() for row in cconv.data.Dataset.from_tensor_slices({"a": [[1, 2], [3, 4]]})]
        [[1, 2], [3, 4]]
        """
        arrays = arrays_of(tensors)
        leaves = tree.flatten(arrays)
        shapes = [np.shape(leaf) for leaf in leaves]
        if not leaves or () in shapes or len({shape[0] for shape in shapes}) > 1:
            raise ValueError(
                f"from_tensor_slices: expected arrays with one row per element, all of one length. Received shapes "
                f"{shapes}."
            )

        def rows() -> Iterator[Any]:
            if arrays is leaves[0]:
                yield from arrays
            elif type(arrays) is tuple and not any(map(tree.is_nested, arrays)):
                yield from zip(*arrays)
            else:
                for row in zip(*leaves):
                    yield tree.pack(arrays, row)

        return cls(rows, shapes[0][0])

    @classmethod
    def from_generator(cls, generator: Callable[..., Iterable[Any]], args: tuple = ()) -> Dataset:
        """The elements of what `generator(*args)` returns, which is called for each pass.

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
            seed: Seed of that order.

        Raises:
            ValueError: No file matches.
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
        return Dataset(lambda: (tree.pack(datasets, row) for row in zip(*map(iter, leaves))), size)

    # ---- going through -----------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        return iter(self._source())

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The same as iterating: elements are arrays."""
        return iter(self)

    def cardinality(self) -> int:
        """The number of elements, `INFINITE_CARDINALITY` (-1), or `UNKNOWN_CARDINALITY` (-2) if only a pass tells."""
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

    def _changed(self, elements: Callable[[], Iterable[Any]], size: int | None = None) -> Dataset:
        return Dataset(elements, self._size if size is None else size)

    # ---- element by element ------------------------------------------------------------------------------------------

    def map(self, map_func: Callable[..., Any], num_parallel_calls: int | None = None) -> Dataset:
        """`map_func` of each element; the parts of a tuple are its arguments.

        What is drawn in it by cconv's layers or by seeds of `cconv.random` depends on the pass and the number of the
        element, not on which thread computes it.

        Args:
            map_func: The function; with threads it is called by several at a time.
            num_parallel_calls: The number of threads; `AUTOTUNE`: as many as the core computes with. By default the
                thread that asks for the element. Results come in the order of the elements.

        Raises:
            Exception: What the function raises, of the same class if that is one of Python's, with the number of the
                element.

        Example:

        >>> [int(x) for x in cconv.data.Dataset.range(3).map(lambda x: x * x, num_parallel_calls=2)]
        [0, 1, 4]
        """
        threads = _threads(num_parallel_calls)
        seed, passes = next_seed(), itertools.count()

        def elements() -> Iterator[Any]:
            this = next(passes)

            def call(numbered: tuple[int, Any]) -> Any:
                number, element = numbered
                try:
                    with drawing_from(seed, this, number):
                        return map_func(*element) if type(element) is tuple else map_func(element)
                except Exception as error:
                    raise described(error, f"map: element {number}") from error

            if threads is None:
                yield from map(call, enumerate(self))
            else:
                yield from in_threads(call, enumerate(self), threads, _AHEAD * threads)

        return self._changed(elements)

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """The elements of which `predicate` is true; the parts of a tuple are its arguments."""

        def elements() -> Iterator[Any]:
            for number, element in enumerate(self):
                try:
                    keep = bool(predicate(*element) if type(element) is tuple else predicate(element))
                except Exception as error:
                    raise described(error, f"filter: element {number}") from error
                if keep:
                    yield element

        return self._changed(elements, self._size if self._size == INFINITE_CARDINALITY else UNKNOWN_CARDINALITY)

    def enumerate(self, start: int = 0) -> Dataset:
        """Pairs of a number, counted from `start`, and an element."""
        return self._changed(lambda: enumerate(self, start))

    # ---- which elements, in which order ------------------------------------------------------------------------------

    def shuffle(self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool = True) -> Dataset:
        """The same elements in a random order.

        Args:
            buffer_size: How many elements are kept, from which the next one is drawn; with as many as there are, every
                order is equally likely.
            seed: Seed of the order; by default drawn from the global one.
            reshuffle_each_iteration: Whether each pass has an order of its own.

        Example:

        >>> data = cconv.data.Dataset.range(5).shuffle(5, seed=1)
        >>> first, second = list(data), list(data)
        >>> sorted(first) == sorted(second) and first != second
        True
        """
        buffer_size = count_of("shuffle", "buffer_size", buffer_size)
        seed, passes = next_seed() if seed is None else int(seed), itertools.count()

        def elements() -> Iterator[Any]:
            this = next(passes) if reshuffle_each_iteration else 0
            # Not default_rng: NumPy promises that RandomState's streams never change.
            random = np.random.RandomState(np.random.SeedSequence((seed % 2**64, this)).generate_state(4))
            buffer: list[Any] = []
            for element in self:
                if len(buffer) < buffer_size:
                    buffer.append(element)
                    continue
                place = random.randint(buffer_size)
                drawn, buffer[place] = buffer[place], element
                yield drawn
            random.shuffle(order := np.arange(len(buffer)))
            for place in order:
                yield buffer[place]

        return self._changed(elements)

    def repeat(self, count: int | None = None) -> Dataset:
        """The elements `count` times, each time by a pass of its own; without end by default, or for -1."""
        endless = count is None or count == -1
        count = 0 if endless else count_of("repeat", "count", count, least=0)

        def elements() -> Iterator[Any]:
            for _ in itertools.repeat(None) if endless else itertools.repeat(None, count):
                empty = True
                for element in self:
                    empty = False
                    yield element
                if empty:
                    return

        if endless:
            return self._changed(elements, INFINITE_CARDINALITY if self._size else 0)
        return self._changed(elements, self._size * count if self._size >= 0 or not count else self._size)

    def take(self, count: int) -> Dataset:
        """The first `count` elements; all for -1."""
        if count == -1:
            return self
        count = count_of("take", "count", count, least=0)
        size = {INFINITE_CARDINALITY: count, UNKNOWN_CARDINALITY: UNKNOWN_CARDINALITY if count else 0}
        return self._changed(lambda: itertools.islice(self, count), size.get(self._size, min(self._size, count)))

    def skip(self, count: int) -> Dataset:
        """All but the first `count` elements; none for -1."""
        if count == -1:
            return self.take(0)
        count = count_of("skip", "count", count, least=0)
        size = self._size if self._size < 0 else max(0, self._size - count)
        return self._changed(lambda: itertools.islice(self, count, None), size)

    def concatenate(self, dataset: Dataset) -> Dataset:
        """These elements, then those of another data set."""
        sizes = (self._size, dataset._size)
        size = INFINITE_CARDINALITY if INFINITE_CARDINALITY in sizes else sum(sizes)
        if UNKNOWN_CARDINALITY in sizes and INFINITE_CARDINALITY not in sizes:
            size = UNKNOWN_CARDINALITY
        return self._changed(lambda: itertools.chain(self, dataset), size)

    # ---- batches -----------------------------------------------------------------------------------------------------

    def batch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """Elements stacked along a new first axis, `batch_size` at a time.

        Args:
            batch_size: The number of elements.
            drop_remainder: Whether a last batch of fewer elements is left out.

        Raises:
            ValueError: Elements of a batch have different shapes or parts.
        """
        batch_size = count_of("batch", "batch_size", batch_size)

        def elements() -> Iterator[Any]:
            source, number = iter(self), 0
            while group := list(itertools.islice(source, batch_size)):
                if len(group) < batch_size and drop_remainder:
                    return
                yield stacked(group, number)
                number += 1

        size = self._size
        if size >= 0:
            size = size // batch_size if drop_remainder else -(-size // batch_size)
        return self._changed(elements, size)

    def unbatch(self) -> Dataset:
        """The rows of each element, as elements."""

        def elements() -> Iterator[Any]:
            for element in self:
                yield from Dataset.from_tensor_slices(element)

        return self._changed(elements, self._size if self._size in (0, INFINITE_CARDINALITY) else UNKNOWN_CARDINALITY)

    # ---- when they are made ------------------------------------------------------------------------------------------

    def cache(self) -> Dataset:
        """Keeps the elements of the first whole pass in memory, for the passes after it."""
        kept: list[list[Any]] = []

        def elements() -> Iterator[Any]:
            if not kept:
                seen = []
                for element in self:
                    seen.append(element)
                    yield element
                kept[:] = [seen]
            else:
                yield from kept[0]

        return self._changed(elements)

    def prefetch(self, buffer_size: int) -> Dataset:
        """Makes up to `buffer_size` elements ahead, in a thread of its own, while others are computed with.

        Args:
            buffer_size: Their number; `AUTOTUNE`: two. The thread ends when the iterator is dropped.
        """
        size = 2 if buffer_size in (None, AUTOTUNE) else count_of("prefetch", "buffer_size", buffer_size)
        return self._changed(lambda: ahead_of_need(self._source, size))


def _threads(value: Any) -> int | None:
    if value is None:
        return None
    return get_num_threads() if value == AUTOTUNE else count_of("map", "num_parallel_calls", value)
