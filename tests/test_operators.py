"""Operators, attributes and brackets of symbolic tensors and variables, beside NumPy's of arrays."""

import operator

import numpy as np
import pytest

import cconv

A = np.int32([[7, -7, 3, 12], [5, 0, -9, 2], [1, 8, -4, 6]])
B = np.int32([[2, 3, -5, 7]])
F = (A / 2).astype(np.float32)
RNG = np.random.default_rng(0)
CUBE = RNG.normal(size=(3, 4, 5)).astype(np.float32)


def computed(function, *arrays):
    inputs = [cconv.Input(batch_shape=x.shape, dtype=str(x.dtype)) for x in arrays]
    return cconv.Model(inputs, function(*inputs))(list(arrays))


@pytest.mark.parametrize("name", ["floordiv", "mod", "and_", "or_", "xor", "add", "sub", "mul", "truediv", "lt", "ne"])
def test_of_two(name):
    function = getattr(operator, name)
    expected = function(A, B)
    np.testing.assert_allclose(computed(function, A, B), expected, rtol=1e-6)
    np.testing.assert_allclose(computed(lambda x: function(x, 3), A), function(A, 3), rtol=1e-6)
    if name not in ("lt", "ne"):
        np.testing.assert_allclose(computed(lambda x: function(11, x), B), function(11, B), rtol=1e-6)


@pytest.mark.parametrize("name", ["floordiv", "mod"])
def test_of_floats_and_variables(name):
    function = getattr(operator, name)
    np.testing.assert_allclose(computed(lambda x: function(x, 1.5), F), function(F, np.float32(1.5)), rtol=1e-6)
    np.testing.assert_allclose(function(cconv.Variable(F), 1.5), function(F, np.float32(1.5)), rtol=1e-6)


def test_bools_and_bits():
    found = computed(lambda x: (x > 0) & ~(x > 5) | (x == -9), A)
    np.testing.assert_array_equal(found, (A > 0) & ~(A > 5) | (A == -9))
    np.testing.assert_array_equal(computed(operator.invert, A), ~A)
    with pytest.raises(TypeError, match="whole numbers or bools. Received: types float32"):
        cconv.Input((2,)) & 1


KEYS = [
    np.s_[0], np.s_[-1], np.s_[1:, ::2], np.s_[..., None], np.s_[:, None, 1:3], np.s_[::-1], np.s_[..., -2:0:-1],
    np.s_[[2, 0]], np.s_[:, [1, 1, -1]], np.s_[np.array([[0, 1], [2, 2]])], np.s_[[0, 1], [2, 3]],
    np.s_[[0, 1], :, [2, 3]],
    np.s_[:, [0, 1], [2, 3]], np.s_[1, :, [0, 2]], np.s_[:, 0, [0, 2]], np.s_[..., [0, 2], None], np.s_[None, [0], 1:],
    np.s_[:, [[0], [1]], [2, 3]], np.s_[np.array([True, False, True])], np.s_[:, [True, False, True, True]],
    np.s_[CUBE[..., 0] > 0], np.s_[0:2, :, [4, 0, 0]], np.s_[:, -1:, 2], np.s_[np.int64(1)],
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_brackets(key):
    expected = CUBE[key]
    np.testing.assert_array_equal(computed(lambda x: x[key], CUBE), expected)
    np.testing.assert_array_equal(cconv.Variable(CUBE)[key], expected)
    whole = np.arange(60, dtype=np.int32).reshape(3, 4, 5)
    np.testing.assert_array_equal(computed(lambda x: x[key], whole), whole[key])


def test_brackets_of_a_batch():
    x = cconv.Input((4, 5))
    for key in (np.s_[:, [1, 3]], np.s_[..., [0, 2]], np.s_[:, [0, 1], [2, 3]], np.s_[:, :, -1], np.s_[1:, 0]):
        np.testing.assert_array_equal(cconv.Model(x, x[key])(CUBE), CUBE[key])


def test_symbolic_positions():
    at = np.int32([2, -1])
    np.testing.assert_array_equal(computed(lambda x, i: x[:, i], CUBE, at), CUBE[:, at])
    np.testing.assert_array_equal(computed(lambda x, i: x[i, i], CUBE, at), CUBE[at, at])


def test_brackets_survive_a_file():
    x = cconv.Input(batch_shape=CUBE.shape)
    for key in (
        np.s_[[2, 0]],
        np.s_[:, [1, 2]],
        np.s_[0, 1],
        np.s_[..., ::2],
        np.s_[np.array([0, 2]), :, np.array([1, 1])],
    ):
        model = cconv.Model(x, x[key])
        again = cconv.saving.deserialize_object(cconv.saving.serialize_object(model))
        np.testing.assert_array_equal(again(CUBE), CUBE[key])


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        (np.s_[[3]], IndexError, "out of bounds for an axis of size 3"),
        (np.s_[:, :, :, [0]], IndexError, "Too many"),
        (np.s_[[0.5]], TypeError, "arrays of whole numbers or bools"),
        (np.s_["a"], TypeError, "'a'"),
    ],
)
def test_brackets_that_mean_nothing(key, error, message):
    with pytest.raises(error, match=message):
        cconv.Input(batch_shape=(3, 4, 5))[key]


def test_bools_that_are_not_known_are_refused():
    x = cconv.Input(batch_shape=(3,))
    with pytest.raises(TypeError, match="takes known bools as an index only"):
        x[x > 0]


def test_unpacking():
    def swap(x):
        a, b, *rest = x
        return cconv.ops.stack([b, a, *rest])

    np.testing.assert_array_equal(computed(swap, A), A[[1, 0, 2]])
    with pytest.raises(TypeError, match="a first axis of known size only"):
        list(cconv.Input((2,)))
    with pytest.raises(TypeError, match="a first axis of known size only"):
        iter(cconv.Input(batch_shape=()))


def test_attributes():
    np.testing.assert_array_equal(computed(lambda x: x.T, CUBE), CUBE.T)
    np.testing.assert_array_equal(cconv.Variable(CUBE).T, CUBE.T)
    np.testing.assert_array_equal(computed(lambda x: x.reshape(5, -1), CUBE), CUBE.reshape(5, -1))
    np.testing.assert_array_equal(computed(lambda x: x.reshape((5, 12)), CUBE), CUBE.reshape(5, 12))
    np.testing.assert_array_equal(computed(lambda x: x.squeeze(0), B), B[0])
