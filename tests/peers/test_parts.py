"""Initializers, regularizers and constraints beside Keras': values, configurations, and what training by them makes."""

import inspect

import keras
import numpy as np
import pytest
from scipy import stats

import cconv

INITIALIZERS = [
    ("Zeros", {}, (3, 2)),
    ("Ones", {}, (1,)),
    ("Constant", {"value": 0.3}, (2, 3)),
    ("Identity", {"gain": 0.5}, (3, 3)),
    ("Identity", {}, (2, 5)),
    ("RandomNormal", {"mean": 1.0, "stddev": 0.1}, (70, 70)),
    ("RandomUniform", {"minval": -0.2, "maxval": 0.7}, (70, 70)),
    ("TruncatedNormal", {"mean": -1.0, "stddev": 2.0}, (70, 70)),
    *(
        ("VarianceScaling", {"scale": 2.0, "mode": mode, "distribution": distribution}, (3, 5, 17, 20))
        for mode in ("fan_in", "fan_out", "fan_avg")
        for distribution in ("truncated_normal", "untruncated_normal", "uniform")
    ),
    *(
        (name, {}, shape)
        for name in ("GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform")
        for shape in ((3, 3, 20, 30), (4000,), (60, 70))
    ),
    ("Orthogonal", {"gain": 2.0}, (3, 7, 5)),
    ("Orthogonal", {}, (4, 9)),
]


@pytest.mark.parametrize("name, settings, shape", INITIALIZERS, ids=[f"{n} {s} {z}" for n, s, z in INITIALIZERS])
def test_initializers(name, settings, shape):
    draws = "seed" in inspect.signature(getattr(keras.initializers, name)).parameters
    ours, theirs = (getattr(m.initializers, name)(**settings, **({"seed": 5} if draws else {})) for m in (cconv, keras))
    expected = {k: v for k, v in theirs.get_config().items() if v is not None}
    assert ours.get_config().items() >= expected.items()
    a, b = ours(shape), keras.ops.convert_to_numpy(theirs(shape))
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    np.testing.assert_array_equal(a, ours(shape))  # of a seed always the same, as in Keras
    if name == "Orthogonal":  # long or wide: its columns or its rows
        a, b = (m.reshape(-1, shape[-1]).astype(np.float64) for m in (a, b))
        tall = a.shape[0] > a.shape[1]
        np.testing.assert_allclose(a.T @ a if tall else a @ a.T, b.T @ b if tall else b @ b.T, atol=1e-5)
    elif draws:
        assert stats.ks_2samp(a.ravel(), b.ravel()).pvalue > 1e-3
        assert abs(a.std() / b.std() - 1) < 0.06 and abs(a).max() < 1.3 * abs(b).max()
    else:
        np.testing.assert_array_equal(a, b)


REGULARIZERS = [
    ("L1", {"l1": 0.05}),
    ("L2", {"l2": 0.05}),
    ("L1L2", {"l1": 0.02, "l2": 0.03}),
    ("OrthogonalRegularizer", {"factor": 0.1}),
    ("OrthogonalRegularizer", {"factor": 0.1, "mode": "columns"}),
]
CONSTRAINTS = [
    ("MaxNorm", {"max_value": 0.5}),
    ("MaxNorm", {"max_value": 0.5, "axis": 1}),
    ("MinMaxNorm", {"min_value": 0.7, "max_value": 0.8, "rate": 0.5}),
    ("MinMaxNorm", {"min_value": 0.7, "axis": [0, 1]}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": [0, 1]}),
]
PARTS = [("regularizer", *row) for row in REGULARIZERS] + [("constraint", *row) for row in CONSTRAINTS]


@pytest.mark.parametrize("kind, name, settings", PARTS, ids=[f"{n} {s}" for _, n, s in PARTS])
def test_three_steps(kind, name, settings):
    x = np.sin(np.arange(24, dtype=np.float32)).reshape(6, 4)
    results = []
    for library in (keras, cconv):
        module = getattr(library, f"{kind}s")
        part = getattr(module, name)(**settings)
        again = module.deserialize(module.serialize(part))
        assert again.get_config() == part.get_config()
        dense = library.layers.Dense(3, **{f"kernel_{kind}": part})
        model = library.Sequential([library.Input((4,)), dense, library.layers.Dense(1)])
        model.set_weights([np.cos(np.arange(w.size, dtype=np.float32)).reshape(w.shape) for w in SHAPED])
        model.compile(library.optimizers.SGD(0.1), "mse")
        losses = [float(model.train_on_batch(x, x[:, :1])) for _ in range(3)]
        results.append([np.float32(losses), *model.get_weights()])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


SHAPED = [np.empty(shape) for shape in ((4, 3), (3,), (3, 1), (1,))]
