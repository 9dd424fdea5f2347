"""What other libraries hold numbers in, as NumPy arrays. None of them is imported here: their objects are told by what
they can do."""

from __future__ import annotations

from typing import Any

import numpy as np

_NUMBERS = "biuf"  # the kinds of dtypes


def is_array_like(value: Any) -> bool:
    """Whether a value says of itself that it is an array: NumPy's, or another library's; not one of NumPy's numbers."""
    return hasattr(value, "__array__") and not isinstance(value, np.generic)


def to_numpy(value: Any) -> np.ndarray:
    """The array that a value is, or that its numbers make; nothing is copied that need not be.

    Tensors of PyTorch are taken from their graph and their device. Columns of a table (pandas) that are numbers and
    booleans become the type that holds them all, missing values NaN.

    Raises:
        TypeError, ValueError: The value is no array, or a column holds something else.
    """
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, (int, float, np.generic)):
        return np.asarray(value)
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        return _of_torch(value)
    if hasattr(value, "iloc") and hasattr(value, "to_numpy"):
        return _of_table(value)
    if isinstance(value, (list, tuple)) and value and hasattr(value[0], "detach"):
        return np.stack([to_numpy(item) for item in value])
    return np.asarray(value)


def _of_torch(tensor: Any) -> np.ndarray:
    tensor = tensor.detach().cpu()
    try:
        return tensor.numpy()
    except TypeError:  # a type that NumPy has not
        return tensor.float().numpy()


def _of_table(table: Any) -> np.ndarray:
    array = table.to_numpy()
    if array.dtype != object or not array.size:
        return array
    if array.ndim == 1:
        return _of_column(table)
    return np.stack([_of_column(table.iloc[:, i]) for i in range(array.shape[1])], axis=1)


def _of_column(column: Any) -> np.ndarray:
    array = column.to_numpy()
    kind = array.dtype.kind
    if kind == "O":  # of the table's own types, where a value is missing, or no numbers
        kind = getattr(getattr(column.dtype, "numpy_dtype", None), "kind", kind)
        array = column.to_numpy(dtype="float64", na_value=np.nan) if kind in _NUMBERS else array
    if kind not in _NUMBERS:
        raise TypeError(
            f"column {column.name!r} has dtype {column.dtype} and holds {type(array[0]).__name__}, "
            "expected columns of numbers or booleans"
        )
    return array
