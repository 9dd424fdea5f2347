"""Helpers around models: seeds, labels, progress display."""

from .._config_report import show_config
from ..keras_names import getattr_of
from .image_dataset import image_dataset_from_directory
from .image_files import array_to_img, img_to_array, load_img, save_img
from .numerical_utils import normalize, to_categorical
from .progbar import Progbar
from .py_dataset import PyDataset, Sequence, pack_x_y_sample_weight, unpack_x_y_sample_weight
from .rng_utils import get_random_seed, set_random_seed
from .session import clear_session

__all__ = [
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "clear_session",
    "get_random_seed",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "pack_x_y_sample_weight",
    "save_img",
    "set_random_seed",
    "show_config",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
__getattr__ = getattr_of(globals())
