"""Tensors with numbers: what functions and layers return where a tape records, computed when somebody looks.

They are Keras' eager tensors to whoever uses them. What computes them, and when, is told in `recording.py`.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from .dtypes import of_array
from .tensor import Operators


class RecordedTensor(Operators):
    """A tensor whose numbers are computed when they are asked for.

    Functions of `cconv.ops`, layers, models and losses return it inside a `cconv.GradientTape`, and wherever they are
    given one. NumPy takes it as an array; `numpy()`, `float()`, `item()`, `tolist()` and printing it give its numbers.

    Attributes:
        shape: Tuple of sizes, all known.
        dtype: `"float32"`, `"int32"` or `"bool"`.
        mask: A tensor of bools that says which steps count, where a layer handed one on.

    Example:

    >>> x = np.array([1.0, 2.0], "float32")
    >>> with cconv.GradientTape() as tape:
    ...     y = cconv.ops.sum(x * cconv.Variable([3.0, 4.0]))
    >>> y
    <RecordedTensor shape=(), dtype=float32, value=11.0>
    >>> float(y)
    11.0
    """

    __slots__ = ("shape", "dtype", "mask", "_value", "_record", "_index", "_origin", "__weakref__")

    def __init__(self, shape: tuple[int, ...], dtype: str, record: Any = None, index: int = -1) -> None:
        self.shape, self.dtype = shape, dtype
        self.mask: RecordedTensor | None = None
        self._value: Any = None  # the numbers, or a function that fetches them
        self._record, self._index = record, index  # what computes them; not kept alive afterwards
        self._origin = None

    @classmethod
    def of(cls, array: np.ndarray) -> RecordedTensor:
        """A tensor that holds these numbers, which nobody changes any more."""
        made = cls(array.shape, of_array(array.dtype))
        made._value = array
        return made

    @property
    def is_known(self) -> bool:
        """Whether the numbers are there."""
        return self._value is not None

    @property
    def record(self) -> Any:
        """The record that it is part of; `None` if there is none any more."""
        if self._record is not None:
            return self._record
        return None if self._origin is None else self._origin()

    @property
    def index(self) -> int:
        """Its number in the record."""
        return self._index

    def set(self, value: Any) -> None:
        """Gives it its numbers."""
        self._value = value
        if self._record is not None:
            self._origin, self._record = weakref.ref(self._record), None

    @property
    def array(self) -> np.ndarray:
        """The numbers, not to be changed."""
        if self._value is None:
            self._record.settle()
        if callable(self._value):
            self._value = self._value()
        return self._value

    value = array

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def numpy(self) -> np.ndarray:
        """The numbers as an array; that of a scalar is a number of NumPy's."""
        return np.array(self.array)[()]

    def item(self) -> float | int | bool:
        """The number of a tensor with one element."""
        return self.array.item()

    def tolist(self) -> Any:
        """The numbers as nested lists."""
        return self.array.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype) if copy is not False else np.asarray(self.array, dtype)

    def __float__(self) -> float:
        return float(self.array)

    def __int__(self) -> int:
        return int(self.array)

    def __index__(self) -> int:
        return self.array.__index__()

    def __bool__(self) -> bool:
        return bool(self.array)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a tensor without dimensions")
        return self.shape[0]

    def __iter__(self):
        if not self.shape:
            raise TypeError("a tensor without dimensions cannot be iterated over")
        return (self[i] for i in range(self.shape[0]))

    def __format__(self, spec: str) -> str:
        return format(self.item() if not self.shape else self.array, spec)

    def __reduce__(self) -> tuple:
        return RecordedTensor.of, (np.array(self.array),)

    def __deepcopy__(self, memo: dict) -> RecordedTensor:
        return RecordedTensor.of(np.array(self.array))

    def __repr__(self) -> str:
        return f"<RecordedTensor shape={self.shape}, dtype={self.dtype}, value={self.array}>"
