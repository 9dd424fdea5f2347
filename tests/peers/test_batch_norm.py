"""Batch normalization beside PyTorch's function and Keras' layer: outputs, gradients, moving averages."""

import keras
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from op_harness import OneOp

from cconv import _core

SHAPES = [((6, 5, 4, 3), -1), ((6, 3, 5, 4), 1), ((9, 13), -1), ((64, 2, 2, 30), -1)]


def inputs(shape, axis):
    rng = np.random.default_rng(4)
    c = shape[axis]
    x = 3 + 2 * rng.standard_normal(shape)
    return [a.astype(np.float32) for a in (x, rng.random(c) + 0.5, rng.random(c), rng.random(c), rng.random(c) + 0.5)]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape, axis", SHAPES)
def test_torch(shape, axis, training):
    arrays = inputs(shape, axis)
    dy = np.random.default_rng(5).standard_normal(shape).astype(np.float32)
    leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=i < 3) for i, a in enumerate(arrays)]
    x, gamma, beta, mean, var = leaves
    y = F.batch_norm(x.movedim(axis, 1), mean, var, gamma, beta, training, 0.1, 1e-3).movedim(1, axis)
    y.backward(torch.tensor(dy, dtype=torch.float64))
    attributes = {"axis": axis, "training": training}
    result = OneOp("batch_norm", arrays, attributes, wrt=(0, 1, 2), training=training).run(arrays, dy)
    np.testing.assert_allclose(result.y, y.detach().numpy(), rtol=1e-5, atol=1e-5)
    for i in range(3):
        np.testing.assert_allclose(result.gradients[i], leaves[i].grad.numpy(), rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("center, scale", [(True, True), (False, True), (True, False), (False, False)])
@pytest.mark.parametrize("shape, axis", SHAPES)
def test_keras_layer(shape, axis, center, scale):
    """Three training steps and one prediction, from the layer's own weights."""
    _, gamma, beta, mean, var = inputs(shape, axis)
    layer = keras.layers.BatchNormalization(axis=axis, momentum=0.7, epsilon=2e-3, center=center, scale=scale)
    layer.build(shape)
    layer.set_weights([*([gamma] if scale else []), *([beta] if center else []), mean, var])

    graph = _core.Graph()
    x = graph.input((None, *shape[1:]))
    moving = [_core.Variable(mean.shape), _core.Variable(var.shape)]
    moving[0].assign(mean)
    moving[1].assign(var)
    nodes = [
        x,
        graph.constant(gamma) if scale else 0,
        graph.constant(beta) if center else 0,
        *(graph.variable(variable) for variable in moving),
    ]
    y = graph.add("batch_norm", nodes, {"axis": axis, "momentum": 0.7, "epsilon": 2e-3, "training": True})
    train = _core.Plan(graph, [y], max_batch=shape[0], training=True)
    predict = _core.Plan(graph, [y], max_batch=shape[0])

    rng = np.random.default_rng(6)
    for step in range(3):
        batch = (rng.standard_normal(shape) * (step + 1) - step).astype(np.float32)
        expected = keras.ops.convert_to_numpy(layer(batch, training=True))
        np.testing.assert_allclose(train.run([batch])[0], expected, rtol=1e-4, atol=2e-5)
        np.testing.assert_allclose(moving[0].array, keras.ops.convert_to_numpy(layer.moving_mean), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(moving[1].array, keras.ops.convert_to_numpy(layer.moving_variance), rtol=1e-5)
    expected = keras.ops.convert_to_numpy(layer(batch, training=False))
    np.testing.assert_allclose(predict.run([batch])[0], expected, rtol=1e-4, atol=2e-5)
