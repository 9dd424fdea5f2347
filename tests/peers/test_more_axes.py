"""Layers on inputs of more axes and other types than usual beside Keras."""

import keras
import numpy as np
import pytest

import cconv

from .training_alike import random

QUERY, VALUE = random((2, 3, 4, 5)), random((2, 3, 6, 5), 1)
MASKS = [np.arange(24).reshape(2, 3, 4) % 3 > 0, np.arange(36).reshape(2, 3, 6) % 5 > 0]


# by a mask alone, Keras' wants the scores to have as many axes as the mask
@pytest.mark.parametrize("causal, mask", [(False, None), (True, None), (True, MASKS)], ids=["all", "causal", "masked"])
@pytest.mark.parametrize(
    "name, settings",
    [("Attention", {}), ("Attention", {"score_mode": "concat", "use_scale": True}), ("AdditiveAttention", {})],
)
def test_attention_along_the_axis_before_the_last(name, settings, causal, mask):
    theirs, ours = (getattr(library.layers, name)(**settings) for library in (keras, cconv))
    call = {"mask": mask, "use_causal_mask": causal, "return_attention_scores": True}
    theirs([QUERY, VALUE], **call)
    ours([QUERY, VALUE], **call)
    ours.set_weights(theirs.get_weights())
    expected = [keras.ops.convert_to_numpy(y) for y in theirs([QUERY, VALUE], **call)]
    for a, b in zip(ours([QUERY, VALUE], **call), expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    if mask is None:  # sizes that only the data tell
        inputs = [cconv.Input((3, None, 5)), cconv.Input((3, None, 5))]
        y = ours(inputs, use_causal_mask=causal)
        np.testing.assert_allclose(cconv.Model(inputs, y)([QUERY, VALUE]), expected[0], rtol=1e-4, atol=1e-5)


def test_masking_of_whole_numbers():
    x = np.int32([[[1, 0], [0, 0]], [[3, 3], [3, 2]]])
    for value in (0, 3):
        theirs, ours = keras.layers.Masking(value), cconv.layers.Masking(value)
        expected, found = keras.ops.convert_to_numpy(theirs(x)), ours(x)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["LayerNormalization", "RMSNormalization"])
def test_axes_of_a_built_normalization_are_a_list(name):
    for axis in (-1, [1, 2], (1,)):
        layers = [getattr(library.layers, name)(axis=axis) for library in (keras, cconv)]
        for layer in layers:
            layer.build((2, 3, 4))
        assert layers[0].axis == layers[1].axis == layers[1].get_config()["axis"]


def test_a_pixel_at_the_threshold_is_inverted():
    x = np.float32([[[[0.0], [10.0], [255.0]]]])
    expected = keras.ops.convert_to_numpy(keras.layers.Solarization()(x))
    np.testing.assert_array_equal(cconv.layers.Solarization()(x), expected)
