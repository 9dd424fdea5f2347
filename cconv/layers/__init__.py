"""Layers: steps of models, named as in Keras."""

from ..keras_names import getattr_of
from ..registry import register_public
from . import (
    activation,
    adaptive_pooling,
    augmentation,
    conv,
    conv_transpose,
    core,
    cropping,
    dense,
    depthwise_conv,
    global_pooling,
    input_layer,
    input_spec,
    merging,
    normalization,
    padding,
    pooling,
    regularization,
    reshaping,
    resizing,
    separable_conv,
    up_sampling,
    wrapping,
)
from .activation import *
from .adaptive_pooling import *
from .augmentation import *
from .conv import *
from .conv_transpose import *
from .core import *
from .cropping import *
from .dense import *
from .depthwise_conv import *
from .global_pooling import *
from .input_layer import *
from .input_spec import *
from .layer import Layer
from .merging import *
from .normalization import *
from .padding import *
from .pooling import *
from .regularization import *
from .reshaping import *
from .resizing import *
from .separable_conv import *
from .up_sampling import *
from .wrapping import *

_MODULES = (
    activation, adaptive_pooling, augmentation, conv, conv_transpose, core, cropping, dense, depthwise_conv,
    global_pooling, input_layer, input_spec, merging, normalization, padding, pooling, regularization, reshaping,
    resizing, separable_conv, up_sampling, wrapping,
)  # fmt: skip
__all__ = sorted(["Layer", *(name for module in _MODULES for name in module.__all__)])

register_public("keras.layers", globals())
__getattr__ = getattr_of(globals())
