"""The one seed everything random comes from: initial weights, dropout masks, the order of samples in `fit`.

Every consumer takes the next number of one sequence, so a program that sets the seed and then does the same things in the
same order gets the same numbers.
"""

import os
import random
import threading

import numpy as np

_MASK = (1 << 64) - 1
_lock = threading.Lock()
_explicit_seed: int | None = None
_seed = int.from_bytes(os.urandom(8), "little")
_drawn = 0


def set_random_seed(seed: int) -> None:
    """Sets the seed of Python, NumPy and cconv.

    With the same seed the same program trains the same weights, bit for bit, for any number of threads.

    Args:
        seed: A non-negative integer below 2**32.

    Raises:
        ValueError: If `seed` is not such an integer.

    Example:

    >>> cconv.utils.set_random_seed(7)
    >>> cconv.utils.get_random_seed()
    7
    """
    global _explicit_seed, _seed, _drawn
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise ValueError(f"Expected `seed` to be an integer. Received: seed={seed!r} (of type {type(seed).__name__})")
    if not 0 <= seed < 2**32:
        raise ValueError(f"Expected `seed` to be at least 0 and less than 2**32. Received: seed={seed}")
    with _lock:
        _explicit_seed = _seed = int(seed)
        _drawn = 0
    random.seed(int(seed))
    np.random.seed(int(seed))


def get_random_seed() -> int | None:
    """Returns the seed given to `set_random_seed`, or `None` if it was not called."""
    return _explicit_seed


def run_seed() -> int:
    """The seed of the sequence in use, given or drawn by the system: what plans mix into their random numbers."""
    return _seed


def next_seed() -> int:
    """Draws the next number of the sequence: 0 to 2**31 - 1, so that it fits an integer attribute of any op."""
    global _drawn
    with _lock:
        _drawn += 1
        z = (_seed * 0x9E3779B97F4A7C15 + _drawn * 0xD1B54A32D192ED03) & _MASK
    # The finaliser of SplitMix64: neighbouring seeds and positions give unrelated numbers.
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (z ^ (z >> 31)) >> 33
