"""Images changed in training: each sample by its own numbers, new ones each time, the same for one seed."""

import numpy as np
import pytest

import cconv
from cconv import layers

RNG = np.random.default_rng(2)
IMAGES = RNG.uniform(0, 255, (4, 6, 8, 3)).astype("float32")


def augmentations():
    return [
        layers.RandomFlip(seed=1),
        layers.RandomRotation(0.2, seed=1),
        layers.RandomZoom(0.3, seed=1),
        layers.RandomTranslation(0.2, 0.2, seed=1),
        layers.RandomShear(0.3, 0.2, seed=1),
        layers.RandomPerspective(seed=1),
        layers.RandomCrop(4, 5, seed=1),
        layers.RandomContrast(0.5, seed=1),
        layers.RandomBrightness(0.3, seed=1),
        layers.RandomHue(0.5, seed=1),
        layers.RandomSaturation((0.1, 0.9), seed=1),
        layers.RandomGrayscale(seed=1),
        layers.RandomColorDegeneration(0.9, seed=1),
        layers.RandomColorJitter(brightness_factor=0.2, contrast_factor=0.3, seed=1),
        layers.RandomSharpness(1.0, seed=1),
        layers.RandomInvert(seed=1),
        layers.RandomPosterization(6, seed=1),
        layers.Solarization(0.3, 0.3, seed=1),
        layers.RandomErasing(seed=1),
        layers.RandomGaussianBlur(seed=1),
        layers.RandomElasticTransform(seed=1),
        layers.RandAugment(seed=1),
        layers.AugMix(seed=1),
    ]


IDS = [type(layer).__name__ for layer in augmentations()]


@pytest.mark.parametrize("k", range(len(IDS)), ids=IDS)
def test_numbers_are_drawn_anew_for_each_sample_and_call(k):
    same = np.repeat(IMAGES[:1], 32, axis=0)
    layer, again = augmentations()[k], augmentations()[k]
    first, second = layer(same), layer(same)
    assert not all(np.array_equal(first[0], image) for image in first)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, again(same)) and np.array_equal(second, again(same))
    assert first.dtype == np.float32
    assert layer(same[0]).shape == first.shape[1:]


@pytest.mark.parametrize("k", range(len(IDS)), ids=IDS)
def test_in_a_model_they_act_in_training_only(k):
    layer = augmentations()[k]
    model = cconv.Sequential([cconv.Input(IMAGES.shape[1:]), layer])
    same = np.repeat(IMAGES[:1], 32, axis=0)
    still = model.predict(same, verbose=0)
    assert all(np.array_equal(still[0], image) for image in still)
    if not isinstance(layer, layers.RandomCrop):
        np.testing.assert_array_equal(still, same)
    cconv.utils.set_random_seed(3)
    trained = np.asarray(model(same, training=True))
    assert not all(np.array_equal(trained[0], image) for image in trained)
    cconv.utils.set_random_seed(3)
    threads = cconv.get_num_threads()
    try:
        cconv.set_num_threads(3)
        np.testing.assert_array_equal(np.asarray(model(same, training=True)), trained)
    finally:
        cconv.set_num_threads(threads)


