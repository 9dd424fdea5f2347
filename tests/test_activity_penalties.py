"""Penalties on outputs: what they add to the loss does not depend on the size of the batches."""

import numpy as np
import pytest

import cconv
from cconv import layers, ops

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(16, 5)).astype(np.float32)
Y = RANDOM.normal(size=(16, 3)).astype(np.float32)
W = RANDOM.normal(size=(5, 3)).astype(np.float32)


def dense(**arguments):
    return layers.Dense(3, use_bias=False, kernel_initializer=lambda shape, dtype=None: W, **arguments)


def losses_of(model, batch_size, x=X, y=Y):
    model.compile(cconv.optimizers.SGD(0.0), "mse")
    history = model.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0)
    return history.history["loss"][0], model.evaluate(x, y, batch_size=batch_size, verbose=0)


def mse_and_squares():
    out = X.astype(float) @ W
    return np.mean((out - Y) ** 2), np.mean(np.sum(out**2, axis=1))


@pytest.mark.parametrize("batch_size", [1, 4, 12, 16, 32])
def test_the_loss_is_the_same_at_any_batch_size(batch_size):
    model = cconv.Sequential([cconv.Input((5,)), dense(activity_regularizer="l2")])
    mse, squares = mse_and_squares()
    np.testing.assert_allclose(losses_of(model, batch_size), mse + 0.01 * squares, rtol=1e-6)


def test_a_regularizer_of_ones_own_is_divided_too():
    model = cconv.Sequential([cconv.Input((5,)), dense(activity_regularizer=lambda y: 0.5 * ops.sum(ops.abs(y)))])
    mse, _ = mse_and_squares()
    expected = mse + 0.5 * np.mean(np.sum(np.abs(X.astype(float) @ W), axis=1))
    np.testing.assert_allclose(losses_of(model, 12), expected, rtol=1e-6)


def test_the_gradient_is_that_of_the_mean():
    layer = dense(activity_regularizer="l2")
    model = cconv.Sequential([cconv.Input((5,)), layer])
    model.compile(cconv.optimizers.SGD(1.0), None)
    model.train_on_batch(X)
    x = X.astype(float)
    np.testing.assert_allclose(layer.kernel.value, W - 0.02 * x.T @ (x @ W) / len(x), rtol=1e-5, atol=1e-6)


def test_images_and_a_sample_that_is_not_a_number():
    model = cconv.Sequential([cconv.Input((2, 3)), layers.Activation("linear", activity_regularizer="l1")])
    x = RANDOM.normal(size=(7, 2, 3)).astype(np.float32)
    model.compile("sgd", None)
    expected = 0.01 * np.mean(np.abs(x).sum(axis=(1, 2)))
    assert model.evaluate(x, batch_size=3, verbose=0) == pytest.approx(expected, rel=1e-6)
    x[0, 0, 0] = np.nan
    assert np.isnan(model.evaluate(x, verbose=0))


def test_shared_layers_and_models_within_models_count_each_call_once():
    x = cconv.Input((3,))
    layer = layers.Dense(3, kernel_initializer="ones", activity_regularizer="l2")
    inner = cconv.Model(x, layer(layer(x)))
    outer_x = cconv.Input((3,))
    outer = cconv.Model(outer_x, inner(outer_x))
    data = X[:, :3]
    first = np.repeat(data.astype(float).sum(1, keepdims=True), 3, axis=1)
    expected = 0.01 * np.mean(np.sum(first**2, axis=1)) + 0.01 * np.mean(np.sum((3 * first) ** 2, axis=1))
    for model in (inner, outer):
        model.compile("sgd", None)
        assert model.evaluate(data, batch_size=12, verbose=0) == pytest.approx(expected, rel=1e-6)


def test_add_loss_stays_as_it_is_given():
    class Sum(layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(x))
            return x

    model = cconv.Sequential([cconv.Input((5,)), Sum()])
    model.compile("sgd", None)
    expected = (12 * X[:12].astype(float).sum() + 4 * X[12:].astype(float).sum()) / 16
    assert model.evaluate(X, batch_size=12, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_outputs_without_a_batch_have_a_penalty_of_their_own():
    class Mean(layers.Layer):
        def call(self, x):
            return ops.mean(x)

    layer = Mean(activity_regularizer=lambda y: 3.0 * y)
    with cconv.scope.tracing():
        layer(cconv.Input((5,)))
    (penalty,) = layer.losses_for_tracing()
    assert penalty.op == "multiply"


def test_a_penalty_of_known_batches():
    value = cconv.regularizers.activity_penalty(cconv.regularizers.L2(0.5), np.array([[1.0], [3.0]]))
    assert float(value) == 2.5


def test_what_a_tape_gave_to_add_loss_is_forgotten_at_the_next_call():
    inner = dense()
    model = cconv.Sequential([inner])
    for _ in range(3):
        with cconv.GradientTape() as tape:
            y = model(X, training=True)
            model.add_loss(ops.sum(y))
            inner.add_loss(2.0 * ops.sum(y))
            loss = sum(model.losses)
        assert len(model.losses) == 2
        gradient = tape.gradient(loss, inner.kernel).numpy()
        np.testing.assert_allclose(gradient, 3 * np.repeat(X.sum(0)[:, None], 3, 1), rtol=1e-4, atol=1e-5)
    model(X)
    assert model.losses == []


def test_predictions_leave_the_losses_of_the_last_step():
    model = cconv.Sequential([cconv.Input((5,)), dense(activity_regularizer="l2")])
    model.compile(cconv.optimizers.SGD(0.0), "mse")
    assert model.losses == []
    model.fit(X, Y, batch_size=16, verbose=0)
    before = model.losses
    np.testing.assert_allclose(before, 0.01 * mse_and_squares()[1], rtol=1e-6)
    for _ in range(2):
        model.predict(X, verbose=0)
        assert model.losses == before
    model.evaluate(2 * X, Y, verbose=0)
    np.testing.assert_allclose(model.losses, 0.04 * mse_and_squares()[1], rtol=1e-6)
    assert before != model.losses  # numbers of their own
