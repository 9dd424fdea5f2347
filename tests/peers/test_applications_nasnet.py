"""NASNet beside Keras': the same layers, weights, outputs, gradients."""

import keras
import numpy as np
import pytest
from keras.src.applications.nasnet import NASNet

import cconv

from .networks_alike import assert_same_gradients, assert_same_layers, assert_same_outputs, randomize

# Keras refuses NASNetMobile on PyTorch, but not the function it calls
MOBILE = {
    "penultimate_filters": 1056,
    "num_blocks": 4,
    "stem_block_filters": 32,
    "skip_reduction": False,
    "filter_multiplier": 2,
    "default_size": 224,
    "name": "nasnet_mobile",
}
LARGE = {
    "penultimate_filters": 4032,
    "num_blocks": 6,
    "stem_block_filters": 96,
    "skip_reduction": True,
    "filter_multiplier": 2,
    "default_size": 331,
    "name": "nasnet_large",
}
LOGITS = {"classes": 5, "classifier_activation": None}


def pair(large=False, **settings):
    cconv.utils.clear_session()
    keras.utils.clear_session()
    ours = (cconv.applications.NASNetLarge if large else cconv.applications.NASNetMobile)(**settings)
    return ours, NASNet(weights=None, **(LARGE if large else MOBILE), **settings)


@pytest.mark.parametrize("large", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_layers_and_weights_are_keras(large):
    assert_same_layers(*pair(large))


@pytest.mark.parametrize("settings", [{"input_shape": (64, 48, 3), **LOGITS}], ids=["odd"])
def test_weights_and_gradients_of_keras(settings, tmp_path, record_property):
    ours, theirs = pair(**settings)
    assert_same_layers(ours, theirs)
    randomize(theirs)
    theirs.save_weights(tmp_path / "keras.weights.h5")
    ours = cconv.applications.NASNetMobile(weights=tmp_path / "keras.weights.h5", **settings)
    assert_same_outputs(ours, theirs, record_property)
    assert_same_gradients(ours, theirs, record_property)


@pytest.mark.slow
def test_features_of_the_large_one(record_property):
    ours, theirs = pair(True, include_top=False, input_shape=(47, 65, 3), pooling="max")
    assert_same_layers(ours, theirs)
    randomize(theirs)
    ours.set_weights(theirs.get_weights())
    assert_same_outputs(ours, theirs, record_property)


@pytest.mark.slow
@pytest.mark.parametrize("writer, reader", [(cconv, keras), (keras, cconv)], ids=["to keras", "from keras"])
def test_model_files_are_exchanged(writer, reader, tmp_path):
    one = dict(zip((cconv, keras), pair(input_shape=(32, 32, 3), **LOGITS), strict=True))[writer]
    randomize(one)
    one.save(tmp_path / "model.keras")
    two = reader.saving.load_model(tmp_path / "model.keras")
    assert_same_outputs(*((one, two) if writer is cconv else (two, one)))


def test_preprocessing_is_keras():
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
    theirs = keras.applications.nasnet.preprocess_input(x.copy())
    np.testing.assert_array_equal(cconv.applications.nasnet.preprocess_input(x), theirs)
