"""Layer, group, RMS and unit normalization beside Keras: outputs, configurations, and weights after three steps."""

import keras
import numpy as np
import pytest

import cconv

from .training_alike import check_errors_alike, check_layer_alike, random

CASES = [
    ("LayerNormalization", {}, (3, 7)),
    ("LayerNormalization", {"epsilon": 1e-6, "center": False}, (17,)),
    ("LayerNormalization", {"scale": False, "beta_regularizer": "l2", "beta_initializer": "ones"}, (4, 5)),
    ("LayerNormalization", {"axis": [1, 2, 3], "gamma_constraint": "non_neg"}, (3, 4, 5)),
    ("LayerNormalization", {"axis": [2, 1]}, (3, 4)),
    ("LayerNormalization", {"axis": (-1, -2), "center": False, "scale": False}, (3, 4)),
    ("LayerNormalization", {"rms_scaling": True}, (3, 8)),
    ("GroupNormalization", {"groups": 2}, (3, 4, 6)),
    ("GroupNormalization", {"groups": -1, "epsilon": 1e-5}, (5, 4, 3)),
    ("GroupNormalization", {"groups": 3, "axis": 1, "scale": False}, (6, 4, 3)),
    ("GroupNormalization", {"groups": 1, "center": False}, (7, 5)),
    ("GroupNormalization", {"groups": 4, "gamma_regularizer": "l1"}, (8,)),
    ("GroupNormalization", {"groups": 2, "axis": 1}, (4, 2, 3, 2)),
    ("RMSNormalization", {}, (3, 9)),
    ("RMSNormalization", {"axis": [1, 2]}, (5, 3)),
    ("UnitNormalization", {}, (4, 5)),
    ("UnitNormalization", {"axis": [1, 2]}, (4, 5)),
    ("UnitNormalization", {"axis": 1}, (4, 5)),
]


@pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`")
@pytest.mark.parametrize(("name", "arguments", "shape"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_a_normalization_is_keras(name, arguments, shape):
    check_layer_alike(name, arguments, [shape])


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("LayerNormalization", {"axis": "last"}, (3, 4)),
        ("GroupNormalization", {"groups": 3}, (3, 4)),
    ],
)
def test_errors_are_of_keras_class(name, arguments, shape):
    check_errors_alike(name, arguments, [shape])


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("layer_normalization", {}),
        ("layer_normalization", {"axis": [1, 2], "epsilon": 0.1}),
        ("layer_normalization", {"gamma": random((4,), 1), "beta": random((4,), 2)}),
        ("layer_normalization", {"axis": [1, 2], "gamma": random((3, 4), 1)}),
        ("layer_normalization", {"gamma": random((4,), 1), "rms_scaling": True}),
        ("rms_normalization", {}),
        ("rms_normalization", {"scale": random((4,), 1), "epsilon": 1e-3}),
        ("rms_normalization", {"axis": [1, 2]}),
        ("normalize", {}),
        ("normalize", {"axis": [0, 2]}),
        ("normalize", {"order": 1}),
        ("normalize", {"order": 3, "axis": 1}),
        ("moments", {"axes": [0, 2]}),
        ("moments", {"axes": [1], "keepdims": True}),
    ],
)
def test_a_function_is_keras(name, keywords):
    x = random((2, 3, 4))
    ours = getattr(cconv.ops, name)(x, **keywords)
    theirs = getattr(keras.ops, name)(x, **keywords)
    for a, b in zip(cconv.tree.flatten(ours), keras.tree.flatten(theirs), strict=True):
        b = keras.ops.convert_to_numpy(b)
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
