"""EfficientNet and EfficientNetV2 beside Keras': layers, weights, outputs, gradients."""

import keras
import numpy as np
import pytest

import cconv

from .networks import assert_same_layers, build, check_keras

LOGITS = {"classes": 5, "classifier_activation": None}


@pytest.mark.parametrize(
    "name, settings, gradients",
    [
        ("EfficientNetB0", {"input_shape": (64, 64, 3), **LOGITS}, True),
        ("EfficientNetB0", {"include_top": False}, False),
        ("EfficientNetB1", {"input_shape": (40, 65, 1), "include_top": False, "pooling": "max"}, False),
        ("EfficientNetV2B0", {"input_shape": (64, 64, 3), **LOGITS}, True),
        ("EfficientNetV2B1", {"include_top": False, "include_preprocessing": False}, False),
        ("EfficientNetV2B2", {"input_shape": (40, 65, 1), "include_top": False, "pooling": "avg"}, False),
    ],
)
def test_weights_of_keras_give_its_outputs(name, settings, gradients, tmp_path):
    check_keras(name, tmp_path, gradients, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["B2", "B3", "B4", "B5", "B6", "B7", "V2B3", "V2S", "V2M", "V2L"])
def test_larger_ones_have_keras_layers_and_outputs(which):
    name = f"EfficientNet{which}"
    ours, theirs = build(cconv, name), build(keras, name)
    assert_same_layers(ours, theirs)
    assert ours.count_params() == theirs.count_params()
    check_keras(name, None, input_shape=(64, 64, 3), **LOGITS)


def test_a_model_of_keras_is_opened(tmp_path):
    theirs = build(keras, "EfficientNetB0", input_shape=(32, 32, 3), classes=3)
    theirs.save(tmp_path / "net.keras")
    ours = cconv.saving.load_model(tmp_path / "net.keras")
    x = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-5)
