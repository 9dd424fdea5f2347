"""MobileNet and MobileNetV3 beside Keras': the same layers, weights, outputs, gradients."""

import keras
import numpy as np
import pytest

import cconv

from .networks import assert_same_layers, build, check_keras, check_model_file

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
    assert_same_layers(build(cconv, name, **settings), build(keras, name, **settings))


@pytest.mark.parametrize("variant", VARIANTS)
def test_weights_of_keras_give_its_outputs_and_gradients(variant, tmp_path):
    name, settings = VARIANTS[variant]
    check_keras(name, tmp_path, variant.endswith("odd"), side=96, **settings)


@pytest.mark.parametrize("variant", ["mobilenet", "small"])
@pytest.mark.parametrize("writer", [cconv, keras], ids=["to keras", "from keras"])
def test_model_files_are_exchanged(variant, writer, tmp_path):
    name, settings = VARIANTS[variant]
    check_model_file(name, writer, tmp_path, **settings)


@pytest.mark.parametrize("module", ["mobilenet", "mobilenet_v3"])
def test_preprocessing_is_keras(module):
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
    ours = getattr(cconv.applications, module).preprocess_input(x)
    np.testing.assert_array_equal(ours, getattr(keras.applications, module).preprocess_input(x.copy()))
