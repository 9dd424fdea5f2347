"""Models written as ONNX and read again: they predict, train, are saved and taken apart as any other."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import small_onnx

import cconv
from cconv import layers


def unlike_new(model, seed=0):
    """The model with statistics and weights that are not as they begin."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        value = np.asarray(variable)
        if variable.path.endswith("moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, value.shape))
        else:
            variable.assign(value + rng.normal(0, 0.1, value.shape))
    return model


def classifier():
    """Convolutions, batch normalization, a branch, dropout, a dense head."""
    x = cconv.Input((12, 12, 3), name="photo")
    y = layers.Conv2D(8, 3, padding="same", use_bias=False, name="first")(x)
    y = layers.ReLU(name="bend")(layers.BatchNormalization(name="norm")(y))
    y = layers.MaxPooling2D(2, name="pool")(y)
    z = layers.DepthwiseConv2D(3, padding="same", activation="swish", name="depthwise")(y)
    y = layers.Add(name="add")([y, layers.Conv2D(8, 1, name="mix")(z)])
    y = layers.Flatten(name="flat")(y)
    y = layers.Dropout(0.1, name="drop")(y)
    return unlike_new(cconv.Model(x, layers.Dense(3, activation="softmax", name="head")(y), name="small"))


def first(x):
    return np.ascontiguousarray(np.moveaxis(x, -1, 1)) if x.ndim > 2 else x


def images(n=12, shape=(12, 12, 3), seed=1):
    return np.random.default_rng(seed).standard_normal((n, *shape)).astype(np.float32)


@pytest.fixture
def written(tmp_path):
    """A model, and its file."""
    model = classifier()
    model.export(tmp_path / "small.onnx", format="onnx", verbose=False)
    return model, tmp_path / "small.onnx"


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


# ---- Predictions ----


@pytest.mark.parametrize("data_format", [None, "channels_first", "channels_last"])
def test_it_predicts_the_same(written, data_format):
    model, path = written
    loaded = cconv.onnx.load(path, data_format=data_format)
    last = data_format == "channels_last"
    assert loaded.name == "small"
    assert loaded.input_shape == ((None, 12, 12, 3) if last else (None, 3, 12, 12))
    x = images(5)
    close(loaded.predict(x if last else first(x), verbose=0), model.predict(x, verbose=0))
    close(loaded(x if last else first(x)), model.predict(x, verbose=0))
    assert loaded.count_params() == model.count_params()


def test_bytes_names_and_paths(written):
    model, path = written
    x = images(2)
    right = model.predict(x, verbose=0)
    for source, name in ((path.read_bytes(), "onnx"), (bytearray(path.read_bytes()), "onnx"), (str(path), "small")):
        loaded = cconv.onnx.load(source)
        assert loaded.name == name
        close(loaded.predict(first(x), verbose=0), right)
    assert cconv.onnx.load(path, name="a/b").name == "a.b"


def test_layers_have_the_names_of_nodes(written):
    _, path = written
    loaded = cconv.onnx.load(path)
    names = [layer.name for layer in loaded.layers]
    assert names[0] == "photo" and len(set(names)) == len(names)
    for name in ("first", "norm", "depthwise", "mix", "head"):
        assert any(name in found for found in names), names
    layer = next(layer for layer in loaded.layers if "mix" in layer.name)
    assert loaded.get_layer(layer.name) is layer
    middle = cconv.Model(loaded.inputs, layer.output)
    assert middle.predict(first(images(2)), verbose=0).size == 2 * 6 * 6 * 8
    lines = []
    loaded.summary(print_fn=lines.append)
    assert "head" in "\n".join(map(str, lines)) and f"{loaded.count_params():,}" in "\n".join(map(str, lines))


def test_open_sizes_and_shapes_that_are_given(tmp_path):
    x = cconv.Input((None, None, 3), name="photo")
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu", padding="same")(x))
    model = unlike_new(cconv.Model(x, y))
    model.export(tmp_path / "open.onnx", format="onnx", verbose=False)
    loaded = cconv.onnx.load(tmp_path / "open.onnx")
    assert loaded.input_shape == (None, 3, None, None)
    for shape in ((8, 8, 3), (7, 12, 3)):
        close(loaded.predict(first(images(2, shape)), verbose=0), model.predict(images(2, shape), verbose=0))
    fixed = cconv.onnx.load(tmp_path / "open.onnx", shapes={"photo": (None, 3, 8, None)})
    assert fixed.input_shape == (None, 3, 8, None)
    one = cconv.onnx.load(tmp_path / "open.onnx", shapes={"photo": [1, 3, 8, 8]})
    assert one.input_shape == (None, 3, 8, 8)  # samples are apart


def test_a_batch_that_cannot_be_opened():
    """Samples that are not apart: two in the file stay two."""
    nodes = [small_onnx.node("ReduceMean", ["x"], "mean", axes=[0]), small_onnx.node("Sub", ["x", "mean"], "y")]
    model = small_onnx.model(nodes, [small_onnx.value("x", (2, 3))], [small_onnx.value("y", (2, 3))])
    loaded = cconv.onnx.load(model)
    assert loaded.input_shape == (2, 3) and loaded.output_shape == (2, 3)
    x = images(2, (3,))
    np.testing.assert_allclose(loaded(x), x - x.mean(0), rtol=1e-5, atol=1e-6)


# ---- Inputs, outputs, weights ----


def two_towers():
    a, b = cconv.Input((8, 8, 1), name="a"), cconv.Input((8, 8, 1), name="b")
    tower = cconv.Sequential([layers.Conv2D(4, 3, activation="relu", name="shared"), layers.Flatten()], name="tower")
    fa, fb = tower(a), tower(b)
    return unlike_new(
        cconv.Model([a, b], [layers.Subtract(name="difference")([fa, fb]), layers.Dense(2, name="of_a")(fa)])
    )


def test_several_inputs_and_outputs_and_a_shared_weight(tmp_path):
    model = two_towers()
    model.export(tmp_path / "two.onnx", format="onnx", verbose=False)
    loaded = cconv.onnx.load(tmp_path / "two.onnx", data_format="channels_last")
    assert [x.name for x in loaded.inputs] == ["a", "b"] and len(loaded.outputs) == 2
    x = [images(6, (8, 8, 1)), images(6, (8, 8, 1), seed=2)]
    for found, right in zip(loaded.predict(x, verbose=0), model.predict(x, verbose=0), strict=True):
        close(found, right)
    assert loaded.count_params() == model.count_params()
    # trained as one: both models take the same steps
    y = [images(6, (144,), seed=3), images(6, (2,), seed=4)]
    for each in (model, loaded):
        each.compile(cconv.optimizers.SGD(0.05), ["mse", "mse"])
        each.fit(x, y, batch_size=3, epochs=3, shuffle=False, verbose=0)
    for found, right in zip(loaded.predict(x, verbose=0), model.predict(x, verbose=0), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-5)


def test_whole_numbers_go_in(tmp_path):
    x = cconv.Input((5,), name="words", dtype="int32")
    y = layers.Dense(3)(layers.LayerNormalization()(layers.Embedding(7, 4)(x)))
    model = unlike_new(cconv.Model(x, y))
    model.export(tmp_path / "words.onnx", format="onnx", verbose=False)
    loaded = cconv.onnx.load(tmp_path / "words.onnx")
    assert loaded.inputs[0].dtype == "int32"
    words = np.random.default_rng(0).integers(0, 7, (4, 5)).astype(np.int32)
    close(loaded.predict(words, verbose=0), model.predict(words, verbose=0))
    with pytest.raises((TypeError, ValueError)):
        loaded.predict(words + 0.5, verbose=0)


@pytest.mark.parametrize("rank", [1, 3])
def test_sequences_and_volumes(rank, tmp_path):
    shape = (10, 8, 9)[:rank] + (2,)
    conv, pool = (layers.Conv1D, layers.MaxPooling1D) if rank == 1 else (layers.Conv3D, layers.MaxPooling3D)
    x = cconv.Input(shape)
    y = pool(2)(conv(4, 3, padding="same", activation="elu")(x))
    model = unlike_new(cconv.Model(x, y))
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    for data_format in ("channels_first", "channels_last"):
        loaded = cconv.onnx.load(tmp_path / "m.onnx", data_format=data_format)
        given = images(2, shape)
        found = loaded.predict(given if data_format == "channels_last" else first(given), verbose=0)
        close(found, first(model.predict(given, verbose=0)))


# ---- Training ----


def test_it_trains(written):
    _, path = written
    loaded = cconv.onnx.load(path)
    loaded.compile(cconv.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = first(images(24)), np.arange(24) % 3
    trained = {id(v): v.numpy().copy() for v in loaded.trainable_variables}
    statistics = {id(v): v.numpy().copy() for v in loaded.non_trainable_variables if v.numpy().size == 8}
    assert len(statistics) == 2 and len(trained) == 9
    losses = loaded.fit(x, y, batch_size=8, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert all((v.numpy() != trained[id(v)]).any() for v in loaded.trainable_variables)
    assert all((v.numpy() != statistics[id(v)]).any() for v in loaded.non_trainable_variables if id(v) in statistics)


def test_it_trains_as_the_model_it_was(tmp_path):
    """Without dropout, whose numbers differ: the same losses, step by step."""
    x = cconv.Input((8, 8, 2))
    y = layers.BatchNormalization(momentum=0.9)(layers.Conv2D(4, 3)(x))
    y = layers.GlobalAveragePooling2D()(layers.ReLU()(y))
    model = unlike_new(cconv.Model(x, layers.Dense(3)(y)))
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    loaded = cconv.onnx.load(tmp_path / "m.onnx", data_format="channels_last")
    losses = []
    for each in (model, loaded):
        each.compile(cconv.optimizers.SGD(0.1, momentum=0.9), "mse")
        fitted = each.fit(images(16, (8, 8, 2)), images(16, (3,)), batch_size=8, epochs=4, shuffle=False, verbose=0)
        losses.append(fitted.history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_frozen_layers_stay(written):
    _, path = written
    loaded = cconv.onnx.load(path, data_format="channels_last")
    last = [layer for layer in loaded.layers if layer.weights][-1]
    before = loaded.get_weights()
    loaded.trainable = False
    cut = loaded.layers[loaded.layers.index(last) - 1].output
    model = cconv.Model(loaded.inputs, layers.Dense(5, activation="softmax")(cut))
    assert len(model.trainable_variables) == 2
    model.compile("adam", "sparse_categorical_crossentropy")
    losses = model.fit(images(10), np.arange(10) % 5, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert all(np.array_equal(a, b) for a, b in zip(before, loaded.get_weights(), strict=True))


# ---- Files ----


def test_weights_are_saved(written, tmp_path):
    model, path = written
    loaded, other = cconv.onnx.load(path), cconv.onnx.load(path)
    unlike_new(loaded, 5)
    loaded.save_weights(tmp_path / "m.weights.h5")
    x = first(images(3))
    assert np.abs(loaded.predict(x, verbose=0) - other.predict(x, verbose=0)).max() > 1e-3
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), other.predict(x, verbose=0))


def test_the_model_is_saved_cloned_and_written_again(written, tmp_path):
    _, path = written
    loaded = cconv.onnx.load(path)
    x = first(images(3))
    right = loaded.predict(x, verbose=0)
    loaded.compile("adam", "sparse_categorical_crossentropy")
    loaded.fit(x, np.arange(3), verbose=0)
    right = loaded.predict(x, verbose=0)
    loaded.save(tmp_path / "m.keras")
    again = cconv.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), right)
    assert [layer.name for layer in again.layers] == [layer.name for layer in loaded.layers]
    again.fit(x, np.arange(3), verbose=0)
    clone = cconv.models.clone_model(loaded)
    assert np.abs(clone.predict(x, verbose=0) - right).max() > 0
    clone.set_weights(loaded.get_weights())
    np.testing.assert_array_equal(clone.predict(x, verbose=0), right)
    loaded.export(tmp_path / "again.onnx", format="onnx", verbose=False, channels_last=True)
    close(cconv.onnx.load(tmp_path / "again.onnx").predict(x, verbose=0), right)


def test_shared_weights_are_saved(tmp_path):
    two_towers().export(tmp_path / "two.onnx", format="onnx", verbose=False)
    loaded = cconv.onnx.load(tmp_path / "two.onnx", data_format="channels_last")
    x = [images(3, (8, 8, 1)), images(3, (8, 8, 1), seed=2)]
    right = loaded.predict(x, verbose=0)
    loaded.save(tmp_path / "two.keras")
    loaded.save_weights(tmp_path / "two.weights.h5")
    again = cconv.models.load_model(tmp_path / "two.keras")
    for found, expected in zip(again.predict(x, verbose=0), right, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_another_process_reads_the_saved_model(written, tmp_path):
    _, path = written
    loaded = cconv.onnx.load(path)
    x = first(images(2))
    loaded.save(tmp_path / "m.keras")
    np.save(tmp_path / "x.npy", x)
    program = (
        "import sys, numpy as np, cconv; model = cconv.models.load_model(sys.argv[1]); "
        "np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))"
    )
    names = [str(tmp_path / name) for name in ("m.keras", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-c", program, *names], check=True, timeout=120)
    close(np.load(tmp_path / "y.npy"), loaded.predict(x, verbose=0))


# ---- Errors ----


def test_what_cannot_be_read(written, tmp_path):
    _, path = written
    data = path.read_bytes()
    with pytest.raises(OSError, match="none.onnx"):
        cconv.onnx.load(tmp_path / "none.onnx")
    with pytest.raises(OSError, match=str(tmp_path)):
        cconv.onnx.load(tmp_path)
    for wrong in (b"", b"no model", data[: len(data) // 2], data[:-1]):
        with pytest.raises(ValueError):
            cconv.onnx.load(wrong)
    (tmp_path / "empty.onnx").write_bytes(b"")
    with pytest.raises(ValueError):
        cconv.onnx.load(tmp_path / "empty.onnx")
    for wrong in (None, 3, ["m.onnx"]):
        with pytest.raises(TypeError, match="Expected a path or the bytes"):
            cconv.onnx.load(wrong)


def test_damaged_bytes_do_no_harm(written):
    """Any byte may be another: the model is read, or an error says why not."""
    data = bytearray(written[1].read_bytes())
    rng = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(data)
        broken[int(rng.integers(0, 600))] ^= int(rng.integers(1, 256))
        try:
            cconv.onnx.load(broken)
        except (ValueError, NotImplementedError, MemoryError) as error:
            assert str(error)


@pytest.mark.parametrize(
    "shapes, error, match",
    [
        ({"picture": (None, 3, 12, 12)}, ValueError, "no input 'picture'"),
        ({"photo": (None, 3, 12)}, ValueError, "expected a shape of 4 sizes, received 3"),
        ({"photo": (None, 4, 12, 12)}, ValueError, "channels|size"),
        ({"photo": (None, 3, -1, 12)}, ValueError, "sizes of `shapes\\['photo'\\]` must be positive integers or None"),
        ({"photo": (None, 3, "12", 12)}, ValueError, "must be positive integers or None"),
        ({"photo": 3}, ValueError, "must be a tuple of sizes"),
        ([(None, 3, 12, 12)], TypeError, "Expected shapes as a dictionary"),
        ({3: (None, 3, 12, 12)}, TypeError, "Expected shapes as a dictionary"),
    ],
)
def test_wrong_shapes(written, shapes, error, match):
    with pytest.raises(error, match=match):
        cconv.onnx.load(written[1], shapes=shapes)


def test_wrong_data_formats(written):
    for wrong in ("last", "NCHW", 1):
        with pytest.raises(ValueError, match="Expected data_format as None, 'channels_first' or 'channels_last'"):
            cconv.onnx.load(written[1], data_format=wrong)


def test_operators_that_are_not_supported_are_all_named():
    nodes = [
        small_onnx.node("LSTM", ["x"], "a"),
        small_onnx.node("Det", ["a"], "b"),
        small_onnx.node("Fancy", ["x"], "c"),
    ]
    model = small_onnx.model(nodes, [small_onnx.value("x", (2, 3, 3))], [small_onnx.value("b", (2,))])
    with pytest.raises(NotImplementedError, match="LSTM of node 'a'.*Det of node 'b'.*Fancy of node 'c'"):
        cconv.onnx.load(model)


def test_attributes_that_an_operator_does_not_have_are_all_named():
    """What they would change elsewhere is not to be left out; what begins with "__" changes nothing anywhere."""
    nodes = [
        small_onnx.node("Relu", ["x"], "a", slope=0.1, __note="mine"),
        small_onnx.node("Squeeze", ["a"], "b", axes=[0]),  # an input since opset 13
        small_onnx.node("Softmax", ["b"], "y", axis=0, fancy=1) + small_onnx.field(5, small_onnx.attribute("axis", 1)),
        small_onnx.node("LSTM", ["x"], "d"),
    ]
    model = small_onnx.model(nodes, [small_onnx.value("x", (1, 3, 3))], [small_onnx.value("y", (3, 3))])
    named = [
        r"Relu with attribute 'slope' \(not of opset 13\) of node 'a'",
        r"Squeeze with attribute 'axes' \(not of opset 13\) of node 'b'",
        r"Softmax with attribute 'fancy' \(not of opset 13\) of node 'y'",
        r"Softmax with attribute 'axis' \(twice\) of node 'y'",
        r"operator LSTM of node 'd'",
    ]
    with pytest.raises(NotImplementedError, match="; ".join(named) + "$"):
        cconv.onnx.load(model)


def test_sizes_that_must_be_given_are_asked_for():
    nodes = [small_onnx.node("MatMul", ["x", "w"], "y")]
    inputs, outputs = [small_onnx.value("x", ("n", "k"))], [small_onnx.value("y", ("n", 2))]
    model = small_onnx.model(nodes, inputs, outputs, {"w": np.ones((7, 2), np.float32)})
    with pytest.raises(ValueError, match="sizes of input 'x' open: give the sizes of the inputs when loading"):
        cconv.onnx.load(model)
    assert cconv.onnx.load(model, shapes={"x": (None, 7)}).output_shape == (None, 2)
