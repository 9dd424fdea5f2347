"""`model.export` in the format of ONNX, beside `model.predict`."""

from __future__ import annotations

import numpy as np
import pytest

import cconv
from cconv import layers

onnx = pytest.importorskip("onnx", reason="needs onnx")
ort = pytest.importorskip("onnxruntime", reason="needs onnxruntime")


def outputs(path, *arrays):
    onnx.checker.check_model(str(path), full_check=True)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {i.name: a for i, a in zip(session.get_inputs(), arrays, strict=True)})


def small():
    return cconv.Sequential(
        [
            cconv.Input((8, 8, 3), name="photo"),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax", name="classes"),
        ]
    )


X = np.random.default_rng(0).normal(0, 1, (3, 8, 8, 3)).astype(np.float32)


def test_as_the_model_predicts(tmp_path, capsys):
    model = small()
    model.export(tmp_path / "m.onnx", channels_last=True)
    assert capsys.readouterr().out == f"Saved artifact at '{tmp_path / 'm.onnx'}'.\n"
    np.testing.assert_allclose(outputs(tmp_path / "m.onnx", X)[0], model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    session = ort.InferenceSession(str(tmp_path / "m.onnx"))
    assert [(x.name, x.shape) for x in session.get_inputs()] == [("photo", ["batch", 8, 8, 3])]
    assert [(y.name, y.shape) for y in session.get_outputs()] == [("classes", ["batch", 2])]


def test_channels_first(tmp_path, capsys):
    model = small()
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False, opset_version=18)
    assert capsys.readouterr().out == ""
    found = outputs(tmp_path / "m.onnx", np.ascontiguousarray(X.transpose(0, 3, 1, 2)))[0]
    np.testing.assert_allclose(found, model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    assert not [node for node in onnx.load(tmp_path / "m.onnx").graph.node if node.op_type == "Transpose"]


def test_several_inputs_and_outputs(tmp_path):
    a, b = cconv.Input((4,), name="a"), cconv.Input((4,), name="b", dtype="int32")
    y = layers.Add()([layers.Dense(3)(a), layers.Flatten()(layers.Embedding(5, 3)(b[:, :1]))])
    model = cconv.Model({"a": a, "b": b}, {"sum": y, "positive": layers.ReLU()(y)})
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    data = {"a": X[:, 0, 0, [0, 1, 2, 0]], "b": np.array([[0, 1, 2, 3], [4, 0, 0, 0], [2, 2, 2, 2]], np.int32)}
    expected = model.predict(data, verbose=0)
    session = ort.InferenceSession(str(tmp_path / "m.onnx"))
    found = dict(zip([o.name for o in session.get_outputs()], session.run(None, data), strict=True))
    assert len(found) == 2
    for right in expected.values():
        assert any(np.allclose(right, array, rtol=1e-5, atol=1e-6) for array in found.values())


def test_a_signature_gives_sizes(tmp_path):
    model = cconv.Sequential([cconv.Input((None, None, 3)), layers.Conv2D(4, 3, strides=2, padding="same")])
    for signature in (
        cconv.Input((8, 8, 3), batch_size=3),
        [cconv.InputSpec(shape=(3, 8, 8, 3), dtype="float32")],
    ):
        model.export(tmp_path / "m.onnx", format="onnx", verbose=False, input_signature=signature, channels_last=True)
        shape = ort.InferenceSession(str(tmp_path / "m.onnx")).get_inputs()[0].shape
        assert shape[1:] == [8, 8, 3]
        np.testing.assert_allclose(
            outputs(tmp_path / "m.onnx", X)[0], model.predict(X, verbose=0), rtol=1e-5, atol=1e-5
        )
    with pytest.raises(ValueError, match="1 inputs"):
        model.export(tmp_path / "m.onnx", format="onnx", input_signature=[[cconv.Input((2,)), cconv.Input((2,))]])


def test_a_class_of_its_own(tmp_path):
    class Own(cconv.Model):
        def __init__(self):
            super().__init__()
            self.conv, self.dense = layers.Conv2D(4, 3), layers.Dense(2)

        def call(self, x):
            return self.dense(layers.Flatten()(self.conv(x)))

    model = Own()
    expected = model.predict(X, verbose=0)
    signature = [cconv.Input((8, 8, 3), name="x")]
    model.export(tmp_path / "m.onnx", "onnx", verbose=False, input_signature=signature, channels_last=True)
    np.testing.assert_allclose(outputs(tmp_path / "m.onnx", X)[0], expected, rtol=1e-5, atol=1e-5)


def test_what_is_refused(tmp_path):
    model = small()
    with pytest.raises(NotImplementedError, match="format='onnx'.*tf_saved_model"):
        model.export(tmp_path / "m")
    with pytest.raises(NotImplementedError, match="version 18"):
        model.export(tmp_path / "m", "onnx", opset_version=11)
    with pytest.raises(TypeError, match="strict"):
        model.export(tmp_path / "m", "onnx", strict=True)
    with pytest.raises(ValueError, match="inputs"):
        cconv.Sequential([layers.Dense(2)]).export(tmp_path / "m", "onnx")
    assert not list(tmp_path.iterdir())
