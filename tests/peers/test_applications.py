"""The networks of `applications` beside Keras' own: the same layers and weights, files exchanged, the same outputs."""

import json

import keras
import numpy as np
import pytest

import cconv

from .networks import assert_same_results, build, check_keras, check_model_file, images, randomize

VARIANTS = {
    "vgg16": ("VGG16", {"include_top": False, "input_shape": (40, 48, 3)}),
    "vgg16 whole": ("VGG16", {"input_shape": (32, 32, 3), "classes": 4, "classifier_activation": None}),
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
    "mobilenet_v2 0.75": ("MobileNetV2", {"include_top": False, "alpha": 0.75, "input_shape": (64, 64, 3)}),
    "mobilenet_v2 1.3": ("MobileNetV2", {"alpha": 1.3, "include_top": False, "pooling": "avg"}),
    # of 32x32 pixels its last normalizations would take statistics of two numbers
    "mobilenet_v2 1.4": ("MobileNetV2", {"alpha": 1.4, "input_shape": (64, 64, 3), "classes": 3}),
}
CALM = {"ResNet101": "_3_bn", "ResNet152": "_3_bn"}  # see `randomize`


SLOW = ("vgg19", "resnet101", "resnet50v2 features", "densenet121", "densenet169 features")
MARKED = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in VARIANTS]


@pytest.mark.parametrize("variant", MARKED)
def test_weights_of_keras_give_its_outputs(variant, tmp_path):
    name, settings = VARIANTS[variant]
    check_keras(name, tmp_path, calm=CALM.get(name), **settings)


@pytest.mark.parametrize("variant", ["vgg16", "resnet50", "mobilenet_v2"])
def test_keras_opens_our_weights(variant, tmp_path):
    name, settings = VARIANTS[variant]
    ours, theirs = build(cconv, name, **settings), build(keras, name, **settings)
    x = images(ours)
    randomize(ours, x)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    assert_same_results(ours, theirs, x)


@pytest.mark.parametrize("writer", [cconv, keras], ids=["to keras", "from keras"])
@pytest.mark.parametrize("variant", ["vgg16", "resnet50", "mobilenet_v2", "mobilenet_v2 odd"])
def test_model_files_are_exchanged(variant, writer, tmp_path):
    name, settings = VARIANTS[variant]
    check_model_file(name, writer, tmp_path, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ResNet152", "ResNet101V2", "ResNet152V2", "DenseNet201"])
def test_deeper_ones_give_keras_outputs(name):
    check_keras(name, None, calm=CALM.get(name), include_top=False, input_shape=(96, 96, 3))


@pytest.mark.parametrize(
    "name, more",
    [
        ("MobileNetV2", {"alpha": 0.35}),
        ("ResNet50V2", {"calm": "_2_bn"}),  # else there are values at the corner of a ReLU: in images of seeds 1 to 4
        pytest.param("DenseNet121", {"seed": 6}, marks=pytest.mark.slow),
    ],
)
def test_gradients_are_keras(name, more):
    settings = {"input_shape": (64, 64, 3), "classes": 5, "classifier_activation": None}
    check_keras(name, None, gradients=True, **settings, **more)


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
