"""Functions of images: arrays and symbolic tensors `(n, h, w, c)`, or one image `(h, w, c)`."""

from ...keras_names import getattr_of as _getattr_of
from . import borders, color, patches, resizing, transforms
from .borders import *
from .color import *
from .patches import *
from .resizing import *
from .transforms import *

__all__ = sorted(name for part in (borders, color, patches, resizing, transforms) for name in part.__all__)

__getattr__ = _getattr_of(globals())
