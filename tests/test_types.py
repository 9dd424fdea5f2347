"""Element types: what arrays become, what is refused, what stays exact."""

import re

import numpy as np
import pytest

import cconv
from cconv import _core, dtypes, layers, ops

BEYOND = 2**24 + 1  # the first whole number that float32 does not have


def one_input(dtype, op="identity", shape=(None, 2), max_batch=4):
    graph = _core.Graph()
    node = graph.add(op, [graph.input(shape, "x", dtype)])
    return _core.Plan(graph, [node], max_batch=max_batch)


# ---- arrays in and out


@pytest.mark.parametrize("name", _core.dtypes())
def test_every_type_comes_in(name):
    if name == "bfloat16":
        array = np.array([[1, 0], [1, 1]], pytest.importorskip("ml_dtypes").bfloat16)
    else:
        array = np.array([[1, 0], [1, 1]], name)
    y = one_input("float32").run([array])[0]
    assert y.dtype == np.float32 and y.tolist() == [[1, 0], [1, 1]]
    whole = one_input("int32")
    if array.dtype.kind in "iub":
        y = whole.run([array])[0]
        assert y.dtype == np.int32 and y.tolist() == [[1, 0], [1, 1]]
    else:
        with pytest.raises(ValueError, match=f"'x': expected integers or bool for a value of int32, received {name}"):
            whole.run([array])


def test_bools_come_in_and_go_out_as_bools():
    y = one_input("bool").run([np.array([[True, False]])])[0]
    assert y.dtype == np.bool_ and y.tolist() == [[True, False]]
    with pytest.raises(ValueError, match="input 'x': expected bool for a value of bool, received uint8"):
        one_input("bool").run([np.array([[1, 0]], np.uint8)])


@pytest.mark.parametrize("number", [5000000000, -5000000000, 2**31, -(2**31) - 1])
def test_integers_that_do_not_fit_are_refused_with_their_row(number):
    array = np.zeros((6, 2), np.int64)
    array[3, 1] = number
    plan = one_input("int32")
    with pytest.raises(ValueError, match=f"input 'x': expected integers that fit int32, received {number} in row 3"):
        plan.run([array], rows=np.array([0, 3]))
    plan.run([array], rows=np.array([0, 4]))
    with pytest.raises(ValueError, match=f"fit int32.*{number}"):
        _core.Graph().constant(array)


@pytest.mark.parametrize("out", ["int32", "int64", "float64"])
def test_whole_numbers_go_out_exactly(out):
    numbers = np.array([[2**31 - 1, -(2**31)], [BEYOND, 0]])
    place = np.empty((2, 2), out)
    one_input("int32").run([numbers], outputs=[place])
    assert (place == numbers).all()


@pytest.mark.parametrize("given, out", [("int32", "float32"), ("int32", "int8"), ("float32", "int32")])
def test_what_an_output_cannot_hold_is_refused(given, out):
    with pytest.raises(ValueError, match=f"of {given} cannot be written as {out}"):
        one_input(given).run([np.zeros((1, 2), given)], outputs=[np.zeros((1, 2), out)])


@pytest.mark.parametrize("out", ["float16", "float64"])
def test_floats_go_out_rounded_to_the_nearest(out):
    values = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32) * 1e-4
    place = np.empty((4, 2), out)
    one_input("float32").run([values], outputs=[place])
    np.testing.assert_array_equal(place, values.astype(out))


def test_other_arrays_are_converted_once():
    for name in ("int16", "uint16", "uint32", ">i4", ">i8", "uint64"):
        assert ops.add(np.array([1, 2], name), 1).tolist() == [2, 3]
        assert ops.add(np.array([1, 2], name), 1).dtype == np.int32
    assert ops.add(np.array([1, 2], ">f4"), 1).dtype == np.float32
    with pytest.raises(ValueError, match="fit int64"):
        ops.add(np.array([2**63], np.uint64), 1)
    for wrong in (np.array(["a"]), np.array([1j]), np.array([object()])):
        with pytest.raises(TypeError, match="expected an array of numbers"):
            ops.negative(wrong)


# ---- what ops take


