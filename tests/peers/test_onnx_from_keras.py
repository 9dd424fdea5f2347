"""Keras -> ONNX -> cconv: networks of keras.applications, and layers that Keras exports, compute the same here."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import cconv

from .onnx_zoo import difference, predict, run

pytest.importorskip("onnxscript", reason="needs onnxscript, by which Keras exports")
pytest.importorskip("onnxruntime", reason="needs onnxruntime")
pytestmark = pytest.mark.filterwarnings("ignore")

NETWORKS = {
    "MobileNetV2": {"alpha": 0.35},
    "MobileNetV3Small": {},
    "ResNet50": {},
    "DenseNet121": {},
    "EfficientNetB0": {},
    "InceptionV3": {},
}


def unlike_new(model):
    """Makes statistics, scales and offsets other than they begin; kernels stay."""
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables + model.non_trainable_variables:
        name = variable.path.split("/")[-1]
        if name in ("moving_variance", "gamma"):
            variable.assign(rng.uniform(0.7, 1.4, variable.shape))
        elif name in ("moving_mean", "beta", "bias"):
            variable.assign(rng.normal(0, 0.1, variable.shape))


def compare(model, x, path, record):
    right = predict(model, x)
    model.export(path, format="onnx", verbose=False)
    loaded = cconv.onnx.load(path)
    ours, theirs = difference(predict(loaded, x), right), difference(run(path, x), right)
    record("difference", f"{ours:.1e}")
    record("ONNX Runtime's", f"{theirs:.1e}")
    assert ours <= 1e-4
    return loaded


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_applications(name, tmp_path, record_property):
    settings = {"weights": None, "input_shape": (96, 96, 3), "classes": 7, "classifier_activation": None}
    model = getattr(keras.applications, name)(**settings, **NETWORKS[name])
    unlike_new(model)
    x = np.random.default_rng(1).standard_normal((2, 96, 96, 3)).astype(np.float32)
    compare(model, [x], tmp_path / "m.onnx", record_property)


def test_layers(tmp_path, record_property):
    layers = keras.layers
    a, b = keras.Input((16, 16, 3), name="a"), keras.Input((5,), name="b")
    y = layers.Conv2D(8, 3, padding="same", strides=2)(a)
    y = layers.LeakyReLU()(layers.BatchNormalization()(y))
    y = layers.SeparableConv2D(8, 3, padding="same", activation="silu")(y)
    y = layers.AveragePooling2D(3, strides=2, padding="same")(y)
    y = layers.Conv2DTranspose(4, 4, strides=2, padding="same", activation="elu")(y)
    y = layers.UpSampling2D(2)(y)  # LayerNormalization is what Keras cannot export
    y = layers.concatenate([layers.GlobalMaxPooling2D()(y), layers.Dense(3, activation="gelu")(b)])
    model = keras.Model([a, b], layers.Dense(4, activation="softmax")(layers.Dropout(0.5)(y)))
    unlike_new(model)
    rng = np.random.default_rng(0)
    x = [rng.standard_normal((2, 16, 16, 3)).astype(np.float32), rng.standard_normal((2, 5)).astype(np.float32)]
    compare(model, x, tmp_path / "m.onnx", record_property)
