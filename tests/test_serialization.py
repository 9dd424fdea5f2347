"""Configurations of objects: exact round trips, and a registry that a file cannot get out of."""

import importlib
import json
import os

import numpy as np
import pytest

import cconv
from cconv import saving


class Scale:
    def __init__(self, factor=1.0):
        self.factor = factor

    def get_config(self):
        return {"factor": self.factor}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def double(x):
    return 2 * x


@pytest.fixture(autouse=True)
def clean_registry():
    before = dict(saving.get_custom_objects())
    yield
    saving.get_custom_objects().clear()
    saving.get_custom_objects().update(before)


def through_json(item, custom_objects=None):
    return saving.deserialize_object(json.loads(json.dumps(saving.serialize_object(item))), custom_objects)


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 2.5, "text", [1, [2.0, None]], {"a": {"b": [1]}}, b"bytes", ..., slice(1, None, 2), 1e-7, -0.1],
)
def test_plain_values_come_back_equal(value):
    assert through_json(value) == value


def test_numpy_scalars_become_plain_and_arrays_come_back_with_their_type():
    assert through_json(np.float32(0.5)) == 0.5 and type(saving.serialize_object(np.int64(3))) is int
    for dtype in (np.float32, np.int64, np.bool_):
        array = np.array([[0, 1], [1, 0]], dtype)
        back = through_json(array)
        assert back.dtype == dtype
        np.testing.assert_array_equal(back, array)


OWN = {
    "GlorotUniform": lambda: cconv.initializers.GlorotUniform(seed=3),
    "Constant": lambda: cconv.initializers.Constant(0.5),
    "L2": lambda: cconv.regularizers.L2(0.01),
    "CategoricalCrossentropy": lambda: cconv.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    "SparseCategoricalAccuracy": lambda: cconv.metrics.SparseCategoricalAccuracy(name="acc"),
    "Adam": lambda: cconv.optimizers.Adam(learning_rate=0.01, amsgrad=True, clipnorm=1.0),
    "SGD": lambda: cconv.optimizers.SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
    "Conv2D": lambda: cconv.layers.Conv2D(8, (3, 5), strides=2, padding="same", activation="relu", name="c"),
    "BatchNormalization": lambda: cconv.layers.BatchNormalization(momentum=0.9, epsilon=1e-5),
    "MaxPooling2D": lambda: cconv.layers.MaxPooling2D((2, 3)),
    "ExponentialDecay": lambda: cconv.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9),
}


@pytest.mark.parametrize("name", OWN)
def test_own_objects_come_back_with_the_same_configuration_under_keras_module_names(name):
    item = OWN[name]()
    config = saving.serialize_object(item)
    assert config["class_name"] == name
    assert config["module"].startswith("keras.") and config["registered_name"] is None
    back = through_json(item)
    assert type(back) is type(item)
    assert json.dumps(saving.serialize_object(back)) == json.dumps(config)


def test_registered_class_and_function_come_back():
    saving.register_serializable("mine")(Scale)
    saving.register_serializable(double)
    config = saving.serialize_object(Scale(3.0))
    assert config["registered_name"] == "mine>Scale" and config["class_name"] == "Scale"
    assert through_json(Scale(3.0)).factor == 3.0
    assert through_json(double) is double
    assert saving.get_registered_object("mine>Scale") is Scale
    assert saving.get_registered_name(double) == "Custom>double"


def test_custom_objects_and_scope_are_known_only_where_they_are_given():
    class Own(Scale):
        pass

    config = saving.serialize_object(Own(2.0))
    assert saving.deserialize_object(config, {"Own": Own}).factor == 2.0
    with saving.CustomObjectScope({"Own": Own}):
        assert saving.deserialize_object({"list": [config]})["list"][0].factor == 2.0
    with pytest.raises(ValueError, match=r"Unknown class 'Own'.*register_serializable.*custom_objects=\{'Own'"):
        saving.deserialize_object(config)


