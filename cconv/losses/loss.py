"""The base of all losses, and how the numbers of a batch become one: weights and reduction."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import ops
from ..array_like import is_array_like, to_numpy
from ..changes import Observed
from ..config import standardize_dtype
from ..configured import Configured
from ..naming import auto_name
from ..ops._apply import is_eager, name_scope, shape_of
from ..recording import record_of
from ..scope import is_tracing
from ..serialization import deserialize_object, serialize_object
from ..tensor import Operators
from .arguments import checked, is_ours
from .recorded import entered

__all__ = ["Loss", "LossFunctionWrapper"]

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss(Configured, Observed):
    """Base class of losses.

    Subclass it and write `call(y_true, y_pred)` with `cconv.ops`: it returns one number for each sample (or each pixel
    of each sample), or one for the whole batch, traces into the graph of the model, and needs no gradient of its own.

    Args:
        name: Name of the loss.
        reduction: How the samples' numbers become the loss: `"sum_over_batch_size"` or `"mean"` (their mean), `"sum"`,
            `"mean_with_sample_weight"` (the sum divided by the sum of the weights), `"none"` or `None` (no reduction).
        dtype: `"float32"`.

    Example:

    >>> class Cubic(cconv.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return cconv.ops.mean(cconv.ops.abs(y_pred - y_true) ** 3, axis=-1)
    >>> float(Cubic()([[0.0, 2.0]], [[1.0, 2.0]]))
    0.5
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        self.name = name or auto_name(type(self).__name__)
        self.reduction = standardize_reduction(reduction)
        self.dtype = standardize_dtype(dtype)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss of a batch: a tensor of the graph if `y_pred` is one, else a number.

        Args:
            y_true: Targets.
            y_pred: Predictions.
            sample_weight: What each sample counts; of the shape of `call`'s result, or of its first axes.
        """
        with name_scope(self.name):
            y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
            values = self.call(y_true, y_pred)
            mask = both_masks(getattr(y_pred, "mask", None), self.compute_mask(y_true, y_pred))
            sample_weight = apply_mask(sample_weight, mask, self.reduction)
            return reduce_weighted_values(values, sample_weight, self.reduction)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The numbers of the samples; for subclasses to write."""
        raise NotImplementedError(f"{type(self).__name__} must define `call(y_true, y_pred)`.")

    def compute_mask(self, y_true: Any, y_pred: Any) -> Any:
        """1 for each of `call`'s numbers that counts, 0 for others; None if all do. Means are over those that count."""
        return None

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Loss:
        return cls(**config)


class LossFunctionWrapper(Loss):
    """A loss made from a function.

    Args:
        fn: A function of `(y_true, y_pred, **kwargs)`, written with `cconv.ops`.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.
        **kwargs: Passed on to `fn`.

    Attributes:
        fn: The function.
        settings: What is passed on to it.

    Example:

    >>> loss = cconv.losses.LossFunctionWrapper(cconv.losses.mean_squared_error, name="mse")
    >>> float(loss([[0.0, 2.0]], [[2.0, 2.0]]))
    2.0
    """

    def __init__(
        self,
        fn: Any,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name or getattr(fn, "__name__", None), reduction=reduction, dtype=dtype)
        self.fn = fn
        self.settings = checked(fn, kwargs)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        eager = not is_tracing() and is_eager(y_true, y_pred, sample_weight)
        record = record_of(y_true, y_pred, sample_weight) if eager else None
        if record is not None and self._is_known():
            given = tuple([_with_shape(x) for x in (y_true, y_pred, sample_weight)])
            check = getattr(self.fn, "check", None)  # what is traced has no numbers to look at
            if check is not None:
                check(*given[:2], **self.settings)
            value = entered(self, given, record)
            if value is not None:
                return value
        return super().__call__(y_true, y_pred, sample_weight)

    def _is_known(self) -> bool:
        """Whether a call is traced as it runs: code of this package only, and nothing that a tape may have made."""
        own = is_ours(type(self)) and is_ours(self.fn)
        return own and not any(is_array_like(value) for value in self.settings.values())

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self.settings)

    def compute_mask(self, y_true: Any, y_pred: Any) -> Any:
        return function_mask(self.fn, y_true, y_pred, self.settings)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if type(self) is LossFunctionWrapper:
            config["fn"] = serialize_object(self.fn)
        names = list(inspect.signature(type(self).__init__).parameters)
        config.update({key: value for key, value in self.settings.items() if key in names or "kwargs" in names})
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Loss:
        return cls(**deserialize_object(dict(config)))

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), **self.settings}


