"""From what users give to `fit`, `evaluate` and `predict` to arrays the core can gather from.

Arrays are checked and made contiguous here, once per call. During training only row numbers are passed on: the core
gathers the rows and converts them by itself. What lies in a file that the core cannot gather from is read a batch at a
time (`stored.py`). Nothing here knows losses or plans.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import tree
from ..array_like import to_numpy
from ..dtypes import accepted, is_number, of_array
from .class_weight import class_weights
from .stored import StoredArray, is_stored


@dataclass(frozen=True)
class Slots:
    """The places of a model that data goes to: its inputs or its outputs.

    Attributes:
        names: Their names, in the model's order.
        shapes: Their shapes with the batch first, `None` where a size is free; or `None` if the model takes anything.
        dtypes: The types of the values; `None` if they follow from the data.
        structure: The names as outputs nest; by default a list.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int | None, ...], ...] | None
    dtypes: tuple[str, ...] | None = None
    structure: Any = None


Array = np.ndarray | StoredArray


class Data:
    """Arrays of one length, in the order of a graph's inputs: x, then y, then weights; `None` entries left out.

    Attributes:
        x: The arrays of the model's inputs.
        y: An array or `None` for each of the model's outputs; `None` if there are no labels.
        x_dtypes: The types that the values of x have in the model; `y_dtypes` likewise.
        weights: An array or `None` for each of the model's outputs.
        structure: How x was nested, for models that take any structure.
        size: The number of samples.
        first: The row the samples begin at (a validation split shares the arrays).
        stored: Whether some of the arrays are read from files, a batch at a time.
    """

    def __init__(
        self,
        x: list[Array],
        y: list[Array | None] | None,
        weights: list[Array | None],
        structure: Any = None,
        x_dtypes: Sequence[str] | None = None,
    ) -> None:
        self.x = x
        self.x_dtypes = tuple(x_dtypes or [of_array(a.dtype) for a in x])
        # Class numbers and yes-or-no are int32, whatever whole numbers hold them: exact, and of one plan.
        self.y_dtypes = tuple([None if a is None else label_dtype(a) for a in y or ()])
        self.y = y
        self.weights = weights
        self.structure = structure
        self.first = 0
        self.arrays = [a for a in (*x, *(y or ()), *weights) if a is not None]
        self.stored = StoredArray in map(type, self.arrays)
        self.size = _common_length(self.arrays, x, y, weights)
        shapes = [tuple([None if a is None else a.shape[1:] for a in group]) for group in (x, y or (), weights)]
        self.key = (*shapes, self.x_dtypes, self.y_dtypes)

    def part(self, first: int, size: int) -> Data:
        """`size` of these samples from `first` on, in the same arrays."""
        part = object.__new__(Data)
        part.__dict__.update(self.__dict__)
        part.first = self.first + first
        part.size = size
        return part

    def batch(self, rows: np.ndarray) -> Data:
        """The samples of these rows, in memory."""
        groups = [
            [None if a is None else _read(a, rows) for a in group] for group in (self.x, self.y or (), self.weights)
        ]
        for array in groups[2]:
            _check_finite(array, "sample_weight")
        return Data(groups[0], groups[1] if self.y else None, groups[2], self.structure, self.x_dtypes)

    def in_memory(self) -> Data:
        """The same, with nothing left in files."""
        return self.batch(np.arange(self.first, self.first + self.size)) if self.stored else self

    def unweighted(self) -> Data:
        """The same samples, each of weight 1."""
        made = Data(self.x, self.y, [None] * len(self.weights), self.structure, self.x_dtypes)
        made.first, made.size = self.first, self.size
        return made

    def labels(self, output: int) -> np.ndarray | None:
        """The labels of an output, for checking; `None` if they are in a file."""
        y = self.y[output] if self.y else None
        return None if y is None or isinstance(y, StoredArray) else y[self.first : self.first + self.size]


def _read(array: Array, rows: np.ndarray) -> np.ndarray:
    return array.rows(rows) if isinstance(array, StoredArray) else array[rows]