@pytest.mark.parametrize(
    "config",
    [
        {"module": "os", "class_name": "system", "config": {"command": "touch FILE"}, "registered_name": None},
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["touch", "FILE"]}},
        {"module": "builtins", "class_name": "eval", "config": {"source": "open('FILE', 'w')"}},
        {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"},
        {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
        {"module": "keras.layers", "class_name": "function", "config": "np", "registered_name": "function"},
        {"module": "cconv.layers.layer", "class_name": "inspect", "config": {}},
        {"module": "keras.models", "class_name": "load_model", "config": {"path": "FILE"}},
        {
            "module": "keras.utils",
            "class_name": "get_file",
            "config": {"fname": "FILE", "origin": "file:///etc/passwd"},
        },
        {"module": "keras.layers", "class_name": "__class__", "config": {}},
        {"module": "keras.layers", "class_name": "__builtins__", "config": {}},
        {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}},
        {"module": "keras.layers", "class_name": "Lambda", "config": {"function": {"class_name": "__lambda__"}}},
        {"class_name": "__typespec__", "config": [], "module": "os", "spec_name": "system", "registered_name": None},
        {"module": ["os"], "class_name": "system", "config": {}},
        {"module": "x", "class_name": ["system"], "config": {}},
        {"module": "keras.layers", "class_name": "Dense", "config": "units"},
        {"module": "keras.layers", "class_name": "Dense", "config": {"units": {"a": 1}, "surprise": 1}},
        {"class_name": "__numpy__", "config": {"value": ["x"], "dtype": "object"}},
    ],
)
def test_configuration_cannot_name_code(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"(?s).+"):
        saving.deserialize_object(config)
    assert os.listdir(tmp_path) == []


def test_unknown_module_is_never_imported(tmp_path, monkeypatch):
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')\nclass Trap: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for module in ("trap", "keras.trap", "cconv.trap"):
        with pytest.raises(ValueError, match="Unknown class 'Trap'"):
            saving.deserialize_object({"module": module, "class_name": "Trap", "config": {}})


@pytest.mark.parametrize("name", ["serialize_object", "register_public", "to_snake_case", "annotations"])
def test_only_public_names_of_a_module_can_be_named(name):
    for module in ("builtins", "keras.losses", "keras.metrics", "cconv.initializers", "keras.ops"):
        with pytest.raises(ValueError, match="Unknown function"):
            saving.deserialize_object({"module": module, "class_name": "function", "config": name})


@pytest.mark.parametrize(
    "family",
    ["activations", "constraints", "initializers", "layers", "losses", "metrics", "models", "ops", "optimizers",
     "optimizers.schedules", "regularizers"],
)  # fmt: skip
def test_every_public_class_and_function_is_found_by_its_name(family):
    module = importlib.import_module(f"cconv.{family}")
    public = [(name, item) for name in module.__all__ if callable(item := getattr(module, name)) and name != "Lambda"]
    assert len(public) > 5
    for name, item in public:
        config = {"module": f"keras.{family}", "class_name": "function", "config": name}
        assert saving.deserialize_object(config) is item


def test_what_cannot_be_saved_says_why():
    with pytest.raises(ValueError, match="lambda cannot be saved.*named function"):
        saving.serialize_object({"activation": lambda x: x})
    with pytest.raises(TypeError, match="needs a `get_config"):
        saving.serialize_object(object())
    with pytest.raises(ValueError, match="get_config"):
        saving.register_serializable("mine")(object)


def test_one_object_met_twice_is_one_object_again():
    saving.register_serializable("mine")(Scale)
    shared = Scale(2.0)
    with saving.object_sharing_scope():
        config = json.loads(json.dumps(saving.serialize_object([shared, Scale(2.0), shared])))
    with saving.object_sharing_scope():
        first, second, third = saving.deserialize_object(config)
    assert first is third and first is not second


@pytest.mark.parametrize("item", [7, (1, 1), "name", None])
def test_only_classes_and_functions_have_registered_names(item):
    with pytest.raises(TypeError, match="class or a function"):
        saving.get_registered_name(item)
    if not isinstance(item, str):
        with pytest.raises(TypeError, match="class or a function"):
            saving.register_serializable(item)
