"""Masks: where they come from, who hands them on, who leaves out the steps outside of them."""

import numpy as np
import pytest

import cconv
from cconv import layers

X = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
X[0, 2:], X[1, 4:], X[2, 0] = 0, 0, 0
KEPT = np.any(X != 0, axis=-1)


def test_masking_marks_and_clears_steps():
    x = np.where(KEPT[..., None], X, 7.0)
    x[0, 0, 0] = 7
    layer = layers.Masking(7.0)
    assert np.array_equal(layer(x), np.where(KEPT[..., None], x, 0))
    assert np.array_equal(layer.compute_mask(x), KEPT)
    assert layer(cconv.Input((None, 2))).mask.shape == (None, None)


@pytest.mark.parametrize(
    ("layer", "hands_on"),
    [
        (layers.Dense(3), True), (layers.Dropout(0.5), True), (layers.Activation("relu"), True),
        (layers.BatchNormalization(), True), (layers.TimeDistributed(layers.Dense(2)), True),
        (layers.GaussianNoise(0.1), True), (layers.ActivityRegularization(0.1), True), (layers.Identity(), True),
        (layers.Conv1D(2, 1), False), (layers.Flatten(), False), (layers.Reshape((10,)), False),
        (layers.GlobalAveragePooling1D(), False), (layers.ZeroPadding1D(1), False),
    ],
)  # fmt: skip
def test_who_hands_masks_on(layer, hands_on):
    y = layer(layers.Masking()(cconv.Input((5, 2))))
    assert (y.mask is not None) == hands_on


def test_the_mean_is_over_the_steps_that_count():
    model = cconv.Sequential([layers.Masking(), layers.Dropout(0.2), layers.GlobalAveragePooling1D()])
    expected = [x[kept].mean(0) for x, kept in zip(X, KEPT, strict=True)]
    np.testing.assert_allclose(model(X), expected, rtol=1e-5, atol=1e-6)


def test_batch_normalization_of_the_steps_that_count():
    layer = layers.BatchNormalization(momentum=0.9)
    y = layer(X, training=True, mask=KEPT)
    steps = X[KEPT].astype(np.float64)
    mean, variance = steps.mean(0), steps.var(0)
    np.testing.assert_allclose(y, (X - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * mean, rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * variance, rtol=1e-4)
    np.testing.assert_allclose(layer(X, mask=KEPT), layer(X))
    with pytest.raises(ValueError, match="axes of the input but the last"):
        layer(X, training=True, mask=KEPT[:, 0])


def test_what_lies_outside_of_the_mask_does_not_count_in_training():
    weights = []
    for filling in (0.0, 50.0):
        x = np.where(KEPT[..., None], X, filling)
        model = cconv.Sequential([
            cconv.Input((5, 2)), layers.Masking(filling), layers.BatchNormalization(),
            layers.GlobalAveragePooling1D(), layers.Dense(1, kernel_initializer="ones"),
        ])  # fmt: skip
        model.compile("sgd", "mse")
        model.fit(x, np.ones((3, 1)), epochs=3, batch_size=3, verbose=0)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_time_distributed():
    inner = layers.Conv2D(4, 3, activation="relu")
    layer = layers.TimeDistributed(inner)
    x = np.random.default_rng(1).normal(size=(2, 3, 5, 6, 2)).astype(np.float32)
    y = layer(x)
    np.testing.assert_allclose(y, np.stack([inner(x[:, t]) for t in range(3)], axis=1), rtol=1e-5, atol=1e-6)
    assert [w.path for w in layer.weights] == [f"{layer.name}/{inner.name}/kernel", f"{layer.name}/{inner.name}/bias"]
    model = cconv.Sequential([cconv.Input((3, 5, 6, 2)), layer])
    assert model.output_shape == (None, 3, 3, 4, 4)
    np.testing.assert_array_equal(model.predict(x, batch_size=1, verbose=0), y)
    again = layers.TimeDistributed.from_config(layer.get_config())
    again.build((None, 3, 5, 6, 2))
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x), y)
    with pytest.raises(ValueError, match="at least 3"):
        layers.TimeDistributed(layers.Dense(1))(np.ones((2, 3)))
    sequence = cconv.Input((None, 3))
    layer = layers.TimeDistributed(layers.Dense(2))
    model = cconv.Model(sequence, layer(sequence))
    assert model.output_shape == (None, None, 2)
    for steps in (1, 5, 100):
        x = np.random.default_rng(steps).random((2, steps, 3), np.float32)
        np.testing.assert_array_equal(model.predict(x, verbose=0), layer(x))
    with pytest.raises(ValueError, match="isn't a supported layer type"):
        layers.TimeDistributed(3)


@pytest.mark.parametrize("name", ["LSTM", "GRU", "Bidirectional", "ConvLSTM2D", "SimpleRNNCell"])
def test_recurrent_layers_are_refused_by_name(name):
    with pytest.raises(AttributeError, match=f"no '{name}' .Keras has.: recurrent layers are out of its scope"):
        getattr(layers, name)
    with pytest.raises(ValueError, match="recurrent"):
        cconv.saving.deserialize_object({"module": "keras.layers", "class_name": name, "config": {}})
