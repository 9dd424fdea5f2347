"""What NumPy computes: of arrays only, since no part of a network is trained through it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import as_numbers, of_array
from ..variable import Variable
from ._apply import is_eager


def require_arrays(op: str, *values: Any) -> None:
    """Raises NotImplementedError for a value that a model is still to compute."""
    for x in values:
        if not is_eager(x):
            raise NotImplementedError(
                f"`{op}` computes at once, of arrays only: it cannot be part of a model. Received: {x!r}"
            )


def on_arrays(op: str, *values: Any) -> list[np.ndarray]:
    """The values as arrays of the types that values have: bool, int32, float32.

    Raises:
        NotImplementedError: One is symbolic.
        TypeError: One holds no numbers.
    """
    require_arrays(op, *values)
    return [as_value(as_numbers(x.value if isinstance(x, Variable) else x, f"`{op}`")) for x in values]


def as_value(array: Any) -> np.ndarray:
    """An array of whatever numbers as one of the type that it has as a value."""
    array = np.asarray(array)
    return array if array.dtype.kind == "c" else np.asarray(array, of_array(array.dtype))


def as_float(array: np.ndarray) -> np.ndarray:
    """float64, in which results that are rounded once are computed."""
    return array.astype(np.float64)


def rounded(array: Any) -> np.ndarray:
    """float32."""
    return np.asarray(array, np.float32)
