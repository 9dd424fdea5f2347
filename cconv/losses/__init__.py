"""Losses: what training makes small. Names, arguments and values are Keras'."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ..registry import get_registered_object, register_public
from ..serialization import deserialize_object, serialize_object
from .classes import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Dice,
    Hinge,
    Huber,
    KLDivergence,
    L1Loss,
    L2Loss,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    Tversky,
)
from .functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    cosine_similarity,
    dice,
    hinge,
    huber,
    kl_divergence,
    l1_loss,
    l2_loss,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    tversky,
)
from .loss import Loss, LossFunctionWrapper

_ALIASES = {
    "bce": binary_crossentropy,
    "BCE": binary_crossentropy,
    "kld": kl_divergence,
    "KLD": kl_divergence,
    "mae": mean_absolute_error,
    "MAE": mean_absolute_error,
    "mse": mean_squared_error,
    "MSE": mean_squared_error,
    "mape": mean_absolute_percentage_error,
    "MAPE": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error,
    "MSLE": mean_squared_logarithmic_error,
}

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "L1Loss",
    "L2Loss",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "l1_loss",
    "l2_loss",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
_OBJECTS = {name: globals()[name] for name in __all__ if name not in ("deserialize", "get", "serialize")} | _ALIASES


def serialize(loss: Any) -> Any:
    """The configuration of a loss, for `deserialize`."""
    return serialize_object(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss that a configuration (or a name) describes.

    Example:

    >>> config = cconv.losses.serialize(cconv.losses.Huber(delta=2.0))
    >>> cconv.losses.deserialize(config).delta
    2.0
    """
    if isinstance(name, str):
        found = get_registered_object(name, custom_objects, _OBJECTS)
        if found is None:
            raise ValueError(f"Could not interpret loss identifier: {name!r}. Expected one of {sorted(_OBJECTS)}.")
        return found
    return deserialize_object(name, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """A loss, from its name, its configuration, its class, or itself.

    Example:

    >>> cconv.losses.get("mse") is cconv.losses.mean_squared_error
    True
    >>> type(cconv.losses.get("MeanSquaredError")).__name__
    'MeanSquaredError'
    """
    if identifier is None:
        return None
    found = deserialize(identifier) if isinstance(identifier, (str, Mapping)) else identifier
    if not callable(found):
        raise ValueError(f"Could not interpret loss identifier: {identifier!r}")
    return found() if inspect.isclass(found) else found


register_public("keras.losses", globals())
