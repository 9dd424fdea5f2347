"""SpectralNormalization beside Keras': configuration, order of weights, three training steps, files both ways."""

import keras
import numpy as np
import pytest

import cconv

from .training_alike import check_signature, random

X, Y = random((6, 6, 5, 3)), random((6, 2), 1)

#: wrapped layer, its arguments, power_iterations, shape of the input
CASES = [
    ("Dense", {"units": 4}, 1, (5,)),
    ("Conv2D", {"filters": 4, "kernel_size": (2, 3), "activation": "relu"}, 2, (6, 5, 3)),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "data_format": "channels_first"}, 1, (3, 5, 6)),
    ("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "same", "use_bias": False}, 3, (7, 2)),
    ("Conv3D", {"filters": 2, "kernel_size": 2}, 1, (3, 4, 3, 2)),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2}, 1, (4, 3, 2)),
    ("DepthwiseConv2D", {"kernel_size": 3}, 1, (5, 5, 3)),
    ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (3, 4), "bias_axes": "d"}, 2, (3, 5)),
]


def model_of(library, name, arguments, power_iterations, shape):
    layer = library.layers.SpectralNormalization(getattr(library.layers, name)(**arguments), power_iterations)
    model = library.Sequential([library.Input(shape), layer, library.layers.Flatten(), library.layers.Dense(2)])
    model.compile(library.optimizers.SGD(0.1, momentum=0.9), "mse")
    return model


@pytest.mark.parametrize("name, arguments, power_iterations, shape", CASES, ids=[case[0] for case in CASES])
def test_numbers_after_three_steps(name, arguments, power_iterations, shape):
    ours, theirs = (model_of(library, name, arguments, power_iterations, shape) for library in (cconv, keras))
    assert [w.name for w in ours.layers[0].weights] == [w.name for w in theirs.layers[0].weights]
    assert [w.trainable for w in ours.weights] == [w.trainable for w in theirs.weights]
    a, b = (model.layers[0].get_config() for model in (ours, theirs))
    assert set(a) == set(b) and a["power_iterations"] == b["power_iterations"]
    again = cconv.saving.deserialize_object(keras.saving.serialize_keras_object(theirs.layers[0]))
    assert type(again.layer).__name__ == name and again.power_iterations == power_iterations
    ours.set_weights(theirs.get_weights())
    x, y = random((4, *shape)), random((4, 2), 1)
    for _ in range(3):
        np.testing.assert_allclose(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), rtol=1e-4)
    for w, a, b in zip(ours.weights, ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=w.path)
    np.testing.assert_allclose(ours.predict_on_batch(x), theirs.predict_on_batch(x), rtol=1e-4, atol=1e-5)


def discriminator(library):
    L = library.layers
    model = library.Sequential(
        [library.Input((6, 5, 3)), L.SpectralNormalization(L.Conv2D(4, 3, strides=2), 2), L.LeakyReLU(),
         L.Flatten(), L.SpectralNormalization(L.Dense(2))]
    )  # fmt: skip
    model.compile(adam(library), "mse")
    return model


def adam(library):
    """Its epsilon is above the rounding of gradients, which a step divided by a tiny gradient would show."""
    return library.optimizers.Adam(0.02, epsilon=1e-3)


@pytest.mark.parametrize("form", ["keras", "weights.h5"])
def test_files_go_both_ways_and_training_continues(form, tmp_path):
    path = str(tmp_path / f"model.{form}")
    for one, other in ((keras, cconv), (cconv, keras)):
        model = discriminator(one)
        model.train_on_batch(X, Y)
        if form == "keras":
            model.save(path)
            again = other.models.load_model(path)
        else:
            model.save_weights(path)
            again = discriminator(other)
            again.load_weights(path)
            for library, m in ((one, model), (other, again)):  # weights alone: both begin with a new optimizer
                m.compile(adam(library), "mse")
        np.testing.assert_allclose(again.train_on_batch(X, Y), model.train_on_batch(X, Y), rtol=1e-4)
        for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_what_is_refused_as_there():
    check_signature("SpectralNormalization")
    for library in (cconv, keras):
        with pytest.raises(ValueError, match="has no attribute 'kernel' nor 'embeddings'"):
            library.layers.SpectralNormalization(library.layers.ReLU()).build((None, 3))
        with pytest.raises(ValueError, match="should be greater than zero"):
            library.layers.SpectralNormalization(library.layers.Dense(3), power_iterations=0)
        with pytest.raises(ValueError, match="isn't a supported layer type"):
            library.layers.SpectralNormalization(3)


def test_a_trained_variable_that_call_assigns():
    """The optimizer changes the assigned value, by the gradient of what was read after the assignment."""

    def model(library):
        class Halving(library.layers.Layer):
            def build(self, shape):
                self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

            def call(self, x, training=False):
                if training:
                    self.scale.assign(self.scale * 0.5 + 0.25)
                return x * self.scale

            def compute_output_shape(self, shape):
                return shape

        made = library.Sequential([library.Input((2,)), Halving(), library.layers.Dense(2)])
        made.compile(library.optimizers.SGD(0.1, momentum=0.9), "mse")
        return made

    ours, theirs = model(cconv), model(keras)
    ours.set_weights(theirs.get_weights())
    for _ in range(3):
        np.testing.assert_allclose(ours.train_on_batch(Y, Y), theirs.train_on_batch(Y, Y), rtol=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
