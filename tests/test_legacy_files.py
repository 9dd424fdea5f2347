"""`.h5` and `.hdf5` files: whole models as Keras 1, 2 and 3 write them, weights by name, damage."""

import base64
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.saving.legacy_config import modern, modern_training
from cconv.saving.legacy_file import _write_names

h5py = pytest.importorskip("h5py")
RANDOM = np.random.default_rng(0)


def arrays(*shapes):
    return [RANDOM.normal(size=shape).astype(np.float32) for shape in shapes]


def write(path, config, weights, version="2.4.0", training=None, optimizer=(), backend="tensorflow"):
    """A file as Keras writes it. `weights`: layer -> [(name, array)]."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = version.encode(), backend.encode()
        if config is not None:
            file.attrs["model_config"] = json.dumps(config).encode()
        if training is not None:
            file.attrs["training_config"] = json.dumps(training).encode()
        group = file.create_group("model_weights") if config is not None else file
        group.attrs["layer_names"] = [name.encode() for name in weights]
        group.attrs["keras_version"], group.attrs["backend"] = version.encode(), backend.encode()
        for layer, items in weights.items():
            inner = group.create_group(layer)
            inner.attrs["weight_names"] = [name.encode() for name, _ in items]
            for name, array in items:
                inner.create_dataset(name, data=array)
        if optimizer:
            inner = file.create_group("optimizer_weights")
            inner.attrs["weight_names"] = [name.encode() for name, _ in optimizer]
            for name, array in optimizer:
                inner.create_dataset(name, data=array)
    return path


def layer(kind, name, inbound=None, **config):
    data = {"class_name": kind, "config": {"name": name, "trainable": True, **config}}
    if inbound is not None:
        data |= {"name": name, "inbound_nodes": [[[other, 0, 0, {}] for other in inbound]] if inbound else []}
    return data


# ---- Keras 2


def branched():
    """A model of Keras 2 with obsolete keys, its weights, and what it computes of an input."""
    k1, b1, k2, d1, k3, b3 = arrays((3, 3, 2, 4), (4,), (3, 3, 4, 1), (4,), (8, 3), (3,))
    gamma, beta, mean, variance = [*arrays((4,), (4,), (4,)), np.float32(RANDOM.random(4) + 0.5)]
    zeros = {"class_name": "Zeros", "config": {}}
    config = {
        "class_name": "Model",
        "config": {
            "name": "m",
            "layers": [
                layer("InputLayer", "in", [], batch_input_shape=[None, 6, 6, 2], dtype="float32", sparse=False),
                layer(
                    "Conv2D",
                    "c",
                    ["in"],
                    filters=4,
                    kernel_size=[3, 3],
                    padding="same",
                    data_format="channels_last",
                    activation="linear",
                    bias_initializer=zeros,
                    kernel_initializer={"class_name": "VarianceScaling", "config": {"distribution": "normal"}},
                    kernel_regularizer={"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.01}},
                    dtype="float32",
                    batch_input_shape=[None, 6, 6, 2],
                ),
                layer("BatchNormalization", "b", ["c"], axis=[3], fused=True, epsilon=0.001, beta_initializer=zeros),
                layer("LeakyReLU", "l", ["b"], alpha={"type": "ndarray", "value": 0.25}),
                layer(
                    "DepthwiseConv2D",
                    "d",
                    ["l"],
                    kernel_size=[3, 3],
                    padding="same",
                    groups=1,
                    kernel_initializer=zeros,
                ),
                layer("Add", "a", ["d", "c"]),
                layer("GlobalAveragePooling2D", "g", ["a"], data_format="channels_last"),
                layer("GlobalMaxPooling2D", "h", ["l"]),
                layer("Concatenate", "cat", ["g", "h"], axis=-1),
                layer("Dense", "o", ["cat"], units=3, activation="softmax"),
            ],
            "input_layers": [["in", 0, 0]],
            "output_layers": [["o", 0, 0]],
        },
    }
    weights = {
        "in": [],
        "c": [("c/kernel:0", k1), ("c/bias:0", b1)],
        "b": [
            ("b/gamma:0", gamma),
            ("b/beta:0", beta),
            ("b/moving_mean:0", mean),
            ("b/moving_variance:0", variance),
        ],
        "l": [],
        "d": [("d/depthwise_kernel:0", k2), ("d/bias:0", d1)],
        "o": [("o/kernel:0", k3), ("o/bias:0", b3)],
    }

    def expected(x):
        c = cconv.ops.conv(x, k1, padding="same") + b1
        b = (c - mean) / np.sqrt(variance + 0.001) * gamma + beta
        lrelu = np.where(b > 0, b, 0.25 * b)
        a = cconv.ops.depthwise_conv(lrelu, k2, padding="same") + d1 + c
        features = np.concatenate([a.mean((1, 2)), lrelu.max((1, 2))], -1)
        return cconv.ops.softmax(features @ k3 + b3)

    return config, weights, expected


def test_a_model_of_keras_2(tmp_path):
    config, weights, expected = branched()
    model = cconv.saving.load_model(write(tmp_path / "m.h5", config, weights))
    x = arrays((3, 6, 6, 2))[0]
    np.testing.assert_allclose(model.predict(x, verbose=0), expected(x), rtol=1e-4, atol=1e-5)
    assert not model.compiled
    assert type(model.get_layer("c").kernel_regularizer).__name__ == "L1L2"
    again = cconv.models.load_model(write(tmp_path / "m.hdf5", config, weights))
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_training_goes_on_with_the_state_of_adam(tmp_path):
    """Before Keras 2.11 the first moments of all weights come first, then the second ones; `lr` and `decay` are old."""
    kernel, bias = arrays((4, 2), (2,))
    m, v = arrays((4, 2), (2,)), [np.abs(a) for a in arrays((4, 2), (2,))]
    config = {"class_name": "Sequential", "config": [layer("Dense", "d", units=2, batch_input_shape=[None, 4])]}
    training = {
        "loss": "mean_squared_error",
        "metrics": [[{"class_name": "MeanMetricWrapper", "config": {"fn": "mean_absolute_error", "name": "mae"}}]],
        "optimizer_config": {
            "class_name": "Adam",
            "config": {"lr": 0.01, "decay": 0.0, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07},
        },
        "sample_weight_mode": None,
    }
    state = [("iter:0", np.int64(7)), ("m0", m[0]), ("m1", m[1]), ("v0", v[0]), ("v1", v[1])]
    path = write(tmp_path / "m.h5", config, {"d": [("k:0", kernel), ("b:0", bias)]}, "2.4.0", training, state)
    model = cconv.saving.load_model(path)
    assert int(model.optimizer.iterations) == 7
    x, y = arrays((8, 4), (8, 2))
    metrics = model.train_on_batch(x, y, return_dict=True)
    assert metrics["mean_absolute_error"] == pytest.approx(np.abs(x @ kernel + bias - y).mean(), rel=1e-4)
    gradient = 2 * (x @ kernel + bias - y) / y.size
    for got, w, g, m0, v0 in zip(
        model.get_weights(), (kernel, bias), (x.T @ gradient, gradient.sum(0)), m, v, strict=True
    ):
        m1, v1 = 0.9 * m0 + 0.1 * g, 0.999 * v0 + 0.001 * g * g
        rate = 0.01 * np.sqrt(1 - 0.999**8) / (1 - 0.9**8)
        np.testing.assert_allclose(got, w - rate * m1 / (np.sqrt(v1) + 1e-7), rtol=1e-4, atol=1e-5)
    assert not cconv.saving.load_model(path, compile=False).compiled


def test_a_decay_is_a_schedule():
    config = {
        "optimizer_config": {"class_name": "Custom>SGD", "config": {"lr": 0.1, "decay": 0.5, "jit_compile": True}}
    }
    rate = cconv.saving.deserialize_object(modern_training(config)["optimizer"]["config"]["learning_rate"])
    assert [float(rate(step)) for step in (0, 2)] == pytest.approx([0.1, 0.05])


def test_state_that_does_not_fit_is_left_out_with_a_warning(tmp_path):
    config = {"class_name": "Sequential", "config": [layer("Dense", "d", units=2, batch_input_shape=[None, 4])]}
    training = {"loss": "mse", "optimizer_config": {"class_name": "Adam", "config": {"lr": 0.01}}}
    state = [("iter", np.int64(7)), *((f"{i}", np.zeros((3, i), np.float32)) for i in range(4))]
    path = write(
        tmp_path / "m.h5", config, {"d": [("k", np.zeros((4, 2))), ("b", np.zeros(2))]}, "2.4", training, state
    )
    with pytest.warns(UserWarning, match="state of the optimizer is not loaded"):
        model = cconv.saving.load_model(path)
    assert int(model.optimizer.iterations) == 0


# ---- Keras 1


@pytest.mark.parametrize("backend", ["tensorflow", "theano"])
@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_a_model_of_keras_1(tmp_path, ordering, backend):
    kernel, b1, dense, b2 = arrays((3, 2, 2, 5), (5,), (5, 3), (3,))
    stored = kernel[::-1, ::-1] if backend == "theano" else kernel
    stored = stored.transpose(3, 2, 0, 1) if ordering == "th" else stored
    shape = [None, 2, 7, 6] if ordering == "th" else [None, 7, 6, 2]
    config = {
        "class_name": "Sequential",
        "config": [
            layer(
                "Convolution2D",
                "c",
                nb_filter=5,
                nb_row=3,
                nb_col=2,
                border_mode="valid",
                subsample=[1, 2],
                dim_ordering=ordering,
                init="glorot_uniform",
                bias=True,
                W_regularizer={"name": "WeightRegularizer", "l1": 0.0, "l2": 0.5},
                b_regularizer=None,
                W_constraint={"name": "MaxNorm", "m": 2, "axis": 0},
                activation="relu",
                batch_input_shape=shape,
                input_dtype="float32",
            ),
            layer("Dropout", "p", p=0.5),
            layer("GlobalMaxPooling2D", "g", dim_ordering=ordering),
            layer("Dense", "d", output_dim=3, init="zero", input_dim=5, bias=True, activation="linear"),
        ],
    }
    weights = {
        "c": [("c_W", stored), ("c_b", b1)],
        "p": [],
        "g": [],
        "d": [("d_W", dense), ("d_b", b2)],
    }
    model = cconv.saving.load_model(write(tmp_path / "m.h5", config, weights, "1.2.2", backend=backend))
    x = arrays((4, 7, 6, 2))[0]
    expected = np.maximum(cconv.ops.conv(x, kernel, strides=(1, 2)) + b1, 0).max((1, 2)) @ dense + b2
    given = x.transpose(0, 3, 1, 2) if ordering == "th" else x
    np.testing.assert_allclose(model.predict(given, verbose=0), expected, rtol=1e-4, atol=1e-5)
    assert model.layers[1].rate == 0.5
    assert model.layers[0].kernel_regularizer.l2 == np.float32(0.5)


@pytest.mark.parametrize("mode, name", [("sum", "Add"), ("mul", "Multiply"), ("concat", "Concatenate")])
def test_a_merge_of_keras_1(mode, name):
    config = {
        "class_name": "Model",
        "config": {
            "name": "m",
            "layers": [
                layer("InputLayer", "a", [], batch_input_shape=[None, 3], input_dtype="float32", sparse=False),
                layer("Dense", "d", ["a"], output_dim=3),
                layer("Merge", "e", ["a", "d"], mode=mode, concat_axis=-1, dot_axes=-1, output_shape=None),
            ],
            "input_layers": [["a", 0, 0]],
            "output_layers": [["e", 0, 0]],
        },
    }
    model = cconv.saving.deserialize_object(modern(config, "1.0.8"))
    assert type(model.layers[-1]).__name__ == name
    assert model.output_shape == (None, 6 if mode == "concat" else 3)
    config["config"]["layers"][2]["config"]["mode"] = "lambda"
    with pytest.raises(ValueError, match="Merge layer of mode 'lambda' cannot be read"):
        modern(config, "1.0.8")


# ---- what we write


def sequential():
    cconv.utils.set_random_seed(3)
    model = cconv.Sequential(
        [
            cconv.Input((6, 6, 2)),
            layers.Conv2D(3, 3, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Flatten(),
            cconv.Sequential([cconv.Input((48,)), layers.Dense(4, activation="tanh")], name="inner"),
            layers.Dense(2),
        ]
    )
    model.compile(cconv.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("suffix", ["h5", "hdf5"])
def test_files_we_write_come_back_and_training_goes_on(tmp_path, suffix):
    model, x, y = sequential(), *arrays((8, 6, 6, 2), (8, 2))
    model.train_on_batch(x, y)
    model.save(tmp_path / f"m.{suffix}")
    again = cconv.saving.load_model(tmp_path / f"m.{suffix}")
    assert [a.name for a in again.layers] == [a.name for a in model.layers]
    for _ in range(2):
        assert again.train_on_batch(x, y) == model.train_on_batch(x, y)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="overwrite"):
        model.save(tmp_path / f"m.{suffix}", overwrite=False)


def test_a_functional_model_with_operations_comes_back(tmp_path):
    a, b = cconv.Input((4,), name="a"), cconv.Input((4,), name="b")
    shared = layers.Dense(4, name="s")
    out = layers.Concatenate()([shared(a) * 2.0 + b, cconv.ops.relu(shared(b))])
    model = cconv.Model({"a": a, "b": b}, [out, shared(b)])
    model.save(tmp_path / "m.h5")
    again, x = cconv.saving.load_model(tmp_path / "m.h5"), dict(zip("ab", arrays((3, 4), (3, 4)), strict=True))
    for got, expected in zip(again.predict(x, verbose=0), model.predict(x, verbose=0), strict=True):
        np.testing.assert_array_equal(got, expected)


@cconv.saving.register_keras_serializable("legacy_test")
class Scaled(cconv.Layer):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.inner = [layers.Dense(3), layers.Dense(3)]

    def build(self, shape):
        for item in self.inner:
            item.build(shape)
        self.shift = self.add_weight(shape=(3,), initializer="ones", name="shift")

    def call(self, x):
        return self.inner[1](self.inner[0](x)) * self.factor + self.shift

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def test_layers_of_ones_own_come_back(tmp_path):
    model = cconv.Sequential([cconv.Input((3,)), Scaled(0.5)])
    model.save(tmp_path / "m.h5")
    again, x = cconv.saving.load_model(tmp_path / "m.h5"), arrays((2, 3))[0]
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_many_names_take_several_attributes(tmp_path):
    names = [f"layer_{'x' * 90}_{i}" for i in range(2000)]
    with h5py.File(tmp_path / "m.h5", "w") as file:
        _write_names(file, "layer_names", names)
        assert "layer_names1" in file.attrs
    with open(tmp_path / "m.h5", "rb") as file, cconv.saving.hdf5.ArrayFile(file, "m") as arrays_of:
        assert arrays_of.names("", "layer_names") == names


# ---- weights


def test_weights_by_place_and_by_name(tmp_path):
    k, b, k2, b2 = arrays((3, 3, 2, 3), (3,), (4, 2), (2,))
    weights = {"out": [("k", k2), ("b", b2)], "conv": [("k", k), ("b", b)], "none": []}
    path = write(tmp_path / "w.h5", None, weights)

    def model():
        return cconv.Sequential(
            [
                cconv.Input((6, 6, 2)),
                layers.Conv2D(3, 3, name="conv"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(4, name="other"),
                layers.Dense(2, name="out"),
            ]
        )

    one = model()
    before = one.get_layer("other").get_weights()[0]
    one.load_weights(path, by_name=True)
    np.testing.assert_array_equal(one.get_layer("conv").kernel.numpy(), k)
    np.testing.assert_array_equal(one.get_layer("out").bias.numpy(), b2)
    np.testing.assert_array_equal(one.get_layer("other").get_weights()[0], before)
    two = model()
    kept = two.get_weights()
    with pytest.raises(ValueError, match="the model's 3 layers with weights, received those of 2"):
        two.load_weights(path)
    write(tmp_path / "x.h5", None, {"conv": [("k", k), ("b", b)], "out": [("k", k2.T.copy()), ("b", b2)]})
    with pytest.raises(ValueError, match=r"layer 'out': expected 2 weights .*kernel \(4, 2\).*\(2, 4\)"):
        two.load_weights(tmp_path / "x.h5", by_name=True)
    for a, c in zip(two.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(a, c)
    with pytest.warns(UserWarning, match="Layer 'out' is not loaded"):
        two.load_weights(tmp_path / "x.h5", by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(two.get_layer("conv").kernel.numpy(), k)
    two.save_weights(tmp_path / "new.weights.h5")
    with pytest.raises(ValueError, match="by_name=True.*has no names"):
        two.load_weights(tmp_path / "new.weights.h5", by_name=True)


def test_a_file_of_weights_is_no_model(tmp_path):
    path = write(tmp_path / "w.h5", None, {"a": [("k", np.zeros(3))]})
    with pytest.raises(ValueError, match="a file of weights only"):
        cconv.saving.load_model(path)
    with pytest.raises(FileNotFoundError):
        cconv.saving.load_model(tmp_path / "none.h5")


# ---- harm


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/cconv_was_here",)


def test_nothing_in_a_file_is_run_or_imported(tmp_path):
    code = base64.b64encode(pickle.dumps(Evil())).decode()
    for bad, words in [
        (layer("Lambda", "x", function=[code, None, None], function_type="lambda"), "Lambda"),
        (layer("system", "x", module="os"), "Unknown class 'system'"),
        ({"class_name": "Popen", "module": "subprocess", "config": {"args": "ls"}}, "Unknown class 'Popen'"),
        (layer("Dense", "x", units=2, kernel_initializer={"class_name": "eval", "config": {"x": "1"}}), "eval"),
    ]:
        config = {
            "class_name": "Sequential",
            "config": [layer("Dense", "d", units=2, batch_input_shape=[None, 4]), bad],
        }
        with pytest.raises(ValueError, match=words):
            cconv.saving.load_model(write(tmp_path / "m.h5", config, {}))
    assert not os.path.exists("/tmp/cconv_was_here")


@pytest.mark.parametrize(
    "config",
    [
        [],
        {"class_name": "Sequential"},
        {"class_name": "Sequential", "config": 3},
        {"class_name": "Sequential", "config": [[]]},
        {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": [1]}]},
        {"class_name": "Model", "config": {"layers": 5, "input_layers": [], "output_layers": []}},
        {
            "class_name": "Model",
            "config": {"layers": [layer("Dense", "d", ["x"])], "input_layers": 3, "output_layers": 3},
        },
        {"class_name": "Dense", "config": {"units": 3}},
        {"class_name": "Sequential", "config": [layer("Dense", "d", units=10**12, batch_input_shape=[None, 4])]},
    ],
)
def test_odd_configurations_are_errors(tmp_path, config):
    for version in ("1.2.0", "2.4.0", "3.15.1"):
        with pytest.raises(ValueError, match="m.h5"):
            cconv.saving.load_model(write(tmp_path / "m.h5", config, {"d": [("k", np.zeros(3))]}, version))


def test_damage_is_found(tmp_path):
    model = sequential()
    model.save(tmp_path / "m.h5")
    data = (tmp_path / "m.h5").read_bytes()
    for place in (100, 600, len(data) // 2, len(data) - 5):
        changed = bytearray(data)
        changed[place] ^= 16
        (tmp_path / "m.h5").write_bytes(changed)
        with pytest.raises(ValueError, match="damaged"):
            cconv.saving.load_model(tmp_path / "m.h5")
    (tmp_path / "m.h5").write_bytes(b"no HDF5 at all")
    with pytest.raises(ValueError, match="m.h5"):
        cconv.saving.load_model(tmp_path / "m.h5")


def test_names_of_arrays_that_are_not_there(tmp_path):
    config = {"class_name": "Sequential", "config": [layer("Dense", "d", units=2, batch_input_shape=[None, 4])]}
    path = write(tmp_path / "m.h5", config, {"d": [("k", np.zeros((4, 2))), ("b", np.zeros(2))]})
    with h5py.File(path, "a") as file:
        file["model_weights/d"].attrs["weight_names"] = [b"k", b"../../elsewhere"]
    with pytest.raises(ValueError, match="expected an array at 'model_weights/d/../../elsewhere', found none"):
        cconv.saving.load_model(path)


# ---- real files

REAL = Path(os.environ.get("CCONV_DATASETS", "/nowhere"), "models", "keras")
real = pytest.mark.skipif(not REAL.is_dir(), reason="CCONV_DATASETS names no folder with models/keras")


def cifar_sample(count):
    image = pytest.importorskip("PIL.Image")
    folder = REAL.parent.parent / "cifar10_sample"
    x = np.asarray(image.open(folder / "cifar10_batch_0.png")).reshape(-1, 32, 32, 3)[:count]
    return x.astype(np.float32), np.loadtxt(folder / "labels.txt", dtype=int)[:count]


def held_out_images(folder, first, count):
    path = REAL.parent.parent / folder / "t10k-images-idx3-ubyte.gz"
    return cconv.datasets.idx.read_idx(str(path), 3)[first : first + count, ..., None] / np.float32(255)


@real
def test_resnet8_of_keras_2_4():
    model = cconv.saving.load_model(REAL / "mlperftiny_ic_resnet8_cifar10.h5")
    x, y = cifar_sample(500)
    assert int(model.optimizer.iterations) == 781500
    accuracy = model.evaluate(x, cconv.utils.to_categorical(y, 10), verbose=0)[1]
    assert accuracy == pytest.approx(0.93, abs=0.02)


@real
def test_mobilenet_of_keras_2_4():
    pytest.importorskip("PIL.Image")
    model = cconv.saving.load_model(REAL / "mlperftiny_vww_mobilenet025_96.h5")
    for name, person in (("bus", 0.999), ("giraffe", 0.002)):
        image = cconv.utils.load_img(REAL.parent.parent / "photos" / f"{name}.jpg", "rgb", (96, 96), "bilinear")
        assert model.predict(np.array(image)[None] / 255.0, verbose=0)[0, 1] == pytest.approx(person, abs=0.001)


@real
def test_mnist_cnn_of_keras_3():
    model, other = (cconv.saving.load_model(REAL / f"mnist_cnn_gurdeep.{suffix}") for suffix in ("h5", "keras"))
    y = cconv.datasets.idx.read_idx(str(REAL.parent.parent / "mnist" / "t10k-labels-idx1-ubyte.gz"), 1)[5000:6000]
    assert model.evaluate(held_out_images("mnist", 5000, 1000), y, verbose=0)[1] > 0.98
    for a, b in zip(model.optimizer.variables, other.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@real
def test_denoising_autoencoder_of_keras_2_12():
    model = cconv.saving.load_model(REAL / "mnist_denoising_autoencoder.h5")
    assert int(model.optimizer.iterations) == 23450
    clean = held_out_images("mnist", 0, 100)
    noisy = np.clip(clean + 0.4 * RANDOM.normal(size=clean.shape), 0, 1)
    assert np.square(model.predict(noisy, verbose=0) - clean).mean() < 0.15 * np.square(noisy - clean).mean()


@real
def test_dcgan_of_keras_2_8():
    make, judge = (cconv.saving.load_model(REAL / f"fashion_dcgan_{n}.h5") for n in ("generator", "discriminator"))
    images = make.predict(RANDOM.normal(size=(32, 128)), verbose=0)
    assert images.shape == (32, 28, 28, 1) and images.min() >= 0 and images.max() <= 1
    assert abs(images.mean() - held_out_images("fashion_mnist", 0, 1000).mean()) < 0.06
    assert judge.predict(RANDOM.random((8, 28, 28, 1)), verbose=0).mean() > judge.predict(images, verbose=0).mean()


@real
def test_mini_xception_of_keras_2_0():
    with pytest.warns(UserWarning, match="state of the optimizer is not loaded"):
        model = cconv.saving.load_model(REAL / "fer2013_mini_XCEPTION.102-0.66.hdf5")
    out = model.predict(RANDOM.random((2, 64, 64, 1)), verbose=0)
    np.testing.assert_allclose(out.sum(1), 1, rtol=1e-5)
    assert model.count_params() == 58423
