"""Where older scripts look for `cconv.utils.pad_sequences`."""

from ..keras_names import getattr_of
from ..utils import pad_sequences

__all__ = ["pad_sequences"]
__getattr__ = getattr_of(globals())
