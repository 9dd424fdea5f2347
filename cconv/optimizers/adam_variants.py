"""Rules made from Adam: Adamax, Nadam, Lamb."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .optimizer import Optimizer
from .schedules import LearningRateSchedule
from .settings import Setting, given
from .state import OptimizerVariable

__all__ = ["Adamax", "Lamb", "Nadam"]


class Adamax(Optimizer):
    """Adam in units of the largest gradient of the recent past instead of its root mean square.

    `u = max(beta_2 * u, |g|)`. Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.1.

    Args:
        learning_rate: See `Optimizer`.
        beta_1: How much of the past the running mean of the gradient keeps.
        beta_2: How much of it the running maximum of the gradient keeps.
        epsilon: Keeps the divisor from 0.
        weight_decay, ..., name: See `Optimizer`.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> cconv.optimizers.Adamax(learning_rate=0.1).apply([[3.0]], [v])
    >>> v.numpy().round(3)
    array([0.9], dtype=float32)
    """

    rule = "adamax"
    _slot_order = (("momentum", "norm"),)

    beta_1 = Setting()
    beta_2 = Setting()
    epsilon = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
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


class Lamb(Optimizer):
    """Adam whose steps are as long, for each variable, as its weights say: for large batches.

    You and others, "Large batch optimization for deep learning: training BERT in 76 minutes", 2020, algorithm 2.

    Args:
        learning_rate: See `Optimizer`.
        beta_1: How much of the past the running mean of the gradient keeps.
        beta_2: How much of the past the running mean of its square keeps.
        epsilon: Keeps the divisor from 0.
        weight_decay, ..., name: See `Optimizer`.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> cconv.optimizers.Lamb(learning_rate=0.1).apply([[3.0]], [v])
    >>> v.numpy().round(3)
    array([0.9], dtype=float32)
    """

    rule = "lamb"
    _slot_order = (("momentum", "velocity"),)

    beta_1 = Setting()
    beta_2 = Setting()
    epsilon = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
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


class Nadam(Optimizer):
    """Adam with Nesterov's look-ahead.

    Dozat, "Incorporating Nesterov momentum into Adam", 2016, with its schedule of the momentum.

    Args:
        learning_rate: See `Optimizer`.
        beta_1: How much of the past the running mean of the gradient keeps.
        beta_2: How much of the past the running mean of its square keeps.
        epsilon: Keeps the divisor from 0.
        weight_decay, ..., name: See `Optimizer`.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> cconv.optimizers.Nadam(learning_rate=0.1).apply([[3.0]], [v])
    >>> v.numpy().round(3)
    array([0.894], dtype=float32)
    """

    rule = "nadam"
    _slot_order = (("momentum", "velocity"),)

    beta_1 = Setting()
    beta_2 = Setting()
    epsilon = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
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

    def state_of(self, variables: Sequence[Any]) -> list[OptimizerVariable]:
        """As usual, then what Keras' files hold besides: the product of the momenta, which the steps imply."""
        found = super().state_of(variables)
        return (
            [*found, OptimizerVariable(f"{self.name}/u_product", self._product, lambda value: None)] if found else found
        )

    def _product(self) -> np.ndarray:
        steps = np.arange(1, int(self.iterations) + 1)
        return np.prod(self.beta_1 * (1 - 0.5 * 0.96**steps))
