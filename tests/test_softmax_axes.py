"""The softmax over several axes at once, and over all: values, gradients, models, masks, errors."""

import numpy as np
import pytest

import cconv

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
AXES = [(1, 2), [0, -1], None, (2, 0, 1)]


def reference(x, axis):
    powers = np.exp(x.astype(np.float64) - x.max(None if axis is None else tuple(axis), keepdims=True))
    return powers / powers.sum(None if axis is None else tuple(axis), keepdims=True)


@pytest.mark.parametrize("axis", AXES, ids=str)
def test_values(axis):
    y = reference(X, axis)
    np.testing.assert_allclose(cconv.ops.softmax(X, axis), y, rtol=1e-5)
    np.testing.assert_allclose(cconv.ops.softmax(X + 1e4, axis).sum(), y.sum(), rtol=1e-5)
    np.testing.assert_allclose(cconv.ops.log_softmax(X, axis), np.log(y), rtol=1e-5)


def test_of_one_axis_in_a_list_it_is_that_axis():
    np.testing.assert_array_equal(cconv.ops.softmax(X, [1]), cconv.ops.softmax(X, 1))


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_gradients(name, axis):
    dy = np.random.default_rng(1).normal(size=X.shape)
    x = cconv.Variable(X)
    with cconv.GradientTape() as tape:
        total = cconv.ops.sum(getattr(cconv.ops, name)(x, axis) * dy.astype(np.float32))
    y, over = reference(X, axis), None if axis is None else tuple(axis)
    if name == "softmax":
        expected = y * (dy - (dy * y).sum(over, keepdims=True))
    else:
        expected = dy - y * dy.sum(over, keepdims=True)
    np.testing.assert_allclose(tape.gradient(total, x), expected, rtol=1e-4, atol=1e-5)


def test_in_a_model_of_any_image_size():
    image = cconv.Input((None, None, 2))
    model = cconv.Model(image, cconv.layers.Softmax((1, 2))(image))
    for shape in ((1, 5, 3, 2), (4, 1, 1, 2)):
        x = np.random.default_rng(2).normal(size=shape).astype(np.float32)
        np.testing.assert_allclose(model.predict(x, verbose=0), reference(x, (1, 2)), rtol=1e-5)
    again = cconv.models.clone_model(model)
    assert again.layers[1].axis == (1, 2)


def test_a_mask_leaves_what_it_names():
    mask = X > 0
    y = cconv.layers.Softmax([1, 2])(X, mask=mask)
    assert (y[~mask] == 0).all()
    np.testing.assert_allclose(y.sum((1, 2)), np.ones(2), rtol=1e-5)


@pytest.mark.parametrize("axis", [[], (1, 1), (0, 3), 1.5, True, "x"])
def test_what_is_no_axis_is_an_error(axis):
    with pytest.raises(ValueError, match="axis"):
        cconv.layers.Softmax(axis)(X)
