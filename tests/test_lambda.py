"""Functions as layers, and the shape that they are said to have."""

import numpy as np
import pytest

from cconv import Input, Model, layers, ops

X = np.ones((4, 6), np.float32)


def halves(x):
    return [x[:, :3], x[:, 3:]]


@pytest.mark.parametrize(
    "output_shape", [None, (3,), [3], (None,), lambda shape: (shape[0], shape[1] // 2), lambda shape: (None, None)]
)
def test_the_right_shape_is_taken(output_shape):
    layer = layers.Lambda(lambda x: x[:, :3], output_shape=output_shape)
    assert layer(X).shape == (4, 3)
    x = Input((6,))
    assert Model(x, layer(x)).predict(X, verbose=0).shape == (4, 3)
    assert layer.compute_output_shape((None, 6)) == (None, 3)
    again = layers.Lambda.from_config(layer.get_config())
    assert again(X).shape == (4, 3)


@pytest.mark.parametrize("output_shape", [(2,), (), (3, 1), lambda shape: shape, lambda shape: (3,), [(3,), (3,)]])
def test_another_shape_is_an_error_when_the_layer_is_called(output_shape):
    layer = layers.Lambda(lambda x: x[:, :3], output_shape=output_shape, name="half")
    with pytest.raises(ValueError, match=r"Layer 'half': the function must return the shape .*Received from it: \("):
        layer(Input((6,)))
    with pytest.raises(ValueError, match=r"Layer 'half'.*\(4, 3\)"):
        layer(X)


def test_several_results_and_several_inputs():
    assert [y.shape for y in layers.Lambda(halves, output_shape=[(3,), (3,)])(X)] == [(4, 3), (4, 3)]
    with pytest.raises(ValueError, match="as `output_shape` says"):
        layers.Lambda(halves, output_shape=[(3,), (2,)])(X)
    both = layers.Lambda(lambda x: ops.add(x[0], x[1]), output_shape=lambda shapes: shapes[0])
    assert both([X, X]).shape == (4, 6)


@pytest.mark.parametrize("output_shape", [3, "(3,)", (-1,), (2.5,), (True,), [(3,), 2], ("a",)])
def test_what_is_no_shape_is_refused(output_shape):
    with pytest.raises(ValueError, match="`output_shape` must be a shape without the batch axis"):
        layers.Lambda(ops.relu, output_shape=output_shape)
