"""Labels that are numbers of classes: on which axis the classes are, and what is no class."""

import numpy as np
import pytest

import cconv

RANDOM = np.random.default_rng(0)
CLASSES = 4
P = RANDOM.uniform(0.1, 1, size=(5, CLASSES, 3, 2)).astype(np.float32)
P /= P.sum(axis=1, keepdims=True)
Y = RANDOM.integers(0, CLASSES, (5, 3, 2))
ONE_HOT = np.moveaxis(np.eye(CLASSES, dtype=np.float32)[Y], -1, 1)
CHOSEN = np.take_along_axis(P.astype(float), Y[:, None], 1)[:, 0]


def passing(loss, metrics=()):
    """A model that hands on its input, compiled."""
    x = cconv.Input(P.shape[1:])
    model = cconv.Model(x, cconv.layers.Identity()(x))
    model.compile("sgd", loss, metrics=list(metrics))
    return model


@pytest.mark.parametrize("axis", [1, -3])
@pytest.mark.parametrize("labels", [Y, Y[:, None]], ids=["without axis", "axis of 1"])
def test_more_classes_than_the_last_axis_has_sizes(axis, labels):
    """Class 3 of 4 on axis 1, beside a last axis of 2."""
    loss = cconv.losses.SparseCategoricalCrossentropy(axis=axis)
    metric = cconv.metrics.SparseCategoricalCrossentropy(axis=axis)
    expected = -np.log(CHOSEN).mean()
    assert float(loss(labels, P)) == pytest.approx(expected, rel=1e-6)
    assert metric(labels, P) == pytest.approx(expected, rel=1e-6)
    results = passing(loss, [metric]).evaluate(P, labels, batch_size=2, verbose=0)
    np.testing.assert_allclose(results, expected, rtol=1e-5)


def test_a_label_beyond_the_axis_is_refused():
    wrong = Y.copy()
    wrong[3, 1, 0] = CLASSES
    model = passing(cconv.losses.SparseCategoricalCrossentropy(axis=1))
    with pytest.raises(
        ValueError,
        match=r"from 0 to 3, since there are 4 classes. Received values from 0 to 4, first 4 for sample 3 at \(1, 0\)",
    ):
        model.fit(P, wrong, verbose=0)
    with pytest.raises(ValueError, match="axis=4"):
        cconv.losses.sparse_categorical_crossentropy(Y, P, axis=4)


def test_a_wrapped_function_has_its_own_axis_and_ignored_class():
    function = cconv.losses.sparse_categorical_crossentropy
    loss = cconv.losses.LossFunctionWrapper(function, axis=1, ignore_class=9)
    labels = np.where(Y == 0, 9, Y)
    assert passing(loss).evaluate(P, labels, verbose=0) == pytest.approx(-np.log(CHOSEN[Y != 0]).mean(), rel=1e-5)


def test_ignored_pixels_on_axis_one():
    labels = np.where(Y == 0, 255, Y)
    loss = cconv.losses.SparseCategoricalCrossentropy(axis=1, ignore_class=255)
    expected = -np.log(CHOSEN[Y != 0]).mean()
    assert float(loss(labels, P)) == pytest.approx(expected, rel=1e-6)
    assert passing(loss).evaluate(P, labels, verbose=0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_one_hot_labels_on_axis_one(smoothing):
    """The smoothing is spread over the classes, of which there are as many as the axis has sizes."""
    targets = ONE_HOT.astype(float) * (1 - smoothing) + smoothing / CLASSES
    expected = -np.sum(targets * np.log(P.astype(float)), axis=1).mean()
    focal = np.sum(targets * -np.log(P.astype(float)) * 0.25 * (1 - P.astype(float)) ** 2, axis=1).mean()
    loss = cconv.losses.CategoricalCrossentropy(axis=1, label_smoothing=smoothing)
    metric = cconv.metrics.CategoricalCrossentropy(axis=1, label_smoothing=smoothing)
    assert float(loss(ONE_HOT, P)) == pytest.approx(expected, rel=1e-6)
    assert metric(ONE_HOT, P) == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(passing(loss, [metric]).evaluate(P, ONE_HOT, verbose=0), expected, rtol=1e-5)
    loss = cconv.losses.CategoricalFocalCrossentropy(axis=1, label_smoothing=smoothing)
    assert float(loss(ONE_HOT, P)) == pytest.approx(focal, rel=1e-5)


ROWS = np.full((6, 3), 1 / 3, np.float32)


@pytest.mark.parametrize("wrong", [-1, 3, 7, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("from_logits", [False, True])
def test_no_function_and_no_metric_makes_nan_of_a_label(wrong, from_logits):
    labels = np.array([0, 1, 2, wrong, 0, 1])
    settings = {"from_logits": from_logits}
    message = f"from 0 to 2, since there are 3 classes. Received values from .*, first {wrong} for sample 3"
    for ignore_class in (None, 5):
        for evaluated in (
            cconv.losses.SparseCategoricalCrossentropy(ignore_class=ignore_class, **settings),
            cconv.metrics.SparseCategoricalCrossentropy(ignore_class=ignore_class, **settings),
            lambda y, p, i=ignore_class: cconv.losses.sparse_categorical_crossentropy(y, p, ignore_class=i, **settings),
        ):
            for y in (labels, labels[:, None]):
                with pytest.raises(ValueError, match=message):
                    evaluated(y, ROWS)


def test_the_ignored_class_is_no_wrong_label():
    labels = np.array([0, 1, 2, -1, 0, 1])
    loss = cconv.losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert float(loss(labels, ROWS)) == pytest.approx(np.log(3), rel=1e-6)
    values = cconv.losses.sparse_categorical_crossentropy(labels, ROWS, ignore_class=-1)
    np.testing.assert_allclose(values, np.log(3) * (labels >= 0), rtol=1e-6)


def test_labels_that_are_no_whole_numbers():
    for wrong in (0.5, np.nan):
        with pytest.raises(ValueError, match=rf"\(integers\). Received {wrong} for sample 1"):
            cconv.losses.sparse_categorical_crossentropy(np.array([0.0, wrong]), ROWS[:2])


def test_accuracies_count_a_label_that_is_no_class_as_wrong():
    labels = np.array([0, 1, 2, 7, -1, 1])
    predictions = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 0, 0]]
    assert cconv.metrics.SparseCategoricalAccuracy()(labels, predictions) == 0.5
    assert cconv.metrics.SparseTopKCategoricalAccuracy(k=1)(labels, predictions) == 0.5
