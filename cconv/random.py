"""Random numbers: one global seed, streams of seeds drawn from it.

Initializers, shuffling and dropout take their seeds here, so that `cconv.utils.set_random_seed` makes a program
repeatable.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from .keras_names import getattr_of

_lock = threading.Lock()
_seeds: np.random.Generator | None = None


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


class SeedGenerator:
    """A stream of seeds of its own.

    Args:
        seed: First seed; `None` takes one from the global stream.

    Example:

    >>> a, b = cconv.random.SeedGenerator(1), cconv.random.SeedGenerator(1)
    >>> a.next() == b.next()
    True
    >>> a.next() == a.next()
    False
    """

    def __init__(self, seed: int | None = None) -> None:
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed!r}")
        self.seed = seed
        self._start = next_seed() if seed is None else int(seed) % 2**64
        self._count = 0

    def next(self) -> int:
        """The next seed (0 .. 2**63 - 1)."""
        self._count += 1
        state = np.random.SeedSequence((self._start, self._count)).generate_state(1, np.uint64)
        return int(state[0] >> np.uint64(1))

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        return cls(**config)


__getattr__ = getattr_of(globals())
