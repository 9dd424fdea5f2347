"""Filters and distortions of `ops.image` beside Keras."""

import numpy as np
import pytest

import cconv

keras = pytest.importorskip("keras")

RNG = np.random.default_rng(9)
IMAGES = RNG.uniform(0, 1, (2, 12, 15, 3)).astype("float32")
OTHERS = (0.7 * IMAGES + 0.3 * RNG.uniform(0, 1, IMAGES.shape)).astype("float32")
PLACES = RNG.uniform(-9, 14, (3, 5, 7)).astype("float32")


def near(ours, theirs, tolerance=1e-5):
    theirs = keras.ops.convert_to_numpy(theirs)
    assert ours.shape == theirs.shape
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=1e-5)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("mode", ["constant", "nearest", "wrap", "mirror", "reflect"])
def test_map_coordinates(mode, order):
    ours, theirs = cconv.ops.image.map_coordinates, keras.ops.image.map_coordinates
    volume = RNG.normal(size=(4, 5, 3)).astype("float32")
    near(ours(volume, PLACES, order, mode, 2.5), theirs(volume, PLACES, order, mode, 2.5))
    halves = np.arange(-8, 20)[None].astype("float32") / 2
    near(ours(volume[0, :, 0], halves, order, mode), theirs(volume[0, :, 0], halves, order, mode))
    whole = (volume * 50).astype("int32")
    near(ours(whole, PLACES, order, mode), theirs(whole, PLACES, order, mode), 1)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"filter_size": 3, "filter_sigma": 0.8, "k1": 0.1, "k2": 0.2, "max_val": 2.0},
        {"filter_size": 4},
        {"filter_size": 5, "filter_sigma": 3.0},
    ],
    ids=str,
)
def test_ssim(settings):
    ours, theirs = cconv.ops.image.ssim, keras.ops.image.ssim
    near(ours(IMAGES, OTHERS, **settings), theirs(IMAGES, OTHERS, **settings), 2e-5)
    near(ours(IMAGES[0], OTHERS[0], **settings), theirs(IMAGES[0], OTHERS[0], **settings), 2e-5)
    a, b = np.moveaxis(IMAGES, -1, 1).copy(), np.moveaxis(OTHERS, -1, 1).copy()
    near(ours(a, b, data_format="channels_first"), theirs(a, b, data_format="channels_first"), 2e-5)


def test_sobel_edges():
    """Inside: beyond the edges PyTorch puts zeros, TensorFlow what is inside."""
    ours, theirs = cconv.ops.image.sobel_edges(IMAGES), keras.ops.image.sobel_edges(IMAGES)
    assert ours.shape == tuple(theirs.shape)
    near(ours[:, 1:-1, 1:-1], theirs[:, 1:-1, 1:-1])
    first = np.moveaxis(IMAGES, -1, 1).copy()
    ours, theirs = (m.ops.image.sobel_edges(first, data_format="channels_first") for m in (cconv, keras))
    near(ours[:, :, 1:-1, 1:-1], theirs[:, :, 1:-1, 1:-1])


def distance(module, images, **settings):
    """The deviation of how far pixels inside move, and how alike neighbours move, of ramps."""
    y = np.asarray(keras.ops.convert_to_numpy(module(images, **settings)))
    found = (y - images)[:, 12:-12, 12:-12]
    return found.std(), np.corrcoef(found[:, :, 1:].ravel(), found[:, :, :-1].ravel())[0, 1]


def test_elastic_transform():
    ramps = np.stack(np.broadcast_arrays(np.arange(50)[:, None], np.arange(60)), -1)[None].repeat(12, 0)
    ramps = ramps.astype("float32")
    settings = {"alpha": 2.0, "sigma": 1.5, "seed": 1}
    ours, theirs = (distance(m.ops.image.elastic_transform, ramps, **settings) for m in (cconv, keras))
    np.testing.assert_allclose(ours, theirs, rtol=0.1)
