"""Every metric with weights of every shape, over several batches, beside Keras."""

import keras
import numpy as np
import pytest

import cconv

ROWS, IMAGES = (6, 3), (6, 4, 5, 3)
LABEL_WEIGHTS = [1.0, 2.0, 0.5]
THRESHOLDS = [{}, {"thresholds": [0.2, 0.6]}, {"top_k": 2}]
ARGUMENTS = {
    "SparseCategoricalCrossentropy": [
        {},
        {"ignore_class": 0},
        {"ignore_class": -1},
        {"ignore_class": 1, "from_logits": True},
    ],
    "SparseTopKCategoricalAccuracy": [{"k": 2}],
    "TopKCategoricalAccuracy": [{"k": 2}],
    "Precision": THRESHOLDS,
    "Recall": THRESHOLDS,
    "AUC": [{}, {"curve": "PR"}, {"label_weights": LABEL_WEIGHTS}],
    "PrecisionAtRecall": [{"recall": 0.57}],
    "RecallAtPrecision": [{"precision": 0.57}],
    "SensitivityAtSpecificity": [{"specificity": 0.57}],
    "SpecificityAtSensitivity": [{"sensitivity": 0.57}],
    # as floats: Keras truncates weights to the data type, which is int unless said otherwise
    "BinaryIoU": [{"threshold": 0.3, "dtype": "float32"}],
    "IoU": [{"num_classes": 3, "target_class_ids": [0, 2], "sparse_y_pred": False, "dtype": "float32"}],
    "MeanIoU": [{"num_classes": 3, "sparse_y_pred": False, "dtype": "float32"}],
    "OneHotIoU": [{"num_classes": 3, "target_class_ids": [0, 2], "dtype": "float32"}],
    "OneHotMeanIoU": [{"num_classes": 3, "dtype": "float32"}],
}
NAMES = [n for n in cconv.metrics.__all__ if n[0].isupper() and n not in ("Mean", "MeanMetricWrapper", "Metric", "Sum")]
CASES = [(name, arguments) for name in NAMES for arguments in ARGUMENTS.get(name, [{}])]
COUNTING = {"AUC", "FalseNegatives", "FalsePositives", "Precision", "Recall", "TrueNegatives", "TruePositives"}
COUNTING |= {"PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"}
ROWS_ONLY = {"F1Score", "FBetaScore", "R2Score"}  # which Keras, too, refuses images for


def weight_shapes(name, arguments, shape):
    """Those that Keras takes for this metric, and that do not fit by accident."""
    samples = shape[:-1]
    if "ignore_class" in arguments:  # multiplied by a mask
        return [None, samples, (*samples, 1)]
    if name in COUNTING:  # broadcast against the predictions
        return [None, (*samples, 1), *([samples] if len(shape) > 2 else [(6,)])]
    if name in ("F1Score", "FBetaScore"):  # Keras adds an axis, whatever the weights' rank
        return [None, (6,)]
    if name == "BinaryIoU":  # one for each number
        return [None, shape]
    if name.endswith("IoU"):  # one for each sample, of any shape
        return [None, samples, (*samples, 1)]
    if name == "R2Score":
        return [None, (6,), (6, 1), shape]
    if name == "RootMeanSquaredError":
        return [None, (6,), (6, 1), samples, (*samples, 1), shape]
    return [None, (6,), samples, (*samples, 1), *([(6, 1)] if len(shape) == 2 else [(6, 4)])]


