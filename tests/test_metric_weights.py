"""Weights of metrics: an ignored class weighs nothing, whatever the shape of the weights."""

import numpy as np
import pytest

import cconv

RANDOM = np.random.default_rng(0)
P = RANDOM.uniform(0.1, 1, (6, 4, 3)).astype(np.float32)
P /= P.sum(-1, keepdims=True)
Y = RANDOM.integers(0, 3, (6, 4))
VALUES = -np.log(np.take_along_axis(P.astype(float), Y[..., None], -1)[..., 0])


@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 4), (6, 4, 1)], ids=str)
@pytest.mark.parametrize("ignored", [0, 2])
def test_an_ignored_class_weighs_nothing(shape, ignored):
    weights = RANDOM.uniform(0.2, 2, shape)
    whole = np.broadcast_to(weights.reshape(shape[:2] if len(shape) == 3 else (6, -1)), (6, 4)) * (ignored != Y)
    metric = cconv.metrics.SparseCategoricalCrossentropy(ignore_class=ignored)
    for part in (slice(0, 4), slice(4, 6)):
        metric.update_state(Y[part], P[part], sample_weight=weights[part])
    assert metric.result() == pytest.approx((VALUES * whole).sum() / whole.sum(), rel=1e-6)


def test_without_weights_its_cross_entropy_is_zero():
    metric = cconv.metrics.SparseCategoricalCrossentropy(ignore_class=0)
    assert metric(Y, P) == pytest.approx((VALUES * (Y != 0)).mean(), rel=1e-6)


def test_only_ignored_labels():
    metric = cconv.metrics.SparseCategoricalCrossentropy(ignore_class=0)
    assert metric(np.zeros_like(Y), P, sample_weight=np.ones(6)) == 0.0


def test_a_model_reports_the_same():
    x = cconv.Input((4, 3))
    model = cconv.Model(x, cconv.layers.Identity()(x))
    loss = cconv.losses.SparseCategoricalCrossentropy(ignore_class=0)
    metric = cconv.metrics.SparseCategoricalCrossentropy(ignore_class=0, name="metric")
    model.compile("sgd", loss, weighted_metrics=[metric])
    weights = RANDOM.uniform(0.2, 2, 6)
    whole = weights[:, None] * (Y != 0)
    expected = (VALUES * whole).sum() / whole.sum()
    logs = model.evaluate(P, Y, sample_weight=weights, batch_size=4, verbose=0, return_dict=True)
    assert logs["metric"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shape", [None, (6,), (6, 1), (6, 4), (6, 4, 1), (6, 4, 3)], ids=str)
def test_weights_of_labels_and_of_samples_multiply_in_auc(shape):
    y = np.eye(3)[Y]
    labels = np.array([1.0, 2.0, 0.5])
    weights = None if shape is None else RANDOM.uniform(0.2, 2, shape)
    own = np.ones(()) if shape is None else weights.reshape(shape + (1,) * (3 - len(shape)))
    expected = cconv.metrics.AUC()(y, P, sample_weight=np.broadcast_to(own * labels, P.shape))
    assert cconv.metrics.AUC(label_weights=labels)(y, P, sample_weight=weights) == pytest.approx(expected)
