"""Sequential models: adding, taking off, building early and late, configurations."""

import json

import numpy as np
import pytest

import cconv
from cconv import layers


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_built_from_an_input():
    model = cconv.Sequential([cconv.Input((8, 8, 1)), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(10)])
    assert model.built and model.output_shape == (None, 10)
    assert [type(layer).__name__ for layer in model.layers] == ["Conv2D", "Flatten", "Dense"]
    assert model(numbers(2, 8, 8, 1)).shape == (2, 10)
    assert model.weights[0].path == f"{model.name}/{model.layers[0].name}/kernel"


def test_built_from_the_first_data():
    model = cconv.Sequential([layers.Dense(3), layers.Dense(2)])
    assert not model.built and model.inputs is None and model.weights == []
    assert model(numbers(2, 5)).shape == (2, 2)
    assert model.built and model.input_shape == (None, 5) and len(model.weights) == 4
    assert model(numbers(7, 5)).shape == (7, 2)
    with pytest.raises(ValueError, match=r"expected axis -1 .* value 5, .* shape \(2, 6\)"):
        model(numbers(2, 6))


def test_build_by_hand():
    model = cconv.Sequential([layers.Dense(3)])
    model.build((None, 4))
    assert model.count_params() == 15
    with pytest.raises(ValueError, match="no layers"):
        cconv.Sequential().build((None, 4))


def test_add_and_pop():
    model = cconv.Sequential()
    model.add(cconv.Input((4,)))
    model.add(layers.Dense(3))
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2)
    top = model.pop()
    assert top.units == 2 and model.output_shape == (None, 3)
    model.add(layers.Dense(5))
    assert model.output_shape == (None, 5) and model(numbers(1, 4)).shape == (1, 5)
    kernel = model.layers[0].kernel
    model.pop()
    assert model.weights[0] is kernel


def test_functions_become_layers():
    model = cconv.Sequential([cconv.Input((3,)), lambda x: x * 2])
    np.testing.assert_allclose(model(np.ones((1, 3))), [[2, 2, 2]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cconv.Sequential([3]), "Received: 3"),
        (lambda: cconv.Sequential([layers.Dense]), "class Dense"),
        (lambda: cconv.Sequential([layers.Dense(1, name="d"), layers.Dense(1, name="d")]), "unique names. Name 'd'"),
        (lambda: cconv.Sequential([cconv.Input((2,)), cconv.Input((3,))]), r"input shape \(None, 2\)"),
        (lambda: cconv.Sequential([layers.Dense(1), cconv.Input((3,))]), "first layer"),
        (lambda: cconv.Sequential().pop(), "no layers"),
        (lambda: cconv.Sequential([cconv.Input((2,)), layers.Conv2D(1, 1, name="c")]), "'c'.*expected ndim=4"),
    ],
)
def test_wrong_use(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_failed_add_does_not_break_the_model():
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(3)])
    with pytest.raises(ValueError, match="expected ndim=4"):
        model.add(layers.Conv2D(1, 1))
    assert model.built and model(numbers(2, 4)).shape == (2, 3) and len(model.layers) == 1


@pytest.mark.parametrize("built", [True, False])
def test_comes_back_from_its_configuration(built):
    model = cconv.Sequential([layers.Dense(3, activation="relu"), layers.Dropout(0.5), layers.Dense(2)], name="stack")
    if built:
        model.build((None, 4))
    config = json.loads(json.dumps(cconv.saving.serialize_object(model)))
    again = cconv.saving.deserialize_object(config)
    assert again.name == "stack" and again.built == built
    again.build((None, 4)) if not built else None
    model.build((None, 4)) if not built else None
    again.set_weights(model.get_weights())
    data = numbers(3, 4)
    np.testing.assert_array_equal(model(data), again(data))
    assert (
        json.loads(json.dumps(cconv.saving.serialize_object(again)))["config"]["layers"][-1]
        == (json.loads(json.dumps(cconv.saving.serialize_object(model)))["config"]["layers"][-1])
    )


def test_a_sequential_model_inside_another():
    inner = cconv.Sequential([layers.Dense(3), layers.Dense(2)])
    outer = cconv.Sequential([cconv.Input((4,)), inner, layers.Dense(1)])
    assert outer.output_shape == (None, 1) and len(outer.weights) == 6
    assert outer(numbers(2, 4)).shape == (2, 1)


def test_input_and_output_reach_into_other_models():
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(3, name="mid"), layers.Dense(2)])
    features = cconv.Model(model.input, model.get_layer("mid").output)
    data = numbers(2, 4)
    np.testing.assert_array_equal(features(data), model.layers[0](data))


def test_summary_before_and_after_building():
    model = cconv.Sequential([layers.Dense(3, name="first"), layers.Dense(2, name="second")], name="stack")
    text = []
    model.summary(print_fn=text.append)
    assert "0 (unbuilt)" in text[0] and "?" in text[0] and "Total params: 0 (0.00 B)" in text[0]
    model.build((None, 4))
    model.summary(print_fn=text.append)
    assert "(None, 3)" in text[1] and "Total params: 23 (92.00 B)" in text[1]
    assert "InputLayer" not in text[1] and 'Model: "stack"' in text[1]


def test_adding_calls_each_layer_once():
    model = cconv.Sequential([cconv.Input((4,))])
    for _ in range(3):
        model.add(layers.Dense(2))
    model.pop()
    assert [len(layer._inbound_nodes) for layer in model.layers] == [1, 1]
    assert model.layers[0].output.shape == (None, 2)
