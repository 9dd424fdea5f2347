"""Well-known networks: layers, sizes, arguments. That Keras' weights fit is tested in tests/peers."""

import subprocess
import sys

import numpy as np
import pytest

import cconv
from cconv import applications
from cconv.applications import VGG16, MobileNetV2, ResNet50, imagenet_utils

SMALL = {VGG16: {}, ResNet50: {}, MobileNetV2: {"alpha": 0.35}}
NETWORKS = pytest.mark.parametrize("network", SMALL, ids=lambda f: f.__name__)


@pytest.fixture
def channels_first():
    cconv.config.set_image_data_format("channels_first")
    yield
    cconv.config.set_image_data_format("channels_last")


def small(network, **settings):
    """The network in its smallest form, without its top."""
    return network(**{"include_top": False, "input_shape": (32, 32, 3), **SMALL[network], **settings})


def shapes(model):
    return [w.shape for w in model.weights]


def images(n=2, side=32, channels=3):
    return np.random.default_rng(0).random((n, side, side, channels), dtype=np.float32)


@pytest.mark.slow
def test_vgg16():
    model = VGG16()
    assert model.count_params() == 138_357_544
    assert (model.name, model.input_shape, model.output_shape) == ("vgg16", (None, 224, 224, 3), (None, 1000))
    names = [layer.name for layer in model.layers[1:]]
    assert names[:4] == ["block1_conv1", "block1_conv2", "block1_pool", "block2_conv1"]
    assert names[-5:] == ["block5_pool", "flatten", "fc1", "fc2", "predictions"]
    assert len(names) == 22 and shapes(model)[:2] == [(3, 3, 3, 64), (64,)]


def test_resnet50():
    model = ResNet50()
    assert model.count_params() == 25_636_712
    assert (model.name, model.input_shape, model.output_shape) == ("resnet50", (None, 224, 224, 3), (None, 1000))
    names = [layer.name for layer in model.layers[1:]]
    assert names[:6] == ["conv1_pad", "conv1_conv", "conv1_bn", "conv1_relu", "pool1_pad", "pool1_pool"]
    assert names[-4:] == ["conv5_block3_add", "conv5_block3_out", "avg_pool", "predictions"]
    assert len(names) == 176
    assert model.get_layer("conv3_block1_out").output.shape == (None, 28, 28, 512)
    assert model.get_layer("conv3_block1_0_conv").strides == model.get_layer("conv3_block1_1_conv").strides == (2, 2)
    assert model.get_layer("conv1_bn").epsilon == 1.001e-5


def test_mobilenet_v2():
    model = MobileNetV2()
    assert model.count_params() == 3_538_984
    assert (model.name, model.output_shape) == ("mobilenetv2_1.00_224", (None, 1000))
    names = [layer.name for layer in model.layers[1:]]
    assert names[:4] == ["Conv1", "bn_Conv1", "Conv1_relu", "expanded_conv_depthwise"]
    assert names[-5:-2] == ["Conv_1", "Conv_1_bn", "out_relu"] and names[-1] == "predictions"
    assert len(names) == 155 and {f"block_{i}_add" for i in (2, 4, 5, 15)} <= set(names)
    assert model.get_layer("block_1_pad").padding == ((0, 1), (0, 1))
    assert (model.get_layer("bn_Conv1").epsilon, model.get_layer("bn_Conv1").momentum) == (1e-3, 0.999)


@pytest.mark.parametrize(
    "alpha, count", [(0.35, 410_208), (0.5, 706_224), (0.75, 1_382_064), (1.3, 3_766_048), (1.4, 4_363_712)]
)
def test_mobilenet_v2_of_other_widths(alpha, count):
    model = MobileNetV2((32, 32, 3), alpha, include_top=False)
    assert model.count_params() == count
    assert model.output_shape == (None, 1, 1, {1.3: 1664, 1.4: 1792}.get(alpha, 1280))


