"""Images from files beside Keras: single images, and which files make up training and validation for a seed."""

import inspect
import os

import keras
import numpy as np
import pytest
from keras.src.utils import dataset_utils

import cconv
from cconv import utils

Image = pytest.importorskip("PIL.Image")

NAMES = ("load_img", "save_img", "array_to_img", "img_to_array")


@pytest.mark.parametrize("name", NAMES)
def test_signatures(name):
    ours, theirs = (inspect.signature(getattr(k.utils, name)).parameters for k in (cconv, keras))
    assert {p.name: p.default for p in ours.values()} == {p.name: p.default for p in theirs.values()}


def test_the_signature_of_a_folder_has_one_argument_more():
    ours, theirs = (inspect.signature(k.utils.image_dataset_from_directory).parameters.values() for k in (cconv, keras))
    assert [(p.name, p.default) for p in ours][:-1] == [(p.name, p.default) for p in theirs]


def picture(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("mode", ["grayscale", "rgb", "rgba"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [None, (5, 9), (20, 7), (11, 11)])
def test_load_img(tmp_path, mode, channels, size):
    array = picture((11, 13, channels))
    utils.save_img(tmp_path / "x.png", array, scale=False)
    for options in ({}, {"interpolation": "bilinear"}, {"interpolation": "lanczos", "keep_aspect_ratio": True}):
        ours, theirs = (
            k.utils.load_img(tmp_path / "x.png", color_mode=mode, target_size=size, **options) for k in (cconv, keras)
        )
        assert ours.mode == theirs.mode
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("shape", [(4, 4, 1), (3, 5, 3), (4, 6, 4), (1, 3, 1), (3, 4, 3)])
def test_arrays_to_images_and_back(shape, scale, data_format):
    for array in (picture(shape), picture(shape) / 300.0 - 0.2, np.full(shape, 300.0)):
        if not scale and array.min() < 0:
            continue  # what a negative number becomes as a byte is nobody's promise
        if data_format == "channels_first":
            array = array.transpose(2, 0, 1)
        ours, theirs = (k.utils.array_to_img(array, data_format, scale=scale) for k in (cconv, keras))
        assert ours.mode == theirs.mode
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
        a, b = (k.utils.img_to_array(theirs, data_format=data_format) for k in (cconv, keras))
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def folder(tmp_path):
    for name, count in (("b", 7), ("a", 11), ("c", 3)):
        (tmp_path / name / "inner").mkdir(parents=True)
        for i in range(count):
            place = tmp_path / name / "inner" if i % 3 == 2 else tmp_path / name
            Image.fromarray(picture((4, 4, 3))).save(place / f"{i}.{('png', 'jpg', 'BMP')[i % 3]}")
    return tmp_path


@pytest.mark.parametrize("labels", ["inferred", None, "list"])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("class_names", [None, ["c", "b"]])
def test_files_of_training_and_validation(folder, labels, shuffle, class_names):
    if class_names and labels != "inferred":
        return
    labels = list(np.arange(21) % 4) if labels == "list" else labels
    options = {"seed": 12, "shuffle": shuffle}
    paths, numbers, names = dataset_utils.index_directory(
        str(folder), labels, (".png", ".jpg", ".bmp"), class_names=class_names, verbose=False, **options
    )
    for subset in ("training", "validation"):
        data = utils.image_dataset_from_directory(
            folder,
            labels,
            class_names=class_names,
            validation_split=0.3,
            subset=subset,
            image_size=(4, 4),
            verbose=False,
            **options,
        )
        kept, kept_labels = dataset_utils.get_training_or_validation_split(paths, numbers, 0.3, subset)
        assert [os.path.normpath(p) for p in data.file_paths] == [os.path.normpath(p) for p in kept]
        if labels is not None:
            assert data.class_names == list(names)
            if not shuffle:
                np.testing.assert_array_equal([y for _, y in data.unbatch()], kept_labels)


@pytest.mark.parametrize("size", [(5, 4), (13, 20), (8, 8), (40, 9)])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("options", [{}, {"crop_to_aspect_ratio": True}])
def test_pixels(tmp_path, size, interpolation, options):
    array = picture((17, 12, 3))
    utils.save_img(tmp_path / "x.png", array, scale=False)
    data = utils.image_dataset_from_directory(
        tmp_path, None, image_size=size, interpolation=interpolation, verbose=False, **options
    )
    expected = keras.ops.image.resize(
        array.astype(np.float32), size, interpolation, data_format="channels_last", **options
    )
    np.testing.assert_allclose(next(iter(data))[0], keras.ops.convert_to_numpy(expected), atol=1e-3)
