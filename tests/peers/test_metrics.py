"""Metrics beside Keras: values over several batches, with and without weights; configurations."""

import keras
import numpy as np
import pytest

import cconv

RNG = np.random.default_rng(3)
N, C = 120, 6
SCORES = RNG.random((N, C)).astype(np.float32)
LABELS = np.where(RNG.random(N) < 0.5, SCORES.argmax(-1), RNG.integers(0, C, N)).astype(np.float32)
ONE_HOT = np.eye(C, dtype=np.float32)[LABELS.astype(int)]
BINARY = RNG.integers(0, 2, N).astype(np.float32)[:, None]
UNIT = (0.3 * BINARY + 0.7 * RNG.random((N, 1))).astype(np.float32)
NORMAL, OTHER = (RNG.standard_normal((N, 3)).astype(np.float32) for _ in range(2))
POSITIVE, MORE = (RNG.uniform(0.2, 2, (N, 3)).astype(np.float32) for _ in range(2))
MANY = RNG.integers(0, 2, (N, 3)).astype(np.float32)
CHANCES = RNG.random((N, 3)).astype(np.float32)
WEIGHTS = RNG.uniform(0, 2, N).astype(np.float32)

CASES = [
    ("Accuracy", {}, LABELS, np.round(SCORES[:, 0] * 3)),
    ("BinaryAccuracy", {}, BINARY, UNIT),
    ("BinaryAccuracy", {"threshold": 0.3}, MANY, CHANCES),
    ("CategoricalAccuracy", {}, ONE_HOT, SCORES),
    ("SparseCategoricalAccuracy", {}, LABELS, SCORES),
    ("SparseCategoricalAccuracy", {}, LABELS[:, None], SCORES),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT, SCORES),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, LABELS, SCORES),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, BINARY, UNIT),
    ("BinaryCrossentropy", {"from_logits": True}, BINARY, NORMAL[:, :1]),
    ("CategoricalCrossentropy", {}, ONE_HOT, SCORES),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ONE_HOT, SCORES),
    ("SparseCategoricalCrossentropy", {}, LABELS, SCORES),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, SCORES),
    ("KLDivergence", {}, POSITIVE, MORE),
    ("Hinge", {}, BINARY, UNIT),
    ("SquaredHinge", {}, BINARY, UNIT),
    ("CategoricalHinge", {}, ONE_HOT, SCORES),
    ("MeanSquaredError", {}, NORMAL, OTHER),
    ("MeanAbsoluteError", {}, NORMAL, OTHER),
    ("MeanAbsolutePercentageError", {}, POSITIVE, MORE),
    ("MeanSquaredLogarithmicError", {}, POSITIVE, MORE),
    ("RootMeanSquaredError", {}, NORMAL, OTHER),
    ("LogCoshError", {}, NORMAL, OTHER),
    ("Poisson", {}, POSITIVE, MORE),
    ("CosineSimilarity", {}, NORMAL, OTHER),
    ("TruePositives", {}, BINARY, UNIT),
    ("FalsePositives", {"thresholds": [0.2, 0.7]}, MANY, CHANCES),
    ("TrueNegatives", {"thresholds": 0.3}, BINARY, UNIT),
    ("FalseNegatives", {}, MANY, CHANCES),
    ("Precision", {}, BINARY, UNIT),
    ("Precision", {"thresholds": [0.2, 0.5, 0.9]}, MANY, CHANCES),
    ("Precision", {"top_k": 2}, ONE_HOT, SCORES),
    ("Precision", {"class_id": 1}, MANY, CHANCES),
    ("Recall", {}, BINARY, UNIT),
    ("Recall", {"top_k": 2, "class_id": 3}, ONE_HOT, SCORES),
    ("AUC", {}, BINARY, UNIT),
    ("AUC", {"num_thresholds": 20, "summation_method": "minoring"}, BINARY, UNIT),
    ("AUC", {"num_thresholds": 20, "summation_method": "majoring"}, BINARY, UNIT),
    ("AUC", {"curve": "PR"}, BINARY, UNIT),
    ("AUC", {"curve": "PR", "num_thresholds": 10, "summation_method": "majoring"}, BINARY, UNIT),
    ("AUC", {"thresholds": [0.1, 0.35, 0.5]}, BINARY, UNIT),
    ("AUC", {"multi_label": True}, MANY, CHANCES),
    ("AUC", {"multi_label": True, "num_labels": 3, "label_weights": [1.0, 2.0, 3.0]}, MANY, CHANCES),
    ("AUC", {"from_logits": True}, BINARY, NORMAL[:, :1]),
]
IDS = [f"{i} {name}" for i, (name, *_) in enumerate(CASES)]
EVERY_CASE = pytest.mark.parametrize("name, settings, t, p", CASES, ids=IDS)


@EVERY_CASE
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_value(name, settings, t, p, weighted):
    theirs, ours = getattr(keras.metrics, name)(**settings), getattr(cconv.metrics, name)(**settings)
    for begin, end in ((0, 50), (50, 100), (100, 120)):
        weights = WEIGHTS[begin:end] if weighted else None
        theirs.update_state(t[begin:end], p[begin:end], sample_weight=weights)
        ours.update_state(t[begin:end], p[begin:end], sample_weight=weights)
    np.testing.assert_allclose(ours.result(), keras.ops.convert_to_numpy(theirs.result()), rtol=3e-5, atol=1e-6)


@EVERY_CASE
def test_configuration(name, settings, t, p):
    theirs = keras.metrics.serialize(getattr(keras.metrics, name)(**settings, name="mine"))
    ours = cconv.metrics.serialize(getattr(cconv.metrics, name)(**settings, name="mine"))
    assert ours["config"].items() >= {k: v for k, v in theirs["config"].items() if k != "label_weights"}.items()
    assert (ours["module"], ours["class_name"]) == (theirs["module"], theirs["class_name"])
    assert isinstance(keras.metrics.deserialize(ours), getattr(keras.metrics, name))
    assert isinstance(cconv.metrics.deserialize(theirs), getattr(cconv.metrics, name))


@pytest.mark.parametrize("name", sorted({case[0] for case in CASES} | {"Mean", "Sum"}))
def test_default_names(name):
    ours, theirs = getattr(cconv.metrics, name)().name, getattr(keras.metrics, name)().name
    assert ours.rstrip("_0123456789") == theirs.rstrip("_0123456789")


@pytest.mark.parametrize("name", ["mse", "MAE", "mape", "MSLE", "bce", "accuracy", "AUC", "top_k_categorical_accuracy"])
def test_names(name):
    assert type(cconv.metrics.get(name)).__name__ == type(keras.metrics.get(name)).__name__


def test_mean_of_pixels():
    values, rng = RNG.random((4, 3, 5)).astype(np.float32), np.random.default_rng(1)
    for shape in ((4,), (4, 3), (4, 3, 5)):
        weights = rng.random(shape).astype(np.float32)
        for cls in ("Mean", "Sum"):
            ours, theirs = getattr(cconv.metrics, cls)(), getattr(keras.metrics, cls)()
            ours.update_state(values, sample_weight=weights)
            theirs.update_state(values, sample_weight=weights)
            np.testing.assert_allclose(ours.result(), float(theirs.result()), rtol=1e-5)
