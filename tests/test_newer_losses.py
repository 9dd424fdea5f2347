"""Circle loss, generalized cross-entropy and the penalty of orthogonality, by their formulas."""

import numpy as np
import pytest

import cconv
from cconv import losses

RNG = np.random.default_rng(0)
LABELS = np.array([0, 1, 0, 2, 1, 0, 1])
POINTS = RNG.standard_normal((7, 3))
POINTS /= np.linalg.norm(POINTS, axis=1, keepdims=True)


def circle(labels, points, gamma=80.0, margin=0.4):
    found = []
    for i in range(len(labels)):
        pulls = [points[i] @ p for j, p in enumerate(points) if labels[j] == labels[i] and j != i]
        pushes = [points[i] @ p for j, p in enumerate(points) if labels[j] != labels[i]]
        pull = sum(np.exp(-gamma * max(1 + margin - s, 0) * (s - 1 + margin)) for s in pulls)
        push = sum(np.exp(gamma * max(s + margin, 0) * (s - margin)) for s in pushes)
        found.append(np.log(1 + pull * push))
    return np.array(found)


@pytest.mark.parametrize("gamma, margin", [(1.0, 0.4), (80.0, 0.4), (5.0, 0.1)])
def test_circle(gamma, margin):
    found = losses.circle(LABELS, POINTS, gamma=gamma, margin=margin)
    np.testing.assert_allclose(found, circle(LABELS, POINTS, gamma, margin), rtol=2e-5, atol=1e-5)
    alone = found[LABELS != 2]  # the only one of its class has no pair
    assert float(losses.Circle(gamma, margin)(LABELS[:, None], POINTS)) == pytest.approx(alone.mean(), rel=1e-5)


def test_circle_trains():
    cconv.utils.set_random_seed(0)
    model = cconv.Sequential([cconv.Input((5,)), cconv.layers.Dense(3, use_bias=False)])
    model.compile(cconv.optimizers.Adam(0.05), losses.Circle(gamma=2.0))
    x = np.eye(5)[RNG.integers(0, 5, 40)]
    history = model.fit(x, x.argmax(1) % 2, epochs=10, verbose=0).history["loss"]
    assert history[-1] < history[0]


@pytest.mark.parametrize("shape", [(6,), (2, 4)])
def test_generalized_crossentropy(shape):
    y_pred = RNG.random((*shape, 3)) + 0.1
    labels = RNG.integers(0, 3, shape)
    p = np.take_along_axis(y_pred, labels[..., None], -1)[..., 0]
    for y_true in (labels, labels[..., None], labels.astype("f")):
        found = losses.categorical_generalized_cross_entropy(y_true, y_pred, 0.7)
        np.testing.assert_allclose(found, (1 - p**0.7) / 0.7, rtol=1e-5)


def test_orthogonality():
    w = RNG.standard_normal((4, 6))
    rows = w / np.linalg.norm(w, axis=1, keepdims=True)
    cosines = np.abs(rows @ rows.T)[np.triu_indices(4, 1)]
    for value, mode in ((w, "rows"), (w.T, "columns")):
        assert float(cconv.regularizers.OrthogonalRegularizer(0.3, mode)(value)) == pytest.approx(0.3 * cosines.mean())
    assert type(cconv.regularizers.get("orthogonal_regularizer")) is cconv.regularizers.OrthogonalRegularizer


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: losses.circle(LABELS, LABELS), "shape .n, d."),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(q=1.0), "q must be.*1.0"),
        (lambda: losses.categorical_generalized_cross_entropy(np.eye(3), np.eye(3)[None], q=2.0), "q must be"),
        (lambda: losses.categorical_generalized_cross_entropy(np.eye(3), np.eye(3), 0.5), "one for each sample"),
        (lambda: cconv.regularizers.OrthogonalRegularizer(mode="both"), "mode.*both"),
        (lambda: cconv.regularizers.OrthogonalRegularizer(factor=-1), "factor.*-1"),
        (lambda: cconv.regularizers.OrthogonalRegularizer()(np.ones(3)), "rank 2"),
    ],
)
def test_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
