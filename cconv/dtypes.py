"""Element types in Python: which arrays are accepted, what they count as, and what several become together.

Values are `"bool"`, `"int32"` or `"float32"`. Arrays of other types come in as the one that holds them: whole numbers
as int32, floating point as float32. Promotion is Keras' (and JAX') restricted to these three, which form one row: the
result is the furthest along it. Python's numbers, weak in Keras, need no rule of their own then.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from . import _core
from .array_like import to_numpy

#: the types values have, each of which can become any that follows
COMPUTED = ("bool", "int32", "float32")
#: the types of arrays that the core converts by itself
ACCEPTED = frozenset(_core.dtypes())

_TAKES = {op.name: op.types.split(" -> ")[0].split() for op in _core.ops().values()}


def name_of(dtype: Any) -> str:
    """The name of a dtype given as a name, a NumPy or Python type, or an array's `dtype`."""
    if isinstance(dtype, str):
        return dtype
    if isinstance(dtype, type) and not issubclass(dtype, np.generic):
        return {bool: "bool", int: "int32", float: "float32"}.get(dtype, dtype.__name__)
    return getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)


def standardize(dtype: Any, what: str = "dtype", default: str = "float32") -> str:
    """Checks a `dtype` argument that may be any type values have; `None` stands for `default`.

    Raises:
        ValueError: It is another one.
    """
    if dtype is None:
        return default
    name = name_of(dtype)
    if name not in COMPUTED:
        raise ValueError(f"`{what}`: expected one of {', '.join(COMPUTED)}. Received: {what}={dtype!r}")
    return name


@lru_cache  # a NumPy dtype makes its name anew each time, which shows in a prediction of one small image
def is_number(dtype: Any) -> bool:
    """Whether a NumPy dtype holds real numbers or bools."""
    return dtype.kind in "fiub" or dtype.name == "bfloat16"


def as_numbers(x: Any, what: str) -> np.ndarray:
    """`x` as an array of numbers, of the type it has; `what` is what an error calls it.

    Raises:
        TypeError: It holds something else.
    """
    try:
        array = to_numpy(x)
    except TypeError as error:
        raise TypeError(f"{what}: expected an array of numbers, received {type(x).__name__}: {error}") from None
    if not is_number(array.dtype):
        raise TypeError(f"{what}: expected an array of numbers, received dtype {array.dtype}.")
    return array


@lru_cache
def gathers(dtype: Any) -> bool:
    """Whether the core converts arrays of this dtype by itself."""
    return dtype.name in ACCEPTED and dtype.isnative


def accepted(array: np.ndarray) -> np.ndarray:
    """An array of numbers as the core accepts it, C-contiguous; only types it does not convert by itself are converted.

    Raises:
        ValueError: A whole number does not fit int64.
    """
    dtype = array.dtype
    if gathers(dtype):
        if not array.flags.aligned:
            array = array.copy()
    elif dtype.kind == "f":
        array = array.astype(np.float32)
    elif dtype.itemsize < 4:
        array = array.astype(np.int32)
    elif array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"Expected integers that fit int64. Received {array.max()}.")
    else:
        array = array.astype(np.int64)
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


def of_array(dtype: Any) -> str:
    """The type that values of an array of this dtype have."""
    return "bool" if dtype.kind == "b" else "int32" if dtype.kind in "iu" else "float32"


def of(x: Any) -> str:
    """The type that a tensor, a variable, an array or a number has as a value."""
    dtype = getattr(x, "dtype", None)
    if isinstance(dtype, str):
        return dtype
    return of_array(np.asarray(x).dtype if dtype is None else dtype)


def result_type(*values: Any) -> str:
    """The type that these become together. Values, or names of types.

    Example:

    >>> from cconv.dtypes import result_type
    >>> result_type("int32", 0.5)
    'float32'
    """
    names = [x if isinstance(x, str) else of(x) for x in values]
    return max(names, key=COMPUTED.index)


@lru_cache(maxsize=1024)
def wanted(op: str, given: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """The type that an op of the C core must be given each input in, from the types they have (`None`: left out)."""
    takes = _TAKES.get(op, ["f"])
    letters = [takes[min(i, len(takes) - 1)] for i in range(len(given))]
    together: dict[str, str] = {"f": "float32", "i": "int32", "b": "bool"}
    for letter in "nt":
        names = [name for name, own in zip(given, letters, strict=True) if own == letter and name is not None]
        if names:
            name = result_type(*names)
            together[letter] = "int32" if letter == "n" and name == "bool" else name
    # an "a" is taken as it is
    return tuple(None if name is None else together.get(own, name) for name, own in zip(given, letters, strict=True))


def converted(array: np.ndarray, dtype: str) -> np.ndarray:
    """The numbers of an array as a value of this type. Whole numbers must fit int32; fractions are cut off."""
    array = np.asarray(array)
    if dtype == "int32" and array.dtype.kind in "iu" and array.dtype.itemsize >= 4 and array.size:
        low, high = array.min(), array.max()
        if low < -(2**31) or high >= 2**31:
            raise ValueError(f"Expected integers that fit int32. Received {high if high >= 2**31 else low}.")
    return np.ascontiguousarray(array, dtype).reshape(array.shape)