@pytest.mark.parametrize(
    "op, types, sentence",
    [
        ("argmax", ["bool"], r"n1 \(argmax\): expected x of float32 or int32, received bool"),
        ("one_hot", ["float32"], "expected x of int32, received float32"),
        ("softmax", ["int32"], "expected x of float32, received int32"),
        ("where", ["float32", "int32", "int32"], "expected condition of bool, received float32"),
        ("where", ["bool", "int32", "float32"], "expected b of the type of a, int32, received float32"),
        ("add", ["float32", "int32"], "expected b of the type of a, float32, received int32"),
        ("concatenate", ["int32", "int32", "bool"], "expected x of the type of x, int32, received bool"),
    ],
)
def test_a_type_error_names_op_expected_and_received(op, types, sentence):
    attributes = {"depth": 3} if op == "one_hot" else {}
    graph = _core.Graph()
    nodes = [graph.input((3,), dtype=dtype) for dtype in types]
    with pytest.raises(ValueError, match=sentence):
        graph.add(op, nodes, attributes, "n1")
    with pytest.raises(ValueError, match=sentence):
        _core.infer_value(op, [(3,)] * len(types), types, attributes, "n1")


@pytest.mark.parametrize("dtype, value", [("int32", 0.5), ("int32", 2.0**31), ("int32", -3e9), ("bool", 2)])
def test_a_padding_constant_must_fit_the_type(dtype, value):
    expected = "0 or 1" if dtype == "bool" else "a whole number from -2147483648 to 2147483647"
    sentence = (
        rf"n1 \(pad\): expected {expected} as the value around x of {dtype}, received {re.escape(f'{value:.9g}')}"
    )
    with pytest.raises(ValueError, match=sentence):
        _core.infer_value("pad", [(3,)], [dtype], {"pads": (1, 1), "value": value}, "n1")


def test_what_is_padded_with_is_exact():
    x = np.array([1, 2], np.int32)
    for value in (-(2**31), 2**31 - 128, 7):
        np.testing.assert_array_equal(ops.pad(x, 1, constant_values=value), np.pad(x, 1, constant_values=value))
    with pytest.raises(ValueError, match="constant_values=16777217"):
        ops.pad(x, 1, constant_values=2**24 + 1)
    assert ops.pad(np.array([False]), 1, constant_values=1).tolist() == [True, False, True]


def test_every_op_says_its_types():
    for name, op in _core.ops().items():
        takes, gives = op.types.split(" -> ")
        assert set(takes.split()) <= set("fibnta") and gives in "fibnt*" and len(takes.split()) <= len(op.inputs), name


def test_gradients_are_of_floats_only():
    graph = _core.Graph()
    x = graph.input((3,), dtype="int32")
    y = graph.add("mean", [graph.add("cast", [x], {"to": "float32"})])
    with pytest.raises(ValueError, match="expected wrt of float32, received node 1 .* of int32"):
        _core.Plan(graph, [y], root=y, wrt=[x])
    whole = graph.add("sum", [x])
    with pytest.raises(ValueError, match="expected a root of float32.*int32"):
        _core.Plan(graph, [whole], root=whole)


def test_a_gradient_flows_past_positions():
    graph = _core.Graph()
    x = graph.input((2, 4))
    positions = graph.add("top_k_indices", [x], {"k": 2})
    y = graph.add("take_along_axis", [x, positions])
    plan = _core.Plan(graph, [y, positions], root=y, wrt=[x])
    values, order = plan.run([np.array([[1, 4, 2, 3], [9, 6, 7, 8]], np.float32)])
    assert values.tolist() == [[4, 3], [9, 8]] and order.tolist() == [[1, 3], [0, 3]] and order.dtype == np.int32
    assert plan.gradient(x).tolist() == [[0, 1, 0, 1], [1, 0, 0, 1]]


def test_precision_is_an_option_of_the_plan():
    graph = _core.Graph()
    y = graph.add("relu", [graph.input((3,))])
    _core.Plan(graph, [y], precision="float32")
    for precision in ("bfloat16", "float16", "int8"):
        with pytest.raises(NotImplementedError, match=f"precision of float32, received {precision}"):
            _core.Plan(graph, [y], precision=precision)


