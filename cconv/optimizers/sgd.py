"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable

from .optimizer import Optimizer
from .schedules import LearningRateSchedule
from .settings import Setting, given

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent, with momentum if asked for.

    Without: `w -= learning_rate * g`. With: `m = momentum * m - learning_rate * g; w += m`, or with Nesterov's
    look-ahead `w += momentum * m - learning_rate * g`.

    Args:
        learning_rate: See `Optimizer`.
        momentum: Between 0 and 1: how much of the last step goes into the next.
        nesterov: Whether to use Nesterov's form.
        weight_decay, ..., name: See `Optimizer`.

    Example:

    >>> v = cconv.Variable([1.0])
    >>> optimizer = cconv.optimizers.SGD(learning_rate=0.5, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.apply([[1.0]], [v])
    >>> v.numpy().tolist()
    [-0.25]
    """

    rule = "sgd"
    _slot_order = (("momentum",),)

    momentum = Setting()
    nesterov = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
