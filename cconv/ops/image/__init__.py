"""Functions of images: arrays and symbolic tensors `(n, h, w, c)`, or one image `(h, w, c)`."""

from ...keras_names import getattr_of as _getattr_of
from . import borders, color, distortion, filters, patches, resizing, transforms
from .borders import *
from .color import *
from .distortion import *
from .filters import *
from .patches import *
from .resizing import *
from .transforms import *

_PARTS = (borders, color, distortion, filters, patches, resizing, transforms)
__all__ = sorted(name for part in _PARTS for name in part.__all__)

__getattr__ = _getattr_of(globals())
