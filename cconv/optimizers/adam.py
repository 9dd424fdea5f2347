"""Adam."""

from __future__ import annotations

from collections.abc import Callable

from .optimizer import Optimizer
from .schedules import LearningRateSchedule
from .settings import Setting, given

__all__ = ["Adam"]


class Adam(Optimizer):
    """Steps along a running mean of the gradient, in units of its recent size.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015.

    Args:
        learning_rate: See `Optimizer`.
        beta_1: How much of the past the running mean of the gradient keeps.
        beta_2: How much of the past the running mean of its square keeps.
        epsilon: Keeps the divisor from 0.
        amsgrad: Whether to divide by the largest running mean so far instead of the last.
        weight_decay, ..., name: See `Optimizer`.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> cconv.optimizers.Adam(learning_rate=0.1).apply([[3.0]], [v])
    >>> v.numpy().round(3)
    array([0.9], dtype=float32)
    """

    rule = "adam"
    _slot_order = (("momentum", "velocity"), ("velocity_hat",))

    beta_1 = Setting()
    beta_2 = Setting()
    epsilon = Setting()
    amsgrad = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
