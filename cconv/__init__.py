"""cconv: convolutional networks on CPUs. Keras' interface, computed in C.

>>> import cconv
>>> model = cconv.Sequential([
...     cconv.Input((28, 28, 1)),
...     cconv.layers.Conv2D(32, 3, activation="relu"),
...     cconv.layers.MaxPooling2D(),
...     cconv.layers.Flatten(),
...     cconv.layers.Dense(10, activation="softmax"),
... ])
>>> model.count_params()
54410
"""

import warnings as _warnings
from importlib import import_module as _import_module
from importlib.util import find_spec as _find_spec

if _find_spec("cconv._core") is None:
    raise ImportError(
        f"{__path__[0]!r} is the source of cconv, not compiled for this Python. An installed cconv is found when "
        "Python is started in another folder; `pip install --editable .` compiles this one in place."
    )

from . import (
    _core,
    activations,
    backend,
    callbacks,
    config,
    constraints,
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    models,
    onnx,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    tree,
    utils,
)
from ._c_library import get_include, get_library
from ._config_report import show_config
from ._core import get_num_threads, set_num_threads
from .dtype_policies import DTypePolicy
from .initializers import Initializer
from .keras_names import getattr_of as _getattr_of
from .layers.input_layer import Input
from .layers.input_spec import InputSpec
from .layers.layer import Layer
from .losses import Loss
from .metrics import Metric
from .models.model import Functional, Model
from .models.sequential import Sequential
from .ops.own_gradients import custom_gradient
from .optimizers import Optimizer
from .regularizers import Regularizer
from .scope import device, name_scope
from .tape import GradientTape
from .tensor import Tensor
from .variable import Variable

__version__ = _core.version()
KerasTensor = Tensor  # as scripts ask with `isinstance`


def version() -> str:
    """The version, `cconv.__version__`."""
    return __version__


if _core.isa_error():
    _warnings.warn(f"{_core.isa_error()}; using {_core.isa()}", stacklevel=2)

# imported when first used
_LATE = frozenset(["applications", "datasets", "preprocessing", "visualization", "wrappers"])
_missing = _getattr_of(globals(), [*_LATE, *(key for key, value in globals().items() if hasattr(value, "__path__"))])

__all__ = [
    "DTypePolicy",
    "Functional",
    "GradientTape",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Model",
    "Sequential",
    "Tensor",
    "Variable",
    "custom_gradient",
    "device",
    "get_include",
    "get_library",
    "get_num_threads",
    "name_scope",
    "set_num_threads",
    "version",
]


def __getattr__(name: str):
    if name in _LATE:
        return _import_module(f".{name}", __name__)
    return _missing(name)


def __dir__():
    return sorted({*globals(), *_LATE})
