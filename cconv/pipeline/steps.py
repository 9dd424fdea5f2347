"""The methods of `Dataset` that make another one of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..seeds import next_seed
from .elements import AUTOTUNE, count_of, mixed, threads_of
from .passes import batches, called, chosen, remembered, repeated
from .workers import ahead_of_need

if TYPE_CHECKING:
    from typing import Self

INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2


class Steps:
    """What is done to the elements of a data set, each time by a new one: it has `_source`, `_size` and `_changed`."""

    _source: Callable[[], Iterable[Any]]
    _size: int
    _counts: list[list[int]]
    _changed: Callable[..., Any]
    from_tensor_slices: Callable[..., Any]

    # ---- element by element ------------------------------------------------------------------------------------------

    def map(self, map_func: Callable[..., Any], num_parallel_calls: int | None = None) -> Self:
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
        threads, seed, passes = threads_of(num_parallel_calls), next_seed(), [0]
        return self._changed(lambda: called(map_func, self, threads, seed, lambda: _next(passes)), None, passes)

    def filter(self, predicate: Callable[..., Any]) -> Self:
        """The elements of which `predicate` is true; the parts of a tuple are its arguments.

        Args:
            predicate: The function.

        Raises:
            Exception: What the function raises, as for `map`.

        Example:

        >>> [int(x) for x in cconv.data.Dataset.range(5).filter(lambda x: x % 2 == 0)]
        [0, 2, 4]
        """
        size = self._size if self._size == INFINITE_CARDINALITY else UNKNOWN_CARDINALITY
        return self._changed(lambda: chosen(predicate, self), size)

    def enumerate(self, start: int = 0) -> Self:
        """Pairs of a number, counted from `start`, and an element.

        Example:

        >>> list(cconv.data.Dataset.from_generator(lambda: "ab").enumerate(1))
        [(1, 'a'), (2, 'b')]
        """
        return self._changed(lambda: enumerate(self, start))

    # ---- which elements, in which order ------------------------------------------------------------------------------

    def shuffle(self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool = True) -> Self:
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
        seed, passes = next_seed() if seed is None else int(seed), [0]

        begin = (lambda: _next(passes)) if reshuffle_each_iteration else (lambda: 0)
        return self._changed(lambda: mixed(self, buffer_size, seed % 2**64, begin), None, passes)

    def repeat(self, count: int | None = None) -> Self:
        """The elements `count` times, each time by a pass of its own.

        Args:
            count: How many times; without end by default, or for -1.

        Raises:
            ValueError: It is no such number.

        Example:

        >>> [int(x) for x in cconv.data.Dataset.range(2).repeat(2)]
        [0, 1, 0, 1]
        """
        if count is None or count == -1:
            return self._changed(lambda: repeated(self, None), INFINITE_CARDINALITY if self._size else 0)
        count = count_of("repeat", "count", count, least=0)
        size = self._size * count if self._size >= 0 or not count else self._size
        return self._changed(lambda: repeated(self, count), size)

    def take(self, count: int) -> Self:
        """The first `count` elements; all for -1.

        Example:

        >>> [int(x) for x in cconv.data.Dataset.range(5).take(2)]
        [0, 1]
        """
        if count == -1:
            return self
        count = count_of("take", "count", count, least=0)
        size = {INFINITE_CARDINALITY: count, UNKNOWN_CARDINALITY: UNKNOWN_CARDINALITY if count else 0}
        return self._changed(lambda: itertools.islice(self, count), size.get(self._size, min(self._size, count)))

    def skip(self, count: int) -> Self:
        """All but the first `count` elements; none for -1.

        Example:

        >>> [int(x) for x in cconv.data.Dataset.range(5).skip(3)]
        [3, 4]
        """
        if count == -1:
            return self.take(0)
        count = count_of("skip", "count", count, least=0)
        size = self._size if self._size < 0 else max(0, self._size - count)
        return self._changed(lambda: itertools.islice(self, count, None), size)

    def concatenate(self, dataset: Steps) -> Self:
        """These elements, then those of another data set.

        Example:

        >>> [int(x) for x in cconv.data.Dataset.range(2).concatenate(cconv.data.Dataset.range(1))]
        [0, 1, 0]
        """
        sizes = (self._size, dataset._size)
        size = INFINITE_CARDINALITY if INFINITE_CARDINALITY in sizes else sum(sizes)
        if UNKNOWN_CARDINALITY in sizes and INFINITE_CARDINALITY not in sizes:
            size = UNKNOWN_CARDINALITY
        return self._changed(lambda: itertools.chain(self, dataset), size, *dataset._counts)

    # ---- batches -----------------------------------------------------------------------------------------------------

    def batch(self, batch_size: int, drop_remainder: bool = False) -> Self:
        """Elements stacked along a new first axis, `batch_size` at a time.

        Args:
            batch_size: The number of elements.
            drop_remainder: Whether a last batch of fewer elements is left out.

        Raises:
            ValueError: Elements of a batch have different shapes or parts.

        Example:

        >>> [x.tolist() for x in cconv.data.Dataset.range(5).batch(2, drop_remainder=True)]
        [[0, 1], [2, 3]]
        """
        batch_size = count_of("batch", "batch_size", batch_size)

        size = self._size
        if size >= 0:
            size = size // batch_size if drop_remainder else -(-size // batch_size)
        return self._changed(lambda: batches(self, batch_size, drop_remainder), size)

    def unbatch(self) -> Self:
        """The rows of each element, as elements.

        Example:

        >>> [int(x) for x in cconv.data.Dataset.range(5).batch(3).unbatch()]
        [0, 1, 2, 3, 4]
        """

        size = self._size if self._size in (0, INFINITE_CARDINALITY) else UNKNOWN_CARDINALITY
        return self._changed(lambda: (row for element in self for row in self.from_tensor_slices(element)), size)

    # ---- when they are made ------------------------------------------------------------------------------------------

    def cache(self) -> Self:
        """Keeps the elements of the first whole pass in memory, for the passes after it.

        What comes before is done once: `shuffle` and what draws random numbers belong behind it.

        Example:

        >>> seen = []
        >>> data = cconv.data.Dataset.range(2).map(lambda x: seen.append(int(x)) or x).cache()
        >>> len(list(data)), len(list(data)), seen
        (2, 2, [0, 1])
        """
        kept: list[list[Any]] = []
        return self._changed(lambda: remembered(self, kept))

    def prefetch(self, buffer_size: int) -> Self:
        """Makes up to `buffer_size` elements ahead, in a thread of its own, while others are computed with.

        Args:
            buffer_size: Their number; `AUTOTUNE`: two. The thread ends when the iterator is dropped.

        Raises:
            ValueError: It is no such number.

        Example:

        >>> [int(x) for x in cconv.data.Dataset.range(3).prefetch(cconv.data.AUTOTUNE)]
        [0, 1, 2]
        """
        size = 2 if buffer_size in (None, AUTOTUNE) else count_of("prefetch", "buffer_size", buffer_size)
        return self._changed(lambda: ahead_of_need(self._source, size))


def _next(passes: list[int]) -> int:
    passes[0] += 1
    return passes[0] - 1
