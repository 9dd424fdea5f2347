"""Layers whose code reckons with sizes that are not known before there is data."""

import numpy as np
import pytest

import cconv
from cconv import layers, ops

X = np.arange(48, dtype=np.float32).reshape(2, 4, 6)
LONGER = np.pad(X, ((0, 0), (0, 8), (0, 0)))


class Reckoning(layers.Layer):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.dense = layers.Dense(3, kernel_initializer="ones")

    def call(self, x):
        return self.function(x, *ops.shape(x)), self.dense(x)


@pytest.mark.parametrize(
    ("function", "shape", "numbers"),
    [
        (lambda x, n, h, c: ops.reshape(x, (n, h // 2, 2 * c)), (None, None, 12), X.reshape(2, 2, 12)),
        (lambda x, n, h, c: ops.reshape(x, (n, h * c)), (None, None), X.reshape(2, 24)),
        (lambda x, n, h, c: x[:, : h // 2], (None, None, 6), X[:, :2]),
        (lambda x, n, h, c: ops.sum(x, 1) / h, (None, 6), X.mean(1)),
        (lambda x, n, h, c: sum(x[:, i] for i in range(h)), (None, 6), X.sum(1)),
        (lambda x, n, h, c: ops.concatenate([x, ops.zeros((n, 2 * h, c))], 1), (None, None, 6), LONGER),
    ],
)  # fmt: skip
def test_images_and_sequences_of_any_size(function, shape, numbers):
    inputs = cconv.Input((None, 6))
    outputs = Reckoning(function)(inputs)
    assert [y.shape for y in outputs] == [shape, (None, None, 3)]
    inner = cconv.Model(inputs, outputs)
    again = cconv.Input((None, 6))
    for model in (inner, cconv.Model(again, inner(again))):
        np.testing.assert_allclose(model.predict(X, verbose=0)[0], numbers)
        assert model.predict(X[:, :2], verbose=0)[1].shape == (2, 2, 3)
    assert inner.count_params() == 21
    told = Reckoning(function).compute_output_shape((None, None, 6))
    assert told == (shape, (None, None, 3))


def test_errors_are_those_of_the_sizes_as_they_are():
    inputs = cconv.Input((None, 6))
    with pytest.raises(TypeError, match="NoneType"):  # the batch, which no data makes known
        Reckoning(lambda x, n, h, c: ops.reshape(x, (2 * n, h, c // 2)))(inputs)
    with pytest.raises(ValueError, match=r"\(None, None, 6\)"):
        Reckoning(lambda x, n, h, c: ops.matmul(x, np.ones((5, 2))))(inputs)
    late = layers.Dense(2)
    with pytest.raises(TypeError, match="NoneType"):  # a weight for each step
        Reckoning(lambda x, n, h, c: late(ops.reshape(x, (n, h * c))))(inputs)
