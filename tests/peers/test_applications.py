"""The networks of `applications` beside Keras' own: the same layers and weights, files exchanged, the same outputs."""

import json

import keras
import numpy as np
import pytest

import cconv

from . import networks_alike
from .networks import check_keras

VARIANTS = {
    "vgg16": ("VGG16", {"include_top": False, "input_shape": (40, 48, 3)}),
    "vgg16 whole": ("VGG16", {"input_shape": (32, 32, 3), "classes": 4}),
    "vgg16 pooled": ("VGG16", {"include_top": False, "input_shape": (32, 32, 1), "pooling": "max"}),
    "resnet50": ("ResNet50", {"input_shape": (40, 33, 3), "classes": 5, "classifier_activation": None}),
    "resnet50 features": ("ResNet50", {"include_top": False}),
    "resnet50 pooled": ("ResNet50", {"include_top": False, "input_shape": (64, 64, 3), "pooling": "max"}),
    "vgg19": ("VGG19", {"include_top": False, "input_shape": (40, 32, 3), "pooling": "avg"}),
    "resnet101": ("ResNet101", {"input_shape": (32, 32, 3), "classes": 3, "classifier_activation": None}),
    "resnet50v2": ("ResNet50V2", {"input_shape": (40, 33, 3), "classes": 5, "classifier_activation": None}),
    "resnet50v2 features": ("ResNet50V2", {"include_top": False, "pooling": "max"}),
    "densenet121": ("DenseNet121", {"input_shape": (64, 48, 3), "classes": 5, "classifier_activation": None}),
    "densenet169 features": ("DenseNet169", {"include_top": False, "input_shape": (32, 32, 3)}),
    "mobilenet_v2": ("MobileNetV2", {"input_shape": (96, 96, 3), "classifier_activation": None}),
    "mobilenet_v2 odd": ("MobileNetV2", {"input_shape": (33, 50, 3), "alpha": 0.35, "classes": 5}),
    "mobilenet_v2 features": ("MobileNetV2", {"include_top": False, "alpha": 0.5}),
    "mobilenet_v2 0.75": ("MobileNetV2", {"include_top": False, "alpha": 0.75, "input_shape": (32, 32, 3)}),
    "mobilenet_v2 1.3": ("MobileNetV2", {"alpha": 1.3, "include_top": False, "pooling": "avg"}),
    "mobilenet_v2 1.4": ("MobileNetV2", {"alpha": 1.4, "input_shape": (32, 32, 3), "classes": 3}),
}


SLOW = ("vgg19", "resnet101", "resnet50v2 features", "densenet121", "densenet169 features")
MARKED = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in VARIANTS]


def build(k, variant):
    """The network of Keras or cconv, whichever `k` is."""
    k.utils.clear_session()  # layers without a name of their own are numbered from the beginning
    name, settings = VARIANTS[variant]
    return getattr(k.applications, name)(**{"weights": None, **settings})


