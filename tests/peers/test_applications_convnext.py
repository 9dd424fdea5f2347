"""ConvNeXt beside Keras': layers, weights, outputs, gradients, files in both directions."""

import keras
import pytest

import cconv

from .networks import check_keras, check_model_file


@pytest.mark.parametrize(
    "settings, gradients",
    [
        ({"input_shape": (64, 64, 3), "classes": 5, "classifier_activation": None}, True),
        ({"include_top": False, "include_preprocessing": False}, False),
        ({"include_top": False, "input_shape": (40, 65, 1), "pooling": "max"}, False),
    ],
)
def test_weights_of_keras_give_its_outputs(settings, gradients, tmp_path):
    check_keras("ConvNeXtTiny", tmp_path, gradients, **settings)


@pytest.mark.parametrize("writer", [cconv, keras], ids=["to keras", "from keras"])
def test_model_files_are_exchanged(writer, tmp_path):
    settings = {"input_shape": (32, 32, 3), "classes": 3, "classifier_activation": None}
    check_model_file("ConvNeXtTiny", writer, tmp_path, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Small", "Base", "Large", "XLarge"])
def test_larger_ones_give_keras_outputs(name):
    """Of up to 350 million weights, which are not written to a file."""
    check_keras(f"ConvNeXt{name}", None, include_top=False, input_shape=(48, 64, 3), pooling="avg")