def batches(name, arguments, shape, weights):
    """Three batches of labels, predictions and weights."""
    random = np.random.default_rng(0)
    for _ in range(3):
        p = random.uniform(0.1, 1, shape).astype(np.float32)
        p = np.round(2 * p) if name == "Accuracy" else p / p.sum(-1, keepdims=True)
        classes = random.integers(0, 3, shape[:-1])
        if arguments.get("ignore_class") == -1:
            classes = np.where(classes == 0, -1, classes)
        y = classes if name.startswith("Sparse") or name in ("IoU", "MeanIoU") else np.eye(3, dtype=np.float32)[classes]
        yield y, p, None if weights is None else random.uniform(0.2, 2, weights).astype(np.float32)


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=[f"{n}-{'-'.join(map(str, a))}" for n, a in CASES])
@pytest.mark.parametrize("shape", [ROWS, IMAGES], ids=["rows", "images"])
def test_weights_of_every_shape(name, arguments, shape):
    if name in ROWS_ONLY and len(shape) > 2:
        for library in (cconv, keras):
            with pytest.raises(ValueError, match="expects 2D inputs"):
                getattr(library.metrics, name)(**arguments).update_state(np.ones(shape), np.ones(shape))
        return
    # correlations are of either sign, so that their mean may be of the size of float32's rounding of what is near 1
    atol = 1e-7 if name.endswith("Correlation") else 0
    for weights in dict.fromkeys(weight_shapes(name, arguments, shape)):
        ours, theirs = (getattr(library.metrics, name)(**arguments) for library in (cconv, keras))
        for y, p, w in batches(name, arguments, shape, weights):
            ours.update_state(y, p, sample_weight=w)
            theirs.update_state(y, p, sample_weight=w)
            expected = np.asarray(theirs.result())
            np.testing.assert_allclose(ours.result(), expected, rtol=1e-5, atol=atol, err_msg=str(weights))


@pytest.mark.parametrize("values", [(), (6,), (6, 4), (6, 4, 5)], ids=str)
@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_means_and_sums_of_values(name, values):
    random = np.random.default_rng(0)
    for weights in dict.fromkeys((None, (), values[:1], values[:2], values)):
        ours, theirs = (getattr(library.metrics, name)() for library in (cconv, keras))
        for _ in range(2):
            x = random.uniform(0, 1, values)
            w = None if weights is None else random.uniform(0.2, 2, weights)
            ours.update_state(x, sample_weight=w)
            theirs.update_state(x, sample_weight=w)
            np.testing.assert_allclose(ours.result(), np.asarray(theirs.result()), rtol=1e-5, err_msg=str(weights))


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=[f"{n}-{'-'.join(map(str, a))}" for n, a in CASES])
def test_weighted_metrics_of_a_model(name, arguments):
    """Two batches of unequal size, through `evaluate`: weighted, and without weights."""
    given = list(batches(name, arguments, ROWS, (6,)))
    y, p, w = (np.concatenate(part) for part in zip(*given, strict=True))
    if name == "BinaryIoU":  # Keras wants as many weights as numbers
        y, p = y[:, :1], p[:, :1]
    results = []
    for library in (keras, cconv):
        x = library.Input(p.shape[1:])
        model = library.Model(x, library.layers.Activation("linear")(x))
        plain, weighted = (getattr(library.metrics, name)(name=n, **arguments) for n in ("plain", "weighted"))
        # not one that ignores a class: on PyTorch Keras multiplies its mask into the very weights that metrics then get
        loss = lambda y, p, ops=library.ops: ops.sum(p, axis=-1)  # noqa: E731
        model.compile("sgd", loss, metrics=[plain], weighted_metrics=[weighted])
        logs = model.evaluate(p, y, sample_weight=w, batch_size=12, verbose=0, return_dict=True)
        results.append([logs["plain"], logs["weighted"]])
    np.testing.assert_allclose(np.asarray(results[1]), np.asarray(results[0]), rtol=1e-5)


def test_a_wrapped_function_ignores_a_class_too():
    random = np.random.default_rng(0)
    y, p = random.integers(0, 3, 8), random.uniform(0.1, 1, (8, 3)).astype(np.float32)
    w = random.uniform(0.2, 2, 8).astype(np.float32)
    for weights in (None, w):
        results = []
        for library in (keras, cconv):
            function = library.losses.sparse_categorical_crossentropy
            made = library.losses.Loss.__subclasses__()  # Keras does not show its wrapper
            wrapper = next(cls for cls in made if cls.__name__ == "LossFunctionWrapper")
            metric = library.metrics.MeanMetricWrapper(function, ignore_class=0)
            loss = wrapper(function, ignore_class=0)
            results.append([float(metric(y, p, sample_weight=weights)), float(loss(y, p, sample_weight=weights))])
        np.testing.assert_allclose(results[1], results[0], rtol=1e-5)
