"""Functional models: branches, several inputs and outputs, shared layers, models as layers, configurations, summary."""

import io
import json

import numpy as np
import pytest

import cconv
from cconv import layers, ops


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def copy(model):
    """Through JSON and back, with the same weights."""
    config = json.loads(json.dumps(cconv.saving.serialize_object(model)))
    again = cconv.saving.deserialize_object(config)
    again.set_weights(model.get_weights())
    return again


def branched():
    a, b = cconv.Input((6, 6, 2), name="a"), cconv.Input((4,), name="b")
    x = layers.Conv2D(3, 3, activation="relu", name="conv")(a)
    left = layers.GlobalAveragePooling2D(name="mean")(x)
    right = layers.GlobalMaxPooling2D(name="max")(x)
    joined = layers.Concatenate(name="join")([left, right, b])
    return cconv.Model([a, b], [layers.Dense(2, name="first")(joined), layers.Dense(1, name="second")(joined)])


def test_one_input_one_output():
    x = cconv.Input((4,))
    y = layers.Dense(3)(x)
    model = cconv.Model(x, y, name="line")
    assert isinstance(model, cconv.Model) and isinstance(model, cconv.Functional)
    assert (model.name, model.input_shape, model.output_shape) == ("line", (None, 4), (None, 3))
    assert model.count_params() == 15 and len(model.layers) == 2
    data = numbers(2, 4)
    np.testing.assert_array_equal(model(data), model.layers[1](data))


def test_branches_and_several_inputs_and_outputs():
    model = branched()
    assert model.input_names == ["a", "b"] and model.output_names == ["first", "second"]
    a, b = numbers(2, 6, 6, 2), numbers(2, 4)
    first, second = model([a, b])
    assert first.shape == (2, 2) and second.shape == (2, 1)
    again = copy(model)
    for y, z in zip(model([a, b]), again([a, b]), strict=True):
        np.testing.assert_array_equal(y, z)
    by_name = model({"b": b, "a": a})
    np.testing.assert_array_equal(by_name[0], first)


def test_dictionaries_of_inputs_and_outputs():
    inputs = {"left": cconv.Input((2,)), "right": cconv.Input((3,))}
    outputs = {"sum": layers.Dense(1)(inputs["left"]), "other": layers.Dense(2)(inputs["right"])}
    model = cconv.Model(inputs, outputs)
    result = model({"left": numbers(5, 2), "right": numbers(5, 3)})
    assert {key: value.shape for key, value in result.items()} == {"sum": (5, 1), "other": (5, 2)}
    assert set(copy(model)({"left": numbers(5, 2), "right": numbers(5, 3)})) == {"sum", "other"}


def test_a_shared_layer_has_one_set_of_weights():
    x, y = cconv.Input((4,)), cconv.Input((4,))
    shared = layers.Dense(3, name="shared")
    model = cconv.Model([x, y], layers.Subtract()([shared(x), shared(y)]))
    assert len(model.weights) == 2
    data = numbers(3, 4)
    np.testing.assert_array_equal(model([data, data]), np.zeros((3, 3)))
    again = copy(model)
    assert len(again.weights) == 2
    a, b = numbers(3, 4, seed=1), numbers(3, 4, seed=2)
    np.testing.assert_array_equal(again([a, b]), model([a, b]))


def test_a_layer_applied_to_its_own_output():
    x = cconv.Input((4,))
    dense = layers.Dense(4)
    model = cconv.Model(x, dense(dense(dense(x))))
    data = numbers(2, 4)
    np.testing.assert_allclose(model(data), dense(dense(dense(data))), rtol=1e-6)
    np.testing.assert_array_equal(copy(model)(data), model(data))


def test_models_are_layers():
    inner = cconv.Sequential([cconv.Input((4,)), layers.Dense(3, activation="relu")], name="inner")
    x = cconv.Input((4,))
    model = cconv.Model(x, layers.Dense(2)(inner(x)))
    assert [w.path for w in model.weights][0] == "inner/dense/kernel" or "inner/" in model.weights[0].path
    data = numbers(2, 4)
    np.testing.assert_array_equal(copy(model)(data), model(data))
    outer = cconv.Model(x, branched_twice(model, x))
    assert outer(data).shape == (2, 2) and len(outer.weights) == 4


