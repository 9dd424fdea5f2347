"""Whole models as ONNX files: ONNX Runtime computes what they compute, and no transposes stand in their middle."""

from __future__ import annotations

import numpy as np
import pytest

import cconv
from cconv import _core, layers
from cconv.graph import build_graph

onnx = pytest.importorskip("onnx", reason="needs onnx")
ort = pytest.importorskip("onnxruntime", reason="needs onnxruntime")


def shuffled(model, seed=0):
    """The model with statistics and weights that are not as they begin."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        value = np.asarray(variable)
        name = variable.path.split("/")[-1]
        noise = rng.uniform(0.5, 1.5, value.shape) if name == "moving_variance" else rng.normal(0, 0.05, value.shape)
        variable.assign(noise if name == "moving_variance" else value + noise)
    return model


def written(model, path, channels_last=False):
    """The file of a model's graph, checked, and a session of it."""
    graph, ids = build_graph(model.outputs, model.inputs)
    for i, tensor in enumerate(model.outputs):
        graph.output(f"y{i}", ids[id(tensor)])
    graph.save_onnx(path, channels_last=channels_last)
    onnx.checker.check_model(str(path), full_check=True)
    onnx.shape_inference.infer_shapes(onnx.load(path), check_type=True, strict_mode=True, data_prop=True)
    return onnx.load(path).graph, ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def first(array):
    return np.ascontiguousarray(np.moveaxis(array, -1, 1)) if array.ndim > 2 else array


def transposes(graph):
    return [node.name for node in graph.node if node.op_type == "Transpose"]


def check(model, path, *, n=2, seed=0, expected=0, images=True, tolerance=2e-5):
    """Both orders of axes. expected: Transposes with images (n, c, h, w); images: inputs and outputs are some."""
    rng = np.random.default_rng(seed)
    shuffled(model, seed)
    x = [rng.normal(0, 1, (n, *(s or 8 for s in t.shape[1:]))).astype(np.float32) for t in model.inputs]
    wanted = model.predict(x if len(x) > 1 else x[0], verbose=0)
    wanted = wanted if isinstance(wanted, list) else [wanted]
    for channels_last in (False, True):
        graph, session = written(model, path, channels_last)
        move = first if images and not channels_last else np.asarray
        feeds = {i.name: move(a) for i, a in zip(session.get_inputs(), x, strict=True)}
        for found, right in zip(session.run(None, feeds), wanted, strict=True):
            right = move(right)
            assert found.shape == right.shape
            np.testing.assert_allclose(found, right, rtol=tolerance, atol=tolerance * np.abs(right).max())
        if not channels_last:
            assert len(transposes(graph)) == expected, transposes(graph)
    return graph


@pytest.mark.parametrize("name, size, expected", [("VGG16", 32, 0), ("ResNet50", 32, 0), ("MobileNetV2", 32, 0)])
def test_applications(name, size, expected, tmp_path):
    model = getattr(cconv.applications, name)(weights=None, input_shape=(size, size, 3), classes=10)
    check(model, tmp_path / "m.onnx", expected=expected, tolerance=1e-4)


def test_flattened_images_are_transposed_once(tmp_path):
    x = cconv.Input((8, 8, 3))
    y = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(x))
    check(cconv.Model(x, layers.Dense(5)(y)), tmp_path / "m.onnx", expected=1)


def test_branches(tmp_path):
    x = cconv.Input((12, 12, 3))
    y = layers.Conv2D(8, 3, padding="same", use_bias=False)(x)
    a = layers.ReLU(max_value=6.0)(layers.BatchNormalization()(y))
    b = layers.DepthwiseConv2D(3, padding="same", activation="swish")(y)
    c = layers.SeparableConv2D(8, 3, padding="same", activation="elu")(y)
    d = layers.Multiply()([a, layers.Dense(8, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(b))])
    y = layers.Concatenate()([layers.Add()([a, b, c]), d, layers.LeakyReLU()(layers.GroupNormalization(4)(y))])
    y = layers.ZeroPadding2D(1)(layers.Dropout(0.5)(y))
    y = layers.Cropping2D(((1, 0), (0, 2)))(y)
    out = layers.Softmax()(layers.Conv2D(6, 3, strides=2, padding="same", groups=2)(y))
    pooled = layers.GlobalMaxPooling2D()(y)
    check(cconv.Model(x, [out, pooled]), tmp_path / "m.onnx")


