"""Initializers without chance."""

from __future__ import annotations

import numpy as np

from ..config import standardize_dtype
from .initializer import Initializer, number


class Zeros(Initializer):
    """All 0.

    Example:

    >>> cconv.initializers.Zeros()((1, 2)).tolist()
    [[0.0, 0.0]]
    """

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        return np.zeros(shape, np.float32)


class Ones(Initializer):
    """All 1.

    Example:

    >>> cconv.initializers.Ones()((1, 2)).tolist()
    [[1.0, 1.0]]
    """

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        return np.ones(shape, np.float32)


class Constant(Initializer):
    """All equal to one value.

    Args:
        value: A number (or an array that broadcasts to the shape).

    Example:

    >>> cconv.initializers.Constant(0.5)((1, 2)).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        return np.full(shape, self.value, np.float32)

    def get_config(self):
        return {"value": self.value.tolist() if isinstance(self.value, (np.ndarray, np.generic)) else self.value}


class Identity(Initializer):
    """The identity matrix times `gain`, for matrices.

    Args:
        gain: Number on the diagonal.

    Raises:
        ValueError: When it is called with a shape that is no matrix's.

    Example:

    >>> cconv.initializers.Identity()((2, 2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = number(gain, "gain")

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        if len(shape) != 2:
            raise ValueError(f"Identity matrix initializer can only be used for 2D matrices. Received: shape={shape}")
        return (self.gain * np.eye(*shape)).astype(np.float32)

    def get_config(self):
        return {"gain": self.gain}
