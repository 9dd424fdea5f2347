"""Circle loss, generalized cross-entropy and the penalty of orthogonality beside Keras'."""

import keras
import numpy as np
import pytest

import cconv

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((6, 4)).astype("f")
POINTS /= np.linalg.norm(POINTS, axis=1, keepdims=True)
LABELS, WEIGHTS = np.array([0, 1, 0, 2, 1, 0]), RNG.random(6, "f")
CHANCES = RNG.random((6, 3), "f") + 0.1
CHANCES /= CHANCES.sum(1, keepdims=True)
REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]
CASES = [
    ("Circle", {"gamma": 4.0}, POINTS),
    ("Circle", {"gamma": 2.0, "margin": 0.2, "remove_diagonal": False}, POINTS),
    ("CategoricalGeneralizedCrossEntropy", {}, CHANCES),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.9}, CHANCES),
]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name, settings, y_pred", CASES, ids=[f"{n} {s}" for n, s, _ in CASES])
def test_losses(name, settings, y_pred, reduction):
    theirs, ours = (getattr(library.losses, name)(reduction=reduction, **settings) for library in (keras, cconv))
    for weights in ((), (WEIGHTS,)):
        expected = keras.ops.convert_to_numpy(theirs(LABELS, y_pred, *weights))
        np.testing.assert_allclose(ours(LABELS, y_pred, *weights), expected, rtol=1e-5, atol=1e-6)
    assert ours.get_config() == {k: v for k, v in theirs.get_config().items() if k in ours.get_config()}


def test_circle_of_references():
    references, of = POINTS[::2].copy(), LABELS[::2].copy()
    for settings in ({"remove_diagonal": False}, {"gamma": 3, "remove_diagonal": False, "margin": 0.1}):
        expected = keras.losses.circle(LABELS, POINTS, of, references, **settings)
        found = cconv.losses.circle(LABELS, POINTS, of, references, **settings)
        np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("loss", ["Circle", "CategoricalGeneralizedCrossEntropy"])
def test_training(loss):
    weights = []
    for library in (keras, cconv):
        layers = library.layers
        penalty = library.regularizers.OrthogonalRegularizer(0.1, "columns")
        model = library.Sequential([library.Input((4,)), layers.Dense(3, kernel_regularizer=penalty)])
        if loss != "Circle":
            model.add(layers.Softmax())
        model.set_weights([np.linspace(-0.5, 0.6, 12).reshape(4, 3) ** 3, np.full(3, 0.1)])
        settings = {"gamma": 2.0} if loss == "Circle" else {}
        model.compile(library.optimizers.SGD(0.1), getattr(library.losses, loss)(**settings))
        for _ in range(3):
            model.train_on_batch(POINTS, LABELS)
        weights.append(model.get_weights())
    for a, b in zip(*weights):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("mode", ["rows", "columns"])
@pytest.mark.parametrize("shape", [(4, 5), (2, 3)])
def test_orthogonality(mode, shape):
    w = RNG.standard_normal(shape).astype("f")
    expected = keras.regularizers.OrthogonalRegularizer(0.3, mode)(keras.ops.array(w))
    found = cconv.regularizers.OrthogonalRegularizer(0.3, mode)(w)
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), rtol=1e-5)
