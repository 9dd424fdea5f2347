"""`cconv.preprocessing`: the names that scripts of Keras' earlier versions import."""

import numpy as np
import pytest

import cconv
from cconv import preprocessing, utils


def test_they_are_the_functions_of_utils():
    for name in ("array_to_img", "img_to_array", "load_img", "save_img"):
        assert getattr(preprocessing.image, name) is getattr(utils, name)
    assert preprocessing.sequence.pad_sequences is utils.pad_sequences
    assert cconv.preprocessing.image_dataset_from_directory is utils.image_dataset_from_directory


def test_smart_resize_takes_the_middle():
    x = np.zeros((2, 4, 12, 1), np.float32)
    x[:, :, 4:8] = 5
    assert (preprocessing.image.smart_resize(x, (2, 2)) == 5).all()
    first = preprocessing.image.smart_resize(np.moveaxis(x, -1, 1), (3, 3), "nearest", "channels_first")
    assert first.shape == (2, 1, 3, 3) and (first == 5).all()
    with pytest.raises(ValueError, match="size"):
        preprocessing.image.smart_resize(x, 7)


def test_what_keras_itself_has_given_up_is_not_there():
    with pytest.raises(AttributeError, match="ImageDataGenerator"):
        preprocessing.image.ImageDataGenerator  # noqa: B018
