"""What metrics keep is shown as variables, which can be read and assigned; a plan does not depend on it."""

import copy
import pickle

import numpy as np
import pytest

import cconv
from cconv import metrics

Y, P = np.array([[0.0], [1.0], [1.0], [0.0]]), np.array([[0.1], [0.6], [0.3], [0.9]])

STATES = {
    "Mean": ["total", "count"],
    "Sum": ["total"],
    "MeanMetricWrapper": ["total", "count"],
    "Precision": ["true_positives", "false_positives"],
    "Recall": ["true_positives", "false_negatives"],
    "AUC": ["true_positives", "false_positives", "true_negatives", "false_negatives"],
    **dict.fromkeys(
        ["PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"],
        ["true_positives", "false_positives", "true_negatives", "false_negatives"],
    ),
    **dict.fromkeys(
        ["F1Score", "FBetaScore"], ["true_positives", "false_positives", "false_negatives", "intermediate_weights"]
    ),
    **dict.fromkeys(["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"], ["total_confusion_matrix"]),
    "R2Score": ["num_samples", "squared_sum", "sum", "residual", "count"],
    **dict.fromkeys(["TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"], ["accumulator"]),
}
ARGUMENTS = {"MeanMetricWrapper": [cconv.losses.mean_squared_error], "TopKCategoricalAccuracy": [1]}
ARGUMENTS |= {"MeanIoU": [2], "OneHotMeanIoU": [2], "IoU": [2, [0]], "OneHotIoU": [2, [0]], "F1Score": [None, 0.5]}
ARGUMENTS |= {"FBetaScore": [None, 1.0, 0.5]}
ARGUMENTS |= dict.fromkeys(
    ["PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"], [0.5]
)
NAMES = [name for name in metrics.__all__ if name[0].isupper() and name != "Metric"]


def updated(name):
    metric = getattr(metrics, name)(*ARGUMENTS.get(name, []))
    if name in ("Mean", "Sum"):
        metric.update_state(P)
    elif name.startswith("Sparse"):
        metric.update_state(Y[:, 0].astype(int), np.hstack([1 - P, P]))
    elif name.endswith("Correlation"):
        metric.update_state(Y.T, P.T)
    elif "Mean" in name and name.endswith("IoU") or name == "IoU":
        metric.update_state(Y, Y)
    else:
        metric.update_state(Y, P)
    return metric


@pytest.mark.parametrize("name", NAMES)
def test_the_state_of_every_metric(name):
    metric = updated(name)
    assert [v.name for v in metric.variables] == STATES.get(name, STATES["Mean"])
    assert all(v.path == f"{metric.name}/{v.name}" and v.trainable is False for v in metric.variables)
    assert any(np.any(v.numpy() != 0) for v in metric.variables)
    other = updated(name)  # some know their number of classes from the first batch only
    other.reset_state()
    for mine, its in zip(metric.variables, other.variables, strict=True):
        assert mine.shape == its.shape and mine.dtype == its.dtype
        its.assign(mine.value)
    assert np.array_equal(other.result(), metric.result())
    for duplicate in (copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))):
        assert np.array_equal(duplicate(metric).result(), metric.result())
    metric.reset_state()
    assert all(not v.numpy().any() for v in metric.variables)


def test_shapes_of_counts():
    assert [v.shape for v in metrics.Recall([0.2, 0.5]).variables] == [(2,), (2,)]
    assert [v.shape for v in metrics.AUC().variables] == [(200,)] * 4
    assert [v.shape for v in metrics.AUC(multi_label=True, num_labels=3).variables] == [(200, 3)] * 4
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        metrics.Recall([0.2, 0.5]).variables[0].assign([1.0])


def test_variables_of_ones_own_come_last():
    class Largest(metrics.Mean):
        def __init__(self):
            super().__init__(name="largest")
            self.largest = self.add_variable((), name="largest")

    assert [v.name for v in Largest().variables] == ["total", "count", "largest"]


@pytest.mark.parametrize("metric", ["mae", "accuracy", metrics.RootMeanSquaredError(), metrics.Precision()])
def test_steps_are_traced_once_whatever_metrics_count(metric, monkeypatch):
    model = cconv.Sequential([cconv.Input((1,)), cconv.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=[metric])
    traces = []
    call = cconv.layers.Dense.call
    monkeypatch.setattr(cconv.layers.Dense, "call", lambda self, *args: traces.append(1) or call(self, *args))
    model.fit(P, Y, verbose=0)
    model.train_on_batch(P, Y)
    before = len(traces)
    model.fit(P, Y, epochs=3, verbose=0)
    for _ in range(3):
        model.train_on_batch(P, Y)
    assert len(traces) == before > 0
