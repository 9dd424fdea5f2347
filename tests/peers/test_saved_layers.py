"""Layers made of other layers, and with state of their own, in files that the other library opens and trains on."""

import keras
import numpy as np
import pytest

import cconv

from .training_alike import random

LAYERS = {
    "multi-head attention": lambda k, x: k.layers.MultiHeadAttention(2, 2)(x, x),
    "gated attention": lambda k, x: k.layers.MultiHeadAttention(2, 2, use_gate=True)(x, x),
    "grouped attention": lambda k, x: k.layers.GroupQueryAttention(2, 4, 2, use_gate=True)(x, x),
    "attention": lambda k, x: k.layers.Attention(use_scale=True)([x, x]),
    "additive attention": lambda k, x: k.layers.AdditiveAttention()([x, x]),
    "time distributed": lambda k, x: k.layers.TimeDistributed(k.layers.Dense(3))(x),
    "model in time": lambda k, x: k.layers.TimeDistributed(k.Sequential([k.Input((5,)), k.layers.Dense(2)]))(x),
    "embedding": lambda k, x: k.layers.Embedding(9, 2)(k.ops.cast(k.ops.abs(x), "int32")),
    "einsum": lambda k, x: k.layers.EinsumDense("abc,cd->abd", (4, 3), bias_axes="d")(x),
    "dropout": lambda k, x: k.layers.SpatialDropout1D(0.0)(k.layers.Dropout(0.0)(x)),
    "quiet dropout": lambda k, x: k.layers.SpatialDropout1D(0.0)(k.layers.GaussianNoise(0.0)(x)),
    "pipeline": lambda k, x: k.layers.Pipeline([k.layers.Rescaling(0.5)])(k.layers.Reshape((4, 5, 1))(x)),
}
X, Y = random((6, 4, 5)), random((6, 2), 1)


def model_of(library, name):
    x = library.Input((4, 5))
    y = library.layers.Flatten()(LAYERS[name](library, library.layers.Dense(5)(x)))
    model = library.Model(x, library.layers.Dense(2)(y))
    model.compile(library.optimizers.SGD(0.01, momentum=0.9), "mse")
    return model


@pytest.mark.parametrize("one, other", [(keras, cconv), (cconv, keras)], ids=["from Keras", "to Keras"])
@pytest.mark.parametrize("name", LAYERS)
def test_saved_by_one_trained_by_the_other(name, one, other, tmp_path):
    model = model_of(one, name)
    model.train_on_batch(X, Y)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    weights = model_of(other, name)
    weights.load_weights(tmp_path / "model.weights.h5")
    for a, b in zip(weights.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    opened = other.saving.load_model(tmp_path / "model.keras")
    for m in (model, opened):
        m.train_on_batch(X, Y)
    for a, b in zip(opened.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5)


# of what Keras writes into such files it does not read everything itself: operations, and `Attention`
UNREAD = ("attention", "embedding")


@pytest.mark.parametrize("one, other", [(keras, cconv), (cconv, keras)], ids=["from Keras", "to Keras"])
@pytest.mark.parametrize("name", LAYERS)
def test_whole_models_in_one_hdf5_file(name, one, other, tmp_path):
    if other is keras and name in UNREAD:
        pytest.skip("Keras does not read its own either")
    model = model_of(one, name)
    model.save(tmp_path / "model.h5")
    opened = other.saving.load_model(tmp_path / "model.h5", compile=False)
    for a, b in zip(opened.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(*(m.predict(X, verbose=0) for m in (opened, model)), rtol=1e-4, atol=1e-5)


def test_an_embedding_of_whole_numbers_in_one_hdf5_file(tmp_path):
    x = np.array([[0, 3, 8]])
    model = keras.Sequential([keras.Input((3,), dtype="int32"), keras.layers.Embedding(9, 2)])
    model.save(tmp_path / "model.h5")
    opened = cconv.saving.load_model(tmp_path / "model.h5", compile=False)
    np.testing.assert_allclose(opened(x), keras.ops.convert_to_numpy(model(x)), rtol=1e-6)


OPERATIONS = {
    "quotient": lambda k, x: x / 2,
    "remainder": lambda k, x: x % 2 + x // 2,
    "power": lambda k, x: abs(x) ** 2,
    "reversed": lambda k, x: (1 - x) / (2 + k.ops.abs(x)),
    "comparison": lambda k, x: k.ops.where(x > 0, x, -x),
    "item": lambda k, x: x[:, 1:, ..., :2],
    "largest": lambda k, x: k.ops.amax(x, axis=1) - k.ops.amin(x, axis=1),
    "true divide": lambda k, x: k.ops.true_divide(x, 4),
    "gray": lambda k, x: k.ops.image.rgb_to_grayscale(x),
    "hues": lambda k, x: k.ops.image.rgb_to_hsv(x),
    "colors": lambda k, x: k.ops.image.hsv_to_rgb(x),
    "product": lambda k, x: x @ k.ops.swapaxes(x, -1, -2),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_between_layers(name, tmp_path):
    x = np.random.default_rng(0).random((2, 4, 5, 3)).astype(np.float32)
    expected = None
    for one, other in ((keras, cconv), (cconv, keras)):
        image = one.Input((4, 5, 3))
        model = one.Model(image, OPERATIONS[name](one, image))
        model.save(tmp_path / "model.keras")
        opened = other.saving.load_model(tmp_path / "model.keras")
        found = [np.array(m(x)) for m in (model, opened)]
        expected = found[0] if expected is None else expected
        for y in found:
            np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_projections_have_keras_names():
    layer, theirs = (library.layers.MultiHeadAttention(2, 3) for library in (cconv, keras))
    for part in ("query_dense", "key_dense", "value_dense", "output_dense"):
        assert getattr(layer, part) is None
    layer(X, X)
    theirs(X, X)
    for part in ("query_dense", "key_dense", "value_dense", "output_dense"):
        assert getattr(layer, part).kernel.shape == tuple(getattr(theirs, part).kernel.shape)
