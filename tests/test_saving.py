"""Saving and loading models and weights: everything comes back, bit for bit."""

import json
import os
import stat
import subprocess
import sys
import textwrap
import tracemalloc
import zipfile

import h5py
import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.saving import archive


def rng(seed=0):
    return np.random.default_rng(seed)


def images(n=6, size=8, channels=1, seed=0):
    return rng(seed).random((n, size, size, channels), dtype=np.float32)


def sequential():
    model = cconv.Sequential(
        [
            cconv.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2D(3, 2, padding="same", use_bias=False),
            layers.Flatten(),
            layers.Dropout(0.25, seed=1),
            layers.Dense(5, activation="softmax", kernel_regularizer=cconv.regularizers.L2(1e-3), name="out"),
        ]
    )
    model.compile(cconv.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def functional():
    a, b = cconv.Input((8, 8, 1), name="a"), cconv.Input((8, 8, 1), name="b")
    shared = layers.Conv2D(3, 3, padding="same", activation="tanh")
    x = layers.Add()([shared(a), shared(b)])
    y = layers.Concatenate()([x, shared(a)])
    y = layers.AveragePooling2D()(y)
    y = cconv.Sequential([cconv.Input((4, 4, 6)), layers.Conv2D(2, 1), layers.GlobalAveragePooling2D()], name="top")(y)
    outputs = [layers.Dense(3, name="first")(y), layers.Dense(1, activation="sigmoid", name="second")(y)]
    model = cconv.Model([a, b], outputs)
    model.compile(
        cconv.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        loss=["mse", cconv.losses.BinaryCrossentropy(label_smoothing=0.1)],
        metrics=[["mae"], [cconv.metrics.BinaryAccuracy(threshold=0.4)]],
    )
    return model


MODELS = {"sequential": sequential, "functional": functional}


def batch(name, seed=0, n=6):
    if name == "sequential":
        return images(n, seed=seed), rng(seed).integers(0, 5, n)
    x = [images(n, seed=seed), images(n, seed=seed + 100)]
    return x, [rng(seed).random((n, 3), dtype=np.float32), rng(seed).integers(0, 2, (n, 1))]


def arrays(values):
    return values if isinstance(values, (list, tuple)) else [values]


def assert_same_predictions(one, other, x):
    for a, b in zip(arrays(one.predict(x, verbose=0)), arrays(other.predict(x, verbose=0)), strict=True):
        np.testing.assert_array_equal(a, b)


def assert_same_weights(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", MODELS)
def test_model_comes_back_with_the_same_predictions(name, tmp_path):
    model = MODELS[name]()
    x, y = batch(name)
    model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    for load in (cconv.saving.load_model, cconv.models.load_model):
        loaded = load(tmp_path / "model.keras")
        assert type(loaded) is type(model) and loaded.name == model.name
        assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
        assert_same_weights(model, loaded)
        assert_same_predictions(model, loaded, x)
        assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())


@pytest.mark.parametrize("name", MODELS)
def test_resumed_training_equals_uninterrupted_training_bit_for_bit(name, tmp_path):
    model = MODELS[name]()
    for step in range(3):
        model.train_on_batch(*batch(name, seed=step))
    model.save(tmp_path / "model.keras")
    loaded = cconv.saving.load_model(tmp_path / "model.keras")
    assert int(loaded.optimizer.iterations) == 3
    for step in range(3, 6):
        a = model.train_on_batch(*batch(name, seed=step))
        b = loaded.train_on_batch(*batch(name, seed=step))
        np.testing.assert_array_equal(arrays(a)[0], arrays(b)[0])
    assert_same_weights(model, loaded)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: cconv.optimizers.SGD(0.1),
        lambda: cconv.optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
        lambda: cconv.optimizers.RMSprop(0.003),
        lambda: cconv.optimizers.RMSprop(0.003, momentum=0.9, centered=True),
        lambda: cconv.optimizers.Adam(0.003, clipnorm=0.1),
        lambda: cconv.optimizers.Adam(0.003, amsgrad=True),
    ],
    ids=["sgd", "nesterov", "rmsprop", "centered", "adam", "amsgrad"],
)
def test_state_of_every_optimizer_comes_back(optimizer, tmp_path):
    def make():
        model = cconv.Sequential([cconv.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dense(2)])
        model.compile(optimizer(), "mse")
        return model

    model, x, y = make(), rng().random((8, 4)), rng(1).random((8, 2))
    for _ in range(3):
        model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    loaded = cconv.saving.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for _ in range(3):
        model.train_on_batch(x, y)
        loaded.train_on_batch(x, y)
    assert_same_weights(model, loaded)


