"""Metrics against scikit-learn and NumPy: called with arrays, and traced into a graph as `fit` does."""

import sys

import numpy as np
import pytest
from sklearn import metrics as sk

import cconv
from cconv import _core, metrics
from cconv.graph import build_graph
from cconv.tensor import Tensor

RNG = np.random.default_rng(11)
N, C = 200, 6
SCORES = RNG.random((N, C)).astype(np.float32)
LABELS = np.where(RNG.random(N) < 0.5, SCORES.argmax(-1), RNG.integers(0, C, N)).astype(np.float32)
ONE_HOT = np.eye(C, dtype=np.float32)[LABELS.astype(int)]
BINARY = RNG.integers(0, 2, N).astype(np.float32)
PROBABILITY = np.clip(0.35 * BINARY + 0.65 * RNG.random(N), 0, 1).astype(np.float32)
WEIGHTS = RNG.uniform(0, 2, N).astype(np.float32)
TARGETS = RNG.uniform(0.5, 2, (N, 3)).astype(np.float32)
VALUES = RNG.uniform(0.5, 2, (N, 3)).astype(np.float32)


def top_k(weights, k):
    return sk.top_k_accuracy_score(LABELS, SCORES, k=k, sample_weight=weights, labels=np.arange(C))


def log_loss(weights):
    p = SCORES / SCORES.sum(-1, keepdims=True)
    return sk.log_loss(LABELS, p, sample_weight=weights, labels=np.arange(C))


def average(each):
    return lambda weights: np.average(each, weights=weights)


T, V = TARGETS.astype(np.float64), VALUES.astype(np.float64)
T_SHARE, V_SHARE = (x / x.sum(-1, keepdims=True) for x in (T, V))
COSINE = np.sum(T * V, -1) / np.linalg.norm(T, axis=-1) / np.linalg.norm(V, axis=-1)

MARGIN = 1 - (2 * BINARY - 1) * PROBABILITY
BEST_OTHER, OWN = np.max((1 - ONE_HOT) * SCORES, -1), np.sum(ONE_HOT * SCORES, -1)

