"""Constraints after given gradients, and what does not decay, beside Keras."""

import keras
import numpy as np
import pytest

import cconv

START = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
GRADIENTS = np.random.default_rng(1).normal(size=(5, 4, 3)).astype(np.float32)


def layer_of(library, constraint=None):
    layer = library.layers.Dense(3, kernel_constraint=constraint, bias_initializer="ones")
    layer.build((None, 4))
    layer.kernel.assign(START)
    return layer


@pytest.mark.parametrize("constraint", ["non_neg", "max_norm", "unit_norm", "min_max_norm"])
@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_constraints(name, constraint):
    results = []
    for library in (keras, cconv):
        layer, optimizer = layer_of(library, constraint), getattr(library.optimizers, name)(0.5)
        for gradient in GRADIENTS:
            pairs = [(library.ops.convert_to_tensor(gradient), layer.kernel)]
            optimizer.apply_gradients(pairs)
        results.append(layer.get_weights()[0])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop"])
@pytest.mark.parametrize("excluded", ["names", "variables", "nothing"])
def test_exclusion_from_weight_decay(name, excluded):
    results = []
    for library in (keras, cconv):
        layer, optimizer = layer_of(library), getattr(library.optimizers, name)(0.1, weight_decay=0.2)
        settings = {"names": {"var_names": ["bias"]}, "variables": {"var_list": [layer.kernel]}, "nothing": {}}
        optimizer.exclude_from_weight_decay(**settings[excluded])
        for gradient in GRADIENTS:
            given = [library.ops.convert_to_tensor(g) for g in (gradient, gradient[0])]
            optimizer.apply(given, [layer.kernel, layer.bias])
        assert int(optimizer.iterations) == len(GRADIENTS) == int(optimizer.iterations.value)
        assert float(optimizer.learning_rate.value) == pytest.approx(0.1)
        results.append(layer.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)
