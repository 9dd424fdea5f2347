"""F scores, IoU, R2, correlations and rates at bounds: plain NumPy, in compiled models too, and what they refuse."""

import numpy as np
import pytest

import cconv
from cconv import metrics

RNG = np.random.default_rng(0)
X, SCORES = RNG.random((10, 4), np.float32), RNG.random((10, 3))
LABELS = RNG.integers(0, 3, 10)
ONE_HOT = np.eye(3)[LABELS]


def model(*compiled):
    made = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(3, "softmax")])
    made.compile("sgd", "categorical_crossentropy", metrics=list(compiled))
    return made


COMPILED = [
    metrics.F1Score(average="macro"),
    metrics.FBetaScore(threshold=0.3),
    metrics.R2Score(),
    metrics.PearsonCorrelation(),
    metrics.ConcordanceCorrelation(),
    metrics.OneHotMeanIoU(3),
    metrics.OneHotIoU(3, [1]),
    metrics.PrecisionAtRecall(0.5, class_id=1),
    metrics.SpecificityAtSensitivity(0.5),
]


@pytest.mark.parametrize("metric", COMPILED, ids=lambda metric: metric.name)
def test_compiled_as_alone(metric):
    net = model(metric)
    found = net.evaluate(X, ONE_HOT, batch_size=4, verbose=0)[1]
    alone = type(metric).from_config(metric.get_config())
    y_pred = net.predict(X, verbose=0)
    for rows in (slice(0, 4), slice(4, 8), slice(8, 10)):
        alone.update_state(ONE_HOT[rows], y_pred[rows])
    np.testing.assert_allclose(found, alone.result(), rtol=1e-5, atol=1e-6)
    again = type(metric).from_config(metric.get_config())
    again.resume(alone.state())
    np.testing.assert_array_equal(again.result(), alone.result())
    alone.reset_state()
    alone.update_state(ONE_HOT, y_pred)
    np.testing.assert_allclose(found, alone.result(), rtol=1e-5, atol=1e-6)


def test_a_segmentation():
    net = cconv.Sequential([cconv.Input((6, 5, 2)), cconv.layers.Conv2D(3, 1, activation="softmax")])
    net.compile("sgd", "sparse_categorical_crossentropy", metrics=[metrics.MeanIoU(3, sparse_y_pred=False)])
    x, y = RNG.random((4, 6, 5, 2)), RNG.integers(0, 3, (4, 6, 5))
    found = net.evaluate(x, y, batch_size=3, verbose=0)[1]
    guess = net.predict(x, verbose=0).argmax(-1)
    each = [((y == c) & (guess == c)).sum() / max(((y == c) | (guess == c)).sum(), 1) for c in range(3)]
    assert found == pytest.approx(np.mean(each))


def test_f_score_is_that_of_counts():
    chosen = SCORES > 0.5
    tp, fp, fn = (chosen & (ONE_HOT > 0)).sum(0), (chosen & (ONE_HOT == 0)).sum(0), (~chosen & (ONE_HOT > 0)).sum(0)
    expected = 5 * tp / (5 * tp + 4 * fn + fp)
    metric = metrics.FBetaScore(beta=2.0, threshold=0.5)
    np.testing.assert_allclose(metric(ONE_HOT, SCORES), expected, rtol=1e-5)


def test_weights_count_like_repetitions():
    weights = RNG.integers(0, 4, 10)
    for make in (lambda: metrics.F1Score(), lambda: metrics.R2Score(), lambda: metrics.OneHotIoU(3, [0, 2])):
        weighted, repeated = make(), make()
        weighted.update_state(ONE_HOT, SCORES, sample_weight=weights)
        repeated.update_state(np.repeat(ONE_HOT, weights, 0), np.repeat(SCORES, weights, 0))
        np.testing.assert_allclose(weighted.result(), repeated.result(), rtol=1e-5)


def test_perfect_predictions():
    for metric in (metrics.R2Score(), metrics.PearsonCorrelation(), metrics.F1Score("micro"), metrics.OneHotMeanIoU(3)):
        assert metric(ONE_HOT, ONE_HOT) == pytest.approx(1, abs=1e-5), metric.name
    assert metrics.ConcordanceCorrelation()(ONE_HOT, ONE_HOT + 1) < 0.5


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: metrics.F1Score(average="mean"), "average.*mean"),
        (lambda: metrics.FBetaScore(beta=0.0), "beta.*> 0"),
        (lambda: metrics.F1Score(threshold=1.5), "threshold.*1.5"),
        (lambda: metrics.F1Score()(LABELS, LABELS), "2D inputs"),
        (lambda: metrics.R2Score(class_aggregation="sum"), "class_aggregation.*sum"),
        (lambda: metrics.R2Score(num_regressors=-1), "num_regressors"),
        (lambda: metrics.R2Score()(ONE_HOT, SCORES[:, :2]), "2D inputs"),
        (lambda: metrics.IoU(3, [3]), "target_class_ids.*0 to 2"),
        (lambda: metrics.IoU(3, []), "at least one"),
        (lambda: metrics.MeanIoU(2)(LABELS, LABELS), "targets from 0 to 1.*2"),
        (lambda: metrics.MeanIoU(3)(LABELS, LABELS[:-1]), "as many targets as predictions.*10 and 9"),
        (lambda: metrics.PrecisionAtRecall(1.5), "recall.*range.*1.5"),
        (lambda: metrics.RecallAtPrecision(0.5, num_thresholds=0), "num_thresholds"),
    ],
)
def test_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
