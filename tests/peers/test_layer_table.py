"""The rows of the table of layers beside Keras: configurations, shapes, outputs, losses, weights after three steps."""

import pytest

from .layer_table import COUNTED, LAYERS
from .training_alike import check_layer_alike, random

SEPARATE = ("MultiHeadAttention", "GroupQueryAttention")  # whose inputs are arguments, no list


def ids(cases):
    return [f"{name}-{i}" for i, (name, *_) in enumerate(cases)]


@pytest.mark.parametrize(("name", "arguments", "shapes"), LAYERS, ids=ids(LAYERS))
def test_a_layer_is_keras(name, arguments, shapes):
    def call(layer, inputs):
        return layer(*inputs) if name in SEPARATE or len(inputs) == 1 else layer(inputs)

    data = [random(shape, i) for i, shape in enumerate(shapes)]
    ours, theirs, _ = check_layer_alike(name, arguments, shapes, data=data, call=call, signatures=False)
    asked = [(None, *shape[1:]) for shape in shapes]
    asked = asked if name in SEPARATE else [asked[0] if len(asked) == 1 else asked]
    assert tuple(ours.compute_output_shape(*asked)) == tuple(theirs.compute_output_shape(*asked))


@pytest.mark.parametrize(("name", "arguments", "data"), COUNTED, ids=ids(COUNTED))
def test_a_layer_of_numbers_is_keras(name, arguments, data):
    check_layer_alike(name, arguments, [], data=[data], signatures=False)
