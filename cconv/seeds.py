"""Seeds: one for the whole program, and streams drawn from it.

Initializers, shuffling and dropout take their seeds here, so that `cconv.utils.set_random_seed` makes a program
repeatable.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .state_variable import StateVariable

_lock = threading.Lock()
_seeds: np.random.Generator | None = None
_own = threading.local()  # .seeds: within `drawing_from`, what all seeds follow from, and how many were drawn


def set_global_seed(seed: int) -> None:
    """Starts the global stream of seeds anew."""
    global _seeds
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"Argument `seed` must be a non-negative integer. Received: seed={seed!r}")
    with _lock:
        _seeds = np.random.default_rng(int(seed))


def next_seed() -> int:
    """The next number (0 .. 2**31 - 1) of the global stream. Without a global seed, the stream starts anywhere."""
    global _seeds
    own = getattr(_own, "seeds", None)
    if own is not None:
        own[-1] += 1
        return int(np.random.SeedSequence(own).generate_state(1)[0] >> 1)
    with _lock:
        if _seeds is None:
            _seeds = np.random.default_rng()
        return int(_seeds.integers(2**31 - 1))


def get_state() -> dict[str, Any]:
    """The state of everything random in the process: the stream of seeds, Python's and NumPy's generators."""
    with _lock:
        seeds = None if _seeds is None else _seeds.bit_generator.state
    return {"seeds": seeds, "python": random.getstate(), "numpy": np.random.get_state()}


def set_state(state: Mapping[str, Any]) -> None:
    """Brings everything random into a state that `get_state` found, also where it went through a file as lists."""
    global _seeds
    with _lock:
        _seeds = None if state["seeds"] is None else np.random.default_rng()
        if _seeds is not None:
            _seeds.bit_generator.state = state["seeds"]
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    np.random.set_state(tuple(state["numpy"]))


@contextlib.contextmanager
def drawing_from(*seed: int) -> Iterator[None]:
    """Within this scope, and in this thread, seeds follow from `seed` and from nothing that was drawn before.

    So what is computed for an element of a data set does not depend on the thread that does it, or on its turn.

    Example:

    >>> from cconv.seeds import SeedGenerator, drawing_from
    >>> generator, drawn = SeedGenerator(1), []
    >>> for _ in range(2):
    ...     with drawing_from(7, 0):
    ...         drawn.append(generator.next())
    >>> drawn[0] == drawn[1]
    True
    """
    outer = getattr(_own, "seeds", None)
    _own.seeds = [*seed, 0]
    try:
        yield
    finally:
        _own.seeds = outer


class SeedGenerator:
    """A stream of seeds of its own, as the `seed` of initializers, layers and the functions of `cconv.random`.

    Called with arrays, each function takes the next seed of the stream. In the `call` of a layer a function draws anew
    in every run: numbers made of this generator's first seed, the seed and step of the run, and its place in the model.

    Args:
        seed: First seed, an integer; `None` takes one from the global stream.
        name: Kept as the attribute of that name.

    Raises:
        ValueError: `seed` is no integer.

    Example:

    >>> a, b = cconv.random.SeedGenerator(1), cconv.random.SeedGenerator(1)
    >>> a.next() == b.next()
    True
    >>> a.next() == a.next()
    False
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed!r}")
        self.seed = seed
        self.name = name or "seed_generator"
        self._start = next_seed() if seed is None else int(seed) % 2**64
        self._count = 0

    @property
    def first(self) -> int:
        """A number that tells this stream from others (0 .. 2**63 - 1)."""
        return self._start & (2**63 - 1)

    @property
    def state(self) -> StateVariable:
        """Where the stream begins, and how many seeds were taken of it: two numbers, which can be read and assigned.

        Example:

        >>> generator = cconv.random.SeedGenerator(5)
        >>> start, first = generator.state.numpy(), generator.next()
        >>> generator.state.numpy().tolist()
        [5, 1]
        >>> generator.state.assign(start)
        >>> generator.next() == first
        True
        """
        read = lambda: np.array([self._start, self._count], np.uint64)  # noqa: E731
        return StateVariable(f"{self.name}/seed_generator_state", read, self._go_on_from)

    def _go_on_from(self, state: np.ndarray) -> None:
        if state.dtype.kind not in "iu" or (state < 0).any():
            raise ValueError(f"SeedGenerator '{self.name}': expected whole numbers from 0 as state. Received: {state}")
        self._start, self._count = state.tolist()

    def next(self) -> int:
        """The next seed (0 .. 2**63 - 1)."""
        if getattr(_own, "seeds", None) is not None:
            state = np.random.SeedSequence((self._start, next_seed())).generate_state(1, np.uint64)
            return int(state[0] >> np.uint64(1))
        self._count += 1
        state = np.random.SeedSequence((self._start, self._count)).generate_state(1, np.uint64)
        return int(state[0] >> np.uint64(1))

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        return cls(**config)
