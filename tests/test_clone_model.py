"""`clone_model`: new layers of the same structure, by every way to say how."""

import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.models import clone_model


def graph():
    """A functional model with two inputs, a shared layer, a nested model and an operation."""
    a, b = cconv.Input((6, 6, 2), name="a"), cconv.Input((6, 6, 2), name="b")
    shared = layers.Conv2D(3, 3, name="shared")
    inner = cconv.Sequential([cconv.Input((4, 4, 3)), layers.Flatten(), layers.Dense(4, name="inner_dense")], name="in")
    joined = layers.Add(name="add")([inner(shared(a)), inner(shared(b))])
    return cconv.Model({"a": a, "b": b}, {"y": layers.Dense(2, name="last")(joined * 2.0), "z": joined}, name="graph")


def stack():
    return cconv.Sequential([cconv.Input((5,)), layers.Dense(4, name="d"), layers.ReLU(name="r")], name="stack")


DATA = {"a": np.ones((2, 6, 6, 2), "float32"), "b": np.full((2, 6, 6, 2), 2, "float32")}


def test_the_clone_computes_the_same_with_weights_of_its_own():
    model = graph()
    clone = clone_model(model)
    assert clone.name == "graph" and [x.name for x in clone.layers] == [x.name for x in model.layers]
    assert not set(map(id, clone.variables)) & set(map(id, model.variables))
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])
    clone.set_weights(model.get_weights())
    y, z = model.predict(DATA, verbose=0), clone.predict(DATA, verbose=0)
    assert set(y) == {"y", "z"} and all(np.array_equal(y[key], z[key]) for key in y)
    # one shared layer stays one
    assert len(clone.weights) == len(model.weights)


def test_a_clone_is_not_compiled():
    model = stack()
    model.compile("sgd", "mse")
    assert not clone_model(model).compiled


@pytest.mark.parametrize("make", [graph, stack])
def test_clone_function_gives_the_layers(make):
    seen = []

    def wider(layer):
        seen.append(layer.name)
        config = layer.get_config()
        if layer.name in ("last", "d"):
            config["units"] = 7
        return type(layer).from_config(config)

    clone = clone_model(make(), clone_function=wider)
    assert "inner_dense" not in seen and set(seen) <= {x.name for x in make().layers}
    assert 7 in [x.units for x in clone.layers if hasattr(x, "units")]


def test_recursive_goes_into_models():
    seen = []

    def note(layer):
        seen.append(layer.name)
        return type(layer).from_config(layer.get_config())

    clone_model(graph(), clone_function=note, recursive=True)
    assert "inner_dense" in seen and "in" not in seen


def test_call_function_makes_the_calls():
    def twice(layer, *args, **kwargs):
        y = layer(*args, **kwargs)
        return layers.Rescaling(2.0)(y) if layer.name == "last" else y

    model = graph()
    clone = clone_model(model, call_function=twice)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(DATA, verbose=0)["y"], 2 * model.predict(DATA, verbose=0)["y"])


def test_input_tensors():
    model = stack()
    clone = clone_model(model, input_tensors=cconv.Input((5,), name="mine"))
    assert clone.input_names == ["mine"]
    made = layers.Dense(5)(cconv.Input((3,)))
    x = cconv.Input((5,))
    functional = cconv.Model(x, layers.Dense(2, name="d")(x))
    assert clone_model(functional, input_tensors=made).input_shape == (None, 5)
    named = {"a": cconv.Input((6, 6, 2), name="p"), "b": cconv.Input((6, 6, 2), name="q")}
    assert clone_model(graph(), input_tensors=named).input_names == ["p", "q"]


def test_unbuilt_and_frozen():
    model = cconv.Sequential([layers.Dense(2), layers.Dense(1, trainable=False)])
    clone = clone_model(model)
    assert not clone.built and [x.trainable for x in clone.layers] == [True, False]
    assert clone_model(model, input_tensors=cconv.Input((3,))).built


class Custom(cconv.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units)

    def call(self, x):
        return self.dense(x)


def test_a_class_of_the_users():
    model = Custom(3)
    model(np.zeros((1, 2), "float32"))
    clone = clone_model(model)
    assert type(clone) is Custom and clone.units == 3 and clone.dense is not model.dense


ONE = cconv.Input((5,))
WRONG = {
    "no model": (3, {}, ValueError, ["model", "3"]),
    "a layer": (layers.Dense(1), {}, ValueError, ["model", "Dense"]),
    "function": (stack(), {"clone_function": 3}, ValueError, ["clone_function", "3"]),
    "no layer": (stack(), {"clone_function": lambda x: None}, TypeError, ["clone_function", "'d'", "None"]),
    "calls of a stack": (stack(), {"call_function": print}, ValueError, ["call_function", "stack"]),
    "calls of a class": (Custom(1), {"clone_function": print}, ValueError, ["clone_function", "Custom"]),
    "numbers": (graph(), {"input_tensors": [1, 2]}, ValueError, ["input_tensors", "symbolic"]),
    "structure": (graph(), {"input_tensors": ONE}, ValueError, ["input_tensors", "structure"]),
    "two for a stack": (stack(), {"input_tensors": [ONE, ONE]}, ValueError, ["input_tensors", "single"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use(name):
    model, arguments, exception, words = WRONG[name]
    with pytest.raises(exception) as caught:
        clone_model(model, **arguments)
    assert all(word in str(caught.value) for word in words), caught.value
