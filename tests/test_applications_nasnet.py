"""NASNet: layers, sizes, arguments. That Keras' weights fit is tested in tests/peers."""

import numpy as np
import pytest
from network_checks import check_channels_first, check_files, check_training, images

import cconv
from cconv.applications import NASNetLarge, NASNetMobile


def build(**others):
    return NASNetMobile(**{"input_shape": (32, 32, 3), "classes": 4, **others})


def test_nasnet_mobile():
    model = NASNetMobile()
    assert model.count_params() == 5_326_716
    assert (model.name, model.input_shape, model.output_shape) == ("nasnet_mobile", (None, 224, 224, 3), (None, 1000))
    sizes = [model.get_layer(f"normal_concat_{i}").output.shape[1:] for i in (0, 3, 5, 8, 10, 12)]
    assert sizes == [(28, 28, 264)] * 2 + [(14, 14, 528)] * 2 + [(7, 7, 1056)] * 2
    assert model.get_layer("stem_conv1").output.shape == (None, 111, 111, 32)


@pytest.mark.slow
def test_nasnet_large():
    model = NASNetLarge()
    assert model.count_params() == 88_949_818
    assert (model.name, model.input_shape, model.output_shape) == ("nasnet_large", (None, 331, 331, 3), (None, 1000))
    assert model.get_layer("normal_concat_18").output.shape == (None, 11, 11, 4032)


@pytest.mark.parametrize("pooling, shape", [(None, (2, 2, 1, 1056)), ("avg", (2, 1056)), ("max", (2, 1056))])
def test_features(pooling, shape):
    model = build(include_top=False, input_shape=(63, 33, 3), pooling=pooling)
    y = model.predict(images(2, 63, 33, 3), verbose=0)
    assert y.shape == shape and np.isfinite(y).all()
    assert NASNetMobile(include_top=False).output_shape == (None, 7, 7, 1056)


def test_training_lowers_the_loss():
    check_training(build, cconv.optimizers.SGD(1e-6), 2, input_shape=(64, 64, 3))


def test_files_hold_it(tmp_path):
    check_files(build, tmp_path)


def test_channels_first():
    check_channels_first(build, (47, 64, 3))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"input_shape": (31, 32, 3)}, "at least 32x32"),
        ({"input_shape": (None, 32, 3)}, "known size"),
        ({"include_top": False, "pooling": "mean"}, "pooling='mean'"),
        ({"input_tensor": cconv.Input((None, None, 3))}, "known size"),
    ],
)
@pytest.mark.parametrize("network", [NASNetMobile, NASNetLarge])
def test_wrong_arguments(network, settings, message):
    with pytest.raises(ValueError, match=message):
        network(**settings)