def test_a_network_trains_behind_them():
    model = cconv.Sequential(
        [
            cconv.Input((6, 8, 3)),
            layers.Rescaling(1 / 255),
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(0.1),
            layers.RandomZoom(0.1),
            layers.Conv2D(4, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    history = model.fit(IMAGES, np.ones((4, 1)), epochs=3, batch_size=2, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_boxes_follow_the_image():
    """A bright rectangle is where its box is, whatever is done to both."""
    image = np.zeros((24, 32, 1), "float32")
    image[6:14, 8:20] = 1
    data = {"images": image, "bounding_boxes": {"boxes": np.array([[8.0, 6, 12, 8]]), "labels": np.array([1])}}
    for layer in (
        layers.RandomFlip(seed=2, bounding_box_format="xywh"),
        layers.RandomTranslation(0.2, 0.2, "constant", seed=2, bounding_box_format="xywh"),
        layers.RandomZoom(0.3, 0.3, "constant", seed=2, bounding_box_format="xywh"),
        layers.RandomCrop(20, 28, seed=2, bounding_box_format="xywh"),
    ):
        for _ in range(4):
            y = layer(data)
            x, top, w, h = y["bounding_boxes"]["boxes"][0]
            rows, columns = np.nonzero(y["images"][..., 0] > 0.5)
            found = columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1
            np.testing.assert_allclose((x, top, w, h), found, atol=1.3)
            assert y["bounding_boxes"]["labels"].tolist() == [1]


def test_masks_keep_their_classes():
    masks = RNG.integers(0, 5, (4, 6, 8, 1))
    for layer in augmentations()[:7]:
        y = layer({"images": IMAGES, "segmentation_masks": masks})
        assert set(np.unique(y["segmentation_masks"])) <= {0, 1, 2, 3, 4}
        assert y["segmentation_masks"].shape[:3] == y["images"].shape[:3]


def test_what_is_refused():
    with pytest.raises(ValueError, match="bounding_box_format"):
        layers.RandomFlip(bounding_box_format="corners")
    with pytest.raises(ValueError, match="dictionary with 'images'"):
        layers.RandomFlip()({"pictures": IMAGES})
    model = cconv.Sequential([cconv.Input((None, None, 3)), layers.RandomRotation(0.1)])
    with pytest.raises(ValueError, match="height and width are known"):
        model.describe_graph(training=True)
    assert model(IMAGES, training=True).shape == IMAGES.shape  # there they are
    with pytest.raises(ValueError, match="rank 3"):
        layers.RandomFlip()(np.zeros((4, 4)))


def batch(n=2000):
    x = np.repeat(np.arange(2, dtype="float32"), n // 2).reshape(n, 1, 1, 1) * np.ones((1, 6, 8, 1), "float32")
    return {"images": x, "labels": np.eye(2)[x[:, 0, 0, 0].astype(int)]}


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mix_up(alpha):
    """Images and labels in the same shares, of Beta(alpha, alpha), whose variance is 1 / (8 alpha + 4)."""
    layer, data = layers.MixUp(alpha, seed=2), batch()
    y = layer(data)
    np.testing.assert_allclose(y["images"][:, 3, 2, 0], y["labels"][:, 1], atol=1e-6)
    other = y["labels"][np.arange(2000), 1 - data["labels"].argmax(1)]
    mixed = other[(other > 0) & (other < 1)]
    assert 0.3 < len(mixed) / 2000 < 0.6
    assert abs(mixed.mean() - 0.5) < 0.05 and abs(mixed.var() - 1 / (8 * alpha + 4)) < 0.02
    boxed = layers.MixUp(alpha, bounding_box_format="xyxy")
    boxes = {"boxes": np.ones((2000, 3, 4)), "labels": np.ones((2000, 3))}
    found = boxed({**data, "bounding_boxes": boxes})["bounding_boxes"]
    assert found["boxes"].shape == (2000, 6, 4) and found["labels"].shape == (2000, 6)


def test_cut_mix():
    """The share of the other image is what labels say, but for whole cells."""
    layer, data = layers.CutMix((1.0, 1.0), seed=2), batch()
    y = layer(data)
    own = data["labels"].argmax(1)
    other = y["labels"][np.arange(2000), 1 - own]
    cut = np.abs(y["images"][..., 0] - data["images"][..., 0]).mean((1, 2))
    mixed = other > 0
    assert np.corrcoef(cut[mixed], other[mixed])[0, 1] > 0.95
    assert abs(cut[mixed].mean() - other[mixed].mean()) < 0.06
    with pytest.raises(NotImplementedError, match="boxes"):
        layers.CutMix(bounding_box_format="xyxy")({**data, "bounding_boxes": {"boxes": np.ones((2000, 1, 4))}})


def test_erasing_leaves_the_rest():
    x = np.zeros((500, 10, 12, 2), "float32")
    y = layers.RandomErasing((1.0, 1.0), (0.2, 0.3), fill_value=5, seed=1)(x)
    rows, columns = (np.any(y[..., 0] == 5, axis=axis).sum(1) for axis in (2, 1))
    assert set(np.unique(y)) == {0, 5}
    assert set(rows) <= {4, 5, 6} and set(columns) <= {5, 6, 7}
    assert np.array_equal((y[..., 0] == 5).sum((1, 2)), rows * columns)
    assert (layers.RandomErasing((0.0, 0.0))(x) == 0).all()


@pytest.mark.parametrize(
    "name",
    ["RandomContrast", "RandomErasing", "RandomHue", "RandomInvert", "RandomPerspective", "RandomSaturation"],
)
def test_a_negative_number_is_no_range_from_zero(name):
    """As in Keras, which takes it where a number stands for both directions only."""
    with pytest.raises(ValueError, match="factor"):
        getattr(layers, name)(-0.5)
    assert layers.RandomBrightness(-0.5).factor == (-0.5, 0.5)
    assert layers.RandomContrast((-0.5, 0.5)).factor == (-0.5, 0.5)
