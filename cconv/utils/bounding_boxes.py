"""Bounding boxes in several formats: how they are converted, clipped, moved, compared and told from anchors."""

from ..keras_names import getattr_of
from ..ops import bounding_boxes, box_deltas
from ..ops.bounding_boxes import *
from ..ops.box_deltas import *

__all__ = sorted([*bounding_boxes.__all__, *box_deltas.__all__])
__getattr__ = getattr_of(globals())
