"""Sequences and parts of data: padded to one length, cut into windows, split in two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..array_like import to_numpy
from ..pipeline import Dataset
from ..pipeline.elements import arrays_of, count_of
from ..seeds import next_seed


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences of different lengths as an array.

    Args:
        sequences: A list of sequences, of numbers or of arrays of one shape.
        maxlen: Length of the rows; by default that of the longest sequence.
        dtype: Type of the array.
        padding: Where what lacks is filled in: `"pre"` in front, `"post"` behind.
        truncating: Where what is too long is cut off.
        value: What is filled in.

    Returns:
        An array of shape `(n, maxlen, ...)`.

    Raises:
        ValueError: Something is no sequence; elements have different shapes; an argument is odd.

    Example:

    >>> cconv.utils.pad_sequences([[1], [2, 3, 4]], maxlen=2)
    array([[0, 1],
           [3, 4]], dtype=int32)
    """
    for name, where in (("padding", padding), ("truncating", truncating)):
        if where not in ("pre", "post"):
            raise ValueError(f"pad_sequences: expected `{name}` to be 'pre' or 'post'. Received: {where!r}")
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"pad_sequences: expected a list of sequences. Received: {type(sequences).__name__}")
    rows = []
    for number, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(f"pad_sequences: expected a sequence at position {number}. Received: {sequence!r:.60}")
        rows.append(np.asarray(sequence, object if np.dtype(dtype) == object else None))
    if maxlen is None:
        maxlen = max(map(len, rows), default=0)
    maxlen = count_of("pad_sequences", "maxlen", maxlen, least=0)
    shapes = {row.shape[1:] for row in rows if len(row)} or {()}
    if len(shapes) > 1:
        raise ValueError(f"pad_sequences: expected elements of one shape. Received shapes {sorted(shapes)}")
    if isinstance(value, str) and np.dtype(dtype).kind not in "OSU":
        raise ValueError(f"pad_sequences: a text as `value` needs dtype=object. Received: dtype={dtype!r}")
    made = np.full((len(rows), maxlen, *shapes.pop()), value, dtype)
    for place, row in zip(made, rows, strict=True):
        kept = row[max(len(row) - maxlen, 0) :] if truncating == "pre" else row[:maxlen]
        if len(kept):
            place[maxlen - len(kept) :] = kept if padding == "pre" else place[maxlen - len(kept) :]
            if padding == "post":
                place[: len(kept)] = kept
    return made


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """A data set of windows of a series.

    Window i begins at row `i * sequence_stride` and takes every `sampling_rate`-th row.

    Args:
        data: Array of shape `(steps, ...)`.
        targets: Array with an entry for each row that a window can begin at, or `None`.
        sequence_length: Rows of a window.
        sequence_stride: Rows from the beginning of a window to that of the next.
        sampling_rate: Rows from one row of a window to the next.
        batch_size: Windows in a batch; `None`: single windows.
        shuffle: Whether the windows come in a random order, the same in each pass; else as in the series.
        seed: Seed of that order.
        start_index: The first row that is used; by default 0.
        end_index: The row before which it ends; by default all are used.
        format: Must be `"tf"`; here for the sake of Keras' signature.

    Returns:
        A `cconv.data.Dataset` of windows `(n, sequence_length, ...)`, with targets of pairs.

    Raises:
        ValueError: A number is out of range, or no window fits.

    Example:

    >>> series = np.arange(10)
    >>> data = cconv.utils.timeseries_dataset_from_array(series[:-3], series[3:], sequence_length=3, sequence_stride=2)
    >>> for windows, following in data:
    ...     print(windows.tolist(), following)
    [[0, 1, 2], [2, 3, 4], [4, 5, 6]] [3 5 7]
    """
    if format != "tf":
        raise ValueError(f"timeseries_dataset_from_array: there is one kind of data set, 'tf'. Received: {format!r}")
    series = to_numpy(data)
    wanted = None if targets is None else to_numpy(targets)
    size = len(series)
    length, stride, rate = (
        count_of("timeseries_dataset_from_array", name, value)
        for name, value in (
            ("sequence_length", sequence_length),
            ("sequence_stride", sequence_stride),
            ("sampling_rate", sampling_rate),
        )
    )
    start = 0 if start_index is None else start_index
    end = size if end_index is None else end_index
    if not 0 <= start < end <= size:
        raise ValueError(
            f"timeseries_dataset_from_array: expected 0 <= start_index < end_index <= {size}, the number of rows. "
            f"Received: start_index={start_index}, end_index={end_index}"
        )
    count = end - start - (length - 1) * rate
    if wanted is not None:
        count = min(count, len(wanted) - start)
    if count < 1:
        raise ValueError(
            f"timeseries_dataset_from_array: no window of {length} rows, {rate} apart, fits the rows from {start} to "
            f"{end}" + (f" and {len(wanted)} targets." if wanted is not None else ".")
        )
    starts = np.arange(start, start + count, stride)
    if shuffle:
        np.random.RandomState(next_seed() if seed is None else seed).shuffle(starts)
    offsets = np.arange(length) * rate

    def window(first: int) -> Any:
        found = series[first + offsets]
        return found if wanted is None else (found, wanted[first])

    made = Dataset(lambda: map(window, starts), len(starts))
    return made if batch_size is None else made.batch(batch_size).prefetch(2)


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Splits data in two: the first part, and the last.

    Args:
        dataset: An array; a tuple, list or dictionary of arrays of one length; a `cconv.data.Dataset`, which is read
            into memory; or something with numbered elements, such as PyTorch's data sets.
        left_size: How large the first part is: a whole number of elements, or a share between 0 and 1; by default what
            is not in the last.
        right_size: The same for the last part.
        shuffle: Whether the elements are put into a random order before.
        seed: Seed of that order.
        preferred_backend: Must be `None`; here for the sake of Keras' signature.

    Returns:
        Two `cconv.data.Dataset` of single elements.

    Raises:
        ValueError: The sizes do not fit.
        TypeError: `dataset` is of another kind.

    Example:

    >>> left, right = cconv.utils.split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), [int(x) for x in right]
    (8, [8, 9])
    """
    if preferred_backend is not None:
        raise ValueError(f"split_dataset: there is no choice of backends. Received: {preferred_backend!r}")
    elements = _elements(dataset)
    size = len(elements)
    left, right = _sizes(size, left_size, right_size)
    order = np.arange(size)
    if shuffle:
        np.random.RandomState(next_seed() if seed is None else seed).shuffle(order)
    parts = (order[:left], order[size - right :])
    return tuple(Dataset(lambda part=part: (elements[int(i)] for i in part), len(part)) for part in parts)


def _elements(dataset: Any) -> Any:
    """Something with a length and numbered elements."""
    if isinstance(dataset, Dataset):
        return list(dataset)
    if isinstance(dataset, (str, bytes)) or dataset is None:
        raise TypeError(f"split_dataset: expected arrays or a data set. Received: {type(dataset).__name__}")
    if hasattr(dataset, "__array__") or isinstance(dataset, (tuple, list, dict)):
        nested = isinstance(dataset, dict) or (
            isinstance(dataset, (tuple, list)) and any(isinstance(x, dict) or np.ndim(x) for x in dataset)
        )
        structure = (tuple(dataset) if isinstance(dataset, list) else dataset) if nested else to_numpy(dataset)
        return list(Dataset.from_tensor_slices(arrays_of(structure)))
    if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__"):
        return dataset
    if isinstance(dataset, Iterable):
        return list(dataset)
    raise TypeError(f"split_dataset: expected arrays or a data set. Received: {type(dataset).__name__}")


def _sizes(total: int, left: float | None, right: float | None) -> tuple[int, int]:
    if left is None and right is None:
        raise ValueError("split_dataset: expected `left_size` or `right_size`. Received: neither")
    sizes = []
    for name, value in (("left_size", left), ("right_size", right)):
        if value is None:
            sizes.append(None)
            continue
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not (whole and 0 < value < total) and not (isinstance(value, float) and 0 < value < 1):
            raise ValueError(
                f"split_dataset: expected `{name}` to be a whole number from 1 to {total - 1}, or a share between 0 "
                f"and 1. Received: {value!r}"
            )
        sizes.append(int(value) if whole else value * total)
    if left is not None and right is not None and sizes[0] + sizes[1] > total:
        raise ValueError(f"split_dataset: {left!r} and {right!r} are more than the {total} elements there are.")
    first = round(sizes[0]) if sizes[0] is not None else total - round(sizes[1])
    last = round(sizes[1]) if sizes[1] is not None else total - first
    if first < 1 or last < 1:
        raise ValueError(f"split_dataset: one of the parts of {total} elements would be empty.")
    return first, min(last, total - first)
