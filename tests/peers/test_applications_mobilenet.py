"""MobileNet and MobileNetV3 beside Keras': the same layers, weights, outputs, gradients."""

import keras
import numpy as np
import pytest

import cconv

from .networks_alike import assert_same_gradients, assert_same_layers, assert_same_outputs, pair, randomize

LOGITS = {"classes": 5, "classifier_activation": None}
VARIANTS = {
    "mobilenet": ("MobileNet", {"input_shape": (64, 96, 3), "alpha": 0.25, **LOGITS}),
    "mobilenet odd": ("MobileNet", {"input_shape": (65, 47, 1), "alpha": 0.25, "depth_multiplier": 2, **LOGITS}),
    "mobilenet features": ("MobileNet", {"include_top": False, "alpha": 0.25, "pooling": "max"}),
    "small": ("MobileNetV3Small", {"alpha": 0.75, **LOGITS}),
    "small odd": (
        "MobileNetV3Small",
        {"input_shape": (65, 79, 3), "alpha": 0.5, "include_preprocessing": False, **LOGITS},
    ),
    "small minimalistic": ("MobileNetV3Small", {"minimalistic": True, "dropout_rate": 0, **LOGITS}),
    "small features": ("MobileNetV3Small", {"include_top": False, "alpha": 0.5, "pooling": "avg"}),
    "large": ("MobileNetV3Large", {"input_shape": (64, 96, 3), **LOGITS}),
    "large wide": ("MobileNetV3Large", {"alpha": 1.25, "minimalistic": True, "input_shape": (64, 64, 3), **LOGITS}),
}
COUNTED = {
    "0.25": ("MobileNet", {"alpha": 0.25}),
    "0.5": ("MobileNet", {"alpha": 0.5, "input_shape": (160, 160, 3)}),
    "0.75": ("MobileNet", {"alpha": 0.75, "input_shape": (128, 100, 3)}),
    "1": ("MobileNet", {}),
    "small": ("MobileNetV3Small", {}),
    "small minimalistic": ("MobileNetV3Small", {"minimalistic": True}),
    "large": ("MobileNetV3Large", {}),
    "large minimalistic": ("MobileNetV3Large", {"minimalistic": True}),
}


@pytest.mark.parametrize("name, settings", COUNTED.values(), ids=COUNTED)
def test_layers_and_weights_are_keras(name, settings):
    assert_same_layers(*pair(name, settings))


@pytest.mark.parametrize("variant", VARIANTS)
def test_weights_of_keras_give_its_outputs(variant, tmp_path, record_property):
    name, settings = VARIANTS[variant]
    ours, theirs = pair(name, settings)
    assert_same_layers(ours, theirs)
    randomize(theirs)
    theirs.save_weights(tmp_path / "keras.weights.h5")
    ours = getattr(cconv.applications, name)(weights=tmp_path / "keras.weights.h5", **settings)
    scaled = name != "MobileNet" and settings.get("include_preprocessing", True)
    assert_same_outputs(ours, theirs, record_property, scale=100.0 if scaled else 1.0)


@pytest.mark.parametrize("variant", ["mobilenet odd", "small odd"])
def test_gradients_are_keras(variant, record_property):
    ours, theirs = pair(*VARIANTS[variant])
    randomize(theirs)
    ours.set_weights(theirs.get_weights())
    assert_same_gradients(ours, theirs, record_property)


@pytest.mark.parametrize("variant", ["mobilenet", "small"])
@pytest.mark.parametrize("writer, reader", [(cconv, keras), (keras, cconv)], ids=["to keras", "from keras"])
def test_model_files_are_exchanged(variant, writer, reader, tmp_path):
    one = dict(zip((cconv, keras), pair(*VARIANTS[variant]), strict=True))[writer]
    randomize(one)
    one.save(tmp_path / "model.keras")
    two = reader.saving.load_model(tmp_path / "model.keras")
    assert_same_outputs(*((one, two) if writer is cconv else (two, one)), scale=30.0)


@pytest.mark.parametrize("module", ["mobilenet", "mobilenet_v3"])
def test_preprocessing_is_keras(module):
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
    ours = getattr(cconv.applications, module).preprocess_input(x)
    np.testing.assert_array_equal(ours, getattr(keras.applications, module).preprocess_input(x.copy()))