def branched_twice(model, x):
    return layers.Add()([model(x), model(x)])


def test_functions_between_layers_are_part_of_the_model():
    x = cconv.Input((4, 3))
    y = ops.sum(x * 2 + 1, axis=1) / np.array([1.0, 2.0, 4.0])
    y = ops.concatenate([y, x[:, 0], -y], axis=-1)
    model = cconv.Model(x, ops.relu(y))
    data = numbers(2, 4, 3)
    s = (data * 2 + 1).sum(1) / np.array([1, 2, 4])
    expected = np.maximum(np.concatenate([s, data[:, 0], -s], axis=-1), 0)
    np.testing.assert_allclose(model(data), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(copy(model)(data), model(data))


def test_an_intermediate_tensor_can_be_an_output_or_an_input():
    x = cconv.Input((4,))
    hidden = layers.Dense(3, activation="tanh", name="hidden")(x)
    model = cconv.Model(x, layers.Dense(2, name="top")(hidden))
    data = numbers(5, 4)
    features = cconv.Model(model.inputs, model.get_layer("hidden").output)
    head = cconv.Model(hidden, model.output)
    np.testing.assert_array_equal(head(features(data)), model(data))
    np.testing.assert_array_equal(copy(head)(features(data)), model(data))
    assert head.weights[0] is model.get_layer("top").kernel


def test_an_output_may_be_an_input():
    x = cconv.Input((4,))
    model = cconv.Model(x, [x, layers.Dense(2)(x)])
    data = numbers(3, 4)
    np.testing.assert_array_equal(model(data)[0], data)


def test_layers_are_listed_as_in_keras():
    # by depth, the longest way to an output; then as the walk from the outputs met them
    model = branched()
    assert [layer.name for layer in model.layers] == ["a", "conv", "mean", "max", "b", "join", "first", "second"]


def test_training_reaches_the_layers():
    x = cconv.Input((200,))
    model = cconv.Model(x, layers.Dropout(0.5)(x))
    data = np.ones((2, 200))
    np.testing.assert_array_equal(model(data), data)
    assert (model(data, training=True) == 0).any()
    always = cconv.Model(x, layers.Dropout(0.5)(x, training=True))
    assert (always(data) == 0).any()


def test_freezing_a_model_freezes_its_layers():
    model = branched()
    model.trainable = False
    assert model.trainable_weights == [] and len(model.non_trainable_weights) == 6
    model.trainable = True
    model.get_layer("conv").trainable = False
    assert len(model.trainable_weights) == 4


def test_missing_last_axes_of_size_one_are_added():
    x = cconv.Input((28, 28, 1))
    model = cconv.Model(x, layers.GlobalMaxPooling2D()(x))
    assert model(numbers(2, 28, 28)).shape == (2, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x, y: cconv.Model(x, 3), "outputs=3"),
        (lambda x, y: cconv.Model([x, x], y), "must differ"),
        (lambda x, y: cconv.Model(cconv.Input((4,)), y), "disconnected"),
        (lambda x, y: cconv.Model(x, []), "at least one"),
        (
            lambda x, y: cconv.Model(x, layers.Dense(2, name="same")(layers.Dense(2, name="same")(x))),
            '"same" is used 2',
        ),
        (lambda x, y: cconv.Model(x, y)(numbers(2, 5)), r"expected shape=\(None, 4\), found shape=\(2, 5\)"),
        (lambda x, y: cconv.Model(x, y)([numbers(2, 4)] * 2), r"expected 1 input.*Received 2"),
        (lambda x, y: cconv.Model(x, y).get_layer("none"), "No such layer: none. Existing layers are"),
        (lambda x, y: cconv.Model(x, y).get_layer(index=9), "index 9 but model only has 2"),
        (lambda x, y: cconv.Model(x, y).get_layer(), "either a layer name or layer index"),
    ],
)
def test_wrong_use(make, message):
    x = cconv.Input((4,))
    with pytest.raises(ValueError, match=message):
        make(x, layers.Dense(2)(x))


