"""The losses as classes: a function, its settings, and a reduction."""

from __future__ import annotations

from typing import Any

from . import functions, overlap
from .loss import LossFunctionWrapper

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
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
]


class MeanSquaredError(LossFunctionWrapper):
    """The mean of squared differences. See `cconv.losses.mean_squared_error`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> float(cconv.losses.MeanSquaredError()([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]]))
    0.5
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(functions.mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """The mean of absolute differences. See `cconv.losses.mean_absolute_error`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> float(cconv.losses.MeanAbsoluteError()([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]]))
    0.5
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(functions.mean_absolute_error, reduction, name, dtype)


class L1Loss(LossFunctionWrapper):
    """The sum of absolute differences over the last axis; the mean of that over the batch. See `cconv.losses.l1_loss`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> float(cconv.losses.L1Loss()([[0.0, 1.0]], [[2.0, 0.0]]))
    3.0
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "l1_loss", dtype: Any = None
    ) -> None:
        super().__init__(functions.l1_loss, reduction, name, dtype)


class L2Loss(LossFunctionWrapper):
    """The sum of squared differences over the last axis; the mean of that over the batch. See `cconv.losses.l2_loss`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> float(cconv.losses.L2Loss()([[0.0, 1.0]], [[2.0, 0.0]]))
    5.0
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "l2_loss", dtype: Any = None
    ) -> None:
        super().__init__(functions.l2_loss, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """The mean of differences in percent of the target. See `cconv.losses.mean_absolute_percentage_error`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> float(cconv.losses.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
    25.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(functions.mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """The mean of squared differences of `log(1 + y)`. See `cconv.losses.mean_squared_logarithmic_error`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> round(float(cconv.losses.MeanSquaredLogarithmicError()([[0.0]], [[1.718281828]])), 5)
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(functions.mean_squared_logarithmic_error, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between target and prediction. See `cconv.losses.cosine_similarity`.

    Args:
        axis: The axis of the vectors.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> round(float(cconv.losses.CosineSimilarity()([[0.0, 2.0]], [[0.0, 3.0]])), 4)
    -1.0
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(functions.cosine_similarity, reduction, name, dtype, axis=axis)
        self.axis = axis


class Huber(LossFunctionWrapper):
    """Squared for small differences, absolute for large ones. See `cconv.losses.huber`.

    Args:
        delta: Where the one becomes the other.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> float(cconv.losses.Huber()([[0.0, 0.0]], [[1.0, 3.0]]))
    1.5
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(functions.huber, reduction, name, dtype, delta=delta)
        self.delta = delta


class LogCosh(LossFunctionWrapper):
    """The logarithm of the hyperbolic cosine of the difference. See `cconv.losses.log_cosh`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> round(float(cconv.losses.LogCosh()([[0.0, 0.0]], [[0.0, 1000.0]])), 2)
    499.65
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(functions.log_cosh, reduction, name, dtype)


class Hinge(LossFunctionWrapper):
    """The hinge loss, for labels -1 and 1 (0 and 1 are converted). See `cconv.losses.hinge`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> float(cconv.losses.Hinge()([[0.0, 1.0]], [[0.5, 0.5]]))
    1.0
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "hinge", dtype: Any = None
    ) -> None:
        super().__init__(functions.hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """The square of the hinge loss. See `cconv.losses.squared_hinge`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> float(cconv.losses.SquaredHinge()([[-1.0, 1.0]], [[1.0, 0.0]]))
    2.5
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "squared_hinge", dtype: Any = None
    ) -> None:
        super().__init__(functions.squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """The hinge loss for one-hot targets. See `cconv.losses.categorical_hinge`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> float(cconv.losses.CategoricalHinge()([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.0]]))
    0.75
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(functions.categorical_hinge, reduction, name, dtype)


class KLDivergence(LossFunctionWrapper):
    """The Kullback-Leibler divergence of the predicted from the true distribution. See `cconv.losses.kl_divergence`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> round(float(cconv.losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
    0.1438
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(functions.kl_divergence, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """The Poisson loss, for counts. See `cconv.losses.poisson`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> round(float(cconv.losses.Poisson()([[0.0, 3.0]], [[2.0, 1.0]])), 3)
    1.5
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "poisson", dtype: Any = None
    ) -> None:
        super().__init__(functions.poisson, reduction, name, dtype)


class BinaryCrossentropy(LossFunctionWrapper):
    """The cross-entropy of yes-no decisions. See `cconv.losses.binary_crossentropy`.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: Moves targets this part of the way towards 1/2.
        axis: The axis of the mean.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> round(float(cconv.losses.BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """The binary cross-entropy in which easy samples count less. See `cconv.losses.binary_focal_crossentropy`.

    Args:
        apply_class_balancing: Whether to weigh the classes by `alpha`.
        alpha: Weight of class 1; class 0 has the rest.
        gamma: How much less easy samples count.
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: Moves targets this part of the way towards 1/2.
        axis: The axis of the mean.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> round(float(cconv.losses.BinaryFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.1733
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class CategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy of one-hot targets. See `cconv.losses.categorical_crossentropy`.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: Moves targets this part of the way towards the uniform distribution.
        axis: The axis of the classes.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> round(float(cconv.losses.CategoricalCrossentropy()([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.25]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """The cross-entropy of one-hot targets in which easy samples count less.

    See `cconv.losses.categorical_focal_crossentropy`.

    Args:
        alpha: Weight of the classes.
        gamma: How much less easy samples count.
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: Moves targets this part of the way towards the uniform distribution.
        axis: The axis of the classes.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> round(float(cconv.losses.CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.0433
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy of class numbers. See `cconv.losses.sparse_categorical_crossentropy`.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.
        ignore_class: A number that stands for "no class": such samples do not count.
        reduction: See `Loss`.
        axis: The axis of the classes.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> y_pred = [[0.25, 0.5, 0.25], [1.0, 0.0, 0.0]]
    >>> round(float(cconv.losses.SparseCategoricalCrossentropy()([1, 0], y_pred)), 4)
    0.3466
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.axis == -1:  # Keras does not write it
            del config["axis"]
        return config


class Dice(LossFunctionWrapper):
    """One minus the overlap of two masks. See `cconv.losses.dice`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        axis: The axes of a mask; all of them if `None`.
        dtype: `"float32"`.

    Example:

    >>> round(float(cconv.losses.Dice()([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    0.3333
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(overlap.dice, reduction, name, dtype, axis=axis)
        self.axis = axis


class Tversky(LossFunctionWrapper):
    """One minus the overlap of two masks, with weights for the two kinds of error. See `cconv.losses.tversky`.

    Args:
        alpha: Weight of what is missed.
        beta: Weight of what is marked falsely.
        reduction: See `Loss`.
        name: Name of the loss.
        axis: The axes of a mask; all of them if `None`.
        dtype: `"float32"`.

    Example:

    >>> round(float(cconv.losses.Tversky()([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    0.3333
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(overlap.tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis
