"""`ops.image`: blur, edges, likeness, places between cells, beside NumPy; and the layers that blur and distort."""

import itertools

import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.ops import image as ops

RNG = np.random.default_rng(6)
IMAGES = RNG.uniform(0, 1, (2, 9, 12, 3)).astype("float32")


def weights(size, sigma):
    distance = np.arange(size) - (size - 1) // 2
    w = np.exp(-0.5 * (distance / max(sigma, 1e-6)) ** 2)
    return w / w.sum()


def blurred(x, down, right, mode="constant"):
    """Correlation with an outer product, of images (n, h, w, c)."""
    kh, kw = len(down), len(right)
    pads = ((0, 0), ((kh - 1) // 2, kh // 2), ((kw - 1) // 2, kw // 2), (0, 0))
    wide = np.pad(x.astype("float64"), pads, mode=mode)
    h, w = x.shape[1:3]
    cells = itertools.product(range(kh), range(kw))
    return sum(wide[:, i : i + h, j : j + w] * down[i] * right[j] for i, j in cells)


@pytest.mark.parametrize(
    ("size", "sigma"), [((3, 3), (1.0, 1.0)), ((5, 1), (0.7, 2.0)), ((2, 4), (1, 0.5)), ((9, 15), (3, 0))]
)
def test_gaussian_blur(size, sigma):
    wanted = blurred(IMAGES, weights(size[0], sigma[0]), weights(size[1], sigma[1]))
    np.testing.assert_allclose(ops.gaussian_blur(IMAGES, size, sigma), wanted, atol=2e-6)
    np.testing.assert_allclose(ops.gaussian_blur(IMAGES[1], size, sigma), wanted[1], atol=2e-6)
    first = ops.gaussian_blur(np.moveaxis(IMAGES, -1, 1), size, sigma, data_format="channels_first")
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), wanted, atol=2e-6)


def test_blur_of_whole_numbers_is_rounded():
    x = np.array([[[0], [100], [0]]])
    y = ops.gaussian_blur(x, (1, 3))
    assert y.dtype == np.int32 and y.ravel().tolist() == [27, 45, 27]


def test_sobel_edges():
    y = ops.sobel_edges(IMAGES)
    assert y.shape == (2, 9, 12, 3, 2)
    smooth, difference = np.array([1, 2, 1]), np.array([-1, 0, 1])
    np.testing.assert_allclose(y[..., 0], blurred(IMAGES, difference, smooth, "reflect"), atol=2e-6)
    np.testing.assert_allclose(y[..., 1], blurred(IMAGES, smooth, difference, "reflect"), atol=2e-6)
    first = ops.sobel_edges(np.moveaxis(IMAGES, -1, 1), "channels_first")
    np.testing.assert_allclose(np.moveaxis(first, 1, -2), y, atol=2e-6)


def test_ssim():
    """By the formula, in windows that lie wholly inside."""
    a, b = IMAGES, (0.6 * IMAGES + 0.4 * RNG.uniform(0, 1, IMAGES.shape)).astype("float32")
    w = weights(5, 1.2)
    means = {}
    for name, x in (("a", a), ("b", b), ("aa", a * a), ("bb", b * b), ("ab", a * b)):
        means[name] = blurred(x, w, w)[:, 2:-2, 2:-2]
    c1, c2 = (0.02 * 2) ** 2, (0.05 * 2) ** 2
    mean, product = means["a"] ** 2 + means["b"] ** 2, means["a"] * means["b"]
    top = (2 * product + c1) * (2 * (means["ab"] - product) + c2)
    wanted = (top / ((mean + c1) * (means["aa"] + means["bb"] - mean + c2))).mean((1, 2, 3))
    np.testing.assert_allclose(ops.ssim(a, b, 2.0, 5, 1.2, 0.02, 0.05), wanted, rtol=2e-5)
    assert ops.ssim(a[0], a[0], filter_size=7).tolist() == 1.0
    assert ops.ssim(a, 1 - a, filter_size=7).max() < 0


