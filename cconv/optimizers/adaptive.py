"""Rules that divide by the size of the gradients so far: Adadelta, Adagrad, RMSprop."""

from __future__ import annotations

from collections.abc import Callable

from .optimizer import Optimizer
from .schedules import LearningRateSchedule
from .settings import Setting, given

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


class RMSprop(Optimizer):
    """Steps in units of the recent size of the gradient.

    `v = rho * v + (1 - rho) * g**2; w -= learning_rate * g / sqrt(v + epsilon)`. Hinton, "Neural networks for machine
    learning", lecture 6, 2012.

    Args:
        learning_rate: See `Optimizer`.
        rho: How much of the past the running mean keeps.
        momentum: Between 0 and 1: how much of the last step goes into the next.
        epsilon: Keeps the divisor from 0.
        centered: Whether to divide by the standard deviation of the gradient instead.
        weight_decay, ..., name: See `Optimizer`.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> cconv.optimizers.RMSprop(learning_rate=0.1, rho=0.75).apply([[3.0]], [v])
    >>> v.numpy().round(3)
    array([0.8], dtype=float32)
    """

    rule = "rmsprop"
    _slot_order = (("velocity",), ("momentum",), ("average_gradient",))

    rho = Setting()
    momentum = Setting()
    epsilon = Setting()
    centered = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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


class Adagrad(Optimizer):
    """Steps in units of the root of the sum of all squared gradients so far.

    `s += g**2; w -= learning_rate * g / sqrt(s + epsilon)`. Duchi, Hazan and Singer, "Adaptive subgradient methods
    for online learning and stochastic optimization", 2011.

    Args:
        learning_rate: See `Optimizer`.
        initial_accumulator_value: What the sum of squares begins with.
        epsilon: Keeps the divisor from 0.
        weight_decay, ..., name: See `Optimizer`.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> cconv.optimizers.Adagrad(learning_rate=0.1).apply([[3.0]], [v])
    >>> v.numpy().round(3)
    array([0.901], dtype=float32)
    """

    rule = "adagrad"
    _slot_order = (("accumulator",),)

    initial_accumulator_value = Setting()
    epsilon = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
        initial_accumulator_value: float = 0.1,
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


class Adadelta(Optimizer):
    """Steps in units of the recent size of the gradient, times the recent size of steps.

    Zeiler, "Adadelta: an adaptive learning rate method", 2012, with a learning rate: 1.0 is that of the paper.

    Args:
        learning_rate: See `Optimizer`.
        rho: How much of the past the running means keep.
        epsilon: Keeps the divisor from 0.
        weight_decay, ..., name: See `Optimizer`.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> cconv.optimizers.Adadelta(learning_rate=100.0).apply([[3.0]], [v])
    >>> v.numpy().round(3)
    array([0.859], dtype=float32)
    """

    rule = "adadelta"
    _slot_order = (("accumulated_grad", "accumulated_delta_var"),)

    rho = Setting()
    epsilon = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
        rho: float = 0.95,
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
