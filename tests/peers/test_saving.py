"""Model files exchanged with Keras, in both directions: same layers, same weights, same predictions, same next step."""

import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

import cconv


def rng(seed=0):
    return np.random.default_rng(seed)


def images(n=4, size=12, channels=2, seed=0):
    return rng(seed).random((n, size, size, channels), dtype=np.float32)


def sequential(k):
    """The same model in Keras and in cconv: `k` is the package."""
    model = k.Sequential(
        [
            k.Input((12, 12, 2)),
            k.layers.Rescaling(0.5, offset=-0.1),
            k.layers.ZeroPadding2D(((1, 0), (0, 2))),
            k.layers.Conv2D(6, (3, 2), strides=(2, 1), padding="same", activation="relu", groups=2),
            k.layers.BatchNormalization(momentum=0.9),
            k.layers.MaxPooling2D(2, padding="same"),
            k.layers.Conv2D(4, 3, dilation_rate=2, padding="same", use_bias=False),
            k.layers.LeakyReLU(0.3),
            k.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
            k.layers.AveragePooling2D(2),
            k.layers.Activation("tanh"),
            k.layers.Dropout(0.3),
            k.layers.Flatten(),
            k.layers.Dense(7, activation="elu", kernel_regularizer=k.regularizers.L2(0.01)),
            k.layers.Dense(3, activation="softmax", kernel_initializer=k.initializers.HeNormal(seed=1), name="out"),
        ],
        name="stack",
    )
    model.compile(k.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def functional(k):
    a, b = k.Input((12, 12, 2), name="a"), k.Input((12, 12, 2), name="b")
    shared = k.layers.Conv2D(3, 3, padding="same", activation="sigmoid", name="shared")
    x, y = shared(a), shared(b)
    x = k.layers.Add()([x, y])
    x = k.layers.Concatenate(axis=-1)([x, y, k.layers.Multiply()([x, y])])
    block = [k.Input((12, 12, 9)), k.layers.Conv2D(4, 1), k.layers.GlobalAveragePooling2D()]
    x = k.Sequential(block, name="block")(x)
    outputs = [k.layers.Dense(2, name="first")(x), k.layers.Dense(1, name="second", activation="sigmoid")(x)]
    model = k.Model([a, b], outputs)
    model.compile(
        k.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        loss=["mse", k.losses.BinaryCrossentropy(label_smoothing=0.1)],
        metrics=[["mae"], [k.metrics.BinaryAccuracy(threshold=0.6)]],
    )
    return model


MODELS = {"sequential": sequential, "functional": functional}


def batch(name, seed=0):
    if name == "sequential":
        return images(8, seed=seed), rng(seed).integers(0, 3, 8)
    x = [images(8, seed=seed), images(8, seed=seed + 50)]
    return x, [rng(seed).random((8, 2), dtype=np.float32), rng(seed).integers(0, 2, (8, 1)).astype(np.float32)]


def listed(value):
    return value if isinstance(value, (list, tuple)) else [value]


def assert_equal_models(ours, theirs, x):
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert len(ours.get_weights()) == len(theirs.get_weights())
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(listed(ours.predict(x, verbose=0)), listed(theirs.predict(x, verbose=0)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def without_dropout(model):
    """Sets the rate of dropout to zero: masks differ between the two."""
    for layer in model.layers:
        if type(layer).__name__ == "Dropout":
            layer.rate = 0.0
    return model


@pytest.mark.parametrize("name", MODELS)
def test_keras_opens_our_file(name, tmp_path):
    ours = MODELS[name](cconv)
    x, y = batch(name)
    ours.train_on_batch(x, y)
    ours.save(tmp_path / "model.keras")
    theirs = keras.saving.load_model(tmp_path / "model.keras")
    assert_equal_models(ours, theirs, x)
    assert int(theirs.optimizer.iterations.numpy()) == 1
    assert theirs.optimizer.get_config()["name"] == ours.optimizer.get_config()["name"]


@pytest.mark.parametrize("name", MODELS)
def test_we_open_keras_file(name, tmp_path):
    theirs = MODELS[name](keras)
    x, y = batch(name)
    theirs.train_on_batch(x, y)
    theirs.save(tmp_path / "model.keras")
    ours = cconv.saving.load_model(tmp_path / "model.keras")
    assert_equal_models(ours, theirs, x)
    assert int(ours.optimizer.iterations) == 1


@pytest.mark.parametrize("direction", ["to keras", "from keras"])
@pytest.mark.parametrize("name", MODELS)
def test_training_goes_on_from_the_same_state(name, direction, tmp_path):
    writer, reader = (cconv, keras) if direction == "to keras" else (keras, cconv)
    one = without_dropout(MODELS[name](writer))
    for step in range(2):
        one.train_on_batch(*batch(name, step))
    one.save(tmp_path / "model.keras")
    two = reader.saving.load_model(tmp_path / "model.keras")
    for step in range(2, 4):
        a = one.train_on_batch(*batch(name, step))
        b = two.train_on_batch(*batch(name, step))
        np.testing.assert_allclose(listed(a)[0], listed(b)[0], rtol=1e-4, atol=1e-5)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


OPTIMIZERS = {
    "sgd": lambda k: k.optimizers.SGD(0.1),
    "momentum": lambda k: k.optimizers.SGD(0.1, momentum=0.9),
    "rmsprop": lambda k: k.optimizers.RMSprop(0.003),
    "rmsprop with all": lambda k: k.optimizers.RMSprop(0.003, momentum=0.9, centered=True),
    "adam": lambda k: k.optimizers.Adam(0.003),
    "amsgrad": lambda k: k.optimizers.Adam(0.003, amsgrad=True),
}


@pytest.mark.parametrize("direction", ["to keras", "from keras"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_of_every_optimizer_has_keras_order(name, direction, tmp_path):
    def make(k):
        model = k.Sequential([k.Input((5,)), k.layers.Dense(4, activation="tanh"), k.layers.Dense(2)])
        model.compile(OPTIMIZERS[name](k), "mse")
        return model

    writer, reader = (cconv, keras) if direction == "to keras" else (keras, cconv)
    one, x, y = make(writer), rng().random((8, 5), dtype=np.float32), rng(1).random((8, 2), dtype=np.float32)
    for _ in range(3):
        one.train_on_batch(x, y)
    one.save(tmp_path / "model.keras")
    two = reader.saving.load_model(tmp_path / "model.keras")
    for a, b in zip(one.optimizer.variables, two.optimizer.variables, strict=True):
        a, b = (np.asarray(v.numpy()) for v in (a, b))
        np.testing.assert_array_equal(a, b)
    for _ in range(3):
        one.train_on_batch(x, y)
        two.train_on_batch(x, y)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_weights_files_are_exchanged(name, tmp_path):
    ours, theirs = MODELS[name](cconv), MODELS[name](keras)
    x, y = batch(name)
    ours.train_on_batch(x, y)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.train_on_batch(x, y)
    theirs.load_weights(tmp_path / "ours.weights.h5")
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    theirs.train_on_batch(x, y)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def layout(path):
    """The arrays of a file: path -> (shape, dtype)."""
    with zipfile.ZipFile(path) as archive, h5py.File(archive.open("model.weights.h5")) as h5:
        names = []
        h5.visit(names.append)
        return {name: tuple(getattr(h5[name], key, None) for key in ("shape", "dtype")) for name in names}


@pytest.mark.parametrize("name", MODELS)
def test_files_have_the_same_layout(name, tmp_path):
    for k in (cconv, keras):
        model = MODELS[name](k)
        model.train_on_batch(*batch(name))
        model.save(tmp_path / f"{k.__name__}.keras")
    ours, theirs = layout(tmp_path / "cconv.keras"), layout(tmp_path / "keras.keras")
    assert ours == theirs


def test_configurations_of_layers_have_keras_keys(tmp_path):
    configs = []
    for k in (cconv, keras):
        k.utils.clear_session()  # names count from the beginning again, however many layers other tests have made
        sequential(k).save(tmp_path / "model.keras")
        with zipfile.ZipFile(tmp_path / "model.keras") as archive:
            configs.append(json.loads(archive.read("config.json")))
    for ours, theirs in zip(configs[0]["config"]["layers"], configs[1]["config"]["layers"], strict=True):
        assert (ours["module"], ours["class_name"]) == (theirs["module"], theirs["class_name"])
        assert ours["config"]["name"] == theirs["config"]["name"]
        assert set(ours["config"]) <= set(theirs["config"])


def scale_class(k):
    """The same custom layer, with layers and a weight of its own, for Keras and for cconv."""

    class Scale(k.layers.Layer):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor
            self.inner = [k.layers.Dense(3), k.layers.Dense(3)]

        def build(self, input_shape):
            for layer in self.inner:
                layer.build(input_shape)
            self.shift = self.add_weight(shape=(3,), initializer="ones", name="shift")
            self.built = True

        def call(self, x):
            return self.inner[1](self.inner[0](x)) * self.factor + self.shift

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    return Scale


@pytest.mark.parametrize("direction", ["to keras", "from keras"])
def test_custom_layer_opens_with_the_other_ones_class_as_custom_object(direction, tmp_path):
    writer, reader = (cconv, keras) if direction == "to keras" else (keras, cconv)
    scale = scale_class(writer)
    one = writer.Sequential([writer.Input((3,)), scale(2.0), scale(0.5)])
    one.save(tmp_path / "model.keras")
    two = reader.saving.load_model(tmp_path / "model.keras", custom_objects={"Scale": scale_class(reader)})
    x = rng().random((5, 3), dtype=np.float32)
    np.testing.assert_allclose(two.predict(x, verbose=0), one.predict(x, verbose=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_flipped_bit_is_refused(name, tmp_path):
    model = MODELS[name](cconv)
    model.save(tmp_path / "model.keras")
    data = bytearray((tmp_path / "model.keras").read_bytes())
    data[-len(data) // 3] ^= 4
    (tmp_path / "model.keras").write_bytes(data)
    with pytest.raises(ValueError, match="damaged"):
        cconv.saving.load_model(tmp_path / "model.keras")