@NETWORKS
@pytest.mark.parametrize("pooling, rank", [(None, 4), ("avg", 2), ("max", 2)])
def test_pooling_of_features(network, pooling, rank):
    model = small(network, pooling=pooling)
    assert len(model.output_shape) == rank and model.output_shape[-1] in (512, 2048, 1280)
    y = model.predict(images(), verbose=0)
    assert y.shape == (2, *model.output_shape[1:]) and np.isfinite(y).all()
    if rank == 2 and network is ResNet50:
        assert model.layers[-1].name == f"{pooling}_pool"


@NETWORKS
def test_images_of_any_size(network):
    model = network(include_top=False, **SMALL[network])
    assert model.input_shape == (None, None, None, 3) and model.output_shape[1:3] == (None, None)
    for side in (32, 96):
        assert model.predict(images(1, side), verbose=0).shape[1:3] == (side // 32, side // 32)


@pytest.mark.parametrize("network", [ResNet50, MobileNetV2])
def test_own_classes(network):
    model = network(input_shape=(32, 32, 1), classes=7, classifier_activation=None, name="mine", **SMALL[network])
    assert (model.name, model.output_shape) == ("mine", (None, 7))
    assert model.layers[-1].activation is cconv.activations.get(None)
    assert model.predict(images(3, channels=1), verbose=0).shape == (3, 7)


@NETWORKS
def test_a_tensor_as_input(network):
    given = cconv.Input((40, 40, 3), name="given")
    model = network(include_top=False, input_tensor=given, **SMALL[network])
    assert model.inputs[0] is given and model.input_shape == (None, 40, 40, 3)
    # the model begins where the tensor does
    pixels = cconv.Input((32, 32, 1), name="pixels")
    colored = cconv.layers.Concatenate()([pixels, pixels, pixels])
    model = network(include_top=False, input_tensor=colored, **SMALL[network])
    assert model.input_names == ["pixels"]
    assert model.predict(images(1, channels=1), verbose=0).ndim == 4
    a, b = cconv.Input((32, 32, 1), name="a"), cconv.Input((32, 32, 2), name="b")
    model = network(include_top=False, input_tensor=cconv.layers.Concatenate()([a, b]), **SMALL[network])
    assert model.input_names == ["a", "b"]


def test_name_of_mobilenet_v2_follows_the_tensor():
    for side, rows in ((96, 96), (64, 224)):
        model = MobileNetV2(alpha=0.35, input_tensor=cconv.Input((side, side, 3)))
        assert model.name == f"mobilenetv2_0.35_{rows}" and model.input_shape == (None, side, side, 3)


@pytest.mark.slow
@NETWORKS
def test_weights_come_from_a_file(network, tmp_path):
    one = small(network)
    one.save_weights(tmp_path / "net.weights.h5")
    two = small(network, weights=tmp_path / "net.weights.h5")
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="shape"):
        small(network, weights=str(tmp_path / "net.weights.h5"), input_shape=(32, 32, 1))
    with pytest.raises(ValueError, match="classifier_activation='relu'"):
        network(weights=str(tmp_path / "net.weights.h5"), classifier_activation="relu")


@pytest.mark.slow
def test_a_model_file_holds_it_all(tmp_path):
    one = small(MobileNetV2, pooling="avg")
    one.save(tmp_path / "net.keras")
    two = cconv.saving.load_model(tmp_path / "net.keras")
    assert [layer.name for layer in one.layers] == [layer.name for layer in two.layers]
    np.testing.assert_array_equal(one.predict(images(), verbose=0), two.predict(images(), verbose=0))


@NETWORKS
@pytest.mark.parametrize(
    "settings, message",
    [
        ({"weights": "imagenet", "classes": 3}, "weights='imagenet' are for classes=1000"),
        ({"weights": "nowhere.weights.h5"}, "weights='nowhere.weights.h5'"),
        ({"weights": 3}, "weights=3"),
        ({"include_top": False, "pooling": "mean"}, "pooling='mean'"),
        ({"input_shape": (32, 32)}, "three integers"),
        ({"input_shape": (31, 32, 3)}, "at least 32x32"),
        ({"input_shape": (None, 32, 3)}, "include_top=True"),
        ({"input_tensor": np.zeros((1, 32, 32, 3))}, "symbolic tensor"),
    ],
)
def test_wrong_arguments(network, settings, message):
    with pytest.raises(ValueError, match=message):
        network(**settings)


