"""Generalized cross-entropy: between cross-entropy and absolute error, for labels of which some are wrong."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..ops._apply import shape_of
from ..ops.arguments import number
from .loss import LossFunctionWrapper

__all__ = ["CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy"]


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """`(1 - p**q) / q`, p being the probability that is predicted for the class of the target.

    Zhang and Sabuncu, "Generalized cross entropy loss for training deep neural networks with noisy labels", 2018.

    Args:
        y_true: Class numbers of shape (...) or (..., 1).
        y_pred: Probabilities of shape (..., classes).
        q: Above 0 and below 1: near 0 it is the cross-entropy, near 1 the absolute error.

    Returns:
        One loss for each sample, of shape (...).

    Raises:
        ValueError: If q is out of range, or there is not one number for each sample.

    Example:

    >>> y_pred = np.array([[0.25, 0.75], [0.0, 1.0]])
    >>> cconv.losses.categorical_generalized_cross_entropy([0, 1], y_pred, q=0.5).tolist()
    [1.0, 0.0]
    """
    if not 0 < number(q, "q") < 1:
        raise ValueError(f"q must be between 0 and 1. Received: q={q}")
    labels, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if not shape_of(y_pred):
        raise ValueError(
            "categorical_generalized_cross_entropy: expected predictions of shape (..., classes). Received: a scalar"
        )
    shape, wanted = shape_of(labels), shape_of(y_pred)[:-1]
    if len(shape) == len(wanted) + 1 and shape[-1] == 1:
        labels = ops.squeeze(labels, -1)
    elif len(shape) != len(wanted):
        raise ValueError(
            f"categorical_generalized_cross_entropy: expected class numbers of shape {wanted}, one for each sample. "
            f"Received: shape {shape}"
        )
    chosen = ops.one_hot(ops.cast(labels, "int32"), shape_of(y_pred)[-1])
    return (1.0 - ops.power(ops.sum(y_pred * chosen, axis=-1), q)) / q


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """The generalized cross-entropy of class numbers. See `cconv.losses.categorical_generalized_cross_entropy`.

    Args:
        q: Above 0 and below 1: near 0 it is the cross-entropy, near 1 the absolute error.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> float(cconv.losses.CategoricalGeneralizedCrossEntropy()([0, 1], np.array([[0.25, 0.75], [0.0, 1.0]])))
    0.5
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < number(q, "q") < 1:
            raise ValueError(f"q must be between 0 and 1. Received: q={q}")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
        self.q = q
