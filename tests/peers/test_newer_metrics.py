"""F scores, IoU, R2, correlations and rates at bounds beside Keras', over batches with and without weights."""

import keras
import numpy as np
import pytest

import cconv

RNG = np.random.default_rng(0)
ONE_HOT, SCORES, WEIGHTS = np.eye(3, dtype="f")[RNG.integers(0, 3, 8)], RNG.random((8, 3), "f"), RNG.random(8, "f")
CLASSES, OTHERS = RNG.integers(0, 4, (2, 8, 5))
EACH, MAPS = RNG.random((8, 5), "f"), RNG.random((8, 5, 4), "f")
YES, PART, OWN = RNG.integers(0, 2, 20), RNG.random(20, "f"), RNG.random(20, "f")
ROWS = [(ONE_HOT, SCORES), (ONE_HOT[::-1].copy(), SCORES, WEIGHTS)]
PIXELS = [(CLASSES, OTHERS), (OTHERS, CLASSES, EACH)]
ANSWERS = [(YES, PART), (YES[::-1].copy(), PART, OWN)]
FLOAT = {"dtype": "float32"}  # of which Keras' IoU does not truncate weights

CASES = [
    *(("F1Score", {"average": a, "threshold": t}, ROWS) for a in (None, "micro", "macro") for t in (None, 0.4)),
    *(("FBetaScore", {"average": a, "beta": 2.0}, ROWS) for a in (None, "weighted")),
    *(("R2Score", {"num_regressors": r}, ROWS) for r in (0, 2)),
    ("R2Score", {"class_aggregation": None}, ROWS),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, ROWS),
    ("PearsonCorrelation", {}, ROWS),
    ("PearsonCorrelation", {"axis": 0}, ROWS[:1]),
    ("ConcordanceCorrelation", {}, ROWS),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [0, 2], **FLOAT}, ROWS),
    ("OneHotMeanIoU", {"num_classes": 3, **FLOAT}, ROWS),
    ("OneHotMeanIoU", {"num_classes": 3, "ignore_class": 1, **FLOAT}, ROWS[:1]),
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2], **FLOAT}, PIXELS),
    ("IoU", {"num_classes": 4, "target_class_ids": [1], "sparse_y_pred": False}, [(CLASSES, MAPS)]),
    ("MeanIoU", {"num_classes": 4, "ignore_class": 3, **FLOAT}, PIXELS),
    ("MeanIoU", {"num_classes": 4, "ignore_class": -1}, [(CLASSES - (CLASSES == 2) * 3, OTHERS)]),
    ("MeanIoU", {"num_classes": 5}, PIXELS[:1]),
    ("BinaryIoU", {"threshold": 0.4, **FLOAT}, ANSWERS),
    ("BinaryIoU", {"target_class_ids": [1]}, ANSWERS[:1]),
    ("PrecisionAtRecall", {"recall": 0.6}, ANSWERS),
    ("PrecisionAtRecall", {"recall": 0.6, "class_id": 1}, ROWS),
    ("RecallAtPrecision", {"precision": 0.6}, ANSWERS),
    ("RecallAtPrecision", {"precision": 0.999}, ANSWERS),
    ("SensitivityAtSpecificity", {"specificity": 0.6, "num_thresholds": 30}, ANSWERS),
    ("SpecificityAtSensitivity", {"sensitivity": 0.7}, ANSWERS),
    ("SpecificityAtSensitivity", {"sensitivity": 0.2, "num_thresholds": 1}, ANSWERS),
]  # fmt: skip


@pytest.mark.parametrize("name, settings, batches", CASES, ids=[f"{name} {settings}" for name, settings, _ in CASES])
def test_beside_keras(name, settings, batches):
    theirs, ours = (getattr(library.metrics, name)(**settings) for library in (keras, cconv))
    for batch in batches:
        theirs.update_state(*batch)
        ours.update_state(*batch)
        expected = keras.ops.convert_to_numpy(theirs.result())
        assert np.shape(ours.result()) == expected.shape
        np.testing.assert_allclose(ours.result(), expected, rtol=2e-5, atol=1e-6)
    assert [v.shape for v in ours.variables] == [tuple(v.shape) for v in theirs.variables]
    assert {**ours.get_config(), "name": ""} == {**theirs.get_config(), "name": ""}
    assert type(cconv.metrics.deserialize(keras.metrics.serialize(theirs))) is type(ours)
    ours.reset_state()
    theirs.reset_state()
    np.testing.assert_allclose(ours.result(), keras.ops.convert_to_numpy(theirs.result()), equal_nan=True)


@pytest.mark.parametrize("axis", [-1, 0])
@pytest.mark.parametrize("name", ["pearson_correlation", "concordance_correlation"])
def test_functions(name, axis):
    expected = getattr(keras.metrics, name)(keras.ops.array(ONE_HOT), keras.ops.array(SCORES), axis=axis)
    found = getattr(cconv.metrics, name)(ONE_HOT, SCORES, axis=axis)
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), rtol=1e-5, atol=1e-6)