def make_data(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    inputs: Slots | None,
    outputs: Slots | None,
    class_weight: Any = None,
    with_loss: Sequence[bool] | None = None,
) -> Data:
    """Checks and orders the arrays of one data set.

    Args:
        x: Array, or list or dictionary of arrays.
        y: Labels; the same.
        sample_weight: One weight per sample, or one such array for each output.
        inputs: The model's inputs; `None` if it takes any.
        outputs: The model's outputs; `None` if they are not known yet.
        class_weight: Dictionary from class number to the weight of its samples.
        with_loss: For each output whether it has a loss; the others need no labels.

    Raises:
        ValueError: Something does not fit the model, or the arrays do not fit each other.
        TypeError: Something is not an array of numbers.
    """
    structure = None
    if inputs is None:
        x = _with_arrays(x)
        arrays = [as_array(leaf, "x", gathered=True) for leaf in (tree.flatten(x) if _is_structure(x) else [x])]
        numbers = iter(range(len(arrays)))
        structure = tree.map_structure(lambda _: next(numbers), x) if _is_structure(x) else 0
    else:
        leaves = _by_name(x, inputs.names, "x", "input")
        labels = _labels("x", inputs.names, "input")
        arrays = [as_array(leaf, label, gathered=True) for leaf, label in zip(leaves, labels, strict=True)]
        if inputs.shapes is not None:
            arrays = [fit_shape(a, s, n) for a, s, n in zip(arrays, inputs.shapes, labels, strict=True)]
    names = outputs.names if outputs is not None else ("output",)
    ys = None if y is None else _targets(y, names, with_loss)
    weights = _weights(sample_weight, ys, names)
    if class_weight is not None:
        if sample_weight is not None:
            raise ValueError("`class_weight` and `sample_weight` cannot be given at the same time.")
        if ys is None or sum(a is not None for a in ys) != 1:
            raise ValueError(
                "`class_weight` needs a model with labels for exactly one output. "
                f"Received labels for {0 if ys is None else sum(a is not None for a in ys)} outputs."
            )
        weights = [None if a is None else class_weights(a, class_weight) for a in ys]
    return Data(arrays, ys, weights, structure, None if inputs is None else inputs.dtypes)


def label_dtype(y: Array) -> str:
    """The type of the values of labels: float32 or int32."""
    return "float32" if of_array(y.dtype) == "float32" else "int32"


def as_array(value: Any, label: str, gathered: bool = False) -> Array:
    """An array of numbers that the core can gather from, or one in a file that it cannot.

    Args:
        value: An array of any kind, or numbers in lists.
        label: What errors call it.
        gathered: Whether only the core looks at it: labels and weights are looked at before.
    """
    array = value if type(value) is np.ndarray and value.base is None else _found(value, label, gathered)
    if not is_number(array.dtype):
        raise TypeError(
            f"{label}: expected an array of numbers. Received dtype {array.dtype}"
            + (" (rows of different lengths, or objects)." if array.dtype == object else ".")
        )
    if array.ndim == 0:
        raise ValueError(f"{label}: expected an array with one row per sample. Received a single number: {array}")
    return array if isinstance(array, StoredArray) else accepted(array)


def _found(value: Any, label: str, gathered: bool) -> Array:
    """Any other value than an array with memory of its own, which most are, as an array."""
    if value is None:
        raise ValueError(f"{label}: expected an array. Received: None")
    if isinstance(value, StoredArray):
        return value
    if hasattr(value, "tocoo"):
        raise TypeError(f"{label}: expected a dense array, use `.toarray()`. Received: {type(value).__name__}")
    if is_stored(value, gathered):
        return StoredArray(value)
    try:
        return to_numpy(value)
    except (ValueError, TypeError) as error:
        kind = type(value).__name__
        raise TypeError(f"{label}: expected an array of numbers. Received {kind}: {error}") from None


def fit_shape(array: Array, shape: Sequence[int | None], label: str) -> Array:
    """The array with a last axis of size 1 added or removed where only that is missing, as Keras does."""
    given = array.shape
    if given[1:] == tuple(shape[1:]):
        return array
    if array.ndim == len(shape) - 1 and shape[-1] == 1:
        array = array.reshape((*given, 1))
    elif array.ndim == len(shape) + 1 and given[-1] == 1:
        array = array.reshape(given[:-1])
    agree = array.ndim == len(shape) and all(e in (None, s) for e, s in zip(shape[1:], array.shape[1:], strict=True))
    if not agree:
        expected = "(" + ", ".join("None" if s is None else str(s) for s in (None, *shape[1:])) + ")"
        raise ValueError(f"{label}: expected shape {expected} (batch first). Received an array of shape {given}.")
    return array


def _is_structure(x: Any) -> bool:
    """Whether x is a list, tuple or dictionary of arrays, and not one array written as nested lists of numbers."""
    if isinstance(x, dict):
        return True
    return isinstance(x, (list, tuple)) and any(
        hasattr(leaf, "__array__") and np.ndim(leaf) > 0 for leaf in tree.flatten(x)[:1]
    )


def _with_arrays(x: Any) -> Any:
    """The same structure, with numbers in nested lists as arrays."""
    if isinstance(x, dict):
        return {key: _with_arrays(value) for key, value in x.items()}
    if not isinstance(x, (list, tuple)):
        return x
    if not _is_structure(x):
        return as_array(x, "x")
    return tuple(map(_with_arrays, x)) if isinstance(x, tuple) else [_with_arrays(item) for item in x]


def _labels(what: str, names: Sequence[str], kind: str) -> list[str]:
    return [f"{what} ({kind} '{name}')" for name in names] if len(names) > 1 else [f"{what} ({kind} '{names[0]}')"]