# name: metric, targets, predictions, what it should be for given weights
METRICS = {
    "Accuracy": (
        lambda: metrics.Accuracy(),
        LABELS,
        SCORES.argmax(-1).astype(np.float32),
        lambda w: sk.accuracy_score(LABELS, SCORES.argmax(-1), sample_weight=w),
    ),
    "BinaryAccuracy": (
        lambda: metrics.BinaryAccuracy(threshold=0.4),
        BINARY[:, None],
        PROBABILITY[:, None],
        lambda w: sk.accuracy_score(BINARY, PROBABILITY > 0.4, sample_weight=w),
    ),
    "CategoricalAccuracy": (
        lambda: metrics.CategoricalAccuracy(),
        ONE_HOT,
        SCORES,
        lambda w: sk.accuracy_score(LABELS, SCORES.argmax(-1), sample_weight=w),
    ),
    "SparseCategoricalAccuracy": (
        lambda: metrics.SparseCategoricalAccuracy(),
        LABELS,
        SCORES,
        lambda w: sk.accuracy_score(LABELS, SCORES.argmax(-1), sample_weight=w),
    ),
    "TopKCategoricalAccuracy": (
        lambda: metrics.TopKCategoricalAccuracy(k=3),
        ONE_HOT,
        SCORES,
        lambda w: top_k(w, 3),
    ),
    "SparseTopKCategoricalAccuracy": (
        lambda: metrics.SparseTopKCategoricalAccuracy(k=2),
        LABELS[:, None],
        SCORES,
        lambda w: top_k(w, 2),
    ),
    "BinaryCrossentropy": (
        lambda: metrics.BinaryCrossentropy(),
        BINARY[:, None],
        PROBABILITY[:, None],
        lambda w: sk.log_loss(BINARY, np.clip(PROBABILITY.astype(float), 1e-7, 1 - 1e-7), sample_weight=w),
    ),
    "CategoricalCrossentropy": (lambda: metrics.CategoricalCrossentropy(), ONE_HOT, SCORES, log_loss),
    "SparseCategoricalCrossentropy": (lambda: metrics.SparseCategoricalCrossentropy(), LABELS, SCORES, log_loss),
    "KLDivergence": (
        lambda: metrics.KLDivergence(),
        T_SHARE,
        V_SHARE,
        average(np.sum(T_SHARE * np.log(T_SHARE / V_SHARE), -1)),
    ),
    "Hinge": (
        lambda: metrics.Hinge(),
        2 * BINARY[:, None] - 1,
        PROBABILITY[:, None] * 4 - 2,
        lambda w: sk.hinge_loss(2 * BINARY - 1, PROBABILITY.astype(float) * 4 - 2, sample_weight=w),
    ),
    "SquaredHinge": (
        lambda: metrics.SquaredHinge(),
        BINARY[:, None],
        PROBABILITY[:, None],
        average(np.maximum(MARGIN, 0) ** 2),
    ),
    "CategoricalHinge": (
        lambda: metrics.CategoricalHinge(),
        ONE_HOT,
        SCORES,
        average(np.maximum(BEST_OTHER - OWN + 1, 0)),
    ),
    "MeanSquaredError": (
        lambda: metrics.MeanSquaredError(),
        T,
        V,
        lambda w: sk.mean_squared_error(T, V, sample_weight=w),
    ),
    "MeanAbsoluteError": (
        lambda: metrics.MeanAbsoluteError(),
        T,
        V,
        lambda w: sk.mean_absolute_error(T, V, sample_weight=w),
    ),
    "MeanAbsolutePercentageError": (
        lambda: metrics.MeanAbsolutePercentageError(),
        T,
        V,
        lambda w: 100 * sk.mean_absolute_percentage_error(T, V, sample_weight=w),
    ),
    "MeanSquaredLogarithmicError": (
        lambda: metrics.MeanSquaredLogarithmicError(),
        T,
        V,
        lambda w: sk.mean_squared_log_error(T, V, sample_weight=w),
    ),
    "RootMeanSquaredError": (
        lambda: metrics.RootMeanSquaredError(),
        T,
        V,
        lambda w: np.sqrt(np.average(np.mean((T - V) ** 2, -1), weights=w)),
    ),
    "LogCoshError": (lambda: metrics.LogCoshError(), T, V, average(np.mean(np.log(np.cosh(T - V)), -1))),
    "Poisson": (lambda: metrics.Poisson(), T, V, average(np.mean(V - T * np.log(V), -1))),
    "CosineSimilarity": (lambda: metrics.CosineSimilarity(), T, V, average(COSINE)),
    "TruePositives": (lambda: metrics.TruePositives(), BINARY, PROBABILITY, lambda w: confusion(w)[1, 1]),
    "TrueNegatives": (lambda: metrics.TrueNegatives(), BINARY, PROBABILITY, lambda w: confusion(w)[0, 0]),
    "FalsePositives": (lambda: metrics.FalsePositives(), BINARY, PROBABILITY, lambda w: confusion(w)[0, 1]),
    "FalseNegatives": (lambda: metrics.FalseNegatives(), BINARY, PROBABILITY, lambda w: confusion(w)[1, 0]),
    "Precision": (
        lambda: metrics.Precision(thresholds=0.6),
        BINARY,
        PROBABILITY,
        lambda w: sk.precision_score(BINARY, PROBABILITY > 0.6, sample_weight=w),
    ),
    "Recall": (
        lambda: metrics.Recall(thresholds=0.6),
        BINARY,
        PROBABILITY,
        lambda w: sk.recall_score(BINARY, PROBABILITY > 0.6, sample_weight=w),
    ),
    "AUC": (
        lambda: metrics.AUC(num_thresholds=5000),
        BINARY,
        PROBABILITY,
        lambda w: sk.roc_auc_score(BINARY, PROBABILITY, sample_weight=w),
    ),
}
EVERY_METRIC = pytest.mark.parametrize("name", METRICS)
WITH_WEIGHTS = pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])


def confusion(weights):
    return sk.confusion_matrix(BINARY, PROBABILITY > 0.5, sample_weight=weights)


def test_every_class_is_tested():
    elsewhere = {"at_bound", "correlations", "fbeta", "iou", "r2_score"}  # modules: test_newer_metrics.py
    classes = {name: item for name, item in vars(metrics).items() if name in metrics.__all__ and isinstance(item, type)}
    here = {name for name, item in classes.items() if item.__module__.rpartition(".")[2] not in elsewhere}
    assert here - {"Metric", "Mean", "Sum", "MeanMetricWrapper"} == set(METRICS)


