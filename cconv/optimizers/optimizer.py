"""The base of all optimizers. The arithmetic is in the C core; here are names, settings, the schedule and the state."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import _core, constraints
from ..configured import Configured
from ..naming import auto_name
from ..program import ProgramCache
from ..recorded_gradients import is_within_reach, step_within
from ..serialization import deserialize_object, serialize_object
from . import averages
from .gradients import checked, gradient_program
from .schedules import LearningRateSchedule
from .settings import Setting, check_averaging, for_core, number
from .state import Iterations, LearningRate, OptimizerVariable, state_of


class Optimizer(Configured):
    """Base class of all optimizers, which have the arguments described here in common.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function without arguments that returns a number.
        weight_decay: If given, each step first takes `weight_decay * learning_rate` times the weights off the weights.
        clipnorm: If given, the gradient of each variable is scaled down so that its norm is at most this.
        clipvalue: If given, each element of a gradient is kept within plus and minus this.
        global_clipnorm: The same for the norm of all gradients together.
        use_ema: Whether to keep a running average of the weights, which takes their place at the end of `fit`, or by
            `finalize_variable_values`; see `SwapEMAWeights`, too.
        ema_momentum: How much of the average a step keeps.
        ema_overwrite_frequency: If given, the average takes the weights' place every so many steps.
        loss_scale_factor: If given, training multiplies the loss by it, and the optimizer divides the gradients by it.
        gradient_accumulation_steps: If given, the weights change only every so many steps, by the mean of their
            gradients.
        name: Name of the optimizer.

    Attributes:
        learning_rate: Readable, and assignable unless it is a schedule.
        iterations: Number of steps made (with accumulation: of changes made): a variable, which counts on.
        variables: The whole state: number of steps, learning rate, and the slots of each variable.
        core: The optimizer of the C core.

    Example:

    >>> cconv.optimizers.SGD(learning_rate=0.1, clipnorm=1.0, gradient_accumulation_steps=4).clipnorm
    1.0
    """

    rule = ""  # name of the update rule in the C core
    _slot_order: tuple[
        tuple[str, ...], ...
    ] = ()  # slots in the order of Keras' files: those of a group variable by variable

    _of_core = frozenset({"core", "_iterations", "_programs"})  # what `_make_core` makes

    weight_decay = Setting()
    clipnorm = Setting()
    clipvalue = Setting()
    global_clipnorm = Setting()
    loss_scale_factor = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
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
        **settings: Any,
    ) -> None:
        if not self.rule:
            raise NotImplementedError(f"{type(self).__name__} has no update rule: use one of its subclasses.")
        check_averaging(use_ema, ema_momentum, ema_overwrite_frequency, gradient_accumulation_steps)
        known = {attribute.name for attribute in _core.optimizer_rules()[self.rule]}
        unknown = sorted(set(settings) - known)
        if unknown:
            raise ValueError(f"Argument(s) not recognized: {unknown}. {type(self).__name__} has: {sorted(known)}")
        self.name = name or auto_name(type(self).__name__)
        self.use_ema, self.ema_momentum = bool(use_ema), ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._in_core = {
            "weight_decay": weight_decay,
            "clipnorm": clipnorm,
            "clipvalue": clipvalue,
            "global_clipnorm": global_clipnorm,
            "loss_scale_factor": loss_scale_factor,
            **settings,
        }
        self._learning_rate = learning_rate if callable(learning_rate) else number("learning_rate", learning_rate)
        self._pushed = self._rate_at(0)  # the learning rate the core has
        self._trainable: list[Any] = []
        self._undecayed: list[Any] = []  # what `exclude_from_weight_decay` was given: variables,
        self._undecayed_names: list[str] = []  # and words of names
        self.built = False
        self.holds_weights = False  # in place of averages, see `averages.swap`
        self._make_core()

    def _make_core(self) -> None:
        given = {"gradient_accumulation_steps": self.gradient_accumulation_steps, **self._in_core}
        if self.use_ema:
            given |= {"ema_momentum": self.ema_momentum, "ema_overwrite_frequency": self.ema_overwrite_frequency}
        settings = {key: for_core(key, value) for key, value in given.items()}
        self.core = _core.Optimizer(self.rule, {**settings, "learning_rate": self._pushed})
        self._iterations = Iterations(f"{self.name}/iteration", self.core)
        self._programs = ProgramCache(8)

    # ---- Learning rate and steps

    def _rate_at(self, step: int) -> float:
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            rate = rate(step)
        elif callable(rate):
            rate = rate()
        return number("learning_rate", rate)

    @property
    def learning_rate(self) -> LearningRate:
        return LearningRate(self._rate_at(self.core.iterations), self)

    @learning_rate.setter
    def learning_rate(self, value: float | LearningRateSchedule | Callable[[], float]) -> None:
        if isinstance(self._learning_rate, LearningRateSchedule) and not callable(value):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor "
                "argument, hence its learning rate is not settable. If you need the learning rate to be settable, you "
                "should instantiate the optimizer with a float `learning_rate` argument."
            )
        before = self._learning_rate
        self._learning_rate = value if callable(value) else number("learning_rate", value)
        try:
            self.before_step()
        except (TypeError, ValueError):
            self._learning_rate = before
            raise

    @property
    def iterations(self) -> Iterations:
        every = self.gradient_accumulation_steps
        return self._iterations if every is None else Iterations(self._iterations.path, self.core, every)

    @iterations.setter
    def iterations(self, value: int | Iterations) -> None:
        self.core.iterations = int(value) * (self.gradient_accumulation_steps or 1)

    @property
    def clipping(self) -> int:
        """What of the gradients a step must see at once: 0: an element, 1: a variable's, 2: all. A plan is for one."""
        own = self._in_core
        if (own["global_clipnorm"] or 0) > 0:
            return 2
        return 1 if (own["clipnorm"] or 0) > 0 else 0

    def before_step(self) -> None:
        """Gives the core the learning rate of the coming step. Called before each step of training."""
        rate = self._rate_at(self.core.iterations)
        if rate != self._pushed:
            self.core.set(learning_rate=rate)
            self._pushed = rate

    # ---- Variables

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the slots (momenta, ...) of these variables, filled with zeros. More may be added by later calls."""
        known = {id(variable) for variable in self._trainable}
        for variable in variables:
            if id(variable) not in known:
                self._add(variable)
                known.add(id(variable))
        self.built = True

    def _add(self, variable: Any) -> dict[str, Any]:
        core = self._core_of(variable)
        slots = core.slots(variable.core)
        named = any(re.search(name, variable.name) for name in self._undecayed_names)
        if named or any(variable is excluded for excluded in self._undecayed):
            core.exclude_from_weight_decay(variable.core)
        self._trainable.append(variable)
        return slots

    def _core_of(self, variable: Any) -> _core.Optimizer:
        """The optimizer of the core that changes a variable, and has its slots."""
        return self.core

    def _set_in_core(self, name: str, value: Any) -> None:
        self.core.set(**{name: for_core(name, value)})

    def exclude_from_weight_decay(
        self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leaves variables alone in weight decay. Called before the first step; another call replaces what is excluded.

        Args:
            var_list: The variables.
            var_names: Words (regular expressions) that the names of other variables hold: `["bias", "gamma"]`.

        Raises:
            ValueError: The optimizer already has its variables.

        Example:

        >>> kernel, bias = cconv.Variable([1.0], name="kernel"), cconv.Variable([1.0], name="bias")
        >>> optimizer = cconv.optimizers.SGD(learning_rate=0.5, weight_decay=1.0)
        >>> optimizer.exclude_from_weight_decay(var_names=["bias"])
        >>> optimizer.apply([[0.0], [0.0]], [kernel, bias])
        >>> kernel.numpy().tolist(), bias.numpy().tolist()
        ([0.5], [1.0])
        """
        if self.built:
            raise ValueError(
                "`exclude_from_weight_decay()` can only be configured before the optimizer is built. "
                f"Received an optimizer with {len(self._trainable)} variables."
            )
        self._undecayed, self._undecayed_names = list(var_list or ()), list(var_names or ())

    @property
    def variables(self) -> list[OptimizerVariable]:
        """The state in Keras' order: iteration, learning rate (unless it is a schedule), then the slots."""
        return self.state_of(self._trainable)

    def state_of(self, variables: Sequence[Any]) -> list[OptimizerVariable]:
        """The state like `variables`, with the slots of these variables in this order. Makes slots that are missing."""
        if variables:
            self.build(variables)
        return state_of(self, variables)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assigns the whole state.

        Args:
            weights: An array for each of `variables`.

        Raises:
            ValueError: There are not as many, or one is of another shape.
        """
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(f"Expected {len(variables)} arrays, one for each of `variables`. Received: {len(weights)}")
        for variable, weight in zip(variables, weights):
            if np.shape(weight) != variable.shape:
                raise ValueError(
                    f"Optimizer variable {variable.path} has shape {variable.shape} not compatible with provided "
                    f"weight shape {np.shape(weight)}."
                )
        for variable, weight in zip(variables, weights):
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Writes the state into a store (an HDF5 group or a dictionary): "0", "1", ... in the order of `variables`."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the state from a store."""
        count, found = len(self.variables), len(store.keys())
        if count != found:
            raise ValueError(f"Expected a file with {count} variables for optimizer {self.name!r}. Received: {found}")
        self.set_weights([np.asarray(store[str(i)]) for i in range(count)])

    # ---- Averages, and the scale of the loss

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Gives variables their running averages, with `use_ema`. `fit` calls it at its end.

        Example:

        >>> v = cconv.Variable([0.0])
        >>> optimizer = cconv.optimizers.SGD(learning_rate=1.0, use_ema=True, ema_momentum=0.75)
        >>> for _ in range(2):
        ...     optimizer.apply([[-4.0]], [v])
        >>> optimizer.finalize_variable_values([v])
        >>> v.numpy().tolist()  # 4, then 8
        [5.0]
        """
        if self.use_ema:
            averages.finalize(self, var_list)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`, for a step of one's own: the optimizer divides the gradients by it."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # ---- A step outside of `fit`

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Makes one step from gradients that were computed elsewhere; constraints of the variables hold after it.

        Args:
            grads: One array for each variable; `None` leaves its variable as it is.
            trainable_variables: The variables; by default those of `build`.

        Example:

        >>> v = cconv.Variable([1.0, 2.0])
        >>> cconv.optimizers.SGD(learning_rate=0.5).apply([[2.0, 0.0]], [v])
        >>> v.numpy().tolist()
        [0.0, 2.0]
        """
        if trainable_variables is None:
            if not self.built:
                raise ValueError(
                    "When passing `grads` without `variables`, the optimizer must already be built on a list of "
                    "variables. Call `optimizer.build(trainable_variables)` first."
                )
            trainable_variables = self._trainable
        grads, trainable_variables = list(grads), list(trainable_variables)
        if self._apply_recorded(grads, trainable_variables):
            return
        arrays, given = checked(grads, trainable_variables)
        if not given:
            return
        self.build(given)
        self.before_step()
        key = (self.clipping, *map(id, given))  # they are kept in _trainable, so that no other gets such an id
        self._programs.get(key, lambda: gradient_program(given, self.core)).run(arrays)
        constraints.hold(given)

    def _apply_recorded(self, grads: list[Any], variables: list[Any]) -> bool:
        """Makes the step in the run that computes gradients of a tape, if nobody has looked at them yet."""
        if not is_within_reach(grads, variables):
            return False
        self.build(variables)
        self.before_step()
        step_within(grads, self)
        constraints.hold(variables)
        return True

    def apply_gradients(self, grads_and_vars: Any) -> None:
        """Like `apply`, from pairs of a gradient and its variable.

        Example:

        >>> v = cconv.Variable([1.0])
        >>> cconv.optimizers.SGD(0.5).apply_gradients([([1.0], v)])
        >>> v.numpy().tolist()
        [0.5]
        """
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])

    # ---- Configuration

    def get_config(self) -> dict[str, Any]:
        rate = self._learning_rate
        if callable(rate):
            rate = serialize_object(rate)
        common = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue")
        return {
            "name": self.name,
            "learning_rate": rate,
            **{key: self._in_core[key] for key in common},
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
            **{key: value for key, value in self._in_core.items() if key not in (*common, "loss_scale_factor")},
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Optimizer:
        config = dict(config)
        if isinstance(config.get("learning_rate"), Mapping):
            config["learning_rate"] = deserialize_object(config["learning_rate"], custom_objects=custom_objects)
        return cls(**config)

    def __getstate__(self) -> dict[str, Any]:
        state = {key: value for key, value in vars(self).items() if key not in self._of_core}
        kept = [self._core_of(v).slots(v.core) for v in self._trainable]
        slots = [{name: slot.array.copy() for name, slot in own.items()} for own in kept]
        return {**state, "steps": self.core.iterations, "slots": slots}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        steps, slots, trainable = state.pop("steps"), state.pop("slots"), state.pop("_trainable")
        vars(self).update(state)
        self._trainable = []
        self._make_core()
        self.core.iterations = steps
        for variable, values in zip(trainable, slots, strict=True):
            for name, slot in self._add(variable).items():
                slot.assign(values[name])

    def _settings(self) -> dict[str, Any]:
        names = ("use_ema", "ema_momentum", "ema_overwrite_frequency") if self.use_ema else ()
        own = {name: getattr(self, name) for name in (*names, "gradient_accumulation_steps")}
        return {"learning_rate": self._learning_rate, **self._in_core, **own, "name": self.name}
