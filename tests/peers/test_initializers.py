"""Initializers beside Keras: names, arguments, and distributions compared by the Kolmogorov-Smirnov test."""

import inspect

import keras
import numpy as np
import pytest
from scipy import stats

import cconv

SHAPE = (3, 3, 40, 50)
NAMES = [cls.__name__ for cls in cconv.initializers._CLASSES]


@pytest.mark.parametrize("name", NAMES)
def test_configurations_go_both_ways(name):
    theirs = getattr(keras.initializers, name)()
    ours = cconv.saving.deserialize_object(keras.saving.serialize_keras_object(theirs))
    assert type(ours).__name__ == name
    back = keras.saving.deserialize_keras_object(cconv.saving.serialize_object(ours))
    assert type(back) is type(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_arguments(name):
    ours = inspect.signature(getattr(cconv.initializers, name).__init__).parameters
    theirs = inspect.signature(getattr(keras.initializers, name).__init__).parameters
    assert [(k, p.default) for k, p in ours.items()] == [(k, p.default) for k, p in theirs.items()]


@pytest.mark.parametrize(
    "name",
    [
        "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "GlorotUniform", "GlorotNormal",
        "LecunUniform", "LecunNormal", "HeUniform", "HeNormal",
    ],
)  # fmt: skip
def test_distributions_agree(name):
    ours = getattr(cconv.initializers, name)(seed=1)(SHAPE).ravel()
    theirs = keras.ops.convert_to_numpy(getattr(keras.initializers, name)(seed=2)(SHAPE)).ravel()
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-3
    # a wrong factor of one percent would show
    assert stats.ks_2samp(1.05 * ours, theirs).pvalue < 1e-3 or abs(ours.std() / theirs.std() - 1) < 0.01


def test_orthogonal_spans_like_keras():
    ours = cconv.initializers.Orthogonal(seed=1)((3, 3, 4, 5)).reshape(-1, 5)
    theirs = keras.ops.convert_to_numpy(keras.initializers.Orthogonal(seed=1)((3, 3, 4, 5))).reshape(-1, 5)
    np.testing.assert_allclose(ours.T @ ours, theirs.T @ theirs, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["glorot_uniform", "he_normal", "lecun_normal", "zeros", "ones", "random_normal", "orthogonal"]
)
def test_names(name):
    assert type(cconv.initializers.get(name)).__name__ == type(keras.initializers.get(name)).__name__
