"""`.h5` files exchanged with Keras: models, weights, configurations as text."""

import keras
import numpy as np
import pytest

import cconv

from .test_saving import MODELS, assert_equal_models, batch, listed, rng, scale_class, without_dropout

LAYERS = {
    "conv1d": ((9, 2), lambda k: [k.layers.Conv1D(3, 3, padding="causal"), k.layers.GlobalMaxPooling1D()]),
    "separable": ((8, 7, 2), lambda k: [k.layers.SeparableConv2D(3, 3), k.layers.PReLU(), k.layers.Flatten()]),
    "transposed": ((5, 4, 2), lambda k: [k.layers.Conv2DTranspose(3, 3, strides=2), k.layers.ELU(0.5)]),
    "volumes": ((4, 5, 6, 1), lambda k: [k.layers.Conv3D(2, 2), k.layers.AveragePooling3D(2), k.layers.Flatten()]),
    "frozen": (
        (6, 6, 3),
        lambda k: [k.layers.BatchNormalization(trainable=False), k.layers.Flatten(), k.layers.Dense(2)],
    ),
    "nested": (
        (6, 6, 3),
        lambda k: [
            k.Sequential([k.Input((6, 6, 3)), k.layers.Conv2D(2, 1), k.layers.BatchNormalization()]),
            k.layers.Flatten(),
            k.layers.Dense(2, activation="relu"),
        ],
    ),
}


@pytest.mark.parametrize("direction", ["to keras", "from keras"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, direction, tmp_path):
    writer, reader = (cconv, keras) if direction == "to keras" else (keras, cconv)
    shape, make = LAYERS[name]
    one = writer.Sequential([writer.Input(shape), *make(writer)])
    one.set_weights([rng(i).random(w.shape, dtype=np.float32) for i, w in enumerate(one.get_weights())])
    one.save(tmp_path / "model.h5")
    two = reader.saving.load_model(tmp_path / "model.h5")
    x = rng().random((3, *shape), dtype=np.float32)
    np.testing.assert_allclose(two.predict(x, verbose=0), one.predict(x, verbose=0), rtol=1e-4, atol=1e-5)
    assert [w.trainable for w in two.weights] == [w.trainable for w in one.weights]


@pytest.mark.parametrize("direction", ["to keras", "from keras"])
@pytest.mark.parametrize("name", MODELS)
def test_models(name, direction, tmp_path):
    writer, reader = (cconv, keras) if direction == "to keras" else (keras, cconv)
    one = without_dropout(MODELS[name](writer))
    x, y = batch(name)
    if writer is keras and name == "functional":
        one.compile(
            keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
            ["mean_squared_error", keras.losses.BinaryCrossentropy()],
        )  # Keras does not find "mse" and its kin again
    for _ in range(2):
        one.train_on_batch(x, y)
    one.save(tmp_path / "model.h5")
    two = reader.saving.load_model(tmp_path / "model.h5")
    assert_equal_models(*((two, one) if writer is keras else (one, two)), x)
    assert int(two.optimizer.iterations.numpy()) == 2
    assert two.optimizer.get_config()["name"] == one.optimizer.get_config()["name"]
    a, b = (listed(k.evaluate(x, y, verbose=0))[0] for k in (one, two))
    assert a == pytest.approx(b, rel=1e-4)
    if reader is cconv:  # Keras reads the number of steps, and leaves the rest of the state in the file
        for step in range(2, 4):
            one.train_on_batch(*batch(name, step))
            two.train_on_batch(*batch(name, step))
        for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_keras_leaves_the_state_in_its_own_files_too(tmp_path):
    model = MODELS["sequential"](keras)
    model.train_on_batch(*batch("sequential"))
    model.save(tmp_path / "model.h5")
    again = keras.saving.load_model(tmp_path / "model.h5")
    assert len(again.optimizer.variables) == 2 < len(model.optimizer.variables)


@pytest.mark.parametrize("direction", ["to keras", "from keras"])
@pytest.mark.parametrize("by_name", [False, True])
def test_weights_of_a_whole_model(by_name, direction, tmp_path):
    writer, reader = (cconv, keras) if direction == "to keras" else (keras, cconv)
    for k in (cconv, keras):
        k.utils.clear_session()
    one, two = MODELS["sequential"](writer), MODELS["sequential"](reader)
    one.train_on_batch(*batch("sequential"))
    one.save(tmp_path / "model.h5")
    two.load_weights(tmp_path / "model.h5", by_name=by_name)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("direction", ["to keras", "from keras"])
def test_layers_of_ones_own(direction, tmp_path):
    writer, reader = (cconv, keras) if direction == "to keras" else (keras, cconv)
    one = writer.Sequential([writer.Input((3,)), scale_class(writer)(2.0)])
    one.save(tmp_path / "model.h5")
    two = reader.saving.load_model(tmp_path / "model.h5", custom_objects={"Scale": scale_class(reader)})
    x = rng().random((5, 3), dtype=np.float32)
    np.testing.assert_allclose(two.predict(x, verbose=0), one.predict(x, verbose=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("direction", ["to keras", "from keras"])
@pytest.mark.parametrize("name", MODELS)
def test_models_as_text(name, direction):
    writer, reader = (cconv, keras) if direction == "to keras" else (keras, cconv)
    one = MODELS[name](writer)
    two = reader.models.model_from_json(one.to_json())
    two.set_weights(one.get_weights())
    x, _ = batch(name)
    assert_equal_models(*((two, one) if writer is keras else (one, two)), x)


def test_names_of_saving():
    missing = {name for name in dir(keras.saving) if not name.startswith("_") and not hasattr(cconv.saving, name)}
    assert missing == {"KerasFileEditor"}
