"""Data for steps of the user's: as it was given, in batches, with tensors for arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import tree
from ..recorded_tensor import RecordedTensor
from ..utils.py_dataset import pack_x_y_sample_weight
from .arrays import Data, as_array
from .class_weight import class_weights
from .stored import StoredArray


class PackedData:
    """Samples as `fit` was given them, for feeds: nothing is known of what they are for.

    Args:
        x, y, sample_weight: Arrays with one row for each sample, or nests of them; `None` for what is missing.
        class_weight: Dictionary from class number to the weight of its samples.

    Raises:
        ValueError: There are no samples, or not as many in all arrays.

    Attributes:
        size: The number of samples.
        first: The row that they begin at.
        stored: Whether some of the arrays are read from files, a batch at a time.
    """

    def __init__(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None) -> None:
        self.x, self.y = _arrays(x, "x"), _arrays(y, "y")
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError("`class_weight` and `sample_weight` cannot be given at the same time.")
            if y is None or tree.is_nested(self.y):
                raise ValueError("`class_weight` needs labels for exactly one output.")
            self.weights: Any = class_weights(self.y, class_weight)
        else:
            self.weights = _arrays(sample_weight, "sample_weight")
        self.arrays = [a for a in tree.flatten([self.x, self.y, self.weights]) if a is not None]
        self.stored = any(isinstance(a, StoredArray) for a in self.arrays)
        sizes = {a.shape[0] for a in self.arrays}
        if len(sizes) > 1:
            raise ValueError(f"Expected the same number of samples in all arrays. Received: {sorted(sizes)}.")
        if not sizes or 0 in sizes:
            raise ValueError("Expected at least one sample. Received empty arrays (0 samples).")
        self.first, self.size = 0, sizes.pop()

    @classmethod
    def of(cls, data: Data) -> PackedData:
        """The samples of data for a model; those of several inputs or outputs as lists."""
        x, y, weights = (
            None if not group or all(a is None for a in group) else group[0] if len(group) == 1 else list(group)
            for group in (data.x, data.y, data.weights)
        )
        return cls(x, y, weights).part(data.first, data.size)

    def given(self) -> tuple[Any, Any, Any]:
        """The arrays of these samples."""
        rows = np.arange(self.first, self.first + self.size)
        part = self.batch(rows)
        return part.x, part.y, part.weights

    def part(self, first: int, size: int) -> PackedData:
        """`size` of these samples from `first` on, in the same arrays."""
        part = object.__new__(PackedData)
        part.__dict__.update(self.__dict__)
        part.first, part.size = self.first + first, size
        return part

    def unweighted(self) -> PackedData:
        """The same samples, each of weight 1."""
        part = self.part(0, self.size)
        part.weights = None
        return part

    def batch(self, rows: np.ndarray) -> PackedData:
        """The samples of these rows, in memory."""
        part = self.part(0, len(rows))
        part.x, part.y, part.weights = (
            _mapped(lambda a: a.rows(rows) if isinstance(a, StoredArray) else a[rows], value)
            for value in (self.x, self.y, self.weights)
        )
        part.first, part.stored = 0, False
        return part

    def in_memory(self) -> PackedData:
        """The same, with nothing left in files."""
        return self.batch(np.arange(self.first, self.first + self.size)) if self.stored else self

    def tensors(self, rows: np.ndarray | None) -> Any:
        """`x`, `(x, y)` or `(x, y, sample_weight)` of some rows, or of all, as a step takes them."""
        if rows is not None:
            return self.batch(rows).tensors(None)
        return pack_x_y_sample_weight(*(_mapped(_tensor, value) for value in (self.x, self.y, self.weights)))


def _arrays(value: Any, label: str) -> Any:
    if value is None:
        return None
    if isinstance(value, dict) or (
        isinstance(value, (list, tuple)) and any(hasattr(leaf, "__array__") for leaf in tree.flatten(value)[:1])
    ):
        return tree.map_structure(lambda leaf: None if leaf is None else as_array(leaf, label), value)
    return as_array(value, label)


def _mapped(function: Callable, value: Any) -> Any:
    return tree.map_structure(lambda leaf: None if leaf is None else function(leaf), value)


def _tensor(array: np.ndarray) -> RecordedTensor:
    """Numbers of floating point become float32; the others stay what they are."""
    if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
        array = np.asarray(array, np.float32)
    return RecordedTensor.of(array if array.flags.c_contiguous else np.ascontiguousarray(array))