def test_sequences_and_volumes(tmp_path):
    x = cconv.Input((20, 4))
    y = layers.MaxPooling1D(2)(layers.Conv1D(6, 5, padding="same", activation="gelu")(x))
    y = layers.Conv1DTranspose(3, 4, strides=2)(layers.AveragePooling1D(3, strides=2, padding="same")(y))
    check(cconv.Model(x, y), tmp_path / "m.onnx")
    x = cconv.Input((6, 7, 8, 2))
    y = layers.AveragePooling3D(2)(layers.Conv3D(4, 3, padding="same", activation="relu")(x))
    y = layers.GlobalAveragePooling3D()(layers.Conv3DTranspose(3, 2, strides=2)(y))
    check(cconv.Model(x, y), tmp_path / "m.onnx")


def test_channels_first(tmp_path):
    """Such a model is there as it is: its inputs have their channels first."""
    options = {"data_format": "channels_first"}
    x = cconv.Input((3, 12, 12))
    y = layers.Conv2D(8, 3, padding="same", activation="relu", **options)(x)
    y = layers.BatchNormalization(axis=1)(layers.MaxPooling2D(2, **options)(y))
    y = layers.Add()([y, layers.Conv2D(8, 1, **options)(y)])
    z = layers.GlobalAveragePooling2D(**options)(y)
    check(cconv.Model(x, [y, layers.Dense(4)(z)]), tmp_path / "m.onnx", images=False)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_u_net(interpolation, tmp_path):
    x = cconv.Input((16, 16, 3))
    down = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    deep = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D(2)(down))
    deeper = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D(2)(deep))
    up = layers.Concatenate()([layers.Conv2DTranspose(16, 3, strides=2, padding="same")(deeper), deep])
    up = layers.UpSampling2D(2, interpolation=interpolation)(layers.Conv2D(8, 3, padding="same", activation="relu")(up))
    y = layers.Conv2D(2, 1, activation="sigmoid")(layers.Concatenate()([up, down]))
    check(cconv.Model(x, y), tmp_path / "m.onnx")


def test_open_sizes(tmp_path):
    x = cconv.Input((None, None, 3), name="photo")
    y = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(x)
    y = layers.MaxPooling2D(3, strides=2, padding="same")(layers.Conv2D(4, 3, padding="same")(y))
    y = layers.UpSampling2D(2)(layers.GroupNormalization(2)(y))
    check(cconv.Model(x, [y, layers.GlobalAveragePooling2D()(y)]), tmp_path / "m.onnx")
    dims = onnx.load(tmp_path / "m.onnx").graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dims] == ["batch", "photo_1", "photo_2", 3]


def test_names_and_types(tmp_path):
    x = cconv.Input((5,), name="words", dtype="int32")
    y = layers.LayerNormalization(name="even")(layers.Embedding(7, 4, name="table")(x))
    y = layers.Dense(3, activation="softmax", name="classes")(layers.GlobalAveragePooling1D(name="mean")(y))
    model = cconv.Model(x, y)
    graph, session = written(model, tmp_path / "m.onnx")
    assert [(i.name, i.type, i.shape) for i in session.get_inputs()] == [("words", "tensor(int32)", ["batch", 5])]
    assert [(o.name, o.type, o.shape) for o in session.get_outputs()] == [("y0", "tensor(float)", ["batch", 3])]
    data = np.array([[0, 1, 2, 3, 6]], np.int32)
    np.testing.assert_allclose(session.run(None, {"words": data})[0], model.predict(data, verbose=0), rtol=1e-5)
    names = [node.name for node in graph.node]
    assert len(set(names)) == len(names) and any("classes" in name for name in names)


