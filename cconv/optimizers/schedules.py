"""Learning rates that change from step to step. A schedule is a function of the number of steps made so far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..configured import Configured
from ..keras_names import getattr_of
from ..ops.arguments import number, numbers
from ..registry import register_public
from ..serialization import deserialize_object, serialize_object

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


class LearningRateSchedule(Configured):
    """Base class of schedules. Subclass it and define `__call__(step)`, which returns a number, and `get_config()`.

    Example:

    >>> class Slower(cconv.optimizers.schedules.LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 / (step + 1)
    >>> float(cconv.optimizers.SGD(Slower()).learning_rate)
    0.1
    """

    def __call__(self, step: int) -> float:
        raise NotImplementedError(f"Learning rate schedule '{type(self).__name__}' must define `__call__(self, step)`.")

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must define `get_config()` to be saved."
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> LearningRateSchedule:
        return cls(**config)


class PiecewiseConstantDecay(LearningRateSchedule):
    """A rate for each range of steps: `values[0]` up to step `boundaries[0]`, then `values[1]`, and so on.

    Args:
        boundaries: Numbers of steps, increasing. A boundary belongs to the range before it.
        values: The rates, one more than boundaries.
        name: Name of the schedule.

    Example:

    >>> schedule = cconv.optimizers.schedules.PiecewiseConstantDecay([10, 20], [0.1, 0.05, 0.01])
    >>> [schedule(step) for step in (10, 11, 21)]
    [0.1, 0.05, 0.01]
    """

    def __init__(self, boundaries: Sequence[int], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. "
                f"Received: boundaries={boundaries} of length {len(boundaries)}, "
                f"and values={values} of length {len(values)}."
            )
        self.boundaries = list(numbers(boundaries, "boundaries"))
        self.values = list(numbers(values, "values"))
        self.name = name

    def __call__(self, step: int) -> float:
        return self.values[sum(_step(step) > boundary for boundary in self.boundaries)]

    def get_config(self) -> dict[str, Any]:
        return _config(self, "boundaries", "values", "name")


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: After so many steps the rate has been multiplied by `decay_rate`.
        decay_rate: What it is multiplied by.
        staircase: If True, it changes every `decay_steps` only.
        name: Name of the schedule.

    Example:

    >>> schedule = cconv.optimizers.schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
    >>> schedule(20)
    0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = number(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.decay_rate = number(decay_rate, "decay_rate", 0)
        self.staircase = staircase
        self.name = name

    def __call__(self, step: int) -> float:
        part = _step(step) / self.decay_steps
        return self.initial_learning_rate * _power(self.decay_rate, math.floor(part) if self.staircase else part)

    def get_config(self) -> dict[str, Any]:
        return _config(self, "initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: How many steps count as one.
        decay_rate: How fast it falls.
        staircase: If True, it changes every `decay_steps` only.
        name: Name of the schedule.

    Example:

    >>> cconv.optimizers.schedules.InverseTimeDecay(1.0, decay_steps=1, decay_rate=0.5)(2)
    0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = number(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.decay_rate = number(decay_rate, "decay_rate", 0)
        self.staircase = staircase
        self.name = name

    def __call__(self, step: int) -> float:
        part = _step(step) / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (math.floor(part) if self.staircase else part))

    def get_config(self) -> dict[str, Any]:
        return _config(self, "initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")


class PolynomialDecay(LearningRateSchedule):
    """From `initial_learning_rate` to `end_learning_rate`, along `(1 - step / decay_steps) ** power`.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: When the end is reached.
        end_learning_rate: The rate from there on.
        power: 1 is a straight line.
        cycle: If True, the end moves on to the next multiple of `decay_steps` each time it is reached.
        name: Name of the schedule.

    Example:

    >>> schedule = cconv.optimizers.schedules.PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0.0)
    >>> schedule(5)
    0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = number(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.end_learning_rate = number(end_learning_rate, "end_learning_rate")
        self.power = number(power, "power", 0)
        self.cycle = cycle
        self.name = name

    def __call__(self, step: int) -> float:
        step, end = _step(step), self.decay_steps
        if self.cycle:
            end *= max(1, math.ceil(step / end))
        part = min(step, end) / end
        return (self.initial_learning_rate - self.end_learning_rate) * _power(
            1 - part, self.power
        ) + self.end_learning_rate

    def get_config(self) -> dict[str, Any]:
        return _config(self, "initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")


class CosineDecay(LearningRateSchedule):
    """Along half a cosine, after an optional straight rise. Loshchilov and Hutter, "SGDR", 2017.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: How many steps the decay takes.
        alpha: What is left at its end, as a part of the rate it started from.
        name: Name of the schedule.
        warmup_target: The rate at the end of the rise; `None`: there is no rise.
        warmup_steps: How many steps the rise takes.

    Example:

    >>> schedule = cconv.optimizers.schedules.CosineDecay(0.0, 100, warmup_target=0.5, warmup_steps=10)
    >>> [round(schedule(step), 4) for step in (0, 5, 10, 60, 110)]
    [0.0, 0.25, 0.5, 0.25, 0.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = number(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.alpha = number(alpha, "alpha")
        self.name = name
        self.warmup_target = None if warmup_target is None else number(warmup_target, "warmup_target")
        self.warmup_steps = number(warmup_steps, "warmup_steps", 0)

    def __call__(self, step: int) -> float:
        step, start = _step(step), self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return start + (self.warmup_target - start) * step / self.warmup_steps
            step, start = step - self.warmup_steps, self.warmup_target
        part = min(step, self.decay_steps) / self.decay_steps
        return start * ((1 - self.alpha) * 0.5 * (1 + math.cos(math.pi * part)) + self.alpha)

    def get_config(self) -> dict[str, Any]:
        return _config(self, "initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")


class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine again and again, each `t_mul` times as long as the one before and `m_mul` times as high.

    Args:
        initial_learning_rate: The rate at step 0.
        first_decay_steps: How many steps the first decay takes.
        t_mul: How much longer each next one takes; at least 1.
        m_mul: How much higher each next one starts.
        alpha: What is left at the end of a decay, as a part of `initial_learning_rate`.
        name: Name of the schedule.

    Example:

    >>> schedule = cconv.optimizers.schedules.CosineDecayRestarts(1.0, 10)
    >>> [round(schedule(step), 4) for step in (0, 5, 10, 20, 30)]
    [1.0, 0.5, 1.0, 0.5, 1.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = number(initial_learning_rate, "initial_learning_rate")
        self.first_decay_steps = _positive("first_decay_steps", first_decay_steps)
        self.t_mul = _at_least_one("t_mul", t_mul)
        self.m_mul = number(m_mul, "m_mul", 0)
        self.alpha = number(alpha, "alpha")
        self.name = name

    def __call__(self, step: int) -> float:
        part, length, restarts = _step(step) / self.first_decay_steps, 1.0, 0
        if self.t_mul == 1:
            restarts, part = math.floor(part), part % 1
        while part >= length:
            part, length, restarts = part - length, length * self.t_mul, restarts + 1
        cosine = 0.5 * _power(self.m_mul, restarts) * (1 + math.cos(math.pi * part / length))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)

    def get_config(self) -> dict[str, Any]:
        return _config(self, "initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """The configuration of a schedule, for `deserialize`.

    Raises:
        TypeError: It has no `get_config`.

    Example:

    >>> schedule = cconv.optimizers.schedules.ExponentialDecay(0.1, 100, 0.5)
    >>> cconv.optimizers.schedules.serialize(schedule)["config"]["decay_steps"]
    100
    """
    return serialize_object(learning_rate_schedule)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> LearningRateSchedule:
    """The schedule that a configuration describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Dictionary of names to your own classes.

    Raises:
        ValueError: It names a class that is neither known nor registered.

    Example:

    >>> schedule = cconv.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    >>> config = cconv.optimizers.schedules.serialize(schedule)
    >>> float(cconv.optimizers.schedules.deserialize(config)(1))
    0.25
    """
    return deserialize_object(config, custom_objects=custom_objects)


def _config(schedule: LearningRateSchedule, *names: str) -> dict[str, Any]:
    return {name: getattr(schedule, name) for name in names}


def _step(step: Any) -> int:
    """The number of a step."""
    return int(number(step, "step", 0))


def _power(base: float, exponent: float) -> float:
    try:
        return base**exponent
    except OverflowError:
        return math.inf


def _positive(name: str, value: int) -> int:
    if not number(value, name) > 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={value}")
    return value


def _at_least_one(name: str, value: float) -> float:
    if not number(value, name) >= 1:
        raise ValueError(f"Argument `{name}` must be >= 1. Received: {name}={value}")
    return value


register_public("keras.optimizers.schedules", globals())
__getattr__ = getattr_of(globals())