def _with_shape(x: Any) -> Any:
    """Numbers as an array; arrays, tensors, variables and `None` as they are."""
    return x if x is None or isinstance(x, (np.ndarray, Operators)) else to_numpy(x)


def standardize_reduction(reduction: str | None) -> str | None:
    """Checks a `reduction` argument."""
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"Invalid value for argument `reduction`. Expected one of {REDUCTIONS}. Received: reduction={reduction!r}"
        )
    return reduction


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Adds or removes a last axis of size 1 where that makes the ranks equal: targets (n,) fit predictions (n, 1)."""
    shape1, shape2 = shape_of(x1), shape_of(x2)
    if len(shape1) == len(shape2) + 1 and shape1[-1] == 1:
        if len(shape2) == 1 and expand_rank_1:
            x2 = ops.expand_dims(x2, -1)
        else:
            x1 = ops.squeeze(x1, -1)
    elif len(shape2) == len(shape1) + 1 and shape2[-1] == 1:
        if len(shape1) == 1 and expand_rank_1:
            x1 = ops.expand_dims(x1, -1)
        else:
            x2 = ops.squeeze(x2, -1)
    return x1, x2


def align_weights(values: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Values and weights of one rank. Weights of the first axes get axes of size 1 behind them: one weight for a sample
    counts for all of its pixels. One number for the whole batch is weighted by each weight."""
    if not shape_of(values):
        return values, sample_weight
    values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
    shape, weights = shape_of(values), shape_of(sample_weight)
    fits = len(weights) <= len(shape) and all(
        w == 1 or v is None or w is None or v == w for v, w in zip(shape, weights)
    )
    if not fits:
        raise ValueError(
            f"Expected sample weights of shape {tuple(shape)} or of its first axes, for the numbers of the samples. "
            f"Received: sample_weight of shape {tuple(weights)}"
        )
    for _ in range(len(shape) - len(weights) if weights else 0):
        sample_weight = ops.expand_dims(sample_weight, -1)
    return values, sample_weight


def reduce_weighted_values(
    values: Any, sample_weight: Any = None, reduction: str | None = "sum_over_batch_size"
) -> Any:
    """Multiplies by the weights and reduces.

    Example:

    >>> from cconv.losses.loss import reduce_weighted_values
    >>> import numpy as np
    >>> float(reduce_weighted_values(np.array([1.0, 3.0]), np.array([1.0, 0.0]), "sum"))
    1.0
    """
    reduction = standardize_reduction(reduction)
    if sample_weight is not None:
        values, sample_weight = align_weights(values, sample_weight)
        values = values * sample_weight
    if reduction in (None, "none") or len(shape_of(values)) == 0:
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return divide_no_nan(ops.sum(values), ops.sum(sample_weight))
    return ops.mean(values)


def function_mask(fn: Any, y_true: Any, y_pred: Any, settings: Mapping[str, Any]) -> Any:
    """1 for each of a function's numbers that counts, 0 for others; None if all do, or it does not say."""
    mask = getattr(fn, "mask", None)
    return None if mask is None else mask(y_true, y_pred, **settings)


def both_masks(steps: Any, mask: Any) -> Any:
    """What the loss masks, and the bools that came with the predictions from a layer such as `Masking`."""
    if steps is None:
        return mask
    steps = ops.cast(steps, "float32")
    return steps if mask is None else ops.multiply(*align_weights(mask, steps))


def apply_mask(sample_weight: Any, mask: Any, reduction: str | None) -> Any:
    """The weights with the mask in them. What is left counts more in a mean, so that it is one over what is left."""
    if mask is None:
        return sample_weight
    if reduction in ("mean", "sum_over_batch_size"):
        mask = divide_no_nan(mask, ops.mean(mask))
    if sample_weight is None:
        return mask
    mask, sample_weight = align_weights(mask, sample_weight)
    return mask * sample_weight


def divide_no_nan(a: Any, b: Any) -> Any:
    """a / b, and 0 where b is 0."""
    return ops.where(b == 0, 0.0, a / ops.where(b == 0, 1.0, b))
