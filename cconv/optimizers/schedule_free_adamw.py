"""AdamW without a schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .optimizer import Optimizer
from .schedules import LearningRateSchedule
from .settings import Setting, given, number

__all__ = ["ScheduleFreeAdamW"]


class ScheduleFreeAdamW(Optimizer):
    """Adam's steps, and weights that are the mean of all places these have led to, in place of a falling learning rate.

    Defazio and others, "The road less scheduled", 2024, as Keras has it: `z -= learning_rate * g / (sqrt(v) + epsilon)`
    with `v` as in `Adam` without a running mean of gradients, and `w += (z - w) / step`. Gradients are those at `w`.

    Args:
        learning_rate: See `Optimizer`.
        beta_1: Between 0 and 1: written in the configuration, as Keras does. The numbers do not depend on it, here as
            there: what is interpolated by it is taken back to the mean before the step ends.
        beta_2: How much of the past the running mean of squared gradients keeps.
        epsilon: Added to the root that is divided by.
        warmup_steps: In how many steps the learning rate grows to its size.
        weight_decay, ..., name: See `Optimizer`.

    Raises:
        ValueError: `beta_1` is not between 0 and 1, or `warmup_steps` is no integer of at least 0.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> optimizer = cconv.optimizers.ScheduleFreeAdamW(learning_rate=0.2)
    >>> for _ in range(2):
    ...     optimizer.apply([[3.0]], [v])
    >>> v.numpy().round(3)  # the mean of 0.8 and 0.6
    array([0.7], dtype=float32)
    """

    rule = "schedule_free_adamw"
    _slot_order = (("momentum", "velocity"),)

    beta_2 = Setting()
    epsilon = Setting()
    warmup_steps = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
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
        if not 0 < number("beta_1", beta_1) < 1:
            raise ValueError(f"`beta_1`: expected a number between 0 and 1. Received: beta_1={beta_1!r}")
        if isinstance(warmup_steps, bool) or not isinstance(warmup_steps, (int, np.integer)) or warmup_steps < 0:
            raise ValueError(
                f"`warmup_steps`: expected an integer of at least 0. Received: warmup_steps={warmup_steps!r}"
            )
        self.beta_1 = beta_1
        super().__init__(**given(locals(), "beta_1"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1}

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "beta_1": self.beta_1}
