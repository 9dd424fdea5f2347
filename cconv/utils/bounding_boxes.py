"""Bounding boxes in several formats: how they are converted, clipped, moved and compared."""

from ..keras_names import getattr_of
from ..ops.bounding_boxes import *
from ..ops.bounding_boxes import __all__ as __all__

__getattr__ = getattr_of(globals())
