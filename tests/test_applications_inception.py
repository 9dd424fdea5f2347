"""Inception-v3, Xception, Inception-ResNet-v2: layers, sizes, arguments. That Keras' weights fit: tests/peers."""

import numpy as np
import pytest
from network_checks import check_channels_first, check_files, check_training, images

import cconv
from cconv.applications import InceptionResNetV2, InceptionV3, Xception

SMALLEST = {InceptionV3: 75, Xception: 71, InceptionResNetV2: 75}
NETWORKS = pytest.mark.parametrize(
    "network", [InceptionV3, Xception, pytest.param(InceptionResNetV2, marks=pytest.mark.slow)]
)


def builder(network):
    side = SMALLEST[network]
    return lambda **others: network(**{"input_shape": (side, side, 3), "classes": 4, **others})


def test_inception_v3():
    model = InceptionV3()
    assert model.count_params() == 23_851_784
    assert (model.name, model.input_shape, model.output_shape) == ("inception_v3", (None, 299, 299, 3), (None, 1000))
    sizes = [model.get_layer(f"mixed{i}").output.shape[1:] for i in range(11)]
    assert sizes[0] == (35, 35, 256) and sizes[1:3] == [(35, 35, 288)] * 2
    assert sizes[3:8] == [(17, 17, 768)] * 5 and sizes[8] == (8, 8, 1280) and sizes[9:] == [(8, 8, 2048)] * 2
    assert model.get_layer("mixed9_1").output.shape == (None, 8, 8, 768)
    assert [layer.name for layer in model.layers[-3:]] == ["mixed10", "avg_pool", "predictions"]
    assert not any(w.name == "gamma" for w in model.weights)


def test_xception():
    model = Xception()
    assert model.count_params() == 22_910_480
    assert (model.name, model.input_shape, model.output_shape) == ("xception", (None, 299, 299, 3), (None, 1000))
    names = [layer.name for layer in model.layers]
    assert names[1:4] == ["block1_conv1", "block1_conv1_bn", "block1_conv1_act"]
    assert "block2_sepconv1_act" not in names and "block3_sepconv1_act" in names
    assert model.get_layer("block14_sepconv2_act").output.shape == (None, 10, 10, 2048)


@pytest.mark.slow
def test_inception_resnet_v2():
    model = InceptionResNetV2()
    assert model.count_params() == 55_873_736
    assert (model.name, model.output_shape) == ("inception_resnet_v2", (None, 1000))
    sizes = [model.get_layer(name).output.shape[1:] for name in ("block35_10_ac", "block17_20_ac", "conv_7b")]
    assert sizes == [(35, 35, 320), (17, 17, 1088), (8, 8, 1536)]
    assert "block8_9_ac" in {x.name for x in model.layers} and "block8_10_ac" not in {x.name for x in model.layers}


@NETWORKS
def test_features_of_images_of_any_size(network):
    model = network(include_top=False)
    assert model.input_shape == (None, None, None, 3)
    smallest = SMALLEST[network]
    for side, size in ((smallest, 3 if network is Xception else 1), (107, 4 if network is Xception else 2)):
        y = model.predict(images(1, side, side, 3), verbose=0)
        assert y.shape[1:3] == (size, size) and np.isfinite(y).all()
    for pooling in ("avg", "max"):
        assert len(network(include_top=False, pooling=pooling).output_shape) == 2


@NETWORKS
def test_training_lowers_the_loss(network):
    # more than a pixel at the end, and small steps: there batch normalization has few values to normalize
    rate = 1e-6 if network is InceptionV3 else 1e-4
    check_training(network, cconv.optimizers.SGD(rate), 2, input_shape=(107, 107, 3))


@NETWORKS
def test_files_hold_it(network, tmp_path):
    check_files(builder(network), tmp_path)


@NETWORKS
def test_channels_first(network):
    check_channels_first(builder(network), (76, 80, 3))


@pytest.mark.parametrize("network", SMALLEST)
@pytest.mark.parametrize(
    "settings, message",
    [
        ({"input_shape": (70, 80, 3)}, "at least 7[15]x7[15]"),
        ({"input_shape": (None, 80, 3)}, "include_top=True"),
        ({"include_top": False, "pooling": "mean"}, "pooling='mean'"),
    ],
)
def test_wrong_arguments(network, settings, message):
    with pytest.raises(ValueError, match=message):
        network(**settings)
