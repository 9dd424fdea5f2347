"""Functions of arrays and symbolic tensors.

Given NumPy arrays they compute at once and return arrays of the dtypes that Keras has; given symbolic tensors, or
variables in the `call` of a layer, they describe the same computation as part of a model; inside a `GradientTape` they
are recorded. There is one implementation of each, made of ops of the C core; a function that NumPy computes says that
it is for arrays only.

Shapes that do not fit and axes that are not there are a `ValueError`, values of a type that a function does not take a
`TypeError`: the message names the function, what was expected and what came.
"""

from ..keras_names import getattr_of as _getattr_of
from ..registry import register_public as _register_public
from . import image, linalg, nn, numpy, operators
from .activations import *
from .arithmetic import *
from .arrangement import *
from .attention import *
from .bitwise import *
from .blocks import *
from .comparison import *
from .contraction import *
from .control import *
from .convolution import *
from .counting import *
from .cumulation import *
from .detection import *
from .distances import *
from .exponential import *
from .fourier import *
from .indexing import *
from .indexing import slice_ as slice
from .joining import *
from .linalg import *
from .losses import *
from .matrices import *
from .nan_reductions import *
from .normalization import *
from .own_gradients import *
from .piecewise import *
from .pooling import *
from .powers import *
from .random import *
from .ranges import *
from .reductions import *
from .rounding import *
from .sampling import *
from .scatter import *
from .shapes import *
from .sorting import *
from .subscripts import *
from .tensors import *
from .trigonometry import *

# the modules say which of their functions are public
__all__ = sorted(name for name, value in globals().items() if callable(value) and not name.startswith("_"))

_register_public("keras.ops", globals())
__getattr__ = _getattr_of(globals())
