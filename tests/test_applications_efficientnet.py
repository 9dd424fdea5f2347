"""EfficientNet B0 to B7: layers, sizes, arguments. That Keras' weights fit is tested in tests/peers."""

import network_checks as checks
import numpy as np
import pytest

import cconv
from cconv.applications import EfficientNetB0, EfficientNetB1, efficientnet


def test_layers():
    model = EfficientNetB0()
    assert model.count_params() == 5_330_571
    assert (model.name, model.input_shape, model.output_shape) == ("efficientnetb0", (None, 224, 224, 3), (None, 1000))
    names = [layer.name for layer in model.layers[1:]]
    assert names[2:6] == ["stem_conv_pad", "stem_conv", "stem_bn", "stem_activation"]
    assert names[-3:] == ["avg_pool", "top_dropout", "predictions"] and len(names) == 239
    assert {"block1a_dwconv", "block2a_dwconv_pad", "block4c_se_excite", "block7a_project_bn"} <= set(names)
    assert "block1a_expand_conv" not in names and "block2a_drop" not in names
    assert model.get_layer("block2b_drop").rate == pytest.approx(0.2 * 2 / 16)
    assert model.get_layer("block6d_add").output.shape == (None, 7, 7, 192)


def test_deeper_and_wider():
    assert EfficientNetB1(include_top=False).count_params() == 6_575_239
    assert EfficientNetB1().input_shape == (None, 240, 240, 3)


def test_sizes():
    checks.check_sizes(EfficientNetB0, {32: 1, 64: 2, 96: 3}, 1280, brightest=255.0)


def test_training():
    checks.check_training(EfficientNetB0, input_shape=(32, 32, 3), brightest=255.0)


def test_files(tmp_path):
    checks.check_files(EfficientNetB0, tmp_path, input_shape=(32, 32, 3), classes=3, brightest=255.0)


def test_channels_first():
    checks.check_channels_first(EfficientNetB0, (33, 40, 3), classes=3, classifier_activation=None, brightest=255.0)
    checks.check_channels_first(EfficientNetB0, (33, 40, 3), include_top=False, brightest=255.0)


def test_images_are_normalized_within():
    checks.check_transparent(efficientnet)


def test_deviations_where_variances_belong_are_squared(tmp_path):
    """Keras' weights for ImageNet are like that; its models with them divide once more."""
    settings = {"input_shape": (32, 32, 3), "classes": 3, "classifier_activation": None}
    right = EfficientNetB0(**settings)
    normalization = next(layer for layer in right.layers if isinstance(layer, cconv.layers.Normalization))
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    normalization.set_weights([mean, deviation, np.array(0)])
    right.save_weights(tmp_path / "keras.weights.h5")
    normalization.set_weights([mean, deviation**2, np.array(0)])
    right.save_weights(tmp_path / "right.weights.h5")
    x = checks.images_for(right, brightest=255.0)
    for name in ("keras", "right"):
        model = EfficientNetB0(weights=tmp_path / f"{name}.weights.h5", **settings)
        np.testing.assert_allclose(model.predict(x, verbose=0), right.predict(x, verbose=0), rtol=1e-3)


def test_arguments():
    with pytest.raises(ValueError, match="at least 32x32"):
        EfficientNetB0(input_shape=(31, 32, 3))
    with pytest.raises(ValueError, match="pooling='mean'"):
        EfficientNetB0(include_top=False, pooling="mean")
    model = EfficientNetB0(include_top=False, input_tensor=cconv.Input((32, 32, 1), name="gray"), pooling="max")
    assert model.input_names == ["gray"] and model.layers[-1].name == "max_pool"
