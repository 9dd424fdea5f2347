"""Losses and metrics that are one number for a batch: weights, reductions, training."""

import numpy as np
import pytest

import cconv
from cconv import losses, ops

RANDOM = np.random.default_rng(0)
Y = np.eye(2, dtype=np.float32)[np.arange(8) % 2]
P = RANDOM.uniform(0.1, 0.9, (8, 2)).astype(np.float32)
W = np.linspace(0.1, 2, 8)
CLASS_WEIGHT = {0: 1.0, 1: 3.0}


def squares(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred))


def passing(loss, **arguments):
    x = cconv.Input((2,))
    model = cconv.Model(x, cconv.layers.Identity()(x))
    model.compile("sgd", loss, **arguments)
    return model


def dice(y, p):
    return 1 - 2 * np.sum(y * p) / (np.sum(y) + np.sum(p) + 1e-7)


def tversky(y, p, alpha, beta):
    hit = np.sum(y * p)
    return 1 - hit / (hit + alpha * np.sum((1 - p) * y) + beta * np.sum(p * (1 - y)) + 1e-7)


LOSSES = {
    "a function": (squares, lambda y, p: np.mean((y - p) ** 2)),
    "a wrapped function": (losses.LossFunctionWrapper(squares), lambda y, p: np.mean((y - p) ** 2)),
    "dice": ("dice", dice),
    "Dice": (losses.Dice(), dice),
    "Tversky": (losses.Tversky(alpha=0.2, beta=0.7), lambda y, p: tversky(y, p, 0.2, 0.7)),
}
REDUCTIONS = {
    "sum_over_batch_size": lambda value, w: value * np.mean(w),
    "mean": lambda value, w: value * np.mean(w),
    "sum": lambda value, w: value * np.sum(w),
    "mean_with_sample_weight": lambda value, w: value,
}


@pytest.mark.parametrize("name", LOSSES)
def test_weights_of_samples_and_classes(name):
    loss, expected = LOSSES[name]
    batches = [slice(0, 6), slice(6, 8)]
    for weights, given in ((None, {}), (W, {"sample_weight": W})):
        parts = [expected(Y[b], P[b].astype(float)) * (1 if weights is None else np.mean(W[b])) for b in batches]
        value = (6 * parts[0] + 2 * parts[1]) / 8
        assert passing(loss).evaluate(P, Y, batch_size=6, verbose=0, **given) == pytest.approx(value, rel=1e-5)
        history = passing(loss).fit(P, Y, batch_size=6, shuffle=False, verbose=0, **given).history
        assert history["loss"] == [pytest.approx(value, rel=1e-5)]
    history = passing(loss).fit(P, Y, batch_size=8, verbose=0, class_weight=CLASS_WEIGHT).history
    assert history["loss"] == [pytest.approx(2 * expected(Y, P.astype(float)), rel=1e-5)]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(8,), (8, 1)])
def test_reductions(reduction, shape):
    weights = W.reshape(shape)
    for made, expected in (
        (losses.Dice(reduction=reduction), dice(Y, P.astype(float))),
        (losses.Tversky(reduction=reduction), tversky(Y, P.astype(float), 0.5, 0.5)),
    ):
        assert float(made(Y, P)) == pytest.approx(expected, rel=1e-6)
        value = REDUCTIONS[reduction](expected, W)
        assert float(made(Y, P, sample_weight=weights)) == pytest.approx(value, rel=1e-6)
        logs = passing(made).evaluate(P, Y, sample_weight=weights, verbose=0)
        assert logs == pytest.approx(value, rel=1e-5)


def test_no_reduction():
    values = losses.Dice(reduction=None)(Y, P, sample_weight=W)
    np.testing.assert_allclose(values, dice(Y, P.astype(float)) * W, rtol=1e-6)
    assert np.shape(losses.Dice(reduction="none")(Y, P)) == ()
    with pytest.raises(ValueError, match="reduction=None cannot be minimized"):
        passing(losses.Dice(reduction=None)).evaluate(P, Y, sample_weight=W, verbose=0)


def test_dice_of_each_mask_is_weighted_by_its_sample():
    y, p = np.round(RANDOM.uniform(size=(4, 3, 2))), RANDOM.uniform(size=(4, 3, 2))
    each = [dice(a, b) for a, b in zip(y, p, strict=True)]
    weights = np.array([0.5, 1.0, 2.0, 0.0])
    loss = losses.Dice(axis=(1, 2))
    assert float(loss(y, p, sample_weight=weights)) == pytest.approx(np.mean(each * weights), rel=1e-5)


def test_dice_and_tversky_train():
    for loss in (losses.Dice(), losses.Tversky(alpha=0.3, beta=0.7)):
        cconv.utils.set_random_seed(0)
        model = cconv.Sequential([cconv.Input((2,)), cconv.layers.Dense(2, activation="sigmoid")])
        model.compile(cconv.optimizers.Adam(0.1), loss)
        history = model.fit(Y, Y, epochs=30, sample_weight=W, verbose=0).history["loss"]
        assert history[-1] < history[0] / 2


def test_a_function_metric_may_be_one_number():
    """Unweighted the mean over the batches, weighted a number that each weight counts."""
    batches = [slice(0, 6), slice(6, 8)]
    values = [np.mean((Y[b] - P[b].astype(float)) ** 2) for b in batches]
    model = passing("mse", metrics=[squares], weighted_metrics=[squares])
    logs = model.evaluate(P, Y, sample_weight=W, batch_size=6, verbose=0, return_dict=True)
    assert logs["squares"] == pytest.approx(np.mean(values), rel=1e-5)
    weighted = sum(v * W[b].sum() for v, b in zip(values, batches, strict=True)) / W.sum()
    assert logs["weighted_squares"] == pytest.approx(weighted, rel=1e-5)
