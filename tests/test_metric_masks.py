"""The masks that come with predictions: compiled losses and metrics, planned and in steps of one's own."""

import numpy as np
import pytest

import cconv
from cconv import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4, 3)).astype(np.float32)
X[0, 2:], X[3, 1:], X[5, 0] = 0, 0, 0
KEPT = np.any(X != 0, axis=-1)
Y = RNG.normal(size=(6, 4, 2)).astype(np.float32)
WEIGHTS = RNG.uniform(0.5, 2.0, size=(6, 4)).astype(np.float32)


def model_of(kind=cconv.Sequential, **arguments):
    cconv.utils.set_random_seed(2)
    inputs = cconv.Input((4, 3))
    outputs = layers.Dense(2)(layers.Masking()(inputs))
    model = kind(inputs, outputs) if kind is not cconv.Sequential else kind([inputs, layers.Masking(), layers.Dense(2)])
    model.compile(cconv.optimizers.SGD(0.1), "mse", **arguments)
    return model


@pytest.mark.parametrize("eager", [False, True])
def test_means_are_over_the_steps_that_count(eager):
    model = model_of(metrics=["mae"], weighted_metrics=["mse", "mae"], run_eagerly=eager)
    errors = np.abs(model.predict(X, verbose=0) - Y).astype(np.float64)
    squares = np.square(errors).mean(-1)
    logs = model.evaluate(X, Y, batch_size=4, sample_weight=WEIGHTS, verbose=0, return_dict=True)
    kept = KEPT * WEIGHTS.astype(np.float64)
    assert logs["mae"] == pytest.approx((errors.mean(-1) * KEPT).sum() / KEPT.sum(), rel=1e-5)
    assert logs["mse"] == pytest.approx((squares * kept).sum() / kept.sum(), rel=1e-5)
    assert logs["weighted_mae"] == pytest.approx((errors.mean(-1) * kept).sum() / kept.sum(), rel=1e-5)
    one_each = (KEPT * WEIGHTS[:, :1]).astype(np.float64)
    logs = model.evaluate(X, Y, batch_size=4, sample_weight=WEIGHTS[:, 0], verbose=0, return_dict=True)
    assert logs["mse"] == pytest.approx((squares * one_each).sum() / one_each.sum(), rel=1e-5)


def test_what_is_no_mean_of_a_function_counts_all_steps():
    """As in Keras."""
    model = model_of(metrics=[cconv.metrics.RootMeanSquaredError(name="rms")])
    error = model.predict(X, verbose=0) - Y
    assert model.evaluate(X, Y, verbose=0, return_dict=True)["rms"] == pytest.approx(
        np.sqrt(np.square(error).mean()), rel=1e-5
    )


class Own(cconv.Model):
    """A model that is made of tensors, and trains by a step of its own."""

    def train_step(self, data):
        x, y, weights = cconv.utils.unpack_x_y_sample_weight(data)
        with cconv.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weights)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {**self.compute_metrics(x, y, y_pred, weights), "loss": loss}


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_steps_of_ones_own_heed_masks_too(weights):
    own, planned = (model_of(kind, metrics=["mae"], weighted_metrics=["mse"]) for kind in (Own, cconv.Model))
    for _ in range(3):
        logs = [m.train_on_batch(X, Y, sample_weight=weights, return_dict=True) for m in (own, planned)]
        for name, value in logs[1].items():
            assert logs[0][name] == pytest.approx(value, rel=1e-6)
    for a, b in zip(own.get_weights(), planned.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_layers_that_are_called_within_a_tape_hand_masks_on():
    masking, dense, mean = layers.Masking(), layers.Dense(2), layers.GlobalAveragePooling1D()
    whole = cconv.Sequential([masking, dense, mean])
    expected = whole(X)
    for _ in range(2):
        with cconv.GradientTape():
            marked = dense(masking(X))
            y = mean(marked)
            unmarked = mean(dense(X))
        assert np.array_equal(marked.mask.numpy(), KEPT)
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6)
        assert unmarked.mask is None and abs(unmarked.numpy() - expected).max() > 1e-3
        assert (marked + 1).mask is None