def test_a_damaged_configuration_is_refused():
    config = json.loads(json.dumps(cconv.saving.serialize_object(branched())))
    broken = json.loads(json.dumps(config))
    broken["config"]["output_layers"] = [["nowhere", 0, 0]]
    with pytest.raises(ValueError, match="nowhere"):
        cconv.saving.deserialize_object(broken)
    broken = json.loads(json.dumps(config))
    broken["config"]["layers"] = broken["config"]["layers"][1:]
    with pytest.raises(ValueError):
        cconv.saving.deserialize_object(broken)
    broken = json.loads(json.dumps(config))
    conv = next(layer for layer in broken["config"]["layers"] if layer["name"] == "conv")
    conv["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["first", 0, 0]
    with pytest.raises(ValueError, match="need each other"):
        cconv.saving.deserialize_object(broken)


def test_a_subclass_may_be_functional():
    class Classifier(cconv.Model):
        def __init__(self, classes):
            x = cconv.Input((4,))
            super().__init__(x, layers.Dense(classes)(x))
            self.classes = classes

    model = Classifier(3)
    assert model.output_shape == (None, 3) and model.classes == 3
    assert model(numbers(2, 4)).shape == (2, 3)
    assert isinstance(model, Classifier) and isinstance(model, cconv.Functional)


SUMMARY = """\
Model: "branches"
┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃ Connected to      ┃
┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩
│ a (InputLayer)      │ (None, 8)         │          0 │ -                 │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ left (Dense)        │ (None, 1000)      │      9,000 │ a[0][0]           │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ batch_normalizatio… │ (None, 8)         │         32 │ a[0][0]           │
│ (BatchNormalizatio… │                   │            │                   │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ join (Concatenate)  │ (None, 1008)      │          0 │ left[0][0],       │
│                     │                   │            │ batch_normalizat… │
└─────────────────────┴───────────────────┴────────────┴───────────────────┘
 Total params: 9,032 (35.28 KB)
 Trainable params: 9,016 (35.22 KB)
 Non-trainable params: 16 (64.00 B)"""


def branches():
    x = cconv.Input((8,), name="a")
    left = layers.Dense(1000, name="left")(x)
    normal = layers.BatchNormalization(name="batch_normalization_with_a_name")(x)
    return cconv.Model(x, layers.Concatenate(name="join")([left, normal]), name="branches")


def test_summary_is_keras_table():
    lines = []
    branches().summary(print_fn=lines.append, line_length=76)
    assert "\n".join(lines) == SUMMARY


def test_summary_survives_any_stdout(monkeypatch, capsys):
    model = branches()
    model.summary()
    assert "Total params: 9,032" in capsys.readouterr().out
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stdout", narrow)
    model.summary()
    narrow.seek(0)
    text = narrow.read()
    assert "| join (Concatenate)" in text and "?" not in text
    monkeypatch.setattr("sys.stdout", None)
    model.summary()
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr("sys.stdout", closed)
    model.summary()


def test_summary_options():
    inner = cconv.Sequential([cconv.Input((4,)), layers.Dense(3, name="inside")], name="inner")
    x = cconv.Input((4,))
    model = cconv.Model(x, layers.Dense(2, trainable=False, name="frozen")(inner(x)))
    text = []
    model.summary(print_fn=text.append, expand_nested=True, show_trainable=True, line_length=100)
    assert "└ inside (Dense)" in text[0] and " N " in text[0] and " Y " in text[0]
    with pytest.raises(ValueError, match="width"):
        model.summary(line_length=10)
    with pytest.raises(ValueError, match="layer_range"):
        model.summary(layer_range=["nothing", "frozen"])
    model.summary(layer_range=["inner", "frozen"], print_fn=text.append)
    assert "input_layer" not in text[1]
