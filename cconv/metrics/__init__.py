"""Metrics: what a model reports about itself. Names, arguments and values are Keras'.

`update_state(y_true, y_pred, sample_weight=None)` takes a batch, arrays `(n, ...)` and weights that stretch to the
numbers of the samples; `result()` is a Python float, or an array where there are several numbers; `reset_state()`
begins anew; a call, `metric(y_true, y_pred)`, updates and returns the result. Shapes that do not fit and settings out
of their range are a `ValueError`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ..keras_names import getattr_of, unknown
from ..losses.functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from ..naming import to_snake_case
from ..registry import get_registered_object, register_public
from ..serialization import deserialize_object, serialize_object
from . import (
    accuracies,
    at_bound,
    auc,
    classification,
    confusion,
    correlations,
    fbeta,
    iou,
    metric,
    r2_score,
    reduction,
    regression,
)
from .accuracies import *
from .at_bound import *
from .auc import *
from .classification import *
from .confusion import *
from .correlations import *
from .fbeta import *
from .iou import *
from .metric import *
from .r2_score import *
from .reduction import *
from .regression import *

_LOSSES = (
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
    categorical_hinge, hinge, huber, kl_divergence, log_cosh, mean_absolute_error, mean_absolute_percentage_error,
    mean_squared_error, mean_squared_logarithmic_error, poisson, sparse_categorical_crossentropy, squared_hinge,
)  # fmt: skip
_MODULES = (accuracies, at_bound, auc, classification, confusion, correlations)
_MODULES += (fbeta, iou, metric, r2_score, reduction, regression)
__all__ = sorted(
    ["deserialize", "get", "serialize"]
    + [name for module in _MODULES for name in module.__all__]
    + [loss.__name__ for loss in _LOSSES]
)

_CLASSES = {name: globals()[name] for name in __all__ if name[0].isupper()}
_OBJECTS = {
    **_CLASSES,
    **{to_snake_case(name): cls for name, cls in _CLASSES.items()},
    "bce": classification.BinaryCrossentropy,
    "BCE": classification.BinaryCrossentropy,
    "mse": regression.MeanSquaredError,
    "MSE": regression.MeanSquaredError,
    "mae": regression.MeanAbsoluteError,
    "MAE": regression.MeanAbsoluteError,
    "mape": regression.MeanAbsolutePercentageError,
    "MAPE": regression.MeanAbsolutePercentageError,
    "msle": regression.MeanSquaredLogarithmicError,
    "MSLE": regression.MeanSquaredLogarithmicError,
}


def serialize(metric: Any) -> Any:
    """The configuration of a metric, for `deserialize`.

    Args:
        metric: The metric; one of a class of your own needs `get_config`.

    Returns:
        Dictionary of plain values that JSON can hold.

    Raises:
        TypeError: It has no `get_config`.

    Example:

    >>> cconv.metrics.serialize(cconv.metrics.AUC())["class_name"]
    'AUC'
    """
    return serialize_object(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric that a configuration (or a name) describes.

    Args:
        config: What `serialize` returned, or a name.
        custom_objects: Dictionary of names to your own classes and functions.

    Raises:
        ValueError: It names nothing that is known or registered.

    Example:

    >>> config = cconv.metrics.serialize(cconv.metrics.TopKCategoricalAccuracy(k=3))
    >>> cconv.metrics.deserialize(config).k
    3
    """
    if isinstance(config, str):
        found = get_registered_object(config, custom_objects, _OBJECTS)
        if found is None:
            raise ValueError(
                f"Could not interpret metric identifier: {config!r}. {unknown(__name__, config, _OBJECTS)}"
            )
        return found
    return deserialize_object(config, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """A metric (or a function), from its name, its configuration, its class, or itself. `None` stays.

    Raises:
        ValueError: It is none of these.

    Example:

    >>> cconv.metrics.get("mse").name
    'mean_squared_error'
    """
    if identifier is None:
        return None
    found = deserialize(identifier) if isinstance(identifier, (str, Mapping)) else identifier
    if not callable(found):
        raise ValueError(f"Could not interpret metric identifier: {identifier!r}")
    return found() if inspect.isclass(found) else found


register_public("keras.metrics", globals())
__getattr__ = getattr_of(globals())
