"""Sequences padded to one length, windows of series, data split in two."""

import numpy as np
import pytest

import cconv
from cconv.data import Dataset
from cconv.utils import pad_sequences, split_dataset, timeseries_dataset_from_array

SEQUENCES = [[1, 2, 3], [4], []]


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, [[1, 2, 3], [0, 0, 4], [0, 0, 0]]),
        ({"padding": "post"}, [[1, 2, 3], [4, 0, 0], [0, 0, 0]]),
        ({"maxlen": 2}, [[2, 3], [0, 4], [0, 0]]),
        ({"maxlen": 2, "truncating": "post", "value": 9}, [[1, 2], [9, 4], [9, 9]]),
        ({"maxlen": 0}, np.zeros((3, 0))),
        ({"maxlen": 5, "dtype": "float32", "value": 0.5}, [[0.5, 0.5, 1, 2, 3], [0.5] * 4 + [4], [0.5] * 5]),
    ],
)
def test_sequences_are_padded(options, expected):
    found = pad_sequences(SEQUENCES, **options)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == options.get("dtype", "int32")


def test_sequences_of_arrays_and_of_texts():
    assert pad_sequences([np.ones((2, 3)), np.ones((1, 3))]).shape == (2, 2, 3)
    np.testing.assert_array_equal(pad_sequences([["a"], ["b", "c"]], dtype=object, value=""), [["", "a"], ["b", "c"]])


@pytest.mark.parametrize(
    "args, words",
    [
        (([1, 2],), "a sequence at position 0"),
        ((5,), "a list of sequences"),
        (([[1]], None, "int32", "middle"), "`padding`"),
        (([[1]], None, "int32", "pre", "middle"), "`truncating`"),
        (([np.ones((1, 2)), np.ones((1, 3))],), "elements of one shape"),
        (([[1]], -1), "`maxlen`"),
        (([[1]], 2, "int32", "pre", "pre", "x"), "dtype=object"),
    ],
)
def test_what_cannot_be_padded(args, words):
    with pytest.raises(ValueError, match=words):
        pad_sequences(*args)


# ---- windows


def windows(data, targets, length, stride, rate, start, end):
    """The definition, row by row."""
    found = []
    for first in range(start, end, stride):
        last = first + (length - 1) * rate
        if last >= end or (targets is not None and first >= len(targets)):
            break
        window = data[[first + i * rate for i in range(length)]]
        found.append(window if targets is None else (window, targets[first]))
    return found


@pytest.mark.parametrize("length, stride, rate", [(3, 1, 1), (10, 3, 2), (1, 5, 1), (4, 2, 3)])
@pytest.mark.parametrize("start, end", [(None, None), (7, 61)])
@pytest.mark.parametrize("with_targets", [True, False])
def test_windows_are_their_definition(length, stride, rate, start, end, with_targets):
    data = np.random.default_rng(0).normal(size=(99, 2))
    targets = np.arange(80) if with_targets else None
    expected = windows(data, targets, length, stride, rate, start or 0, end or 99)
    found = timeseries_dataset_from_array(data, targets, length, stride, rate, None, start_index=start, end_index=end)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        for x, y in zip(a, b, strict=True) if with_targets else [(a, b)]:
            np.testing.assert_array_equal(x, y)


def test_the_last_window_of_the_example_that_is_known():
    last = list(timeseries_dataset_from_array(np.arange(99), None, 10, 3, 2, None))[-1]
    np.testing.assert_array_equal(last, np.arange(78, 97, 2))


def test_windows_in_batches_and_shuffled():
    data = timeseries_dataset_from_array(np.arange(50), np.arange(50), 4, batch_size=8, shuffle=True, seed=3)
    batches = list(data)
    assert batches[0][0].shape == (8, 4) and len(data) == 6
    firsts = np.concatenate([y for _, y in batches])
    assert list(firsts) != sorted(firsts) and sorted(firsts) == list(range(47))
    np.testing.assert_array_equal(np.concatenate([y for _, y in data]), firsts)
    model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert len(model.fit(data, epochs=2, verbose=0).history["loss"]) == 2


@pytest.mark.parametrize(
    "options, words",
    [
        ({"sequence_length": 0}, "`sequence_length`"),
        ({"sequence_stride": 0}, "`sequence_stride`"),
        ({"sampling_rate": 1.5}, "`sampling_rate`"),
        ({"start_index": 5, "end_index": 5}, "0 <= start_index < end_index <= 9"),
        ({"end_index": 10}, "0 <= start_index < end_index <= 9"),
        ({"sequence_length": 10}, "no window of 10 rows"),
        ({"format": "grain"}, "'grain'"),
    ],
)
def test_windows_that_do_not_fit(options, words):
    with pytest.raises(ValueError, match=words):
        timeseries_dataset_from_array(**{"data": np.arange(9), "targets": None, "sequence_length": 3, **options})


# ---- two parts


@pytest.mark.parametrize("total", [3, 7, 10, 11])
@pytest.mark.parametrize(
    "left, right", [(0.5, None), (None, 0.5), (0.33, None), (0.3, 0.6), (2, None), (None, 2), (1, 1)]
)
def test_parts(total, left, right):
    one, two = split_dataset(np.arange(total), left, right)
    sizes = [None if s is None else s if isinstance(s, int) else round(s * total) for s in (left, right)]
    assert len(one) == (sizes[0] if sizes[0] is not None else total - sizes[1])
    if right is not None:
        assert len(two) == min(sizes[1], total - len(one))
    assert [int(x) for x in one] == list(range(len(one)))
    assert [int(x) for x in two] == list(range(total - len(two), total))


@pytest.mark.parametrize(
    "make, element",
    [
        (lambda x: x, lambda e: e),
        (lambda x: list(x), lambda e: e),
        (lambda x: (x, x), lambda e: e[1]),
        (lambda x: [x, x], lambda e: e[0]),
        (lambda x: {"a": x}, lambda e: e["a"]),
        (Dataset.from_tensor_slices, lambda e: e),
        (iter, lambda e: e),
    ],
)
def test_everything_that_has_elements(make, element):
    one, two = split_dataset(make(np.arange(8)), right_size=0.25, shuffle=True, seed=1)
    first, last = ([int(element(e)) for e in part] for part in (one, two))
    assert len(last) == 2 and sorted(first + last) == list(range(8)) and first != sorted(first)
    assert [int(element(e)) for e in one] == first


@pytest.mark.parametrize(
    "args, error, words",
    [
        ((np.arange(9),), ValueError, "Received: neither"),
        ((np.arange(9), 9), ValueError, "from 1 to 8"),
        ((np.arange(9), 1.5), ValueError, "a share between"),
        ((np.arange(9), True), ValueError, "`left_size`"),
        ((np.arange(9), 5, 6), ValueError, "more than the 9 elements"),
        ((np.arange(3), 0.1), ValueError, "would be empty"),
        (("text", 0.5), TypeError, "str"),
        ((np.arange(9), 0.5, None, False, None, "torch"), ValueError, "no choice of backends"),
    ],
)
def test_parts_that_cannot_be(args, error, words):
    with pytest.raises(error, match=words):
        split_dataset(*args)
