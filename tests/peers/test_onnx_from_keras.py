"""Keras -> ONNX -> cconv: networks of keras.applications, and layers that Keras exports, compute the same here."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import cconv

from .onnx_zoo import difference, predict, run
from .test_applications import randomize

pytest.importorskip("onnxscript", reason="needs onnxscript, by which Keras exports")
pytest.importorskip("onnxruntime", reason="needs onnxruntime")
pytestmark = pytest.mark.filterwarnings("ignore")

NETWORKS = {
    "MobileNetV2": {"alpha": 0.35},
    "MobileNetV3Small": {},
    "ResNet50": {},
    "DenseNet121": {},
    "EfficientNetB0": {},
    "Xception": {},
    "InceptionV3": {},
}


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
    if name != "EfficientNetB0":  # it has weights that are no layer's kernel or statistics
        randomize(model)
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
    rng = np.random.default_rng(0)
    for variable in model.weights:
        if variable.path.startswith("seed") or "seed_generator" in variable.path:
            continue
        noise = (
            rng.uniform(0.5, 1.5, variable.shape) if "variance" in variable.path else rng.normal(0, 0.2, variable.shape)
        )
        variable.assign(noise if "variance" in variable.path else np.asarray(variable.value.detach()) + noise)
    x = [rng.standard_normal((2, 16, 16, 3)).astype(np.float32), rng.standard_normal((2, 5)).astype(np.float32)]
    compare(model, x, tmp_path / "m.onnx", record_property)