def randomize(model):
    """Random weights, the statistics of batch normalization included, that keep the outputs of a deep network apart."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        values = layer.get_weights()
        if not values:
            continue
        if values[0].ndim == 1:  # gamma, beta, mean, variance
            n = len(values[0])
            mean, variance = 0.1 * rng.standard_normal(n), rng.uniform(0.5, 1.5, n)
            layer.set_weights([rng.uniform(0.8, 1.4, n), 0.1 * rng.standard_normal(n), mean, variance])
        else:
            kernel, *bias = values
            fan_in = kernel[..., 0].size if kernel.shape[-1] > 1 else kernel[..., 0, 0].size
            kernel = (2 / fan_in) ** 0.5 * rng.standard_normal(kernel.shape)
            layer.set_weights([kernel, *(0.1 * rng.standard_normal(b.shape) for b in bias)])


def images(model):
    sizes = [48 if size is None else size for size in model.input_shape[1:]]
    return 2 * np.random.default_rng(1).standard_normal((2, *sizes), dtype=np.float32)


def listed(model):
    return [(v.path.split("/")[-2:], tuple(v.shape), v.trainable) for v in model.weights]


@pytest.mark.parametrize("variant", MARKED)
def test_layers_and_weights_are_keras(variant):
    ours, theirs = build(cconv, variant), build(keras, variant)
    assert ours.name == theirs.name
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [type(layer).__name__ for layer in ours.layers] == [type(layer).__name__ for layer in theirs.layers]
    assert listed(ours) == listed(theirs)
    assert [x.output.shape for x in ours.layers[1:]] == [tuple(x.output.shape) for x in theirs.layers[1:]]
    assert ours.count_params() == theirs.count_params()


def assert_same_outputs(ours, theirs):
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    y, want = ours.predict(images(ours), verbose=0), theirs.predict(images(ours), verbose=0)
    assert np.std(want, axis=0).max() > 1e-3 * np.abs(want).max()  # the output depends on the image
    np.testing.assert_allclose(y, want, rtol=0, atol=3e-4 * np.abs(want).max())


@pytest.mark.parametrize("variant", MARKED)
def test_weights_of_keras_give_its_outputs(variant, tmp_path):
    theirs = build(keras, variant)
    randomize(theirs)
    theirs.save_weights(tmp_path / "keras.weights.h5")
    name, settings = VARIANTS[variant]
    ours = getattr(cconv.applications, name)(weights=tmp_path / "keras.weights.h5", **settings)
    assert_same_outputs(ours, theirs)


@pytest.mark.parametrize("variant", ["vgg16", "resnet50", "mobilenet_v2"])
def test_keras_opens_our_weights(variant, tmp_path):
    ours, theirs = build(cconv, variant), build(keras, variant)
    randomize(ours)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    assert_same_outputs(ours, theirs)


@pytest.mark.parametrize("direction", ["to keras", "from keras"])
@pytest.mark.parametrize("variant", ["vgg16", "resnet50", "mobilenet_v2", "mobilenet_v2 odd"])
def test_model_files_are_exchanged(variant, direction, tmp_path):
    writer, reader = (cconv, keras) if direction == "to keras" else (keras, cconv)
    one = build(writer, variant)
    randomize(one)
    one.save(tmp_path / "model.keras")
    two = reader.saving.load_model(tmp_path / "model.keras")
    ours, theirs = (one, two) if direction == "to keras" else (two, one)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert_same_outputs(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ResNet101V2", "ResNet152V2", "DenseNet201"])
def test_deeper_ones_give_keras_outputs(name):
    check_keras(name, None, include_top=False, input_shape=(96, 96, 3))


@pytest.mark.parametrize(
    "name, more",
    [
        ("MobileNetV2", {"alpha": 0.35}),
        ("ResNet50V2", {}),
        pytest.param("DenseNet121", {}, marks=pytest.mark.slow),
    ],
)
def test_gradients_are_keras(name, more, record_property):
    settings = {"input_shape": (64, 64, 3), "classes": 5, "classifier_activation": None}
    ours, theirs = networks_alike.pair(name, {**settings, **more})
    networks_alike.randomize(theirs)
    ours.set_weights(theirs.get_weights())
    networks_alike.assert_same_gradients(ours, theirs, record_property)


@pytest.mark.parametrize("module", ["vgg16", "vgg19", "resnet", "resnet50", "resnet_v2", "densenet", "mobilenet_v2"])
def test_preprocessing_is_keras(module):
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
    ours = getattr(cconv.applications, module).preprocess_input(x)
    theirs = getattr(keras.applications, module).preprocess_input(x.copy())
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_preprocessing_of_every_mode_is_keras(mode, layout):
    shape = (2, 4, 5, 3) if layout == "channels_last" else (2, 3, 4, 5)
    x = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    ours = cconv.applications.imagenet_utils.preprocess_input(x, layout, mode)
    theirs = keras.applications.imagenet_utils.preprocess_input(x.copy(), layout, mode)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


def test_names_of_classes_are_keras(tmp_path, monkeypatch):
    index = {str(i): [f"n{i:08}", f"class_{i}"] for i in range(1000)}
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "imagenet_class_index.json").write_text(json.dumps(index))
    monkeypatch.setenv("CCONV_DATASETS", str(tmp_path))
    monkeypatch.setattr("keras.src.applications.imagenet_utils.CLASS_INDEX", index)
    x = np.random.default_rng(0).random((3, 1000), np.float32)
    for top in (1, 5, 1000):
        ours = cconv.applications.imagenet_utils.decode_predictions(x, top)
        assert ours == keras.applications.imagenet_utils.decode_predictions(x, top)