def at(x, place, order, mode, fill):
    """One place, by the definition."""
    total = 0.0
    lows = [np.floor(p) if order else np.round(p) for p in place]
    for corner in itertools.product((0, 1) if order else (0,), repeat=len(place)):
        share, cell = 1.0, []
        for p, low, k, n in zip(place, lows, corner, x.shape, strict=True):
            share *= (p - low if k else 1 - p + low) if order else 1
            cell.append((int(low) + k, n))
        if mode == "constant":
            value = x[tuple(i for i, _ in cell)] if all(0 <= i < n for i, n in cell) else fill
        else:
            padding = {"nearest": "edge", "wrap": "wrap", "mirror": "reflect", "reflect": "symmetric"}[mode]
            lines = [np.pad(np.arange(n), 40, mode=padding) if n > 1 else np.zeros(81, int) for _, n in cell]
            value = x[tuple(line[i + 40] for line, (i, _) in zip(lines, cell, strict=True))]
        total += share * value
    return total


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("mode", ["constant", "nearest", "wrap", "mirror", "reflect"])
def test_map_coordinates(mode, order):
    for shape in ((7,), (3, 5), (1, 4, 2)):
        x = RNG.normal(size=shape).astype("float32")
        places = RNG.uniform(-9, 14, (len(shape), 4, 6)).astype("float32")
        places[:, 0] = np.round(places[:, 0] * 2) / 2
        found = ops.map_coordinates(x, places, order, mode, 1.5)
        wanted = [at(x, place, order, mode, 1.5) for place in places.reshape(len(shape), -1).T]
        np.testing.assert_allclose(found.ravel(), wanted, atol=1e-5)
    whole = ops.map_coordinates(np.array([0, 10, 20]), [np.array([0.26, 1.9])], 1, mode)
    assert whole.dtype == np.int32 and whole.tolist() == [3, 19]


def test_gradients_of_what_is_looked_up():
    """To the values, by their shares, and to the places, by the slope."""
    x = cconv.Variable(np.array([1.0, 4.0, 9.0, 16.0], "float32"))
    places = cconv.Variable(np.array([[0.25, 2.5]], "float32"))
    with cconv.GradientTape() as tape:
        y = cconv.ops.sum(ops.map_coordinates(x, places, 1))
    to_x, to_places = tape.gradient(y, [x, places])
    np.testing.assert_allclose(to_x, [0.75, 0.25, 0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(to_places, [[3, 7]], atol=1e-5)


def test_an_image_is_found_by_its_likeness():
    """Gradients of ssim, blur and edges: following them makes one image like another."""
    aim = IMAGES[:1]
    x = cconv.Variable(np.full(aim.shape, 0.5, "float32"))
    optimizer = cconv.optimizers.Adam(0.05)
    losses = []
    for _ in range(25):
        with cconv.GradientTape() as tape:
            edges = cconv.ops.mean(cconv.ops.square(ops.sobel_edges(x) - ops.sobel_edges(aim)))
            blur = cconv.ops.mean(cconv.ops.square(ops.gaussian_blur(x) - ops.gaussian_blur(aim)))
            loss = edges + blur - cconv.ops.sum(ops.ssim(x, aim, filter_size=5))
        losses.append(float(np.asarray(loss)))
        optimizer.apply_gradients(zip(tape.gradient(loss, [x]), [x], strict=True))
    assert losses[-1] < -0.9 < 0 < losses[0]


def moves(h, w, n, **settings):
    """How far pixels inside move along rows and columns: what ramps are there afterwards."""
    ramps = np.stack(np.broadcast_arrays(np.arange(h)[:, None], np.arange(w)), -1)[None].repeat(n, 0).astype("float32")
    return (ops.elastic_transform(ramps, seed=3, **settings) - ramps)[:, 12:-12, 12:-12]


def test_elastic_transform():
    found = moves(60, 70, 12, alpha=3.0, sigma=2.0)
    deviation = 6 * (weights(13, 2.0) ** 2).sum()
    np.testing.assert_allclose(found.std((0, 1, 2)), deviation, rtol=0.08)
    # neighbours move alike, as far as two windows of weights overlap
    for axis in (1, 2):
        a, b = np.delete(found, -1, axis), np.delete(found, 0, axis)
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1] - np.exp(-1 / 16)) < 0.02
    assert abs(np.corrcoef(found[..., 0].ravel(), found[..., 1].ravel())[0, 1]) < 0.15
    np.testing.assert_array_equal(ops.elastic_transform(IMAGES, alpha=0, seed=1), IMAGES)
    x = np.moveaxis(IMAGES, -1, 1)
    first = ops.elastic_transform(x, 2.0, 1.0, "nearest", seed=1, data_format="channels_first")
    last = ops.elastic_transform(IMAGES, 2.0, 1.0, "nearest", seed=1)
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), last)
    assert set(np.unique(last[0])) <= set(np.unique(IMAGES[0]))


def test_in_a_model():
    given = cconv.Input(IMAGES.shape[1:])
    distorted = ops.elastic_transform(given, 3.0, 1.0, seed=2)
    model = cconv.Model(
        given, [distorted, ops.gaussian_blur(given), ops.sobel_edges(given), ops.ssim(given, distorted, filter_size=5)]
    )
    again = cconv.Model.from_config(model.get_config())
    wanted = ops.elastic_transform(IMAGES, 3.0, 1.0, seed=2)
    for m in (model, again):
        found = m.predict(IMAGES, verbose=0)
        np.testing.assert_allclose(found[0], wanted, atol=1e-6)
        np.testing.assert_allclose(found[1], ops.gaussian_blur(IMAGES), atol=1e-6)
        np.testing.assert_allclose(found[2], ops.sobel_edges(IMAGES), atol=1e-6)


