"""Inception-v3, Xception and Inception-ResNet-v2 beside Keras': the same layers, weights, outputs, gradients."""

import keras
import numpy as np
import pytest

import cconv

from .networks_alike import assert_same_gradients, assert_same_layers, assert_same_outputs, pair, randomize

LOGITS = {"classes": 5, "classifier_activation": None}
VARIANTS = {
    "inception_v3": ("InceptionV3", {"input_shape": (75, 96, 3), **LOGITS}),
    "xception": ("Xception", {"input_shape": (72, 95, 3), **LOGITS}),
    "inception_resnet_v2": ("InceptionResNetV2", {"input_shape": (75, 90, 1), **LOGITS}),
    "inception_v3 features": ("InceptionV3", {"include_top": False, "pooling": "max"}),
    "xception features": ("Xception", {"include_top": False, "pooling": "avg"}),
    "inception_resnet_v2 features": ("InceptionResNetV2", {"include_top": False, "pooling": "avg"}),
}
MARKED = [pytest.param(x, marks=pytest.mark.slow) if "resnet" in x or "features" in x else x for x in VARIANTS]


@pytest.mark.parametrize("name", ["InceptionV3", "Xception", "InceptionResNetV2"])
@pytest.mark.slow
def test_layers_and_weights_are_keras(name):
    assert_same_layers(*pair(name, {}))


@pytest.mark.parametrize("variant", MARKED)
def test_weights_of_keras_give_its_outputs(variant, tmp_path, record_property):
    name, settings = VARIANTS[variant]
    ours, theirs = pair(name, settings)
    assert_same_layers(ours, theirs)
    randomize(theirs)
    theirs.save_weights(tmp_path / "keras.weights.h5")
    ours = getattr(cconv.applications, name)(weights=tmp_path / "keras.weights.h5", **settings)
    assert_same_outputs(ours, theirs, record_property)


@pytest.mark.parametrize("variant", MARKED[:3])
def test_gradients_are_keras(variant, record_property):
    ours, theirs = pair(*VARIANTS[variant])
    randomize(theirs)
    ours.set_weights(theirs.get_weights())
    assert_same_gradients(ours, theirs, record_property)


@pytest.mark.parametrize("variant", MARKED[:3])
@pytest.mark.parametrize("writer, reader", [(cconv, keras), (keras, cconv)], ids=["to keras", "from keras"])
def test_model_files_are_exchanged(variant, writer, reader, tmp_path):
    one = dict(zip((cconv, keras), pair(*VARIANTS[variant]), strict=True))[writer]
    randomize(one)
    one.save(tmp_path / "model.keras")
    two = reader.saving.load_model(tmp_path / "model.keras")
    assert_same_outputs(*((one, two) if writer is cconv else (two, one)))


@pytest.mark.parametrize("module", ["inception_v3", "xception", "inception_resnet_v2"])
def test_preprocessing_is_keras(module):
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
    ours = getattr(cconv.applications, module).preprocess_input(x)
    np.testing.assert_array_equal(ours, getattr(keras.applications, module).preprocess_input(x.copy()))
