"""Layers that spread the values of images, beside NumPy: of whole channels, and of tiles."""

import numpy as np
import pytest

import cconv
from cconv import layers

RNG = np.random.default_rng(4)


def bins_of(x, low, high, bins):
    return np.floor((np.clip(x, low, high) - low) / (high - low) * (bins - 1)).astype(int)


def equalized(channel, low, high, bins):
    found = bins_of(channel, low, high, bins)
    darker = np.bincount(found.ravel(), minlength=bins).cumsum()
    first, n = darker[darker > 0][0], channel.size
    if first == n:
        return channel
    return np.round((darker - first) / (n - first) * 255)[found] / 255 * (high - low) + low


@pytest.mark.parametrize(
    "settings", [{}, {"bins": 9}, {"bins": 2}, {"value_range": (-1, 3)}, {"value_range": (40, 90)}]
)
@pytest.mark.parametrize("shape", [(3, 7, 9, 2), (1, 1, 5, 1), (2, 12, 3, 4)])
def test_equalization(shape, settings):
    low, high = settings.get("value_range", (0, 255))
    x = (RNG.beta(2, 5, shape) * (high - low) * 1.2 + low - 3).astype("float32")
    x[0, ..., 0] = x[0, 0, 0, 0]
    y = layers.Equalization(**settings)(x)
    for image, found in zip(x, y, strict=True):
        for c in range(shape[-1]):
            wanted = equalized(image[..., c].astype("float64"), low, high, settings.get("bins", 256))
            # a value on the border of two bins may fall into either
            assert np.mean(np.abs(found[..., c] - wanted) > 1e-3) < 0.03


def test_equalization_of_whole_numbers_is_exact():
    x = RNG.integers(0, 256, (2, 9, 11, 3)).astype("uint8")
    y = layers.Equalization()(x)
    assert y.dtype == np.float32
    for k in range(2):
        for c in range(3):
            np.testing.assert_allclose(y[k, ..., c], equalized(x[k, ..., c], 0, 255, 256), atol=1e-4)


def tiles_of(channel, rows, columns):
    h, w = -(-channel.shape[0] // rows), -(-channel.shape[1] // columns)
    padded = np.pad(channel, ((0, rows * h - channel.shape[0]), (0, columns * w - channel.shape[1])), mode="edge")
    return padded.reshape(rows, h, columns, w).swapaxes(1, 2), h, w


def clahe(channel, clip_limit, grid):
    """By the definition, pixel by pixel: between the curves of the tiles whose middles are around it."""
    tiles, h, w = tiles_of(channel, *grid)
    curves = np.zeros((*grid, 256))
    for i in range(grid[0]):
        for j in range(grid[1]):
            counts = np.bincount(tiles[i, j].ravel(), minlength=256).astype(float)
            kept = np.minimum(counts, int(clip_limit * h * w / 256))
            darker = (kept + (counts - kept).sum() / 256).cumsum()
            curves[i, j] = (darker - darker[0]) / ((darker[-1] - darker[0]) or 1)
    y = np.zeros(channel.shape)
    for r in range(channel.shape[0]):
        for c in range(channel.shape[1]):
            up, left = r / h - 0.5, c / w - 0.5
            for i, a in ((int(np.floor(up)), 1 - up % 1), (int(np.floor(up)) + 1, up % 1)):
                for j, b in ((int(np.floor(left)), 1 - left % 1), (int(np.floor(left)) + 1, left % 1)):
                    tile = curves[min(max(i, 0), grid[0] - 1), min(max(j, 0), grid[1] - 1)]
                    y[r, c] += a * b * tile[channel[r, c]]
    return y * 255


@pytest.mark.parametrize(
    ("grid", "limit"), [((1, 1), 1000.0), ((2, 3), 20.0), ((3, 2), 1e9), ((2, 2), 0.0), ((8, 8), 4.0)]
)
def test_clahe(grid, limit):
    x = (RNG.beta(2, 5, (2, 10, 13, 2)) * 255).astype("uint8")
    layer = layers.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=limit, tile_grid_size=grid)
    y = layer(x)
    for k in range(2):
        for c in range(2):
            np.testing.assert_allclose(y[k, ..., c], clahe(x[k, ..., c], limit, grid), atol=1e-3)
    np.testing.assert_array_equal(layer(x, training=False), y)
    first = layers.ContrastLimitedAdaptiveHistogramEqualization((0, 255), limit, grid, "channels_first")
    np.testing.assert_array_equal(first(np.moveaxis(x, -1, 1)), np.moveaxis(y, -1, 1))


@pytest.mark.parametrize(
    "make", [layers.Equalization, lambda: layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))]
)
def test_in_a_model_of_any_batch(make):
    x = RNG.uniform(0, 255, (5, 8, 6, 3)).astype("float32")
    layer, given = make(), cconv.Input((8, 6, 3))
    model = cconv.Model(given, layer(given, training=True))
    for n in (1, 5):
        np.testing.assert_array_equal(model.predict(x[:n], verbose=0), layer(x[:n]))
    np.testing.assert_array_equal(layer(x)[2], layer(x[2]))


def test_what_is_refused():
    for settings in ({"bins": 1}, {"bins": 2.5}, {"value_range": (1,)}):
        with pytest.raises(ValueError):
            layers.Equalization(**settings)
    for settings in ({"tile_grid_size": (0, 1)}, {"tile_grid_size": (1, 2, 3)}, {"clip_limit": -1}, {"value_range": 1}):
        with pytest.raises(ValueError):
            layers.ContrastLimitedAdaptiveHistogramEqualization(**settings)
