"""Several optimizers in one step, each for some of the variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from .. import _core
from ..configured import Configured
from ..serialization import deserialize_object, serialize_object
from .muon import Muon
from .optimizer import Optimizer
from .state import OptimizerVariable

__all__ = ["MultiOptimizer", "OptimizerMap"]


class OptimizerMap(Configured, MutableMapping):
    """Which optimizer changes a variable, by the variable's path.

    A path is looked up as it is, then by the keys as regular expressions that match the whole of it: `"encoder/.*"` is
    for all variables below `encoder`.

    Args:
        default_optimizer: For variables that no key is for.
        optimizer_map: Dictionary of the others.

    Raises:
        TypeError: `default_optimizer` is no optimizer, or `optimizer_map` no dictionary.
        ValueError: A value is no optimizer, or a `MultiOptimizer` or `Muon`; a key is there already, or several fit
            variable.

    Example:

    >>> slow, fast = cconv.optimizers.SGD(0.01), cconv.optimizers.SGD(1.0)
    >>> chosen = cconv.optimizers.OptimizerMap(slow, {"head/.*": fast})
    >>> chosen["head/kernel"] is fast, chosen["body/kernel"] is slow
    (True, True)
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: Mapping[str, Optimizer] | None = None) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(f"Expected `default_optimizer` to be an optimizer. Received: {default_optimizer!r}")
        if not isinstance(optimizer_map or {}, dict):
            raise TypeError(f"Expected `optimizer_map` to be a dictionary. Received: {optimizer_map!r}")
        self.default_optimizer = default_optimizer
        self._optimizers: dict[str, Optimizer] = {}
        self.update(optimizer_map or {})

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._optimizers:
            return self._optimizers[key]
        found = [pattern for pattern in self._optimizers if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"Expected one key for variable {key!r}. Received several: {', '.join(found)}")
        return self._optimizers[found[0]] if found else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if key in self._optimizers:
            raise ValueError(f"Expected a new key. Received: {key!r}, which is for {self._optimizers[key]!r}")
        if not isinstance(key, str):
            raise ValueError(f"Expected a key that is a text. Received: {key!r}")
        self._optimizers[key] = _single(optimizer, key)

    def __delitem__(self, key: str) -> None:
        del self._optimizers[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizers)

    def __len__(self) -> int:
        return len(self._optimizers)

    def __call__(self, variable: Any) -> Optimizer:
        """The optimizer of a variable."""
        return self[variable.path]

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "optimizer_map": self._optimizers or None}

    def get_config(self) -> dict[str, Any]:
        optimizers = {key: serialize_object(optimizer) for key, optimizer in self._optimizers.items()}
        return {"default_optimizer": serialize_object(self.default_optimizer), "optimizer_map": optimizers}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> OptimizerMap:
        made = {name: deserialize_object(value, custom_objects=custom_objects) for name, value in config.items()}
        return cls(**made)


