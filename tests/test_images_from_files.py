"""Image files: reading and writing them, folders of them as data sets, damaged ones, and a missing Pillow."""

import io
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import cconv
from cconv import utils
from cconv.data import UNKNOWN_CARDINALITY
from cconv.utils.image_dataset import image_dataset_from_directory as from_directory
from cconv.utils.resampling import INTERPOLATIONS, cropped, padded, resized

Image = pytest.importorskip("PIL.Image")
RANDOM = np.random.default_rng(0)


def picture(h=6, w=8, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (h, w, channels)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Three classes of 4, 5 and 6 images; the red value of each image is its number."""
    number = 0
    for name, count in (("cat", 4), ("dog", 5), ("eel", 6)):
        (tmp_path / name).mkdir()
        for i in range(count):
            image = np.full((5, 7, 3), (number, 10, 200), np.uint8)
            Image.fromarray(image).save(tmp_path / name / f"{i}.{('png', 'bmp')[i % 2]}")
            number += 1
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    return tmp_path


def numbers_in(data):
    return [int(x[..., 0, 0, 0]) for x in data.unbatch().map(lambda x, *_: x)]


# ---- resampling


def slow(image, size, interpolation):
    """The definition, pixel by pixel, in float64."""
    kernels = {
        "nearest": None,
        "bilinear": (1, lambda x: max(1 - x, 0)),
        "bicubic": (
            2,
            lambda x: 1.5 * x**3 - 2.5 * x**2 + 1 if x < 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0,
        ),
        "lanczos3": (3, lambda x: np.sinc(x) * np.sinc(x / 3) if x < 3 else 0),
        "lanczos5": (5, lambda x: np.sinc(x) * np.sinc(x / 5) if x < 5 else 0),
    }
    for axis in (0, 1):
        n, m = image.shape[axis], size[axis]
        matrix = np.zeros((m, n))
        for i in range(m):
            center = (i + 0.5) * n / m
            if interpolation == "nearest":
                matrix[i, min(int(center), n - 1)] = 1
                continue
            for j in range(n):
                matrix[i, j] = kernels[interpolation][1](abs(j + 0.5 - center))
            matrix[i] /= matrix[i].sum()
        image = np.moveaxis(np.tensordot(matrix, image.astype(float), (1, axis)), 0, axis)
    return image


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(3, 5), (17, 11), (6, 8), (1, 1), (6, 30)])
def test_resampling_is_its_definition(size, interpolation):
    image = picture()
    found = resized(image, size, interpolation)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slow(image, size, interpolation), atol=2e-3)


def test_cropping_and_padding_keep_the_middle():
    image = picture(6, 9)
    np.testing.assert_array_equal(cropped(image, (2, 2)), image[:, 1:7])
    np.testing.assert_array_equal(cropped(image, (1, 3)), image[1:4])
    made = padded(image, (5, 5))
    assert made.shape == (9, 9, 3)
    np.testing.assert_array_equal(made[1:7], image)
    assert not made[0].any() and not made[7:].any()


# ---- single images


def test_an_image_goes_to_a_file_and_back(tmp_path):
    for channels, mode in ((1, "grayscale"), (3, "rgb"), (4, "rgba")):
        utils.save_img(tmp_path / "x.png", picture(channels=channels), scale=False)
        back = utils.img_to_array(utils.load_img(tmp_path / "x.png", color_mode=mode))
        np.testing.assert_array_equal(back, picture(channels=channels))
    first = utils.img_to_array(utils.load_img(tmp_path / "x.png", "rgba"), data_format="channels_first", dtype="uint8")
    np.testing.assert_array_equal(first, picture(channels=4).transpose(2, 0, 1))
    utils.save_img(tmp_path / "y.png", first, data_format="channels_first", scale=False)
    assert (tmp_path / "y.png").read_bytes() == (tmp_path / "x.png").read_bytes()
    in_memory = utils.load_img(io.BytesIO((tmp_path / "x.png").read_bytes()))
    assert in_memory.mode == "RGB"
    with pytest.warns(UserWarning, match="no alpha"):
        utils.save_img(tmp_path / "z.jpg", picture(channels=4))


def test_sixteen_bits_stay(tmp_path):
    deep = (np.arange(12).reshape(3, 4) * 5000).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(tmp_path / "deep.png", "grayscale"))[..., 0], deep)
    data = from_directory(tmp_path, None, color_mode="grayscale", image_size=(3, 4), verbose=False)
    np.testing.assert_array_equal(next(iter(data))[0, ..., 0], deep >> 8)


@pytest.mark.parametrize(
    "use, error, words",
    [
        (lambda p: utils.load_img(p / "no.png"), FileNotFoundError, "no.png"),
        (lambda p: utils.load_img(3), TypeError, "name of an image file.*int"),
        (lambda p: utils.load_img(p / "x.png", "cmyk"), ValueError, "color_mode.*cmyk"),
        (lambda p: utils.load_img(p / "x.png", interpolation="area"), ValueError, "interpolation.*area"),
        (lambda p: utils.load_img(p / "broken.jpg"), ValueError, "broken.jpg.* is damaged"),
        (lambda p: utils.load_img(p / "text.png"), ValueError, "text.png.* is damaged, or no image"),
        (lambda p: utils.array_to_img(np.zeros((2, 2))), ValueError, "of 3 axes"),
        (lambda p: utils.array_to_img(np.zeros((2, 2, 2))), ValueError, "1, 3 or 4 channels"),
        (lambda p: utils.img_to_array(np.zeros(2)), ValueError, "2 or 3 axes"),
        (lambda p: utils.save_img(p / "x.nothing", np.zeros((2, 2, 3))), ValueError, "nothing"),
    ],
)
def test_errors_of_single_images(tmp_path, use, error, words):
    utils.save_img(tmp_path / "x.png", picture())
    utils.save_img(tmp_path / "whole.jpg", picture(60, 60))
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:-900])
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(error, match=words):
        use(tmp_path)


def test_without_pillow_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL", None)
    for use in (
        lambda: utils.load_img("x.png"),
        lambda: utils.array_to_img(picture()),
        lambda: from_directory(tmp_path),
    ):
        with pytest.raises(ImportError, match=r"package Pillow.*pip install cconv\[images\]"):
            use()


# ---- folders


def test_a_folder_of_classes(folder, capsys):
    data = from_directory(folder, image_size=(5, 7), batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 15 files belonging to 3 classes.\n"
    assert data.class_names == ["cat", "dog", "eel"]
    assert len(data) == 4 and len(data.file_paths) == 15
    assert [os.path.relpath(p, folder) for p in data.file_paths[3:5]] == [f"cat{os.sep}3.bmp", f"dog{os.sep}0.png"]
    images, labels = next(iter(data))
    assert images.shape == (4, 5, 7, 3) and images.dtype == np.float32 and labels.dtype == np.int32
    assert numbers_in(data) == list(range(15))
    assert [int(y) for _, y in data.unbatch()] == [0] * 4 + [1] * 5 + [2] * 6


def test_labels_in_every_mode(folder):
    def labels(**kwargs):
        batches = list(from_directory(folder, image_size=(2, 2), shuffle=False, verbose=False, **kwargs))
        return batches[0][1] if isinstance(batches[0], tuple) else batches[0]

    np.testing.assert_array_equal(
        labels(label_mode="categorical"), np.eye(3, dtype=np.float32)[[0] * 4 + [1] * 5 + [2] * 6]
    )
    binary = labels(label_mode="binary", class_names=["eel", "cat"])
    np.testing.assert_array_equal(binary, np.array([[0.0]] * 6 + [[1.0]] * 4, np.float32))
    assert labels(label_mode=None).shape == labels(labels=None).shape == (15, 2, 2, 3)
    np.testing.assert_array_equal(labels(labels=list(range(15))), np.arange(15))
    single = from_directory(folder, image_size=(2, 2), batch_size=None, verbose=False)
    assert next(iter(single))[0].shape == (2, 2, 3)


def test_pixels_are_in_the_form_asked_for(folder):
    def first(**kwargs):
        return next(iter(from_directory(folder, shuffle=False, verbose=False, batch_size=2, **kwargs)))[0]

    assert first(image_size=(10, 4), color_mode="grayscale").shape == (2, 10, 4, 1)
    assert first(image_size=(10, 4), color_mode="rgba", data_format="channels_first").shape == (2, 4, 10, 4)
    np.testing.assert_allclose(first(image_size=(3, 3), color_mode="rgba")[0, 0, 0], [0, 10, 200, 255], rtol=1e-6)
    band = first(image_size=(14, 14), pad_to_aspect_ratio=True, interpolation="nearest")[1, :, 0, 2]
    np.testing.assert_array_equal(band, [0] * 2 + [200] * 10 + [0] * 2)
    assert first(image_size=(4, 4), crop_to_aspect_ratio=True).min() == 0


def test_training_and_validation_share_no_file(folder):
    options = {"seed": 7, "validation_split": 0.4, "image_size": (5, 7), "verbose": False}
    train, held_out = from_directory(folder, subset="both", **options)
    assert sorted(numbers_in(train) + numbers_in(held_out)) == list(range(15))
    assert len(held_out.file_paths) == 6
    assert from_directory(folder, subset="training", **options).file_paths == train.file_paths
    assert from_directory(folder, subset="validation", **options).file_paths == held_out.file_paths
    assert train.class_names == held_out.class_names == ["cat", "dog", "eel"]


def test_order_is_another_one_in_each_epoch_and_repeats_with_the_seed(folder):
    one, two = (from_directory(folder, image_size=(5, 7), seed=3, verbose=False) for _ in range(2))
    first, second = numbers_in(one), numbers_in(one)
    assert first != second and sorted(first) == list(range(15))
    assert [numbers_in(two), numbers_in(two)] == [first, second]


def test_damaged_files_are_refused_by_name_or_left_out(folder):
    (folder / "dog" / "2.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(ValueError, match="dog.2.png' is damaged, or no image"):
        list(from_directory(folder, image_size=(5, 7), verbose=False))
    data = from_directory(folder, image_size=(5, 7), verbose=False, shuffle=False, damaged="skip", batch_size=4)
    with pytest.warns(UserWarning, match="dog.2.png' is damaged.*left out"):
        assert numbers_in(data) == [i for i in range(15) if i != 6]
    assert data.cardinality() == UNKNOWN_CARDINALITY


@pytest.mark.parametrize(
    "options, words",
    [
        ({"labels": "guessed"}, "`labels`: expected 'inferred', a list"),
        ({"labels": [1, 2]}, "`labels`: expected one for each of the 15 files.*Received: 2"),
        ({"labels": ["a"] * 15}, "whole numbers"),
        ({"labels": [5] * 7 + [9] * 8, "label_mode": "categorical"}, "labels from 0 to 1.*from 5 to 9"),
        ({"label_mode": "onehot"}, "`label_mode`.*'categorical'"),
        ({"label_mode": "binary"}, "exactly two classes.*cat.*dog.*eel"),
        ({"class_names": ["cat", "cow"]}, "`class_names`.*'eel'.*'cow'"),
        ({"labels": None, "class_names": ["cat"]}, "labels='inferred' only"),
        ({"color_mode": "hsv"}, "`color_mode`"),
        ({"interpolation": "area"}, "`interpolation`: expected one of 'nearest', 'bilinear'"),
        ({"image_size": 5}, "two positive whole numbers"),
        ({"image_size": (5, 0)}, "two positive whole numbers"),
        ({"batch_size": 0}, "batch_size"),
        ({"validation_split": 1.5, "subset": "training"}, "between 0 and 1"),
        ({"validation_split": 0.5}, "together or not at all"),
        ({"subset": "training"}, "together or not at all"),
        ({"validation_split": 0.5, "subset": "test"}, "'training', 'validation' or 'both'"),
        ({"validation_split": 0.5, "subset": "both"}, "needs a `seed`"),
        ({"validation_split": 0.01, "subset": "validation", "seed": 1}, "for the validation subset"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "Only one of"),
        ({"format": "grain"}, "`format`: expected one of 'tf'"),
        ({"damaged": "ignore"}, "`damaged`"),
        ({"data_format": "chw"}, "data_format"),
    ],
)
def test_arguments_are_checked(folder, options, words):
    with pytest.raises(ValueError, match=words):
        from_directory(folder, verbose=False, **options)


def test_no_folder_and_an_empty_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        from_directory(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="Found none"):
        from_directory(tmp_path, verbose=False)


def test_a_model_trains_on_files(folder):
    data = from_directory(folder, image_size=(5, 7), batch_size=5, seed=1, verbose=False)
    results = []
    for _ in range(2):
        cconv.utils.set_random_seed(2)
        model = cconv.Sequential(
            [cconv.Input((5, 7, 3)), cconv.layers.Rescaling(1 / 255), cconv.layers.Flatten(), cconv.layers.Dense(3)]
        )
        model.compile("adam", cconv.losses.SparseCategoricalCrossentropy(from_logits=True))
        data = from_directory(folder, image_size=(5, 7), batch_size=5, seed=1, verbose=False)
        results.append(model.fit(data, validation_data=data.take(1), epochs=2, verbose=0).history)
    assert results[0] == results[1]
    assert model.predict(data, verbose=0).shape == (15, 3)
    assert len(model.evaluate(data, verbose=0, return_dict=True)) == 1


@pytest.mark.skipif("CCONV_DATASETS" not in os.environ, reason="CCONV_DATASETS is not set")
def test_photographs_of_hands(tmp_path):
    """Real JPEG files: a fist and an open hand are told apart."""
    archive = Path(os.environ["CCONV_DATASETS"], "sign_language_digits", "sign_language_digits.zip")
    if not archive.exists():
        pytest.skip("the data set is not there")
    with zipfile.ZipFile(archive) as files:
        names = [
            n for d in "05" for n in sorted(x for x in files.namelist() if f"/{d}/" in f"/{x}" and x[-1] != "/")[:70]
        ]
        files.extractall(tmp_path, names)
    root = os.path.dirname(os.path.dirname(os.path.join(tmp_path, names[0])))
    options = {"image_size": (24, 24), "validation_split": 0.2, "seed": 1, "subset": "both", "verbose": False}
    train, held_out = from_directory(root, **options)
    cconv.utils.set_random_seed(1)
    model = cconv.Sequential(
        [
            cconv.Input((24, 24, 3)),
            cconv.layers.Rescaling(1 / 255),
            cconv.layers.Conv2D(8, 3, activation="relu"),
            cconv.layers.MaxPooling2D(),
            cconv.layers.Flatten(),
            cconv.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(cconv.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train.cache(), epochs=12, verbose=0)
    assert model.evaluate(held_out, verbose=0, return_dict=True)["accuracy"] > 0.9
