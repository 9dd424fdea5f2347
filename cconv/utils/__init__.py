"""Helpers around models: seeds, labels, progress display."""

from .._config_report import show_config
from ..keras_names import getattr_of
from . import bounding_boxes
from .numerical_utils import normalize, to_categorical
from .progbar import Progbar
from .py_dataset import PyDataset, Sequence, pack_x_y_sample_weight, unpack_x_y_sample_weight
from .rng_utils import get_random_seed, set_random_seed
from .session import clear_session

__all__ = [
    "Progbar",
    "PyDataset",
    "Sequence",
    "bounding_boxes",
    "clear_session",
    "get_random_seed",
    "normalize",
    "pack_x_y_sample_weight",
    "set_random_seed",
    "show_config",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
__getattr__ = getattr_of(globals())