def batches(*arrays):
    for begin, end in ((0, 64), (64, 128), (128, 199), (199, 200)):
        yield [None if array is None else array[begin:end] for array in arrays]


@EVERY_METRIC
@WITH_WEIGHTS
def test_with_arrays(name, weighted):
    make, t, p, expected = METRICS[name]
    weights = WEIGHTS if weighted else None
    metric = make()
    for _ in range(2):
        for y_true, y_pred, w in batches(t, p, weights):
            metric.update_state(y_true, y_pred, sample_weight=w)
        assert metric.result() == pytest.approx(expected(weights), rel=2e-4 if name == "AUC" else 2e-5)
        metric.reset_state()
    assert metric.result() == 0


@EVERY_METRIC
@WITH_WEIGHTS
def test_in_a_graph(name, weighted):
    """As fit does: the numbers of a batch are outputs of a plan, the last batches are smaller."""
    make, t, p, expected = METRICS[name]
    weights = WEIGHTS if weighted else None
    metric = make()
    inputs = [Tensor((None, *x.shape[1:])) for x in (t, p, weights) if x is not None]
    outputs = metric.batch_values(*inputs)
    graph, ids = build_graph(outputs, inputs)
    plan = _core.Plan(graph, [ids[id(x)] for x in outputs], max_batch=71)
    for batch in batches(*(x for x in (t, p, weights) if x is not None)):
        metric.accumulate(tuple(plan.run([np.ascontiguousarray(x) for x in batch], n=len(batch[0]))))
    assert metric.result() == pytest.approx(expected(weights), rel=2e-4 if name == "AUC" else 2e-5)


@EVERY_METRIC
def test_configuration_round_trip(name):
    metric = METRICS[name][0]()
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric) and again.get_config() == metric.get_config()
    assert metrics.serialize(metric)["module"] == "keras.metrics"


def test_mean_and_sum():
    mean, total = metrics.Mean(), metrics.Sum()
    for values, weights in (([1.0, 2.0, 6.0], None), ([[2.0, 4.0], [0.0, 1.0]], [1.0, 0.0]), (5.0, None)):
        mean.update_state(values, sample_weight=weights)
        total.update_state(values, sample_weight=weights)
    assert mean.result() == pytest.approx((9 + 3 + 5) / (3 + 1 + 1))
    assert total.result() == pytest.approx(9 + 6 + 5)
    assert metrics.Mean().result() == 0.0


def test_weights_of_pixels():
    t, p = RNG.random((4, 3, 3, 2)), RNG.random((4, 3, 3, 2))
    error = np.mean((t - p) ** 2, -1)
    for weights in (RNG.random(4), RNG.random((4, 3)), RNG.random((4, 3, 3))):
        metric = metrics.MeanSquaredError()
        metric.update_state(t, p, sample_weight=weights)
        wide = np.broadcast_to(weights.reshape(weights.shape + (1,) * (3 - weights.ndim)), error.shape)
        assert metric.result() == pytest.approx(np.sum(error * wide) / np.sum(wide), rel=1e-5)


def test_accuracy_of_images():
    scores = RNG.random((3, 4, 5, 6)).astype(np.float32)
    labels = RNG.integers(0, 6, (3, 4, 5)).astype(np.float32)
    expected = np.mean(scores.argmax(-1) == labels)
    assert metrics.SparseCategoricalAccuracy()(labels, scores) == pytest.approx(expected)
    assert metrics.SparseCategoricalAccuracy()(labels[..., None], scores) == pytest.approx(expected)
    assert metrics.CategoricalAccuracy()(np.eye(6)[labels.astype(int)], scores) == pytest.approx(expected)
    best = np.argsort(-scores, -1)[..., :2]
    expected = np.mean(np.any(best == labels[..., None], -1))
    assert metrics.SparseTopKCategoricalAccuracy(k=2)(labels, scores) == pytest.approx(expected)


