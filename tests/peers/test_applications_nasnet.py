"""NASNet beside Keras': the same layers, weights, outputs, gradients."""

import functools

import keras
import numpy as np
import pytest
from keras.src.applications.nasnet import NASNet

import cconv

from .networks import assert_same_layers, build, check_keras, check_model_file

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


@pytest.fixture(autouse=True)
def allowed(monkeypatch):
    for name, settings in (("NASNetMobile", MOBILE), ("NASNetLarge", LARGE)):
        monkeypatch.setattr(keras.applications, name, functools.partial(NASNet, **settings))


@pytest.mark.parametrize("name", ["NASNetMobile", pytest.param("NASNetLarge", marks=pytest.mark.slow)])
def test_layers_and_weights_are_keras(name):
    assert_same_layers(build(cconv, name), build(keras, name))


@pytest.mark.parametrize("settings", [{"input_shape": (64, 48, 3), **LOGITS}], ids=["odd"])
def test_weights_and_gradients_of_keras(settings, tmp_path):
    check_keras("NASNetMobile", tmp_path, gradients=True, **settings)


@pytest.mark.slow
def test_features_of_the_large_one():
    check_keras("NASNetLarge", None, include_top=False, input_shape=(47, 65, 3), pooling="max")


@pytest.mark.slow
@pytest.mark.parametrize("writer", [cconv, keras], ids=["to keras", "from keras"])
def test_model_files_are_exchanged(writer, tmp_path):
    check_model_file("NASNetMobile", writer, tmp_path, input_shape=(32, 32, 3), **LOGITS)


def test_preprocessing_is_keras():
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
    theirs = keras.applications.nasnet.preprocess_input(x.copy())
    np.testing.assert_array_equal(cconv.applications.nasnet.preprocess_input(x), theirs)