def _by_name(value: Any, names: Sequence[str], what: str, kind: str) -> list[Any]:
    """What belongs to each name: from a dictionary by key, from a list by position, or the only one."""
    if isinstance(value, dict):
        missing = [name for name in names if name not in value]
        if missing:
            raise ValueError(
                f"{what}: expected a dictionary with an array for each {kind} {list(names)}. "
                f"Received keys {list(value)}."
            )
        return [value[name] for name in names]
    if isinstance(value, (list, tuple)) and _is_structure(value):
        leaves = tree.flatten(value)
        if len(leaves) != len(names):
            raise ValueError(
                f"{what}: expected {len(names)} array{'s' * (len(names) != 1)}, for {kind} {list(names)}. "
                f"Received a {type(value).__name__} of {len(leaves)}."
            )
        return leaves
    if len(names) != 1:
        raise ValueError(
            f"{what}: expected a list or dictionary of {len(names)} arrays, for {kind}s {list(names)}. "
            f"Received: {type(value).__name__}"
        )
    return [value]


def _targets(y: Any, names: Sequence[str], with_loss: Sequence[bool] | None) -> list[Array | None]:
    needed = [True] * len(names) if with_loss is None else list(with_loss)
    if isinstance(y, dict):
        unknown = [key for key in y if key not in names]
        missing = [name for name, need in zip(names, needed, strict=True) if need and name not in y]
        if missing or unknown:
            raise ValueError(f"y: expected labels by output name {list(names)}. Received keys {list(y)}.")
        leaves = [y.get(name) for name in names]
    elif isinstance(y, (list, tuple)) and _is_structure(y) and len(tree.flatten(y)) == sum(needed) != len(names):
        rest = iter(tree.flatten(y))
        leaves = [next(rest) if need else None for need in needed]
    else:
        leaves = _by_name(y, names, "y", "output")
    labels = _labels("y", names, "output")
    return [None if leaf is None else as_array(leaf, label) for leaf, label in zip(leaves, labels, strict=True)]


def _weights(weights: Any, ys: list[Array | None] | None, names: Sequence[str]) -> list[Array | None]:
    if weights is None:
        return [None] * len(names)
    if ys is None:
        raise ValueError("`sample_weight` was given without `y`.")
    if isinstance(weights, dict):
        unknown = [key for key in weights if key not in names]
        if unknown:
            raise ValueError(
                f"sample_weight: expected weights by output name {list(names)}. Received keys {list(weights)}."
            )
        leaves = [weights.get(name) for name in names]
    elif _is_structure(weights):
        leaves = _by_name(weights, names, "sample_weight", "output")
    else:
        array = as_array(weights, "sample_weight")
        if len(names) > 1 and not (array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1)):
            raise ValueError(
                "sample_weight: for a model with several outputs, expected one number per sample, or an array for each "
                f"of {list(names)}. Received shape {array.shape}."
            )
        leaves = [None if y is None else array for y in ys]
    labels = _labels("sample_weight", names, "output")
    arrays = [None if leaf is None else as_array(leaf, label) for leaf, label in zip(leaves, labels, strict=True)]
    for array, label in zip(arrays, labels, strict=True):
        _check_finite(array, label)
    return arrays


def _check_finite(array: Array | None, label: str) -> None:
    if isinstance(array, np.ndarray) and array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{label}: expected finite numbers. Received NaN or infinity.")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and math.isfinite(value)


def _common_length(arrays: list, x: list, y: list | None, weights: list) -> int:
    """The number of samples in all arrays, which are those of x, y and weights."""
    lengths = {a.shape[0] for a in arrays}
    if len(lengths) > 1:
        groups = {"x": x, "y": y or (), "sample_weight": weights}
        sizes = {name: [a.shape[0] for a in group if a is not None] for name, group in groups.items()}
        told = ", ".join(f"{n}: {', '.join(map(str, group))}" for n, group in sizes.items() if group)
        raise ValueError(f"Expected the same number of samples in all arrays. Received {told}.")
    if not lengths or 0 in lengths:
        raise ValueError("Expected at least one sample. Received empty arrays (0 samples).")
    return lengths.pop()


def split(data: Data, fraction: float) -> tuple[Data, Data]:
    """The first samples for training, the last `fraction` of them for validation; nothing is copied."""
    if isinstance(fraction, bool) or not _is_number(fraction) or not 0 <= fraction < 1:
        raise ValueError(f"`validation_split`: expected a number from 0 to less than 1. Received: {fraction!r}")
    first = math.floor(data.size * (1.0 - fraction))
    if first in (0, data.size):
        raise ValueError(
            f"`validation_split={fraction}` of {data.size} samples leaves {first} for training and "
            f"{data.size - first} for validation. Expected at least one of each."
        )
    return data.part(0, first), data.part(first, data.size - first)
