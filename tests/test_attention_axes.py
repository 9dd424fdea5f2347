"""Attention along the axis before the last, whatever stands before it, and whole numbers under a mask."""

import numpy as np
import pytest

import cconv


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


@pytest.mark.parametrize("mode", ["dot", "concat", "additive"])
def test_outer_axes_are_samples(mode):
    rng = np.random.default_rng(0)
    query, value = rng.normal(size=(2, 3, 4, 5)).astype(np.float32), rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    layers = cconv.layers
    layer = layers.AdditiveAttention(False) if mode == "additive" else layers.Attention(score_mode=mode)
    if mode == "dot":
        scores = query @ value.swapaxes(-1, -2)
    else:
        scores = np.tanh(query[..., :, None, :] + value[..., None, :, :]).sum(-1)
    seen = np.tri(4, dtype=bool)
    expected = softmax(np.where(seen, scores, -np.inf)) @ value
    np.testing.assert_allclose(layer([query, value], use_causal_mask=True), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer([query, value]), softmax(scores) @ value, rtol=1e-4, atol=1e-5)


def test_masking_keeps_whole_numbers_whole():
    x = np.int32([[[1, 0], [7, 7]]])
    y = cconv.layers.Masking(7)(x)
    assert y.dtype == np.int32 and y.tolist() == [[[1, 0], [0, 0]]]