def test_top_k_of_sorted_numbers_ties_and_labels_that_are_no_class():
    metric = metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)
    assert metric([1, 0, 4], [[1, 0, 3], [1, 2, 0], [0, 4, 1]]) == pytest.approx(2 / 3)
    scores = [[0.5, 0.5, 0.5], [1.0, 0.0, np.nan], [0.1, 0.2, 0.3]]
    function = metrics.sparse_top_k_categorical_accuracy
    assert function([2, 2, 3], scores, k=1).tolist() == [1.0, 0.0, 0.0]
    assert function([0, 0, 0], [[0.1, 0.2]] * 3, k=5).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("summation", ["interpolation", "minoring", "majoring"])
def test_auc_of_precision_and_recall(summation):
    metric = metrics.AUC(num_thresholds=4000, curve="PR", summation_method=summation)
    metric.update_state(BINARY, PROBABILITY)
    assert metric.result() == pytest.approx(sk.average_precision_score(BINARY, PROBABILITY), abs=0.01)


def test_auc_of_several_labels():
    t = np.stack([BINARY, 1 - BINARY, BINARY], -1)
    p = np.stack([PROBABILITY, PROBABILITY, 1 - PROBABILITY], -1)
    each = [sk.roc_auc_score(t[:, i], p[:, i]) for i in range(3)]
    metric = metrics.AUC(num_thresholds=5000, multi_label=True)
    metric.update_state(t[:100], p[:100])
    metric.update_state(t[100:], p[100:])
    assert metric.result() == pytest.approx(np.mean(each), rel=1e-3)
    metric = metrics.AUC(num_thresholds=5000, multi_label=True, num_labels=3, label_weights=[1, 2, 5])
    metric.update_state(t, p)
    assert metric.result() == pytest.approx(np.average(each, weights=[1, 2, 5]), rel=1e-3)
    with pytest.raises(ValueError, match="of 3 labels.*2"):
        metric.update_state(t[:, :2], p[:, :2])


def test_many_labels_are_counted_in_one_pass_as_each_alone():
    rng = np.random.default_rng(3)

    def counted(labels):
        p = rng.random((40, labels)).astype(np.float32)
        p[0, 0], p[1, :3] = np.nan, [0, 1, 0.5]
        t, w = rng.integers(0, 2, p.shape), rng.uniform(0, 2, p.shape)
        metric, lines = metrics.AUC(num_thresholds=9, multi_label=True), []

        def trace(frame, event, argument):
            lines.append(frame.f_lineno)
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            metric.update_state(t, p, w)
        finally:
            sys.settrace(before)
        for i in range(0, labels, 100):
            alone = metrics.AUC(num_thresholds=9)
            alone.update_state(t[:, i], p[:, i], w[:, i])
            for all_labels, one in zip(metric.variables, alone.variables, strict=True):
                np.testing.assert_array_equal(all_labels.numpy()[:, i], one.numpy())
        return len(lines)

    counted(3)
    assert counted(5000) == counted(3)


def test_auc_from_logits_and_own_thresholds():
    logits = np.log(np.clip(PROBABILITY, 1e-4, 1 - 1e-4) / (1 - np.clip(PROBABILITY, 1e-4, 1 - 1e-4)))
    metric = metrics.AUC(num_thresholds=5000, from_logits=True)
    metric.update_state(BINARY, logits)
    assert metric.result() == pytest.approx(sk.roc_auc_score(BINARY, logits), rel=1e-3)
    metric = metrics.AUC(thresholds=[0.5])
    metric.update_state(BINARY, PROBABILITY)
    recall = sk.recall_score(BINARY, PROBABILITY > 0.5)
    false = np.mean(PROBABILITY[BINARY == 0] > 0.5)
    assert metric.result() == pytest.approx((1 - false) * (1 + recall) / 2 + false * recall / 2, rel=1e-6)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        metric.update_state([1.0], [1.5])


def test_several_thresholds_in_any_order():
    metric = metrics.Precision(thresholds=[0.7, 0.2, 0.5])
    metric.update_state(BINARY, PROBABILITY)
    expected = [sk.precision_score(BINARY, np.greater(PROBABILITY, level)) for level in (0.7, 0.2, 0.5)]
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-6)


def test_precision_of_the_best_and_of_one_class():
    for k in (1, 3):
        best = np.zeros_like(SCORES)
        np.put_along_axis(best, np.argsort(-SCORES, -1)[:, :k], 1, -1)
        metric = metrics.Precision(top_k=k)
        metric.update_state(ONE_HOT, SCORES)
        assert metric.result() == pytest.approx(np.sum(best * ONE_HOT) / best.sum(), rel=1e-6)
    metric = metrics.Recall(class_id=2)
    metric.update_state(ONE_HOT, SCORES)
    assert metric.result() == pytest.approx(sk.recall_score(ONE_HOT[:, 2], SCORES[:, 2] > 0.5), rel=1e-6)


