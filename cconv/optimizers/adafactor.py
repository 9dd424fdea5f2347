"""Adafactor."""

from __future__ import annotations

from collections.abc import Callable

from .optimizer import Optimizer
from .schedules import LearningRateSchedule
from .settings import Setting, given

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Steps in units of the recent size of the gradient, which of a matrix is known by its rows and columns only.

    Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018, algorithms 4 and 5. The
    rows and columns are those of the last two axes.

    Args:
        learning_rate: See `Optimizer`.
        beta_2_decay: Power of the number of the step by which the means forget, below 0.
        epsilon_1: Added to squared gradients.
        epsilon_2: Least size of the weights that steps are relative to.
        clip_threshold: Largest root mean square of a step.
        relative_step: Whether the learning rate is at most 1 over the root of the number of the step.
        weight_decay, ..., name: See `Optimizer`.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> cconv.optimizers.Adafactor(learning_rate=0.1).apply([[3.0]], [v])
    >>> v.numpy().round(3)
    array([0.9], dtype=float32)
    """

    rule = "adafactor"
    _slot_order = (("r", "c", "velocity"),)

    beta_2_decay = Setting()
    epsilon_1 = Setting()
    epsilon_2 = Setting()
    clip_threshold = Setting()
    relative_step = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
