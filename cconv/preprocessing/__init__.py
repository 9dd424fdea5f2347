"""Where older scripts look for what is in `cconv.utils`: the same functions, under the names they had."""

from ..keras_names import getattr_of
from ..utils import image_dataset_from_directory, timeseries_dataset_from_array
from . import image, sequence

__all__ = ["image", "image_dataset_from_directory", "sequence", "timeseries_dataset_from_array"]
__getattr__ = getattr_of(globals())
