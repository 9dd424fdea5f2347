"""RandAugment and AugMix: which changes are drawn, in which shares, and what becomes of masks and boxes."""

import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.layers.augmentation.shares import drawn_shares

RNG = np.random.default_rng(8)
IMAGES = RNG.uniform(0, 255, (4, 9, 11, 3)).astype("float32")
MASKS = RNG.integers(0, 4, (4, 9, 11, 1))
NAMES = {
    "RandomShear", "RandomTranslation", "RandomRotation", "Solarization", "RandomPosterization", "RandomBrightness",
    "RandomColorDegeneration", "RandomContrast", "RandomSharpness", "AutoContrast", "Equalization",
}  # fmt: skip


def paint(layer):
    """Makes each change write its number over the image, and returns the names by number; those that move do not."""
    numbers = {}
    for k, change in enumerate(layer._changes):
        if hasattr(change, "fill_mode"):
            change.transform_images = lambda images, drawn: images
        else:
            change.transform_images = lambda images, drawn, k=k: images * 0 + k
            numbers[float(k)] = type(change).__name__
    return numbers


def test_each_change_is_as_likely():
    layer = layers.RandAugment(num_ops=1, seed=3)
    assert {type(change).__name__ for change in layer._changes} == NAMES
    numbers = paint(layer)
    found = layer(np.full((4400, 2, 2, 3), 99.0, "float32"))[:, 0, 0, 0]
    counts = {number: np.sum(found == number) for number in (*numbers, 99.0)}
    assert sum(counts.values()) == 4400
    for number in numbers:
        assert abs(counts[number] - 400) < 5 * np.sqrt(400)
    assert abs(counts[99.0] - 1200) < 5 * np.sqrt(1200)


def test_changes_come_one_after_the_other():
    """Two of the lot, each sample its own: the second writes over the first, and one may come twice."""
    layer = layers.RandAugment(num_ops=2, seed=3)
    numbers = paint(layer)
    found = layer(np.full((2200, 2, 2, 3), 99.0, "float32"))[:, 0, 0, 0]
    assert abs(np.mean(found == 99) - (3 / 11) ** 2) < 0.03
    assert {n for n in numbers if np.any(found == n)} == set(numbers)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("kind", [layers.RandAugment, layers.AugMix])
def test_what_comes_out(kind, grey):
    x = IMAGES[..., :1] if grey else IMAGES
    layer = kind(seed=4)
    y = layer(x)
    assert y.shape == x.shape and y.dtype == np.float32 and y.min() >= -1e-3 and y.max() <= 255.001
    assert not np.allclose(y, x)
    np.testing.assert_array_equal(layer(x, training=False), x)
    small = kind(value_range=(0, 1), seed=4)
    np.testing.assert_allclose(small(x / 255) * 255, y, atol=1.01 / 255 * 255)
    first = kind(seed=4, data_format="channels_first")(np.moveaxis(x, -1, 1))
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), y, atol=1e-3)
    assert layer(x[0].astype("uint8")).shape == x.shape[1:]


@pytest.mark.parametrize("kind", [layers.RandAugment, layers.AugMix])
def test_a_network_trains_behind_them(kind):
    model = cconv.Sequential(
        [cconv.Input((9, 11, 3)), kind(seed=1), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    history = model.fit(IMAGES, np.ones((4, 1)), epochs=8, batch_size=3, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    wide = np.repeat(IMAGES[:1], 16, axis=0)
    found = np.asarray(kind(seed=1)(wide))
    assert len({image.tobytes() for image in found}) > 12


def test_masks_and_boxes_follow():
    """A bright square, moved by the changes that move: where it is, its mask and its box are."""
    image = np.zeros((40, 48, 1), "float32")
    image[10:22, 12:28] = 200
    boxes = {"boxes": np.array([[12.0, 10.0, 28.0, 22.0]]), "labels": np.array([1])}
    data = {"images": image, "bounding_boxes": boxes, "segmentation_masks": (image > 100).astype("int32"), "labels": 3}
    layer = layers.RandAugment(num_ops=2, factor=0.06, seed=6, bounding_box_format="xyxy")
    moved = 0
    for _ in range(12):
        y = layer(data)
        rows, columns, _ = np.nonzero(y["segmentation_masks"])
        left, top, right, bottom = y["bounding_boxes"]["boxes"][0]
        # a box goes around the corners of a slanting square, which lies inside
        assert left - 1.5 <= columns.min() and columns.max() <= right + 1.5
        assert top - 1.5 <= rows.min() and rows.max() <= bottom + 1.5
        moved += not np.array_equal(y["segmentation_masks"], data["segmentation_masks"])
        assert y["labels"] == 3 and set(np.unique(y["segmentation_masks"])) <= {0, 1}
    assert 2 < moved < 12
    mixed = layers.AugMix(seed=6, bounding_box_format="xyxy")(data)
    np.testing.assert_array_equal(mixed["segmentation_masks"], data["segmentation_masks"])
    np.testing.assert_allclose(mixed["bounding_boxes"]["boxes"], boxes["boxes"])


def test_aug_mix_with_nothing_to_change():
    """Chains of no layers: the mixture of an image with itself is the image."""
    np.testing.assert_allclose(layers.AugMix(chain_depth=0, seed=1)(IMAGES), IMAGES, rtol=1e-5)


def test_aug_mix_chains():
    """One layer of twelve choices, of which one is none; its share is even, as Beta(1, 1) is."""
    layer = layers.AugMix(num_chains=1, chain_depth=1, value_range=(0, 1), seed=2)
    paint(layer)
    for change in layer._changes:
        if not hasattr(change, "fill_mode"):
            change.transform_images = lambda images, drawn: images * 0 + 1
    found = layer(np.zeros((3000, 1, 1, 3), "float32"))[:, 0, 0, 0]
    assert abs(np.mean(found == 0) - 4 / 12) < 0.04
    share = found[found > 0]
    assert abs(share.mean() - 0.5) < 0.03 and abs(share.var() - 1 / 12) < 0.01
    assert len(layers.AugMix(all_ops=False)._changes) == 7


@pytest.mark.parametrize("alpha", [0.05, 0.4, 1.0, 3.0])
@pytest.mark.parametrize("count", [2, 4])
def test_shares(alpha, count):
    """Mean, variance and covariance of Dirichlet(alpha, .., alpha)."""
    shares = drawn_shares(layers.RandAugment(seed=7), np.zeros((6000, 1, 1, 1), "float32"), alpha, count)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(shares.mean(0), 1 / count, atol=0.025)
    variance = (1 - 1 / count) / count / (count * alpha + 1)
    np.testing.assert_allclose(shares.var(0), variance, rtol=0.1)
    np.testing.assert_allclose(np.cov(shares.T)[0, 1], -variance / (count - 1), rtol=0.15)


def test_what_is_refused():
    for settings in ({"num_ops": -1}, {"num_ops": 1.5}, {"factor": 2}, {"value_range": 3}):
        with pytest.raises(ValueError):
            layers.RandAugment(**settings)
    for settings in ({"num_chains": 0}, {"chain_depth": -1}, {"alpha": 0}, {"factor": (0, 2)}):
        with pytest.raises(ValueError):
            layers.AugMix(**settings)
    for kind in (layers.RandAugment, layers.AugMix):
        with pytest.raises(NotImplementedError, match="interpolation"):
            kind(interpolation="bicubic")
