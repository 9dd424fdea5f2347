"""Positions are whole numbers: exact in long vectors, usable as Python's indices, and never a fraction cut off."""

import numpy as np
import pytest

from cconv import Model, ops
from cconv.layers import Input


def test_a_position_indexes_a_list():
    names = ["cat", "dog", "horse"]
    p = np.float32([0.1, 0.7, 0.2])
    assert names[ops.argmax(p)] == "dog"
    assert names[ops.argmin(p)] == "cat"
    assert [names[i] for i in ops.argsort(p)] == ["cat", "horse", "dog"]
    assert [names[i] for i in ops.top_k(p, 2)[1]] == ["dog", "horse"]


def test_a_position_in_a_model_indexes_a_list():
    x = Input((3,))
    best = Model(x, ops.argmax(x, axis=-1)).predict(np.float32([[0, 0, 1], [1, 0, 0]]), verbose=0)
    assert best.dtype == np.int32
    assert ["abc"[i] for i in best] == ["c", "a"]


def test_positions_beyond_float32():
    at = 20_000_001  # no float32
    x = np.zeros(at + 2, np.float32)
    x[at] = 1
    position = ops.argmax(x)
    assert position.dtype == np.int32
    assert position == at
    assert ops.argmin(-x) == at
    assert ops.top_k(x, 1)[1].tolist() == [at]
    assert ops.take(x, [at - 1, at, at + 1]).tolist() == [0, 1, 0]
    assert ops.cast(np.int32([at]), "int32").tolist() == [at]


@pytest.mark.parametrize("x", [np.float32([0.5]), [1.0, 2.5], np.float64(0.25)])
def test_a_fraction_is_no_position(x):
    dtype = np.asarray(x).dtype.name
    with pytest.raises(ValueError, match=f"`one_hot` takes whole numbers as `x`. Received: x of dtype {dtype}"):
        ops.one_hot(x, 3)
    with pytest.raises(
        ValueError, match=f"`take` takes whole numbers as `indices`. Received: indices of dtype {dtype}"
    ):
        ops.take([1, 2, 3], x)


def test_whole_numbers_of_floating_point_are_positions():
    assert ops.one_hot(np.float32([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert ops.take([5, 6, 7], np.float32([2, -1])).tolist() == [7, 7]


def test_slices_with_steps_in_a_model():
    x = Input((6, 4))
    model = Model(x, x[:, ::2, ::-1])
    values = np.arange(48, dtype=np.float32).reshape(2, 6, 4)
    np.testing.assert_array_equal(model.predict(values, verbose=0), values[:, ::2, ::-1])


def test_an_axis_of_unknown_size_has_no_steps():
    x = Input((6,))
    with pytest.raises(ValueError, match="needs an axis of known size"):
        x[::2]
