"""What scripts written for Keras do in layers and steps of their own."""

import copy
import pickle

import numpy as np
import pytest

import cconv
from cconv import layers, ops


def traced(call, x):
    """What a layer with this call makes of `x` in a model of unknown batch."""

    class Own(layers.Layer):
        def call(self, inputs):
            return call(inputs)

    inputs = cconv.Input(x.shape[1:])
    return cconv.Model(inputs, Own()(inputs)).predict(x, verbose=0)


TOKEN = np.arange(8, dtype=np.float32).reshape(1, 1, 8)
TOKENS = {
    "broadcast_to": lambda x: ops.broadcast_to(TOKEN, (ops.shape(x)[0], 1, 8)),
    "broadcast_to_more": lambda x: ops.broadcast_to(TOKEN[0, 0], (ops.shape(x)[0], 1, 8)),
    "tile": lambda x: ops.tile(TOKEN, (ops.shape(x)[0], 1, 1)),
    "tile_more": lambda x: ops.tile(TOKEN[0], (ops.shape(x)[0], 1, 1)),
    "repeat": lambda x: ops.repeat(TOKEN, ops.shape(x)[0], axis=0),
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_for_each_image_of_a_batch_of_unknown_size(name):
    x = np.full((3, 4, 8), np.inf, np.float32)  # what the input holds does not matter
    y = traced(lambda x: ops.concatenate([TOKENS[name](x), x], axis=1), x)
    np.testing.assert_array_equal(y, np.concatenate([np.repeat(TOKEN, 3, axis=0), x], axis=1))


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
@pytest.mark.parametrize(("name", "value"), [("zeros", 0), ("ones", 1), ("full", 7), ("empty", 0)])
def test_arrays_of_one_value_for_a_batch_of_unknown_size(name, value, dtype):
    more = (value,) if name == "full" else ()
    y = traced(lambda x: getattr(ops, name)((ops.shape(x)[0], 2), *more, dtype=dtype), np.ones((3, 4)))
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, np.full((3, 2), value, dtype))


def test_sizes_of_an_image_that_are_not_known():
    inputs = cconv.Input((None, None, 2))

    class Row(layers.Layer):
        def call(self, x):
            return ops.broadcast_to(ops.ones((2,)), ops.shape(x)) * 2 + x

    y = cconv.Model(inputs, Row()(inputs)).predict(np.ones((2, 3, 5, 2)), verbose=0)
    np.testing.assert_array_equal(y, np.full((2, 3, 5, 2), 3.0))


def test_positions_added_to_every_image_train():
    class Positions(layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=shape[1:], initializer="zeros", name="table")

        def call(self, x):
            return x + ops.broadcast_to(self.table, ops.shape(x))

    model = cconv.Sequential([cconv.Input((2, 3)), Positions()])
    model.compile(cconv.optimizers.SGD(1.0), cconv.losses.MeanSquaredError(reduction="sum"))
    model.fit(np.zeros((4, 2, 3)), np.ones((4, 2, 3)), batch_size=4, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], np.full((2, 3), 2 * 4 / 3), rtol=1e-6)  # of mean over 3, 4 times


def test_unknown_sizes_that_nothing_has_are_refused():
    with pytest.raises(ValueError, match="that are not known yet must be those of the layer's input"):
        ops.broadcast_to(np.ones(3), (None, 3))
    with pytest.raises(ValueError, match="that are not known yet must be those of the layer's input"):
        ops.zeros((None, 3))
    with pytest.raises(ValueError, match="Only an axis of size 1 can be repeated"):
        ops.tile(np.ones((2, 3)), (None, 1))
    with pytest.raises(ValueError, match="`arange` takes numbers that are known"):
        ops.arange(None)


@pytest.mark.parametrize(
    ("shape", "positions", "axis"),
    [((2, 5, 4), (2, 3, 1), 1), ((2, 5, 4), (1, 3, 4), 1), ((2, 1, 4), (2, 5, 2), 2), ((1, 4), (3, 2), -1)],
)
def test_take_along_axis_repeats_axes_of_size_1(shape, positions, axis):
    rng = np.random.default_rng(1)
    x, at = rng.random(shape, np.float32), rng.integers(0, shape[axis], positions)
    want = np.take_along_axis(x, at, axis)
    np.testing.assert_array_equal(ops.take_along_axis(x, at, axis), want)
    if axis == 1 and positions[0] == 2:
        inputs, chosen = cconv.Input(shape[1:]), cconv.Input(positions[1:], dtype="int32")
        model = cconv.Model([inputs, chosen], ops.take_along_axis(inputs, chosen, axis))
        np.testing.assert_array_equal(model.predict([x, at], verbose=0), want)


