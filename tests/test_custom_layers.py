"""Layers and models that users write."""

import copy
import json
import pickle
import threading

import numpy as np
import pytest

import cconv
from cconv import layers, ops


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


class Scale(layers.Layer):
    def __init__(self, start=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        self.factor = self.add_weight(
            shape=(input_shape[-1],), initializer=cconv.initializers.Constant(self.start), name="factor"
        )

    def call(self, x):
        return x * self.factor


def test_build_call_and_path():
    layer = Scale(2.0, name="scale")
    x = numbers(3, 4)
    np.testing.assert_allclose(layer(x), 2 * x, rtol=1e-6)
    assert [w.path for w in layer.weights] == ["scale/factor"] and layer.count_params() == 4
    layer.factor.assign(np.zeros(4))
    np.testing.assert_array_equal(layer(x), np.zeros((3, 4)))


def test_arguments_are_remembered_as_configuration():
    layer = Scale(3.0, name="s")
    assert layer.get_config()["start"] == 3.0
    again = Scale.from_config(layer.get_config())
    assert again.start == 3.0 and again.name == "s"

    class Needs(layers.Layer):
        def __init__(self, function):
            super().__init__()
            self.function = function

    with pytest.raises(NotImplementedError, match=r"Needs.*function=.*get_config"):
        Needs(len).get_config()


def test_works_in_models_and_comes_back():
    x = cconv.Input((4,))
    model = cconv.Model(x, Scale(2.0)(layers.Dense(3)(x)))
    config = json.loads(json.dumps(cconv.saving.serialize_object(model)))
    again = cconv.saving.deserialize_object(config, custom_objects={"Scale": Scale})
    again.set_weights(model.get_weights())
    data = numbers(2, 4)
    np.testing.assert_array_equal(model(data), again(data))


class Block(layers.Layer):
    def __init__(self, width):
        super().__init__()
        self.steps = [layers.Dense(width), layers.Dense(width)]
        self.by_name = {"norm": layers.BatchNormalization()}
        self.drop = layers.Dropout(0.5)

    def call(self, x, training=None):
        for step in self.steps:
            x = ops.relu(step(x))
        return self.drop(self.by_name["norm"](x), training=training)


def test_layers_inside_lists_and_dictionaries_are_found():
    block = Block(3)
    assert block(numbers(2, 4)).shape == (2, 3)
    assert len(block.weights) == 8 and len(block.trainable_weights) == 6
    assert all(w.path.startswith(f"{block.name}/") for w in block.weights)
    block.trainable = False
    assert block.trainable_weights == [] and not block.steps[0].trainable


def test_training_is_handed_down():
    seen = []

    class Spy(layers.Layer):
        def call(self, x, training=None):
            seen.append(training)
            return x + 0

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.spy = Spy()

        def call(self, x):
            return self.spy(x)

    outer = Outer()
    outer(np.ones((1, 2)), training=True)
    outer(np.ones((1, 2)))
    assert seen == [True, False]


def test_variables_as_attributes():
    class Shift(layers.Layer):
        def __init__(self):
            super().__init__()
            self.shift = cconv.Variable(np.ones(2), name="shift")

        def call(self, x):
            return x + self.shift

    layer = Shift()
    assert [v.name for v in layer.trainable_weights] == ["shift"]
    np.testing.assert_allclose(layer(np.zeros((1, 2))), [[1, 1]])


def test_several_inputs_and_outputs():
    class SumAndDifference(layers.Layer):
        def build(self, a_shape, b_shape):
            assert tuple(a_shape) == tuple(b_shape)

        def call(self, a, b):
            return {"sum": a + b, "difference": a - b}

    a, b = numbers(2, 3), numbers(2, 3, seed=1)
    result = SumAndDifference()(a, b)
    np.testing.assert_allclose(result["sum"], a + b, rtol=1e-6)
    x, y = cconv.Input((3,)), cconv.Input((3,))
    model = cconv.Model([x, y], SumAndDifference()(x, b=y)["difference"])
    np.testing.assert_allclose(model([a, b]), a - b, rtol=1e-6)


def test_operations_on_weights_alone_are_traced():
    class Normalized(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], 2), name="w")

        def call(self, x):
            return x @ (self.w / ops.sqrt(ops.sum(ops.square(self.w), axis=0)))

    layer = Normalized()
    x = numbers(3, 4)
    y = layer(x)
    w = layer.w.numpy()
    np.testing.assert_allclose(y, x @ (w / np.linalg.norm(w, axis=0)), rtol=1e-5, atol=1e-6)


def test_errors_name_the_layer():
    class Wrong(layers.Layer):
        def call(self, x):
            return ops.matmul(x, np.ones((7, 2)))

    with pytest.raises(ValueError, match="wrong_one"):
        Wrong(name="wrong_one")(cconv.Input((4,)))


def test_python_decisions_on_symbolic_values_are_refused():
    class Branch(layers.Layer):
        def call(self, x):
            return x if ops.sum(x) > 0 else -x

    with pytest.raises(TypeError, match="ops.where"):
        Branch()(np.ones((1, 2)))

    class WithNumPy(layers.Layer):
        def call(self, x):
            return np.exp(x)

    with pytest.raises(TypeError):
        WithNumPy()(np.ones((1, 2)))