# ---- arithmetic of whole numbers


def test_whole_numbers_wrap_around():
    low, high = -(2**31), 2**31 - 1
    assert ops.add(high, 1) == low and ops.subtract(low, 1) == high and ops.negative(low) == low
    assert ops.multiply(2**20, 2**20) == 0 and ops.abs(low) == low and ops.square(2**16) == 0
    assert ops.sum([high, 1, 5]) == low + 5 and ops.prod([2**20, 2**12, 3]) == 0
    assert ops.power(3, 40) == np.uint32(3**40 % 2**32).view(np.int32)
    assert ops.power([2, 1, -1, -1, 0], [-1, -5, -3, -2, -1]).tolist() == [0, 1, -1, 1, 0]
    assert ops.matmul([[2**20, 1]], [[2**20], [7]]).tolist() == [[7]]


@pytest.mark.parametrize("op", [ops.add, ops.subtract, ops.multiply, ops.maximum, ops.minimum])
def test_whole_numbers_broadcast_exactly(op):
    rng = np.random.default_rng(1)
    a, b = rng.integers(-(2**30), 2**30, (7, 1, 300)), rng.integers(-(2**30), 2**30, (5, 1))
    expected = getattr(np, op.__name__)(a.astype(np.int32), b.astype(np.int32))
    np.testing.assert_array_equal(op(a, b), expected)


def test_casts():
    x = np.array([1.9, -1.9, 3e9, -3e9, np.nan, np.inf, -np.inf, -0.5])
    low, high = -(2**31), 2**31 - 1
    assert ops.cast(x, "int32").tolist() == [1, -1, high, low, low, high, low, 0]
    assert ops.cast(x, "bool").tolist() == [True] * 8
    assert ops.cast([0.0, -0.0, 2.0], bool).tolist() == [False, False, True]
    assert ops.cast([True, False], np.float32).tolist() == [1.0, 0.0]
    assert ops.cast(np.array([BEYOND]), "float32").tolist() == [2.0**24]
    for wrong in ("float16", "int64", "uint8", "complex64"):
        with pytest.raises(ValueError, match="expected one of bool, int32, float32"):
            ops.cast(x, wrong)


# ---- numbers beyond 2**24


def test_positions_and_labels_beyond_2_to_the_24_are_exact():
    scores = np.zeros((1, 20_000_010), np.float32)
    scores[0, 20_000_001] = 40
    assert ops.argmax(scores, axis=-1).tolist() == [20_000_001]
    right, beside = np.array([20_000_001]), np.array([20_000_002])
    loss = [float(ops.sparse_categorical_crossentropy(y, scores, from_logits=True)[0]) for y in (right, beside)]
    assert loss[0] < 1e-6 and loss[1] > 39
    assert cconv.metrics.sparse_categorical_accuracy(right, scores).tolist() == [1.0]
    assert cconv.metrics.sparse_categorical_accuracy(beside, scores).tolist() == [0.0]
    metric = cconv.metrics.SparseCategoricalAccuracy()
    metric.update_state(beside, scores)
    assert float(metric.result()) == 0.0


def test_whole_numbers_beyond_2_to_the_24_are_compared_exactly():
    a, b = np.array([BEYOND, 5]), np.array([BEYOND - 1, 5])
    assert ops.equal(a, b).tolist() == [False, True]
    assert cconv.metrics.accuracy(a, b).tolist() == [0.0, 1.0]
    x = cconv.Input((1,), dtype="int32")
    model = cconv.Model(x, x + 1)
    model.compile(loss="mse", metrics=["accuracy"])
    y = model.predict(a[:, None], verbose=0)
    assert y.dtype == np.int32 and y.tolist() == [[BEYOND + 1], [6]]


# ---- models


