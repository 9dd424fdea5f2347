"""Losses beside Keras': three training steps by each, weighted too, and the functions among losses and metrics."""

import inspect

import keras
import numpy as np
import pytest

import cconv

from .test_losses import BINARY, CASES, LABELS, NORMAL, ONE_HOT, OTHER, POSITIVE, RNG, UNIT, WEIGHTS, C, N

X = RNG.standard_normal((N, 5)).astype(np.float32)
# Losses of chances get chances: what the logits' layer is followed by.
LAST = {
    "CategoricalCrossentropy": "softmax", "CategoricalFocalCrossentropy": "softmax", "KLDivergence": "softmax",
    "SparseCategoricalCrossentropy": "softmax", "CategoricalGeneralizedCrossEntropy": "softmax",
    "MeanSquaredLogarithmicError": "softplus", "Poisson": "softplus",
}  # fmt: skip
CHANCES = ("BinaryCrossentropy", "BinaryFocalCrossentropy", "Dice", "Tversky")
TRAINED = [
    *((name, settings, t) for name, settings, t, p in CASES if settings.get("axis") != 0),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, LABELS.astype(np.int32)),
]


@pytest.mark.parametrize("name, settings, t", TRAINED, ids=[f"{i} {name}" for i, (name, *_) in enumerate(TRAINED)])
def test_three_steps(name, settings, t):
    last = "linear" if settings.get("from_logits") else LAST.get(name, "sigmoid" if name in CHANCES else "linear")
    models = []
    for library in (keras, cconv):
        layers = library.layers
        model = library.Sequential(
            [library.Input((5,)), layers.Dense(4, "tanh"), layers.Dense(C, last, kernel_regularizer="l2")]
        )
        model.set_weights([0.3 * np.cos(np.arange(n) + n).reshape(s) for s, n in ((w.shape, w.size) for w in SHAPED)])
        model.compile(library.optimizers.SGD(0.05), getattr(library.losses, name)(**settings))
        weights = None if name in ("Dice", "Tversky") else WEIGHTS
        losses = [float(model.train_on_batch(X, t)), float(model.train_on_batch(X, t, sample_weight=weights))]
        models.append((model, [*losses, float(model.train_on_batch(X, t)), float(model.test_on_batch(X, t))]))
    (theirs, expected), (ours, found) = models
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


SHAPED = [np.empty(shape) for shape in ((5, 4), (4,), (4, C), (C,))]

FUNCTIONS = [
    ("binary_crossentropy", BINARY, UNIT, {}),
    ("binary_crossentropy", BINARY, NORMAL, {"from_logits": True, "label_smoothing": 0.1}),
    ("binary_focal_crossentropy", BINARY, UNIT, {"apply_class_balancing": True, "gamma": 1.5}),
    ("categorical_crossentropy", ONE_HOT, UNIT, {"label_smoothing": 0.2}),
    ("categorical_focal_crossentropy", ONE_HOT, UNIT, {}),
    ("categorical_generalized_cross_entropy", LABELS.astype(np.int32), UNIT, {"q": 0.4}),
    ("categorical_hinge", ONE_HOT, NORMAL, {}),
    ("circle", LABELS, NORMAL / np.linalg.norm(NORMAL, axis=1, keepdims=True), {}),
    ("cosine_similarity", NORMAL, OTHER, {}),
    ("cosine_similarity", NORMAL, OTHER, {"axis": 0}),
    ("dice", BINARY, UNIT, {"axis": (1,)}),
    ("hinge", BINARY, NORMAL, {}),
    ("huber", NORMAL, OTHER, {"delta": 0.2}),
    ("kl_divergence", ONE_HOT, UNIT, {}),
    ("log_cosh", NORMAL, 100 * OTHER, {}),
    ("mean_absolute_error", NORMAL, OTHER, {}),
    ("mean_absolute_percentage_error", NORMAL, OTHER, {}),
    ("mean_squared_error", NORMAL, OTHER, {}),
    ("mean_squared_logarithmic_error", NORMAL, OTHER, {}),
    ("poisson", POSITIVE, UNIT, {}),
    ("sparse_categorical_crossentropy", LABELS, UNIT, {}),
    ("sparse_categorical_crossentropy", LABELS, NORMAL, {"from_logits": True, "ignore_class": 2}),
    ("sparse_categorical_crossentropy", LABELS.reshape(1, N), UNIT.T[None], {"axis": 1}),
    ("squared_hinge", BINARY, NORMAL, {}),
    ("tversky", BINARY, UNIT, {"alpha": 0.3}),
]


@pytest.mark.parametrize("name, t, p, settings", FUNCTIONS, ids=[f"{f[0]} {f[3]}" for f in FUNCTIONS])
def test_functions_of_losses(name, t, p, settings):
    ours, theirs = getattr(cconv.losses, name), getattr(keras.losses, name)
    parameters = [[(q.name, q.default) for q in inspect.signature(f).parameters.values()] for f in (ours, theirs)]
    assert parameters[0] == parameters[1]
    right = theirs(keras.ops.convert_to_tensor(t), keras.ops.convert_to_tensor(p), **settings)
    found, expected = ours(t, p, **settings), keras.ops.convert_to_numpy(right)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)
    if hasattr(keras.metrics, name):
        assert (getattr(cconv.metrics, name) is ours) == (getattr(keras.metrics, name) is theirs)


METRICS = [
    ("binary_accuracy", BINARY, UNIT, {}),
    ("binary_accuracy", BINARY, UNIT, {"threshold": 0.3}),
    ("categorical_accuracy", ONE_HOT, UNIT, {}),
    ("sparse_categorical_accuracy", LABELS, UNIT, {}),
    ("sparse_categorical_accuracy", LABELS[:, None], UNIT, {}),
    ("sparse_top_k_categorical_accuracy", LABELS, UNIT, {"k": 2}),
    ("top_k_categorical_accuracy", ONE_HOT, UNIT, {"k": 3}),
]


@pytest.mark.parametrize("name, t, p, settings", METRICS, ids=[f"{f[0]} {f[3]}" for f in METRICS])
def test_functions_of_metrics(name, t, p, settings):
    ours, theirs = getattr(cconv.metrics, name), getattr(keras.metrics, name)
    parameters = [[(q.name, q.default) for q in inspect.signature(f).parameters.values()] for f in (ours, theirs)]
    assert parameters[0] == parameters[1]
    found, expected = ours(t, p, **settings), keras.ops.convert_to_numpy(theirs(t, p, **settings))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=2e-5)
