"""MobileNet and MobileNetV3: layers, sizes, arguments. That Keras' weights fit is tested in tests/peers."""

import numpy as np
import pytest
from network_checks import check_channels_first, check_files, check_training, images

import cconv
from cconv.applications import MobileNet, MobileNetV3Large, MobileNetV3Small, building

SMALL = {
    "mobilenet": (MobileNet, {"alpha": 0.25}),
    "small": (MobileNetV3Small, {"alpha": 0.5}),
    "small minimalistic": (MobileNetV3Small, {"alpha": 0.5, "minimalistic": True}),
}


def builder(variant):
    network, settings = SMALL[variant]
    return lambda **others: network(**{"input_shape": (64, 64, 3), "classes": 4, **settings, **others})


@pytest.mark.parametrize("alpha, count", [(0.25, 475_544), (0.5, 1_342_536), (0.75, 2_601_976), (1.0, 4_253_864)])
def test_mobilenet(alpha, count):
    model = MobileNet(alpha=alpha)
    assert model.count_params() == count
    assert (model.name, model.output_shape) == (f"mobilenet_{alpha:0.2f}_224", (None, 1000))
    names = [layer.name for layer in model.layers[1:]]
    assert names[:4] == ["conv1", "conv1_bn", "conv1_relu", "conv_dw_1"]
    assert names[-4:] == ["dropout", "conv_preds", "reshape_2", "predictions"]
    assert model.get_layer("conv_pw_13_relu").output.shape == (None, 7, 7, int(1024 * alpha))
    assert model.get_layer("conv_pad_2").padding == ((0, 1), (0, 1))


@pytest.mark.parametrize(
    "network, settings, count",
    [
        (MobileNetV3Small, {}, 2_554_968),
        (MobileNetV3Small, {"alpha": 0.75}, 2_051_552),
        (MobileNetV3Small, {"minimalistic": True}, 2_056_848),
        (MobileNetV3Large, {}, 5_507_432),
        (MobileNetV3Large, {"alpha": 0.75}, 4_012_616),
        (MobileNetV3Large, {"minimalistic": True}, 3_948_688),
    ],
)
def test_mobilenet_v3(network, settings, count):
    model = network(**settings)
    assert model.count_params() == count
    assert (model.name, model.input_shape) == (network.__name__, (None, None, None, 3))
    names = {layer.name for layer in model.layers}
    assert type(model.layers[1]).__name__ == "Rescaling"
    assert {"conv", "expanded_conv_project_bn", "expanded_conv_10_expand", "conv_1", "logits"} <= names
    assert ("expanded_conv_10_squeeze_excite_mul" in names) != bool(settings.get("minimalistic"))
    kinds = [[type(x).__name__ for x in network(**settings, dropout_rate=rate).layers] for rate in (0.2, 0)]
    assert "Dropout" in kinds[0] and "Dropout" not in kinds[1]


def test_depth_multiplier():
    one, two = (MobileNet((32, 32, 3), alpha=0.25, depth_multiplier=n, include_top=False) for n in (1, 2))
    assert one.get_layer("conv_dw_3").output.shape[-1] * 2 == two.get_layer("conv_dw_3").output.shape[-1]
    assert two.count_params() == 430_888


