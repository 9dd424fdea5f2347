"""`cconv.random` beside `keras.random`: signatures, shapes, types, and distributions by the Kolmogorov-Smirnov test."""

import inspect

import keras
import numpy as np
import pytest
from scipy import stats

import cconv

LOGITS = np.log(np.float32([[1, 2, 3, 4], [4, 1, 1, 0.5]]))
ROWS = np.repeat(np.arange(700, dtype=np.float32)[:, None], 2, 1)
DRAWS = [
    ("normal", ((70, 60),), {"mean": 1.0, "stddev": 2.0}),
    ("truncated_normal", ((70, 60),), {"mean": -1.0, "stddev": 0.5}),
    ("uniform", ((70, 60),), {"minval": -1.0, "maxval": 3.0}),
    ("randint", ((70, 60),), {"minval": -3, "maxval": 4}),
    ("beta", ((70, 60),), {"alpha": 0.7, "beta": 2.0}),
    ("gamma", ((70, 60),), {"alpha": 0.6}),
    ("binomial", ((70, 60),), {"counts": 9, "probabilities": 0.3}),
    ("categorical", (LOGITS, 2000), {}),
    ("dropout", (np.ones((70, 60), np.float32), 0.3), {}),
    ("shuffle", (ROWS,), {}),
    ("shuffle", (ROWS.T.copy(),), {"axis": 1}),
]


@pytest.mark.parametrize("name, arguments, settings", DRAWS, ids=[f"{i} {d[0]}" for i, d in enumerate(DRAWS)])
def test_draws(name, arguments, settings):
    functions = [getattr(library.random, name) for library in (cconv, keras)]
    ours, theirs = ([(p.name, p.default) for p in inspect.signature(f).parameters.values()] for f in functions)
    assert ours == theirs
    tensors = [keras.ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a for a in arguments]
    found, expected = functions[0](*arguments, **settings, seed=3), functions[1](*tensors, **settings, seed=4)
    expected = keras.ops.convert_to_numpy(expected)
    assert found.shape == expected.shape
    assert found.dtype == {np.dtype("int64"): np.dtype("int32")}.get(expected.dtype, expected.dtype)
    if name == "shuffle":
        axis = settings.get("axis", 0)
        assert not np.array_equal(found, arguments[0])
        np.testing.assert_array_equal(np.sort(found, axis), arguments[0])  # rows stay whole: all columns alike
        assert (found == np.take(found, [0], 1 - axis)).all()
        return
    for a, b in zip(found, expected) if name == "categorical" else [(found.ravel(), expected.ravel())]:
        if found.dtype.kind == "i" or name in ("binomial", "dropout"):
            values = np.union1d(a, b)
            counts = [[np.count_nonzero(part == v) for v in values] for part in (a, b)]
            assert stats.chi2_contingency(counts).pvalue > 1e-3
        else:
            assert stats.ks_2samp(a, b).pvalue > 1e-3


def test_a_seed_generator_gives_another_number_each_time():
    for library in (keras, cconv):
        seeds = library.random.SeedGenerator(7)
        one, other = (np.array(library.random.uniform((4,), seed=seeds)) for _ in range(2))
        assert not np.array_equal(one, other)
        again = library.random.SeedGenerator(7)
        np.testing.assert_array_equal(np.array(library.random.uniform((4,), seed=again)), one)