def graph_of_one(value=1.0):
    graph = _core.Graph()
    x = graph.input((None, 3), "x")
    graph.output("y", graph.add("multiply", [x, graph.constant(np.full(3, value, np.float32), "factor")], {}, "y"))
    return graph


def test_outputs_are_named(tmp_path):
    graph = graph_of_one()
    graph.output(None, 1)
    assert graph.outputs() == [("y", 3), ("x", 1)]
    with pytest.raises(ValueError, match="output of this name"):
        graph.output("y", 1)
    graph.save_onnx(tmp_path / "m.onnx")
    session = ort.InferenceSession(str(tmp_path / "m.onnx"))
    assert [i.name for i in session.get_inputs()] == ["x"]
    assert session.get_outputs()[0].name == "y" and len(session.get_outputs()) == 2
    empty = _core.Graph()
    empty.input((2,), "x")
    with pytest.raises(ValueError, match="graph with outputs"):
        empty.save_onnx(tmp_path / "none.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]


def test_every_bit_of_a_number_is_kept(tmp_path):
    for value in (0.1, 1e-45, -0.0, np.inf, np.float32(np.pi), 3.4e38):
        graph_of_one(value).save_onnx(tmp_path / "m.onnx")
        (tensor,) = onnx.load(tmp_path / "m.onnx").graph.initializer
        assert onnx.numpy_helper.to_array(tensor).tobytes() == np.full(3, value, np.float32).tobytes()


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "m.onnx"
    graph_of_one().save_onnx(path)
    before = path.read_bytes()
    graph = _core.Graph()
    x = graph.input((4,), "x")
    graph.output("a", graph.add("erfinv", [x], {}, "first"))
    graph.output("b", graph.add("cumprod", [x], {}, "second"))
    with pytest.raises(NotImplementedError, match=r"first \(erfinv: .*second \(cumprod: "):
        graph.save_onnx(path)
    with pytest.raises(OSError, match="could not"):
        graph_of_one().save_onnx(tmp_path / "no folder" / "m.onnx")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="could not"):
        graph_of_one().save_onnx(tmp_path / "folder")
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "m.onnx"]


def test_a_model_that_is_too_large(tmp_path):
    """A variable in several shapes is as many initializers: eight of 256 MB are a byte too many."""
    graph = _core.Graph()
    weight = graph.variable(_core.Variable((2**26,)), "weight")
    for i in range(8):
        graph.output(f"y{i}", graph.add("relu", [graph.add("reshape", [weight], {"shape": (2**i, -1)})]))
    with pytest.raises(NotImplementedError, match=r"the model has 21474\d+ bytes, and an ONNX file at most 2147483647"):
        graph.save_onnx(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_orders_of_the_user(tmp_path):
    """Transposes of the graph's own cost nothing where they undo those of ONNX."""
    graph = _core.Graph()
    x = graph.input((None, 3, 6, 5), "x")
    weight = _core.Variable((3, 3, 3, 4))
    weight.assign(np.random.default_rng(0).normal(0, 0.3, (3, 3, 3, 4)).astype(np.float32))
    y = graph.add("transpose", [x], {"axes": (0, 2, 3, 1)})
    y = graph.add("conv", [y, graph.variable(weight, "w")], {"padding": "same", "activation": "relu"})
    y = graph.add("max", [y], {"axes": (3,), "keepdims": True})
    y = graph.add("transpose", [y], {"axes": (0, 3, 1, 2)})
    graph.output("y", y)
    data = np.random.default_rng(1).normal(0, 1, (2, 3, 6, 5)).astype(np.float32)
    expected = np.asarray(_core.Plan(graph, [y], max_batch=2).run([data])[0])
    for channels_last in (False, True):
        graph.save_onnx(tmp_path / "m.onnx", channels_last=channels_last)
        assert not transposes(onnx.load(tmp_path / "m.onnx").graph)
        found = ort.InferenceSession(str(tmp_path / "m.onnx")).run(None, {"x": data})[0]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