@pytest.mark.parametrize("variant", SMALL)
@pytest.mark.parametrize("pooling, rank", [(None, 4), ("avg", 2), ("max", 2)])
def test_features_of_images_of_any_size(variant, pooling, rank):
    model = builder(variant)(input_shape=None, include_top=False, pooling=pooling)
    assert model.input_shape == (None, None, None, 3) and len(model.output_shape) == rank
    for side in (32, 96):
        y = model.predict(images(1, side, side, 3), verbose=0)
        assert np.isfinite(y).all() and (rank == 2 or y.shape[1:3] == (side // 32, side // 32))


def test_classes_of_images_of_any_size():
    model = MobileNetV3Small(alpha=0.5, classes=3)
    for side in (32, 75):
        assert model.predict(images(2, side, side, 3), verbose=0).shape == (2, 3)


def test_preprocessing_is_in_the_network():
    x = 255 * images(2, 64, 64, 3)
    inside, outside = (builder("small")(include_preprocessing=inside) for inside in (True, False))
    outside.set_weights(inside.get_weights())
    scaled = cconv.applications.mobilenet.preprocess_input(x)
    np.testing.assert_allclose(inside.predict(x, verbose=0), outside.predict(scaled, verbose=0), atol=1e-5)
    assert cconv.applications.mobilenet_v3.preprocess_input(x) is x


def test_like_torchvision_it_has_zeros_at_all_edges_and_its_own_preprocessing(tmp_path):
    like = {"like": "torchvision"}
    inside, outside = (builder("small")(include_preprocessing=inside, **like) for inside in (True, False))
    assert {inside.get_layer(f"{name}_pad").padding for name in ("conv", "expanded_conv_depthwise")} == {((1, 1),) * 2}
    assert inside.get_layer("expanded_conv_3_depthwise_pad").padding == ((2, 2), (2, 2))
    outside.set_weights(inside.get_weights())
    x = 255 * images(2, 64, 64, 3)
    normalized = cconv.applications.imagenet_utils.preprocess_input(x, mode="torch")
    np.testing.assert_allclose(inside.predict(x, verbose=0), outside.predict(normalized, verbose=0), atol=1e-5)
    check_channels_first(builder("small"), (65, 48, 3), brightest=255.0, **like)
    check_files(builder("small"), tmp_path, **like)


@pytest.mark.parametrize("variant", SMALL)
def test_training_lowers_the_loss(variant):
    rate = "dropout" if variant == "mobilenet" else "dropout_rate"
    check_training(builder(variant), cconv.optimizers.SGD(1e-4), 2, **{rate: 0})


@pytest.mark.parametrize("variant", SMALL)
def test_files_hold_it(variant, tmp_path):
    check_files(builder(variant), tmp_path)


@pytest.mark.parametrize("variant", SMALL)
def test_channels_first(variant):
    check_channels_first(builder(variant), (65, 48, 3))


@pytest.mark.parametrize(
    "network, settings, message",
    [
        (MobileNet, {"alpha": 0}, "alpha=0"),
        (MobileNet, {"input_shape": (31, 32, 3)}, "at least 32x32"),
        (MobileNet, {"input_shape": (None, 32, 3)}, "include_top=True"),
        (MobileNetV3Small, {"alpha": -1}, "alpha=-1"),
        (MobileNetV3Small, {"input_shape": (31, 32, 3)}, "at least 32x32"),
        (MobileNetV3Large, {"include_top": False, "pooling": "mean"}, "pooling='mean'"),
        (MobileNetV3Large, {"weights": "nowhere.weights.h5"}, "nowhere.weights.h5"),
        (MobileNetV3Large, {"weights": "imagenet", "like": "torchvision"}, "trained for `like='keras'`"),
        (MobileNetV3Small, {"input_shape": (32, 32, 1), "like": "torchvision"}, "for images of three colors"),
    ],
)
def test_wrong_arguments(network, settings, message):
    with pytest.raises(ValueError, match=message):
        network(**settings)


def test_a_tensor_must_have_the_shape():
    with pytest.raises(ValueError, match=r"input_tensor\.shape"):
        MobileNetV3Small((64, 64, 3), input_tensor=cconv.Input((32, 32, 3)))


@pytest.mark.parametrize("wanted, channels", [(3, 8), (11, 16), (12, 16), (19, 24), (18 * 0.75, 16), (100, 104)])
def test_channels_are_rounded(wanted, channels):
    assert building.rounded_channels(wanted) == channels


def test_channels_are_rounded_to_other_numbers():
    assert building.rounded_channels(10, 4) == 12 and building.rounded_channels(3, 4, least=16) == 16
    assert building.rounded_channels(11, 8, kept=0.0) == 8
