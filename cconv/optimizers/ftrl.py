"""FTRL-Proximal."""

from __future__ import annotations

from collections.abc import Callable

from .optimizer import Optimizer
from .schedules import LearningRateSchedule
from .settings import Setting, given

__all__ = ["Ftrl"]


class Ftrl(Optimizer):
    """Follows the regularized leader: many weights become exactly 0 under an L1 penalty.

    McMahan and others, "Ad click prediction: a view from the trenches", 2013, algorithm 1.

    Args:
        learning_rate: See `Optimizer`.
        learning_rate_power: How the learning rate falls with the sum of squared gradients, 0 or below; 0: not at all.
        initial_accumulator_value: What the sum of squares begins with.
        l1_regularization_strength: Weight of the L1 penalty.
        l2_regularization_strength: Weight of the L2 penalty.
        l2_shrinkage_regularization_strength: Weight of an L2 penalty that is added to the gradient.
        beta: The beta of the paper: added to the root of the sum of squares.
        weight_decay, ..., name: See `Optimizer`.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> cconv.optimizers.Ftrl(learning_rate=0.1).apply([[3.0]], [v])
    >>> v.numpy().round(3)
    array([0.796], dtype=float32)
    """

    rule = "ftrl"
    _slot_order = (("accumulator", "linear"),)

    learning_rate_power = Setting()
    initial_accumulator_value = Setting()
    l1_regularization_strength = Setting()
    l2_regularization_strength = Setting()
    l2_shrinkage_regularization_strength = Setting()
    beta = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(**given(locals()))
