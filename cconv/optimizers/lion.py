"""Lion."""

from __future__ import annotations

from collections.abc import Callable

from .optimizer import Optimizer
from .schedules import LearningRateSchedule
from .settings import Setting, given

__all__ = ["Lion"]


class Lion(Optimizer):
    """Steps of the same size for every weight, along the sign of a running mean of the gradient.

    Chen and others, "Symbolic discovery of optimization algorithms", 2023, algorithm 2. The learning rate is usually
    3 to 10 times smaller than Adam's.

    Args:
        learning_rate: See `Optimizer`.
        beta_1: How much of the running mean is in the direction of a step; the rest is the gradient.
        beta_2: How much of the past the running mean keeps.
        weight_decay, ..., name: See `Optimizer`.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> cconv.optimizers.Lion(learning_rate=0.1).apply([[3.0]], [v])
    >>> v.numpy().round(3)
    array([0.9], dtype=float32)
    """

    rule = "lion"
    _slot_order = (("momentum",),)

    beta_1 = Setting()
    beta_2 = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
