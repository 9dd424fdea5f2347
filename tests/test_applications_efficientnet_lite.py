"""EfficientNet-Lite: layers, sizes, arguments. The same outputs as timm's are tested in tests/peers."""

import network_checks as checks
import numpy as np
import pytest

from cconv.applications import EfficientNetLite0, EfficientNetLite1, efficientnet_lite


def test_layers():
    model = EfficientNetLite0()
    assert model.count_params() == 4_694_024
    assert (model.name, model.input_shape) == ("efficientnet_lite0", (None, 224, 224, 3))
    names = [layer.name for layer in model.layers[1:]]
    assert names[:3] == ["stem_conv", "stem_bn", "stem_activation"]
    assert names[-3:] == ["avg_pool", "top_dropout", "predictions"]
    assert not any("se_" in name for name in names)
    assert model.get_layer("block6a_activation").max_value == 6


def test_first_and_last_layers_are_those_of_all_sizes():
    model = EfficientNetLite1(input_shape=(64, 64, 3))
    assert model.count_params() == 5_470_344
    names = {layer.name for layer in model.layers}
    assert {"block2c_add", "block6e_add"} <= names and "block1b_dwconv" not in names and "block7b_dwconv" not in names


def test_sizes():
    checks.check_sizes(EfficientNetLite0, {32: 1, 50: 2, 64: 2}, 1280)


def test_training():
    checks.check_training(EfficientNetLite0, input_shape=(32, 32, 3))


def test_files(tmp_path):
    checks.check_files(EfficientNetLite0, tmp_path, input_shape=(32, 32, 3), classes=3)


def test_channels_first():
    checks.check_channels_first(EfficientNetLite0, (33, 40, 3), classes=3, classifier_activation=None)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_preprocessing(kind):
    x = np.array([[[0, 127, 255]]], kind)
    y = efficientnet_lite.preprocess_input(x)
    assert y.dtype == np.float32 and y.tolist() == [[[-0.9921875, 0.0, 1.0]]]
