"""EfficientNetV2: layers, sizes, arguments. That Keras' weights fit is tested in tests/peers."""

import network_checks as checks
import pytest

import cconv
from cconv.applications import EfficientNetV2B0, EfficientNetV2S, efficientnet_v2


def test_layers():
    model = EfficientNetV2B0()
    assert model.count_params() == 7_200_312
    assert (model.name, model.input_shape) == ("efficientnetv2-b0", (None, 224, 224, 3))
    names = [layer.name for layer in model.layers[1:]]
    assert names[2:5] == ["stem_conv", "stem_bn", "stem_activation"]
    assert names[-3:] == ["avg_pool", "top_dropout", "predictions"]
    assert {"block1a_project_activation", "block2b_add", "block4a_dwconv2", "block6h_se_excite"} <= set(names)
    assert model.get_layer("block6h_drop").rate == pytest.approx(0.2 * 20 / 21)
    assert model.get_layer("stem_bn").momentum == 0.9


def test_of_larger_images():
    model = EfficientNetV2S(include_top=False, input_shape=(384, 384, 3))
    assert model.count_params() == 20_331_360 and model.output_shape == (None, 12, 12, 1280)


@pytest.mark.parametrize("channels, layers", [(3, ["Rescaling", "Normalization"]), (1, ["Rescaling"])])
def test_preprocessing_is_a_part_or_none(channels, layers):
    given = {"include_top": False, "input_shape": (32, 32, channels)}
    kinds = [type(layer).__name__ for layer in EfficientNetV2B0(**given).layers[1:]]
    assert kinds[: len(layers) + 1] == [*layers, "Conv2D"]
    model = EfficientNetV2B0(**given, include_preprocessing=False)
    assert isinstance(model.layers[1], cconv.layers.Conv2D)


def test_sizes():
    checks.check_sizes(EfficientNetV2B0, {32: 1, 50: 2, 64: 2}, 1280, brightest=255.0)


def test_training():
    checks.check_training(EfficientNetV2B0, input_shape=(32, 32, 3), brightest=255.0)


def test_files(tmp_path):
    checks.check_files(EfficientNetV2B0, tmp_path, input_shape=(32, 32, 3), classes=3, brightest=255.0)


def test_channels_first():
    checks.check_channels_first(EfficientNetV2B0, (33, 40, 3), classes=3, classifier_activation=None, brightest=255.0)


def test_images_are_normalized_within():
    checks.check_transparent(efficientnet_v2)
