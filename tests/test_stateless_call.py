"""`stateless_call`: weights that are handed over, and a layer that stays as it was."""

import numpy as np
import pytest

import cconv
from cconv import layers

X = np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 6.0]], "float32")


def model():
    return cconv.Sequential(
        [
            cconv.Input((3,)),
            layers.Dense(2, kernel_regularizer="l1", activity_regularizer="l2"),
            layers.BatchNormalization(momentum=0.5),
        ]
    )


def test_values_that_are_handed_over_count_and_go():
    made = model()
    before = made.get_weights()
    trainable = [np.full(v.shape, 2.0) for v in made.trainable_variables]
    fixed = [np.zeros(v.shape) for v in made.non_trainable_variables]
    y, state, losses = made.stateless_call(trainable, fixed, X, training=True, return_losses=True)
    z = X @ np.full((3, 2), 2.0) + 2
    np.testing.assert_allclose(state[0], 0.5 * z.mean(0), rtol=1e-6)
    np.testing.assert_allclose(state[1], 0.5 * z.var(0), rtol=1e-6)
    np.testing.assert_allclose(y, 2 * (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-3) + 2, atol=1e-5)
    np.testing.assert_allclose(sorted(map(float, losses)), sorted([0.01 * 12, 0.01 * (z**2).sum() / 2]), rtol=1e-5)
    assert all(np.array_equal(a, b) for a, b in zip(before, made.get_weights(), strict=True))


def test_without_training_the_state_comes_back_as_it_was_given():
    made = model()
    own = [v.numpy() for v in made.trainable_variables], [v.numpy() for v in made.non_trainable_variables]
    y, state = made.stateless_call(*own, X)
    np.testing.assert_array_equal(y, made(X))
    assert all(np.array_equal(a, b) for a, b in zip(state, own[1], strict=True))


def test_a_call_that_fails_leaves_the_layer_as_it_was():
    layer = layers.Dense(2)
    layer.build((None, 3))
    before = layer.get_weights()
    with pytest.raises(ValueError, match="incompatible"):
        layer.stateless_call([np.ones((3, 2)), np.ones(2)], [], np.ones((1, 5)))
    assert all(np.array_equal(a, b) for a, b in zip(before, layer.get_weights(), strict=True))


WRONG = {
    "not built": (lambda: layers.Dense(2, name="q").stateless_call([], [], X), ["'q'", "built"]),
    "too few": (lambda: model().stateless_call([X], [X, X], X), ["trainable_variables", "4", "1"]),
    "no list": (lambda: model().stateless_call(3, [X, X], X), ["trainable_variables", "3"]),
    "fixed ones": (lambda: model().stateless_call([X, X, X, X], [], X), ["trainable_variables", "kernel"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use(name):
    call, words = WRONG[name]
    with pytest.raises(ValueError) as caught:
        call()
    assert all(word in str(caught.value) for word in words), caught.value