def test_nan_predictions_are_not_positive():
    metric = metrics.TruePositives()
    assert metric([1, 1], [np.nan, 0.9]) == 1.0


def test_nan_is_visible_in_a_mean():
    metric = metrics.MeanSquaredError()
    assert np.isnan(metric([[1.0], [2.0]], [[np.nan], [2.0]]))


class WorstError(metrics.Metric):
    """A metric as users write it: arrays in, its own variable."""

    def __init__(self, name="worst"):
        super().__init__(name=name)
        self.worst = self.add_variable((), name="worst")

    def update_state(self, y_true, y_pred, sample_weight=None):
        error = np.abs(y_true - y_pred).max(axis=-1)
        if sample_weight is not None:
            error = error * sample_weight
        self.worst.assign(np.float32(max(float(self.worst), float(error.max()))))

    def result(self):
        return float(self.worst)


class DoubleMean(metrics.MeanSquaredError):
    """Overrides what a built-in metric would compute in the graph."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(2 * y_true, 2 * y_pred, sample_weight)


@WITH_WEIGHTS
@pytest.mark.parametrize(
    "make, expected",
    [
        (WorstError, lambda w: np.max(np.max(np.abs(T - V), -1) * w)),
        (DoubleMean, lambda w: 4 * np.average(np.mean((T - V) ** 2, -1), weights=w)),
    ],
)
def test_own_metrics(make, expected, weighted):
    metric = make()
    inputs = [Tensor((None, 3)), Tensor((None, 3)), Tensor((None,))][: 3 if weighted else 2]
    outputs = metric.batch_values(*inputs)
    graph, ids = build_graph(outputs, inputs)
    plan = _core.Plan(graph, [ids[id(x)] for x in outputs], max_batch=71)
    arrays = [TARGETS, VALUES, WEIGHTS][: len(inputs)]
    for batch in batches(*arrays):
        metric.accumulate(tuple(plan.run(list(batch), n=len(batch[0]))))
    assert metric.result() == pytest.approx(expected(WEIGHTS if weighted else np.ones(N)), rel=1e-5)
    metric.reset_state()
    assert metric.result() == 0


def test_own_function():
    def worst(y_true, y_pred):
        return cconv.ops.max(cconv.ops.abs(y_true - y_pred), axis=-1)

    metric = metrics.MeanMetricWrapper(worst)
    assert metric.name == "worst"
    assert metric(TARGETS, VALUES) == pytest.approx(np.mean(np.max(np.abs(T - V), -1)), rel=1e-5)


def test_get():
    assert isinstance(metrics.get("mse"), metrics.MeanSquaredError)
    assert isinstance(metrics.get("sparse_categorical_accuracy"), metrics.SparseCategoricalAccuracy)
    assert isinstance(metrics.get("AUC"), metrics.AUC) and isinstance(metrics.get("auc"), metrics.AUC)
    assert metrics.get(None) is None and metrics.get(metrics.hinge) is metrics.hinge
    with pytest.raises(ValueError, match="acuracy.*mean .accuracy"):
        metrics.get("acuracy")
    with pytest.raises(ValueError, match="3"):
        metrics.get(3)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: metrics.Precision(thresholds=1.5), r"\[0, 1\].*1.5"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds=1"),
        (lambda: metrics.AUC(curve="ROCK"), "curve.*ROCK"),
        (lambda: metrics.AUC(summation_method="simpson"), "summation_method.*simpson"),
        (lambda: metrics.AUC(num_labels=3), "multi_label"),
        (lambda: metrics.Recall(class_id=0).update_state([1.0], [1.0]), "class_id"),
        (lambda: metrics.Precision().update_state([[1.0, 0.0]], [[1.0, 0.0, 0.0]]), r"\(1, 3\).*\(1, 2\)"),
        (lambda: metrics.MeanSquaredError()([[1.0, 0.0]], [[1.0, 0.0, 0.0]]), r"\(1, 3\).*\(1, 2\)"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