def test_add_loss():
    class Penalty(layers.Layer):
        def call(self, x):
            self.add_loss(ops.mean(ops.square(x)))
            return x

    x = cconv.Input((4,))
    model = cconv.Model(x, Penalty()(layers.Dense(2)(x)))
    with cconv.scope.tracing():
        model(x, training=True)
    assert len(model.losses_for_tracing()) == 1


class Autoencoder(cconv.Model):
    def __init__(self, width=2, **kwargs):
        super().__init__(**kwargs)
        self.encoder = layers.Dense(width, activation="relu")
        self.decoder = layers.Dense(4)

    def call(self, x, training=None):
        return self.decoder(self.encoder(x))


def test_subclassed_models():
    model = Autoencoder(name="auto")
    assert model.inputs is None and not model.built
    assert model(numbers(3, 4)).shape == (3, 4)
    assert model.built and [w.path for w in model.weights] == [
        "auto/dense/kernel".replace("dense", model.encoder.name),
        "auto/dense/bias".replace("dense", model.encoder.name),
        "auto/dense/kernel".replace("dense", model.decoder.name),
        "auto/dense/bias".replace("dense", model.decoder.name),
    ]
    assert model.layers == [model.encoder, model.decoder]
    text = []
    model.summary(print_fn=text.append)
    assert "Total params: 22" in text[0]
    again = Autoencoder.from_config(model.get_config())
    assert again.name == "auto"


def test_copies_are_independent():
    layer = Scale(2.0)
    layer(np.ones((1, 3)))
    other = copy.deepcopy(layer)
    other.factor.assign(np.zeros(3))
    assert layer.factor.numpy().tolist() == [2, 2, 2]
    np.testing.assert_array_equal(other(np.ones((1, 3))), np.zeros((1, 3)))


def test_layers_run_in_several_threads():
    layer = Scale(2.0)
    layer(np.ones((1, 3)))
    wrong = []

    def work(value):
        for _ in range(20):
            if not np.array_equal(layer(np.full((2, 3), value)), np.full((2, 3), 2 * value, np.float32)):
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(float(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_names_are_numbered():
    first, second = Scale(), Scale()
    assert first.name != second.name and first.name.startswith("scale")
    assert cconv.naming.to_snake_case("MaxPooling2D") == "max_pooling2d"
    assert cconv.naming.to_snake_case("MyHTTPLayer") == "my_http_layer"


def test_weights_keep_their_values_when_pickled():
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(2)])
    again = pickle.loads(pickle.dumps(model.get_weights()))
    model.set_weights(again)


def test_training_may_be_given_by_place():
    layer = layers.Dropout(0.5)
    x = np.ones((1, 100))
    assert (layer(x, True) == 0).any() and not (layer(x, False) == 0).any()


def test_build_makes_the_weights_of_a_subclassed_model():
    model = Autoencoder()
    model.build((None, 4))
    assert model.built and model.count_params() == 22
    assert model.get_build_config() == {"input_shape": (None, 4)}


def test_a_subclass_without_init_may_be_functional():
    class Plain(cconv.Model):
        def double(self, x):
            return 2 * self(x)

    x = cconv.Input((4,))
    model = Plain(x, layers.Dense(2)(x), name="plain")
    data = numbers(3, 4)
    assert isinstance(model, cconv.Functional) and model.output_shape == (None, 2)
    again = Plain.from_config(cconv.saving.serialize_object(model)["config"])
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.double(data), 2 * model(data))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_models_can_be_copied_and_pickled(duplicate):
    x = cconv.Input((4,))
    functional = cconv.Model(x, Scale(2.0)(layers.Dense(3)(x + 1)))
    sequential = cconv.Sequential([cconv.Input((4,)), layers.Dense(2), Scale(3.0)])
    sequential.compile("adam", "mse")
    subclassed = Autoencoder()
    data = numbers(3, 4)
    for model in (functional, sequential, subclassed):
        expected = model(data)
        again = duplicate(model)
        np.testing.assert_array_equal(again(data), expected)
        again.set_weights([0 * w for w in again.get_weights()])
        np.testing.assert_array_equal(model(data), expected)
    assert duplicate(sequential).compiled


def test_subclassed_models_are_saved_and_loaded(tmp_path):
    model = Autoencoder()
    data = numbers(3, 4)
    expected = model(data)
    model.save(tmp_path / "model.keras")
    again = cconv.models.load_model(tmp_path / "model.keras", custom_objects={"Autoencoder": Autoencoder})
    np.testing.assert_array_equal(again(data), expected)


def test_every_call_of_a_shared_layer_counts_its_penalty():
    x = cconv.Input((4,))
    shared = layers.Dense(4, activity_regularizer="l2")
    model = cconv.Model(x, shared(shared(x)))
    for _ in range(2):
        with cconv.scope.tracing():
            model(x, training=True)
        assert len(model.losses_for_tracing()) == 2