def test_lines_that_were_pixels_take_the_shape_of_the_images_again():
    def call(x):
        lines = ops.reshape(x, (-1, 4))
        return ops.reshape(ops.matmul(lines, np.eye(4, dtype=np.float32)), ops.shape(x))

    x = np.arange(48, dtype=np.float32).reshape(2, 3, 2, 4)
    np.testing.assert_array_equal(traced(call, x), x)


def test_bounds_of_random_numbers_that_ops_computed():
    y = cconv.random.uniform((50,), ops.log(0.5), ops.log(2.0), seed=1)
    assert -np.log(2) <= y.min() < 0 < y.max() <= np.log(2)


class Chosen(layers.Layer):
    """Rows of a table by whole numbers that are kept, times how often it was called."""

    def __init__(self):
        super().__init__()
        self.calls = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False, name="calls")
        self.rows = cconv.Variable(np.array([2, 0, 1]), dtype="int", trainable=False)
        self.table = self.add_weight(shape=(3, 2), initializer="ones", name="table")

    def call(self, x):
        self.calls.assign_add(1)
        return x @ ops.take(self.table, self.rows, axis=0) * ops.cast(self.calls, "float32")


def test_variables_of_whole_numbers_in_a_layer(tmp_path):
    inputs = cconv.Input((3,))
    layer = Chosen()
    model = cconv.Model(inputs, layer(inputs))
    assert model.predict(np.ones((2, 3)), verbose=0).tolist() == [[3, 3], [3, 3]]
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 2)), batch_size=2, verbose=0)
    assert layer.calls.numpy() == 3 and layer.calls.numpy().dtype == "int32"
    assert [w.dtype.name for w in model.get_weights()] == ["float32", "int32", "int32"]
    assert len(model.trainable_variables) == 1
    model.save_weights(tmp_path / "own.weights.h5")
    layer.calls.assign(9)
    model.load_weights(tmp_path / "own.weights.h5")
    assert layer.calls.numpy() == 3


def test_variables_of_whole_numbers_on_a_tape():
    layer = Chosen()
    with cconv.GradientTape() as tape:
        taken = ops.take(layer.table, layer.rows, axis=0)
        y = ops.sum(taken * ops.cast(layer.rows, "float32")[:, None])
        more = layer.rows + 1
    np.testing.assert_array_equal(tape.gradient(y, layer.table), [[0, 0], [1, 1], [2, 2]])
    assert np.asarray(more).tolist() == [3, 1, 2] and np.asarray(more).dtype == "int32"


def test_variables_of_whole_numbers():
    v = cconv.Variable(5, dtype="int32")
    v.assign_add(2)
    assert v.numpy() == 7 and not v.trainable
    v.assign(3.7)
    assert v.numpy() == 3 and "dtype=int32, value=3>" in repr(v)
    assert (v + 1).dtype == "int32" and (v * 1.5).dtype == "float32"
    for same in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        assert same.dtype == "int32" and same.numpy() == 3
    assert cconv.Variable([0, 2], dtype="bool").numpy().tolist() == [False, True]
    with pytest.raises(ValueError, match=r"held from -2\*\*24 to 2\*\*24"):
        v.assign(2**24 + 1)
    with pytest.raises(ValueError, match="expected one of bool, int32, float32"):
        cconv.Variable(1.0, dtype="float16")


def test_a_layer_that_assigns_as_it_is_built_within_a_tape():
    class Own(layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(3, 2), initializer="ones", name="w")
            self.w.assign(np.full((3, 2), 2.0))

        def call(self, x):
            return x @ self.w

    layer = Own()
    with cconv.GradientTape() as tape:
        x = ops.convert_to_tensor(np.ones((2, 3))) * 2.0
        y = ops.sum(ops.convert_to_tensor([1.0, 2.0]) * layer(x))
    np.testing.assert_array_equal(tape.gradient(y, layer.w), [[4, 8]] * 3)


def test_weights_of_a_model_without_a_call_of_its_own(tmp_path):
    class Pair(cconv.Model):
        def __init__(self):
            super().__init__()
            self.one = cconv.Sequential([cconv.Input((2,)), layers.Dense(3)])
            self.two = cconv.Sequential([cconv.Input((3,)), layers.Dense(1)])

    pair, other = Pair(), Pair()
    pair.save_weights(tmp_path / "pair.weights.h5")
    other.load_weights(tmp_path / "pair.weights.h5")
    for a, b in zip(pair.one.get_weights(), other.one.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="not built yet"):
        cconv.Sequential([layers.Dense(1)]).save_weights(tmp_path / "none.weights.h5")