def test_random_gaussian_blur():
    x = RNG.uniform(0, 255, (3, 8, 7, 2)).astype("float32")
    y = layers.RandomGaussianBlur((1.0, 1.0), (5, 3), (0.8, 0.8))(x)
    np.testing.assert_allclose(y, blurred(x, weights(5, 0.8), weights(3, 0.8)), rtol=1e-5, atol=1e-3)
    np.testing.assert_array_equal(layers.RandomGaussianBlur((0.0, 0.0))(x), x)
    np.testing.assert_array_equal(layers.RandomGaussianBlur((1.0, 1.0), 5, (0.0, 0.0))(x), x)
    assert layers.RandomGaussianBlur((1.0, 1.0), value_range=(0, 9))(x).max() == 9
    many = np.zeros((600, 3, 3, 1), "float32")
    many[:, 1, 1] = 100
    y = layers.RandomGaussianBlur((0.4, 0.6), 3, (0.3, 0.9), seed=1)(many)
    changed = y[:, 0, 0, 0] > 0
    assert abs(changed.mean() - 0.5) < 0.06
    middle = np.sqrt(y[changed, 1, 1, 0] / 100)  # the weight of the middle, which tells the deviation
    sigma = np.sqrt(-0.5 / np.log((1 - middle) / (2 * middle)))
    assert 0.29 < sigma.min() < 0.33 and 0.87 < sigma.max() < 0.91 and abs(sigma.mean() - 0.6) < 0.04


@pytest.mark.parametrize(("h", "w"), [(40, 60), (60, 40)])
def test_random_elastic_transform(h, w):
    ramps = np.stack(np.broadcast_arrays(np.arange(h)[:, None], np.arange(w)), -1)[None].repeat(20, 0).astype("float32")
    layer = layers.RandomElasticTransform((0.5, 0.5), (0.6, 0.6), value_range=(-99, 999), seed=5)
    y = layer({"images": ramps, "segmentation_masks": ramps[..., :1]})
    found = (y["images"] - ramps)[:, 12:-12, 12:-12]
    moved = np.abs(found).max((1, 2, 3)) > 0
    assert 0.2 < moved.mean() < 0.8
    sigma = 0.6 * 0.05 * 40
    deviation = 0.6 * 0.1 * 60 * sigma * (weights(21, sigma) ** 2).sum()
    np.testing.assert_allclose(found[moved].std(), deviation, rtol=0.08)
    # the mask is what the nearest cell of the same place has: half a row of it away at most
    assert np.abs(y["segmentation_masks"][:, 12:-12, 12:-12, 0] - y["images"][:, 12:-12, 12:-12, 0]).max() < 0.51
    np.testing.assert_array_equal(layers.RandomElasticTransform((1.0, 1.0), (0.0, 0.0))(IMAGES), IMAGES)


def test_what_is_refused():
    with pytest.raises(ValueError, match="same shape"):
        ops.ssim(IMAGES, IMAGES[:1])
    with pytest.raises(ValueError, match="at least `filter_size`"):
        ops.ssim(IMAGES, IMAGES)
    with pytest.raises(ValueError, match="of rank 4"):
        ops.sobel_edges(IMAGES[0])
    with pytest.raises(ValueError, match="two numbers"):
        ops.gaussian_blur(IMAGES, sigma=1.0)
    with pytest.raises(ValueError, match="rank of `inputs`"):
        ops.map_coordinates(IMAGES, np.zeros((2, 3)), 1)
    with pytest.raises(ValueError, match="at least rank 2"):
        ops.map_coordinates(np.zeros(3), np.zeros(1), 1)
    with pytest.raises(NotImplementedError, match="order"):
        ops.map_coordinates(np.zeros(3), np.zeros((1, 3)), 2)
    with pytest.raises(ValueError, match="fill_mode"):
        ops.elastic_transform(IMAGES, fill_mode="x")
    with pytest.raises(ValueError, match="odd"):
        layers.RandomGaussianBlur(kernel_size=4)
    with pytest.raises(ValueError, match="sigma"):
        layers.RandomGaussianBlur(sigma=2)
    with pytest.raises(NotImplementedError, match="fill_mode"):
        layers.RandomElasticTransform(fill_mode="x")
    with pytest.raises(NotImplementedError, match="bounding boxes"):
        boxes = {"boxes": np.zeros((2, 1, 4)), "labels": np.zeros((2, 1))}
        layers.RandomElasticTransform(bounding_box_format="xyxy")({"images": IMAGES, "bounding_boxes": boxes})