def test_an_input_has_the_type_it_says():
    x = cconv.Input((3,), dtype="int32")
    assert x.dtype == "int32"
    model = cconv.Model(x, layers.Dense(2, kernel_initializer="ones")(ops.one_hot(x[:, 0], 4)))
    assert model.predict(np.array([[3, 0, 0]], np.uint8), verbose=0).tolist() == [[1, 1]]
    assert model.get_config()["layers"][0]["config"]["dtype"] == "int32"
    assert cconv.Model.from_config(model.get_config()).inputs[0].dtype == "int32"
    with pytest.raises(ValueError, match="expected integers or bool for a value of int32, received float32"):
        model.predict(np.zeros((1, 3), np.float32), verbose=0)
    flags = cconv.Input((3,), dtype="bool")
    chosen = cconv.Model(flags, ops.where(flags, 1, 2)).predict(np.array([[True, False, True]]), verbose=0)
    assert chosen.dtype == np.int32 and chosen.tolist() == [[1, 2, 1]]


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "int32", "float64", "int16"])
def test_images_of_any_type_give_the_same(dtype):
    images = np.random.default_rng(0).integers(0, 100, (5, 6, 6, 1))
    model = cconv.Sequential([cconv.Input((6, 6, 1)), layers.Conv2D(3, 3), layers.Flatten(), layers.Dense(2)])
    expected = model.predict(images.astype(np.float32), verbose=0)
    np.testing.assert_array_equal(model.predict(images.astype(dtype), verbose=0), expected)
    np.testing.assert_array_equal(model(images.astype(dtype)), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "int32", "bool", "float32"])
def test_labels_of_any_type_train_the_same(dtype):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)).astype(np.float32), rng.integers(0, 2, 8)
    weights = []
    for labels in (y, y.astype(dtype)):
        cconv.utils.set_random_seed(3)
        model = cconv.Sequential([cconv.Input((3,)), layers.Dense(2, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x, labels, epochs=2, batch_size=4, verbose=0)
        weights.append(model.get_weights()[0])
    np.testing.assert_array_equal(*weights)


def test_labels_that_do_not_fit_are_refused():
    model = cconv.Sequential([cconv.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="y_.*expected integers that fit int32, received 5000000000 in row 2"):
        model.fit(np.zeros((4, 3)), np.array([1, 2, 5000000000, 3]), verbose=0, shuffle=False)


def test_a_model_without_an_input_takes_whole_numbers_as_they_are():
    seen = []

    class Table(cconv.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            seen.append(x.dtype)
            return self.dense(ops.one_hot(x, 5))

    model = Table()
    assert model.predict(np.array([1, 4]), verbose=0).shape == (2, 2)
    assert model(np.array([1, 4])).shape == (2, 2)
    assert set(seen) == {"int32"}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16", "int32"])
def test_layers_compute_in_float32_and_say_so(dtype):
    for make in (lambda: layers.Dense(2, dtype=dtype), lambda: cconv.metrics.Mean(dtype=dtype)):
        with pytest.raises(ValueError, match=f"float32.*{dtype}"):
            make()


def test_arguments_that_name_a_type():
    assert ops.zeros((2,)).dtype == np.float32 and ops.ones((2,), "int32").dtype == np.int32
    assert ops.full((2,), 1, "bool").dtype == np.bool_
    assert ops.arange(3).dtype == np.int32 and ops.arange(3.0).dtype == np.float32
    assert ops.convert_to_tensor([1, 2]).dtype == np.int32
    assert ops.convert_to_tensor([1, 2], "float32").dtype == np.float32
    for call in (
        lambda: ops.zeros((2,), "float16"),
        lambda: ops.arange(3, dtype="int64"),
        lambda: cconv.Input((2,), dtype="uint8"),
        lambda: cconv.Input((2,), dtype="float64"),
    ):
        with pytest.raises(ValueError, match="expected one of bool, int32, float32"):
            call()


def test_promotion_is_one_row():
    assert dtypes.result_type("bool", "int32") == "int32" and dtypes.result_type("int32", 0.5) == "float32"
    assert dtypes.result_type(True, False) == "bool" and dtypes.result_type(np.uint8(3), True) == "int32"
    assert dtypes.wanted("where", ("float32", "bool", "int32")) == ("bool", "int32", "int32")
    assert dtypes.wanted("add", ("bool", "bool")) == ("int32", "int32")
    assert dtypes.wanted("dense", ("int32", "float32", None)) == ("float32", "float32", None)
