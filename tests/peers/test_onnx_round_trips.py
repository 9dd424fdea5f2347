"""cconv -> ONNX -> ONNX Runtime, and -> cconv again: every network of `applications`, which then learns on."""

from __future__ import annotations

import numpy as np
import pytest

import cconv

from .networks import build, images, randomize
from .onnx_zoo import difference, predict, run
from .test_applications import CALM, VARIANTS

pytest.importorskip("onnxruntime", reason="needs onnxruntime")

QUICK = ("vgg16 pooled", "mobilenet_v2 odd", "resnet50")
MARKED = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in VARIANTS]


def first(x):
    return np.ascontiguousarray(np.moveaxis(x, -1, 1)) if x.ndim > 2 else x


@pytest.mark.parametrize("variant", MARKED)
def test_applications(variant, tmp_path, record_property):
    name, settings = VARIANTS[variant]
    model = build(cconv, name, **settings)
    x = images(model)
    randomize(model, x, CALM.get(name))
    right = predict(model, [x])
    path = tmp_path / "m.onnx"
    model.export(path, format="onnx", verbose=False)
    found = difference(run(path, [first(x)]), [first(y) for y in right])
    record_property("in ONNX Runtime", f"{found:.1e}")
    loaded = cconv.onnx.load(path, data_format="channels_last")
    back = difference(predict(loaded, [x]), [first(y) for y in right])
    record_property("in cconv again", f"{back:.1e}")
    assert found <= 1e-4 and back <= 1e-4
    assert loaded.count_params() == model.count_params()
    assert len(loaded.trainable_variables) == len(model.trainable_variables)


@pytest.mark.parametrize("variant", MARKED)
def test_applications_train(variant, tmp_path):
    """Beside the model that it was: the same first loss, which then falls; every weight takes part."""
    cconv.utils.set_random_seed(0)
    name, settings = VARIANTS[variant]
    model = build(cconv, name, **settings)
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    loaded = cconv.onnx.load(tmp_path / "m.onnx", data_format="channels_last")
    x = images(model)
    right = model.predict(x, verbose=0)
    target = right + np.random.default_rng(2).normal(0, 0.1 + right.std(), right.shape).astype(np.float32)
    before = [np.array(v) for v in loaded.weights]
    losses = []
    for each, y in ((model, target), (loaded, first(target))):
        each.compile(cconv.optimizers.Adam(1e-5), "mse")
        losses.append([each.train_on_batch(x, y) for _ in range(2)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    loaded.optimizer.learning_rate = 1e-4  # steps that are more than what batch normalization of few images wavers by
    assert min(loaded.train_on_batch(x, first(target)) for _ in range(8)) < losses[1][0]
    still = [v.path for v, old in zip(loaded.weights, before, strict=True) if np.array_equal(v, old)]
    assert len(still) <= 0.02 * len(before), still
