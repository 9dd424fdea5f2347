"""Layers with seed generators: what of them is in files, which open both ways. Keras stores no state of them either."""

import json

import h5py
import keras
import numpy as np
import pytest

import cconv

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def noisy(library):
    @library.saving.register_keras_serializable(package="seeds")
    class Noisy(library.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.generator = library.random.SeedGenerator(7)

        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

        def call(self, x, training=False):
            if training:
                x = x + library.random.normal(library.ops.shape(x), seed=self.generator)
            return x * self.scale

        def compute_output_shape(self, shape):
            return shape

    return Noisy


def model_of(library):
    L = library.layers
    model = library.Sequential(
        [library.Input((3,)), L.Dense(5), L.Dropout(0.5, seed=3), noisy(library)(), L.GaussianNoise(0.1), L.Dense(2)]
    )
    model.compile("sgd", "mse")
    return model


def names_of(path):
    names = []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


@pytest.mark.parametrize("form", ["keras", "weights.h5"])
def test_files_open_both_ways(form, tmp_path):
    for writer, reader in ((keras, cconv), (cconv, keras)):
        path = str(tmp_path / f"{writer.__name__}.{form}")
        model, other = model_of(writer), model_of(reader)
        model.train_on_batch(X, X[:, :2])
        if form == "keras":
            model.save(path)
            other = reader.models.load_model(path)
        else:
            model.save_weights(path)
            other.load_weights(path)
        np.testing.assert_allclose(other.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
        other.train_on_batch(X, X[:, :2])


def test_the_same_names_are_in_the_files(tmp_path):
    for library in (keras, cconv):
        model_of(library).save_weights(str(tmp_path / f"{library.__name__}.weights.h5"))
    assert names_of(tmp_path / "keras.weights.h5") == names_of(tmp_path / "cconv.weights.h5")


def test_configurations():
    ours, theirs = cconv.random.SeedGenerator(5, name="noise"), keras.random.SeedGenerator(5, name="noise")
    assert ours.get_config() == theirs.get_config() == {"seed": 5, "name": "noise"}
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(theirs)))
    again = cconv.saving.deserialize_object(written)
    assert isinstance(again, cconv.random.SeedGenerator) and again.get_config() == ours.get_config()
    written = json.loads(json.dumps(cconv.saving.serialize_object(ours)))
    assert keras.saving.deserialize_keras_object(written).get_config() == theirs.get_config()


def test_states():
    ours, theirs = cconv.random.SeedGenerator(5), keras.random.SeedGenerator(5)
    for _ in range(2):
        assert ours.state.shape == theirs.state.shape and ours.state.name == theirs.state.name
        assert ours.state.numpy().tolist() == theirs.state.numpy().tolist()
        ours.next(), theirs.next()
    other = cconv.random.SeedGenerator(2**64 - 1)
    other.next()
    ours.state.assign(other.state)
    assert ours.state.numpy().tolist() == [2**64 - 1, 1] and ours.next() == other.next()
    for state in ([0.5, 1.0], [-1, 0], [1, 2, 3]):
        with pytest.raises(ValueError):
            ours.state.assign(state)
    assert ours.state.numpy().tolist() == other.state.numpy().tolist()
