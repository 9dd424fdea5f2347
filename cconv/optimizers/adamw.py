"""Adam with weight decay."""

from __future__ import annotations

from collections.abc import Callable

from .adam import Adam
from .schedules import LearningRateSchedule
from .settings import given

__all__ = ["AdamW"]


class AdamW(Adam):
    """Adam with weight decay that does not go through the gradient.

    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.

    Args:
        learning_rate: See `Optimizer`.
        weight_decay: What part of the weights, times the learning rate, each step takes off them.
        beta_1: How much of the past the running mean of the gradient keeps.
        beta_2: How much of the past the running mean of its square keeps.
        epsilon: Keeps the divisor from 0.
        amsgrad: Whether to divide by the largest running mean so far instead of the last.
        clipnorm, ..., name: See `Optimizer`.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> cconv.optimizers.AdamW(learning_rate=0.1, weight_decay=1.0).apply([[3.0]], [v])
    >>> v.numpy().round(3)
    array([0.8], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")
        super().__init__(**given(locals()))
