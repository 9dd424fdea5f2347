"""Normalization, Discretization and CategoryEncoding beside Keras."""

import keras
import numpy as np
import pytest

import cconv

from .training_alike import check_layer_alike, random

DATA = random((20, 3, 4)) * 2 + 1


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"axis": None},
        {"axis": 1},
        {"axis": (1, 2)},
        {"axis": -1, "invert": True},
        {"mean": 1.0, "variance": 4.0},
        {"mean": [1.0, 2.0, 3.0, 4.0], "variance": [4.0, 1.0, 0.0, 2.0]},
    ],
)
def test_normalization_is_keras(arguments):
    check_layer_alike("Normalization", arguments, [(3, 4)], steps=0)
    ours, theirs = cconv.layers.Normalization(**arguments), keras.layers.Normalization(**arguments)
    if "mean" not in arguments:
        ours.adapt(DATA)
        theirs.adapt(DATA)
        for a, b in zip(ours.get_weights()[:2], theirs.get_weights()[:2], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)
    x = random((5, 3, 4), 3)
    np.testing.assert_allclose(ours(x), keras.ops.convert_to_numpy(theirs(x)), rtol=1e-4, atol=1e-5)
    assert ours.mean.shape == tuple(theirs.mean.shape) and ours.variance.shape == tuple(theirs.variance.shape)


def test_an_adapted_normalization_goes_through_files(tmp_path):
    layer = cconv.layers.Normalization()
    layer.adapt(DATA)
    model = cconv.Sequential([cconv.Input((3, 4)), layer])
    model.save(tmp_path / "model.keras")
    expected = model.predict(DATA, verbose=0)
    theirs = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(theirs.predict(DATA, verbose=0), expected, rtol=1e-4, atol=1e-5)
    theirs.save(tmp_path / "theirs.keras")
    ours = cconv.saving.load_model(tmp_path / "theirs.keras")
    np.testing.assert_allclose(ours.predict(DATA, verbose=0), expected, rtol=1e-5, atol=1e-6)


VALUES = [np.array([[-1.0, 0, 0.5], [1, 2, 3]], np.float32), np.array([-1.0, 0, 0.5], np.float32)]


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("x", VALUES, ids=["matrix", "row"])
def test_discretization_is_keras(mode, x):
    check_layer_alike("Discretization", {"bin_boundaries": [0.0, 1.0, 2.0], "output_mode": mode}, [], data=[x], steps=0)


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
@pytest.mark.parametrize(
    "x", [np.array([0, 1, 3]), np.array([[0, 1], [1, 1]]), np.array([[0], [3]]), np.array([[[0, 1]]])], ids=str
)
def test_category_encoding_is_keras(mode, x):
    check_layer_alike("CategoryEncoding", {"num_tokens": 4, "output_mode": mode}, [], data=[x], steps=0)


def test_counts_may_have_weights():
    x, weights = np.array([[0, 1], [1, 1]]), np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)
    layers = [library.layers.CategoryEncoding(4, "count") for library in (cconv, keras)]
    ours, theirs = (layer(x, count_weights=weights) for layer in layers)
    np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(theirs), rtol=1e-6)