class MultiOptimizer(Optimizer):
    """Hands each variable to one of several optimizers, which all make their step at once.

    Learning rates, schedules, clipping and the like are those of the optimizers within: see `optimizers`.

    Args:
        optimizer_map: An `OptimizerMap`, or a function that returns the optimizer of a variable.
        loss_scale_factor: See `Optimizer`; it takes the place of those of the optimizers within.
        name: Name of the optimizer.

    Attributes:
        optimizers: Those within, in the order in which they were met: those of the map, its default, then others.

    Raises:
        ValueError: What is returned for a variable is no optimizer, or one of several rules itself: a
            `MultiOptimizer`, or `Muon`.
        AttributeError: `learning_rate` is read or set: each optimizer has its own.

    Example:

    >>> kernel, bias = cconv.Variable([1.0], name="kernel"), cconv.Variable([1.0], name="bias")
    >>> slow, fast = cconv.optimizers.SGD(0.125), cconv.optimizers.SGD(0.5)
    >>> optimizer = cconv.optimizers.MultiOptimizer(cconv.optimizers.OptimizerMap(slow, {"bias": fast}))
    >>> optimizer.apply([[1.0], [1.0]], [kernel, bias])
    >>> kernel.numpy().tolist(), bias.numpy().tolist()
    ([0.875], [0.5])
    """

    rule = "sgd"  # of the optimizer of the core that delegates: it changes no variable itself

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Any], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        if not callable(optimizer_map):
            raise TypeError(f"Expected an OptimizerMap or a function of a variable. Received: {optimizer_map!r}")
        self.optimizer_map = optimizer_map
        self._inner: list[Optimizer] = []
        self._chosen: dict[int, Optimizer] = {}  # by the `id` of variables, which are kept in `_trainable`
        super().__init__(learning_rate=_none, loss_scale_factor=loss_scale_factor, name=name)
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._meet(optimizer)

    @property
    def optimizers(self) -> list[Optimizer]:
        return list(self._inner)

    def _meet(self, optimizer: Optimizer) -> None:
        if not any(optimizer is known for known in self._inner):
            optimizer.loss_scale_factor = self.loss_scale_factor
            self._inner.append(optimizer)

    def _optimizer_of(self, variable: Any) -> Optimizer:
        if id(variable) not in self._chosen:
            chosen = _single(self.optimizer_map(variable), str(getattr(variable, "path", variable.name)))
            self._meet(chosen)
            self._chosen[id(variable)] = chosen
        return self._chosen[id(variable)]

    def _core_of(self, variable: Any) -> _core.Optimizer:
        return self._optimizer_of(variable)._core_of(variable)

    def _add(self, variable: Any) -> dict[str, Any]:
        chosen = self._optimizer_of(variable)
        chosen.build([variable])
        self.core.delegate(variable.core, chosen._core_of(variable))
        self._trainable.append(variable)
        return chosen._core_of(variable).slots(variable.core)

    def _set_in_core(self, name: str, value: Any) -> None:
        for optimizer in self._inner:
            setattr(optimizer, name, value)

    def before_step(self) -> None:
        for optimizer in self._inner:
            optimizer.before_step()

    @property
    def clipping(self) -> int:
        return max([optimizer.clipping for optimizer in self._inner], default=0)

    @property
    def learning_rate(self) -> Any:
        raise AttributeError("A MultiOptimizer has no learning rate: those of its `optimizers` are read and set.")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError("A MultiOptimizer has no learning rate: those of its `optimizers` are read and set.")

    def state_of(self, variables: Sequence[Any]) -> list[OptimizerVariable]:
        if variables:
            self.build(variables)
        rate = OptimizerVariable(f"{self.name}/learning_rate", lambda: np.zeros((), np.float32), lambda value: None)
        found = [self._iterations, rate]  # a rate that Keras' has in files, of which nobody makes use
        for optimizer in self._inner:
            found += optimizer.state_of([v for v in variables if self._optimizer_of(v) is optimizer])
        return found

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        for optimizer in self._inner:
            optimizer.finalize_variable_values([v for v in var_list if self._optimizer_of(v) is optimizer])

    def get_config(self) -> dict[str, Any]:
        chosen = serialize_object(self.optimizer_map)
        return {"optimizer_map": chosen, "loss_scale_factor": self.loss_scale_factor, "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> MultiOptimizer:
        config = dict(config)
        config["optimizer_map"] = deserialize_object(config["optimizer_map"], custom_objects=custom_objects)
        return cls(**config)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({**state, "_chosen": {}})

    def _settings(self) -> dict[str, Any]:
        return {"optimizer_map": self.optimizer_map, "name": self.name}


def _single(optimizer: Any, path: str) -> Optimizer:
    """One that changes all of its variables by one rule.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(optimizer, Optimizer) or isinstance(optimizer, (MultiOptimizer, Muon)):
        raise ValueError(
            f"Expected an optimizer for {path!r} that is neither a MultiOptimizer nor Muon. Received: {optimizer!r}"
        )
    return optimizer


def _none() -> float:
    """The learning rate of what changes nothing itself."""
    return 0.0