def test_learning_rate_set_after_compiling_comes_back(tmp_path):
    model = sequential()
    model.optimizer.learning_rate = 0.0003
    model.save(tmp_path / "model.keras")
    loaded = cconv.saving.load_model(tmp_path / "model.keras")
    assert np.float32(loaded.optimizer.learning_rate) == np.float32(0.0003)


def test_loading_without_compiling(tmp_path):
    model = sequential()
    model.train_on_batch(*batch("sequential"))
    model.save(tmp_path / "model.keras")
    loaded = cconv.saving.load_model(tmp_path / "model.keras", compile=False)
    assert getattr(loaded, "optimizer", None) is None
    assert_same_predictions(model, loaded, images())


def test_a_new_process_predicts_the_same(tmp_path):
    model = sequential()
    model.train_on_batch(*batch("sequential"))
    model.save(tmp_path / "model.keras")
    program = """
        import numpy as np, sys, cconv
        cconv.layers.Dense(1)  # shifts the numbers in the names of layers made from here on
        model = cconv.models.load_model(sys.argv[1] + "/model.keras")
        x = np.random.default_rng(0).random((6, 8, 8, 1), dtype=np.float32)
        np.save(sys.argv[1] + "/y.npy", model.predict(x, verbose=0))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), model.predict(images(), verbose=0))


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
@pytest.mark.parametrize("name", MODELS)
def test_weights_go_into_another_model_of_the_same_architecture(name, suffix, tmp_path):
    model = MODELS[name]()
    model.train_on_batch(*batch(name))
    path = tmp_path / f"model{suffix}"
    (model.save_weights if suffix == ".weights.h5" else model.save)(path)
    other = MODELS[name]()
    other.load_weights(path)
    assert_same_weights(model, other)
    assert int(other.optimizer.iterations) == 1


def test_weights_are_loaded_under_another_optimizer_with_a_warning(tmp_path):
    model = sequential()
    model.train_on_batch(*batch("sequential"))
    model.save_weights(tmp_path / "a.weights.h5")
    other = sequential()
    other.compile(cconv.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    other.train_on_batch(*batch("sequential"))
    with pytest.warns(UserWarning, match="state of the optimizer is not loaded"):
        other.load_weights(tmp_path / "a.weights.h5")
    assert_same_weights(model, other)


@cconv.saving.register_serializable("test_saving")
class Block(layers.Layer):
    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.convs = [layers.Conv2D(filters, 3, padding="same"), layers.Conv2D(filters, 1)]
        self.norm = layers.BatchNormalization()

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(self.filters,), initializer="ones", name="factor")
        self.convs[0].build(input_shape)
        self.convs[1].build((*input_shape[:-1], self.filters))
        self.norm.build((*input_shape[:-1], self.filters))
        self.built = True

    def call(self, x, training=False):
        for conv in self.convs:
            x = conv(x)
        return self.norm(x, training=training) * self.factor

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


def test_custom_layer_with_layers_inside_comes_back(tmp_path):
    model = cconv.Sequential(
        [cconv.Input((8, 8, 1)), Block(3), Block(2, name="last"), layers.Flatten(), layers.Dense(2)]
    )
    model.compile("adam", "mse")
    model.train_on_batch(images(), rng().random((6, 2)))
    model.save(tmp_path / "model.keras")
    loaded = cconv.saving.load_model(tmp_path / "model.keras")
    assert_same_predictions(model, loaded, images())
    with zipfile.ZipFile(tmp_path / "model.keras") as archive, h5py.File(archive.open("model.weights.h5")) as h5:
        assert set(h5["layers/block"]) == {"convs", "norm", "vars"} and set(h5["layers"]) >= {"block", "block_1"}
        assert set(h5["layers/block/convs"]) == {"conv2d", "conv2d_1"}


def test_what_a_layer_tracks_is_what_is_stored(tmp_path):
    class Around(layers.Layer):
        """Keeps layers in private attributes, gets one as an argument, and has a property that must not be asked."""

        def __init__(self, first, **kwargs):
            super().__init__(**kwargs)
            self._first = first
            self._rest = {"a": layers.Dense(3), "b": [layers.Dense(3)]}

        @property
        def expensive(self):
            raise AssertionError("saving asked a property")

        def call(self, x):
            return self._rest["b"][0](self._rest["a"](self._first(x)))

    model = cconv.Sequential([cconv.Input((2,)), Around(layers.Dense(3))])
    model.save_weights(tmp_path / "model.weights.h5")
    with h5py.File(tmp_path / "model.weights.h5") as file:
        around = file["layers"]["around"]
        assert set(around) == {"vars", "_first", "_rest"}
        assert set(around["_rest"]) == {"dense", "container"}
    other = cconv.Sequential([cconv.Input((2,)), Around(layers.Dense(3))])
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same_weights(model, other)


def test_loading_opens_hdf5_once(tmp_path, monkeypatch):
    model = sequential()
    model.save(tmp_path / "model.keras")
    opened = []
    make = h5py.File
    monkeypatch.setattr(h5py, "File", lambda *args, **kwargs: opened.append(args) or make(*args, **kwargs))
    assert_same_weights(model, cconv.saving.load_model(tmp_path / "model.keras"))
    assert len(opened) == 1


def test_a_file_is_in_memory_once(tmp_path):
    path = str(tmp_path / "model.keras")
    cconv.Sequential([cconv.Input((1000,)), layers.Dense(1000)]).save(path)
    tracemalloc.start()
    try:
        members = archive.read_archive(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1.5 * len(members["model.weights.h5"])


def test_custom_loss_and_unregistered_layer_need_custom_objects(tmp_path):
    class Double(layers.Layer):
        def call(self, x):
            return 2 * x

    def own_loss(y_true, y_pred):
        return cconv.ops.mean(cconv.ops.square(y_true - y_pred), axis=-1)

    model = cconv.Sequential([cconv.Input((3,)), layers.Dense(2), Double()])
    model.compile("sgd", own_loss)
    x, y = rng().random((4, 3)), rng().random((4, 2))
    model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"Unknown class 'Double'.*custom_objects"):
        cconv.saving.load_model(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"Unknown function 'own_loss'.*custom_objects"):
        cconv.saving.load_model(tmp_path / "model.keras", custom_objects={"Double": Double})
    loaded = cconv.saving.load_model(tmp_path / "model.keras", custom_objects={"Double": Double, "own_loss": own_loss})
    assert arrays(loaded.train_on_batch(x, y))[0] == arrays(model.train_on_batch(x, y))[0]


def test_file_has_keras_members_and_paths(tmp_path):
    model = sequential()
    model.train_on_batch(*batch("sequential"))
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        config = json.loads(archive.read("config.json"))
        assert (config["module"], config["class_name"]) == ("keras", "Sequential")
        assert {"config", "compile_config", "build_config"} <= set(config)
        assert {"keras_version", "date_saved"} <= set(json.loads(archive.read("metadata.json")))
        with h5py.File(archive.open("model.weights.h5")) as h5:
            assert set(h5["layers"]) >= {"conv2d", "conv2d_1", "batch_normalization", "dense"}
            assert h5["layers/dense/vars"].attrs["name"] == "out"
            assert h5["layers/conv2d/vars/0"].shape == (3, 3, 1, 4)
            assert len(h5["layers/batch_normalization/vars"]) == 4
            assert h5["optimizer/vars/0"][()] == 1 and h5["optimizer/vars/0"].dtype == np.int32
            assert len(h5["optimizer/vars"]) == 2 + 2 * 7


def test_wrong_use_says_what_was_expected_and_received(tmp_path):
    model = sequential()
    with pytest.raises(ValueError, match=r"must end in '.keras'. Received: filepath='model.h6'"):
        model.save("model.h6")
    with pytest.raises(ValueError, match=r"must end in '.weights.h5'. Received: filepath='w.h5'"):
        model.save_weights("w.h5")
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="exists, and `overwrite` is False"):
        model.save(tmp_path / "model.keras", overwrite=False)
    with pytest.raises(ValueError, match="not built yet"):
        cconv.Sequential([layers.Dense(2)]).save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="File not found"):
        cconv.saving.load_model(tmp_path / "nowhere.keras")
    with pytest.raises(FileNotFoundError, match="folder to write into does not exist"):
        model.save(tmp_path / "nowhere" / "model.keras")
    with pytest.raises(ValueError, match="safe_mode"):
        cconv.saving.load_model(tmp_path / "model.keras", safe_mode=False)
    assert sorted(os.listdir(tmp_path)) == ["model.keras"]


def test_weights_of_another_shape_name_layer_and_shapes_and_change_nothing(tmp_path):
    def make(units, filters=2):
        return cconv.Sequential(
            [
                cconv.Input((6, 6, 1)),
                layers.Conv2D(filters, 3, name="first"),
                layers.Flatten(),
                layers.Dense(units, name="head"),
            ]
        )

    make(3).save_weights(tmp_path / "a.weights.h5")
    other = make(4)
    before = other.get_weights()
    with pytest.raises(
        ValueError, match=r"Layer 'head', variable 'kernel': expected shape \(32, 4\), received \(32, 3\)"
    ):
        other.load_weights(tmp_path / "a.weights.h5")
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    deeper = cconv.Sequential([cconv.Input((6, 6, 1)), *make(3).layers, layers.Dense(3, name="extra")])
    with pytest.raises(ValueError, match=r"Layer 'extra': expected 2 variables.*received 0"):
        deeper.load_weights(tmp_path / "a.weights.h5")
    shallow = cconv.Sequential([cconv.Input((6, 6, 1)), layers.Conv2D(2, 3), layers.Flatten()])
    with pytest.raises(ValueError, match="received also variables at layers/dense/vars"):
        shallow.load_weights(tmp_path / "a.weights.h5")


def test_new_file_has_the_permissions_of_any_new_file_and_keeps_those_of_an_old_one(tmp_path):
    model = sequential()
    (tmp_path / "plain").write_bytes(b"")
    model.save(tmp_path / "model.keras")
    if os.name == "posix":
        mode = stat.S_IMODE(os.stat(tmp_path / "plain").st_mode)
        assert stat.S_IMODE(os.stat(tmp_path / "model.keras").st_mode) == mode
        os.chmod(tmp_path / "model.keras", 0o640)
        model.save(tmp_path / "model.keras")
        assert stat.S_IMODE(os.stat(tmp_path / "model.keras").st_mode) == 0o640


def test_h5py_is_imported_only_when_used_and_its_absence_is_explained(tmp_path):
    program = """
        import sys
        sys.modules["h5py"] = None  # as if it were not installed
        import cconv
        model = cconv.Sequential([cconv.Input((3,)), cconv.layers.Dense(2)])
        try:
            model.save(sys.argv[1])
        except ImportError as error:
            print(error)
    """
    path = str(tmp_path / "model.keras")
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), path], check=True, capture_output=True, text=True
    )
    assert "pip install h5py" in run.stdout
    assert os.listdir(tmp_path) == []


def test_a_file_of_keras_knows_mnist():
    folder = os.environ.get("CCONV_DATASETS", "")
    path = os.path.join(folder, "models", "keras", "mnist_cnn_gurdeep.keras")
    if not os.path.isfile(path) or not os.path.isdir(os.path.join(folder, "mnist")):
        pytest.skip("needs MNIST and a model of Keras: CCONV_DATASETS names no folder with mnist/ and models/keras/")
    model = cconv.models.load_model(path)
    x, y = cconv.datasets.mnist.load_data()[1]
    predicted = model.predict(x[:2000, ..., None] / np.float32(255), verbose=0).argmax(-1)
    assert (predicted == y[:2000]).mean() > 0.97
