"""Models of images whose height and width are unknown: one model, several sizes."""

import numpy as np
import pytest

import cconv
from cconv import layers

RNG = np.random.default_rng(0)


def model_of(channels_first=False):
    form = "channels_first" if channels_first else "channels_last"
    shape = (3, None, None) if channels_first else (None, None, 3)
    return cconv.Sequential([
        cconv.Input(shape),
        layers.ZeroPadding2D(1, data_format=form),
        layers.Conv2D(4, 3, activation="relu", data_format=form),
        layers.MaxPooling2D(2, data_format=form),
        layers.BatchNormalization(axis=1 if channels_first else -1),
        layers.SpatialDropout2D(0.2, data_format=form),
        layers.Conv2DTranspose(4, 2, strides=2, padding="same", data_format=form),
        layers.Cropping2D(1, data_format=form),
        layers.AdaptiveAveragePooling2D(2, data_format=form),
        layers.GlobalAveragePooling2D(data_format=form),
        layers.Dense(2),
    ])  # fmt: skip


@pytest.mark.parametrize("channels_first", [False, True])
def test_several_sizes_go_through_one_model(channels_first):
    model = model_of(channels_first)
    model.compile("sgd", "mse")
    lines = []
    model.summary(print_fn=lambda text, **_: lines.append(text))
    assert "None, None" in "\n".join(lines)
    for size in ((8, 8), (11, 6), (8, 8)):
        x = RNG.normal(size=(5, *size, 3)).astype(np.float32)
        x = x.transpose(0, 3, 1, 2).copy() if channels_first else x
        before = model.get_weights()
        model.fit(x, np.ones((5, 2)), epochs=2, verbose=0)
        assert not np.array_equal(model.get_weights()[0], before[0])
        y = model.predict(x, batch_size=2, verbose=0)
        fixed = cconv.Sequential([cconv.Input(x.shape[1:]), *model.layers])
        np.testing.assert_allclose(y, fixed(x), rtol=1e-5, atol=1e-6)
        assert np.isfinite(model.evaluate(x, np.ones((5, 2)), verbose=0))


def test_both_formats_are_one():
    last, first = model_of(), model_of(True)
    first.set_weights(last.get_weights())
    x = RNG.normal(size=(2, 7, 9, 3)).astype(np.float32)
    np.testing.assert_allclose(first(x.transpose(0, 3, 1, 2).copy()), last(x), rtol=1e-5, atol=1e-6)
