"""One seed for everything random: initial weights, dropout masks, the order of samples in `fit`."""

import random

import numpy as np

from ..seeds import set_global_seed

_explicit_seed: int | None = None


def set_random_seed(seed: int) -> None:
    """Sets the seed of Python, NumPy and cconv.

    With the same seed the same program trains the same weights, bit for bit, for any number of threads.

    Args:
        seed: An integer from 0 to 2**32 - 1.

    Raises:
        ValueError: If `seed` is not such an integer.

    Example:

    >>> cconv.utils.set_random_seed(7)
    >>> cconv.utils.get_random_seed()
    7
    """
    global _explicit_seed
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"Expected `seed` to be an integer from 0 to 2**32 - 1. Received: seed={seed!r}")
    _explicit_seed = int(seed)
    random.seed(_explicit_seed)
    np.random.seed(_explicit_seed)
    set_global_seed(_explicit_seed)


def get_random_seed() -> int | None:
    """Returns the seed given to `set_random_seed`, or `None` if it was not called.

    Example:

    >>> cconv.utils.set_random_seed(3)
    >>> cconv.utils.get_random_seed()
    3
    """
    return _explicit_seed
