"""Inception-v3, Xception and Inception-ResNet-v2 beside Keras': the same layers, weights, outputs, gradients."""

import keras
import numpy as np
import pytest

import cconv

from .networks import assert_same_layers, build, check_keras, check_model_file

LOGITS = {"classes": 5, "classifier_activation": None}
VARIANTS = {
    "inception_v3": ("InceptionV3", {"input_shape": (75, 96, 3), **LOGITS}),
    "xception": ("Xception", {"input_shape": (72, 95, 3), **LOGITS}),
    "inception_resnet_v2": ("InceptionResNetV2", {"input_shape": (75, 90, 1), **LOGITS}),
    "inception_v3 features": ("InceptionV3", {"include_top": False, "pooling": "max"}),
    "xception features": ("Xception", {"include_top": False, "pooling": "avg"}),
    "inception_resnet_v2 features": ("InceptionResNetV2", {"include_top": False, "pooling": "avg"}),
}
SEEDS = {"xception": 2, "inception_resnet_v2": 8}  # of images, see `check_torch`
MARKED = [pytest.param(x, marks=pytest.mark.slow) if "resnet" in x or "features" in x else x for x in VARIANTS]


@pytest.mark.parametrize("name", ["InceptionV3", "Xception", "InceptionResNetV2"])
@pytest.mark.slow
def test_layers_and_weights_are_keras(name):
    assert_same_layers(build(cconv, name), build(keras, name))


@pytest.mark.parametrize("variant", MARKED)
def test_weights_of_keras_give_its_outputs_and_gradients(variant, tmp_path):
    name, settings = VARIANTS[variant]
    check_keras(name, tmp_path, "features" not in variant, side=96, seed=SEEDS.get(variant, 1), **settings)


@pytest.mark.parametrize("variant", MARKED[:3])
@pytest.mark.parametrize("writer", [cconv, keras], ids=["to keras", "from keras"])
def test_model_files_are_exchanged(variant, writer, tmp_path):
    name, settings = VARIANTS[variant]
    check_model_file(name, writer, tmp_path, **settings)


@pytest.mark.parametrize("module", ["inception_v3", "xception", "inception_resnet_v2"])
def test_preprocessing_is_keras(module):
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
    ours = getattr(cconv.applications, module).preprocess_input(x)
    np.testing.assert_array_equal(ours, getattr(keras.applications, module).preprocess_input(x.copy()))
