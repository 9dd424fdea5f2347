"""The rows of the table of layers beside Keras: configurations, shapes, outputs, losses, weights after three steps."""

import keras
import numpy as np
import pytest

import cconv

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


MERGING = [
    *((name, {}) for name in ("add", "average", "maximum", "minimum", "multiply", "subtract")),
    ("concatenate", {"axis": 1}),
    ("dot", {"axes": 2, "normalize": True}),
]


@pytest.mark.parametrize(("name", "settings"), MERGING)
def test_three_steps_of_a_function_that_merges(name, settings):
    data, target, results = random((4, 3, 2)), random((4, 1), 1), []
    for library in (keras, cconv):
        layers = library.layers
        x = library.Input((3, 2))
        y = getattr(layers, name)([layers.Dense(2)(x), layers.Dense(2)(x)], **settings)
        model = library.Model(x, layers.Dense(1)(layers.Flatten()(y)))
        model.set_weights([0.3 * random(w.shape, i) for i, w in enumerate(model.weights)])
        model.compile(library.optimizers.SGD(0.1), "mse")
        losses = [float(model.train_on_batch(data, target)) for _ in range(3)]
        results.append([np.float32(losses), *model.get_weights()])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_pipeline_of_layers():
    x, results = random((2, 6, 7, 3)), []
    for library in (keras, cconv):
        layers = library.layers
        pipeline = layers.Pipeline([layers.Rescaling(2.0, 1.0), layers.Resizing(4, 3), layers.CenterCrop(2, 2)])
        results.append(np.asarray(pipeline(x)))
        assert [type(layer).__name__ for layer in pipeline.layers] == ["Rescaling", "Resizing", "CenterCrop"]
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5, atol=1e-5)