def test_wrong_arguments_of_mobilenet_v2():
    with pytest.raises(ValueError, match="alpha=0"):
        MobileNetV2(alpha=0)
    with pytest.raises(ValueError, match="input_tensor.shape"):
        MobileNetV2((64, 64, 3), input_tensor=cconv.Input((32, 32, 3)), include_top=False)


def test_unusual_channels_are_a_warning():
    with pytest.warns(UserWarning, match="with 5 channels") as caught:
        small(VGG16, input_shape=(32, 32, 5))
    assert caught[0].filename == __file__


@NETWORKS
def test_channels_first(network, channels_first):
    model = small(network, input_shape=(3, 32, 48), pooling="avg")
    cconv.config.set_image_data_format("channels_last")
    same = small(network, input_shape=(32, 48, 3), pooling="avg")
    assert shapes(model) == shapes(same)
    same.set_weights(model.get_weights())
    x = np.random.default_rng(0).random((2, 32, 48, 3), dtype=np.float32)
    y = model.predict(x.transpose(0, 3, 1, 2), verbose=0)
    np.testing.assert_allclose(y, same.predict(x, verbose=0), rtol=1e-4, atol=1e-6)


def test_names_in_modules_are_keras():
    assert applications.vgg16.VGG16 is VGG16
    assert applications.resnet.ResNet50 is applications.resnet50.ResNet50 is ResNet50
    assert applications.mobilenet_v2.MobileNetV2 is MobileNetV2


def test_nothing_is_imported_before_it_is_used():
    program = "import sys, cconv; assert 'cconv.applications' not in sys.modules; cconv.applications.VGG16"
    subprocess.run([sys.executable, "-c", program], check=True)


# ---- preprocess_input ----

MODES = {"caffe": applications.vgg16, "tf": applications.mobilenet_v2}


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("shape", [(4, 5, 3), (2, 4, 5, 3)])
def test_preprocessing(mode, shape):
    x = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    given = x.copy()
    if mode == "caffe":
        want = x[..., ::-1].astype(float) - [103.939, 116.779, 123.68]
    elif mode == "tf":
        want = x / 127.5 - 1
    else:
        want = (x.astype(float) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    y = imagenet_utils.preprocess_input(x, mode=mode)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, want, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(x, given)
    if mode in MODES:
        np.testing.assert_array_equal(MODES[mode].preprocess_input(x), y)
    # channels first, whole numbers, float64, symbolic
    first = imagenet_utils.preprocess_input(np.moveaxis(x, -1, -3), "channels_first", mode)
    np.testing.assert_array_equal(np.moveaxis(first, -3, -1), y)
    whole = imagenet_utils.preprocess_input(x.astype(np.uint8), mode=mode)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole, imagenet_utils.preprocess_input(np.floor(x), mode=mode))
    assert imagenet_utils.preprocess_input(x.astype(float), mode=mode).dtype == np.float64
    for format, image in (("channels_last", x), ("channels_first", np.moveaxis(x, -1, -3))):
        symbol = cconv.Input(batch_shape=image.shape)
        model = cconv.Model(symbol, imagenet_utils.preprocess_input(symbol, format, mode))
        made = model(np.ascontiguousarray(image))
        want = imagenet_utils.preprocess_input(image, format, mode)
        np.testing.assert_allclose(made, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "x, settings, message",
    [
        (np.zeros((4, 4, 3)), {"mode": "none"}, "mode='none'"),
        (np.zeros((4, 4, 3)), {"data_format": "nhwc"}, "data_format=nhwc"),
        (np.zeros((4, 4, 1)), {}, "three colors"),
        (np.zeros((4, 3)), {}, "batch of images"),
    ],
)
def test_what_cannot_be_preprocessed(x, settings, message):
    with pytest.raises(ValueError, match=message):
        imagenet_utils.preprocess_input(x, **settings)
