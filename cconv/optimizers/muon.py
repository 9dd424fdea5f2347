"""Muon."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from .. import _core
from .optimizer import Optimizer
from .schedules import LearningRateSchedule
from .settings import Setting, for_core, given

__all__ = ["Muon"]

_SHARED = frozenset({"clipnorm", "clipvalue", "loss_scale_factor"})  # settings that Adam's variables have, too

# of the arguments those that other variables are changed by, or that tell which these are
_OWN = (
    "adam_beta_1",
    "adam_beta_2",
    "adam_lr_ratio",
    "adam_weight_decay",
    "epsilon",
    "exclude_embeddings",
    "exclude_layers",
)


class Muon(Optimizer):
    """Steps of matrices whose singular values are all about one; other variables are changed as by `AdamW`.

    Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024: the running sum of gradients of
    a matrix is made nearly orthogonal by a few iterations of Newton and Schulz. A variable is changed so if it has two
    axes and is not excluded: kernels of `Dense`, not those of convolutions. The last layer should be excluded. A
    matrix is one thread's work.

    Args:
        learning_rate: See `Optimizer`.
        adam_beta_1: See `Adam`; also `adam_beta_2` and `epsilon`.
        adam_beta_2: See `Adam`.
        adam_weight_decay: As `weight_decay`, of the variables changed as by `AdamW`.
        epsilon: See `Adam`.
        weight_decay, ..., name: See `Optimizer`; `weight_decay` is that of matrices.
        exclude_layers: Regular expressions; a variable whose path holds one of them is changed as by `AdamW`.
        exclude_embeddings: Whether those with "embedding" in their path are, too.
        muon_a: Coefficient of the iteration `x = a x + b x x^T x + c (x x^T)^2 x`; also `muon_b` and `muon_c`.
        muon_b: See `muon_a`.
        muon_c: See `muon_a`.
        adam_lr_ratio: The learning rate of the other variables, as a part of that of the matrices; above 0.
        momentum: How much of the running sum of gradients a step keeps.
        ns_steps: How many iterations.
        nesterov: Whether a step is that from where the momentum leads.
        rms_rate: Root mean square of a step divided by the learning rate, about as Adam's are (Liu and others, "Muon
            is scalable for LLM training", 2025, section 2.2); `None`: steps are not scaled.

    Raises:
        ValueError: `global_clipnorm` is given, which is not supported; or a setting is out of its range.

    Example:

    >>> kernel = cconv.Variable([[3.0, 0.0], [0.0, 1.0]], name="kernel")
    >>> optimizer = cconv.optimizers.Muon(learning_rate=1.0, weight_decay=None, rms_rate=None, ns_steps=9)
    >>> optimizer.apply([[[30.0, 0.0], [0.0, 10.0]]], [kernel])
    >>> bool(np.all(np.abs(kernel.numpy() - [[2.0, 0.0], [0.0, 0.0]]) < 0.4))
    True
    """

    rule = "muon"
    _slot_order = (("momentum", "velocity"),)
    _of_core = Optimizer._of_core | {"_adam"}

    momentum = Setting()
    muon_a = Setting()
    muon_b = Setting()
    muon_c = Setting()
    ns_steps = Setting()
    nesterov = Setting()
    rms_rate = Setting()

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float] = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
    ) -> None:
        if global_clipnorm is not None:
            raise ValueError(
                "Muon changes some variables and Adam others, so that no norm of all gradients is known: expected "
                f"global_clipnorm=None. Received: global_clipnorm={global_clipnorm!r}"
            )
        if not adam_lr_ratio > 0:
            raise ValueError(f"`adam_lr_ratio`: expected a number above 0. Received: adam_lr_ratio={adam_lr_ratio!r}")
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, adam_lr_ratio
        self.exclude_layers, self.exclude_embeddings = list(exclude_layers or ()), bool(exclude_embeddings)
        super().__init__(**given(locals(), *_OWN))

    def _make_core(self) -> None:
        super()._make_core()
        own = {key: self._in_core[key] for key in _SHARED}
        own |= {"gradient_accumulation_steps": self.gradient_accumulation_steps}
        if self.use_ema:
            own |= {"ema_momentum": self.ema_momentum, "ema_overwrite_frequency": self.ema_overwrite_frequency}
        # decay is by the learning rate of matrices, whatever that of Adam is
        decay = None if self.adam_weight_decay is None else self.adam_weight_decay / self.adam_lr_ratio
        own |= {"beta_1": self.adam_beta_1, "beta_2": self.adam_beta_2, "epsilon": self.epsilon, "weight_decay": decay}
        settings = {key: for_core(key, value) for key, value in own.items()}
        self._adam = _core.Optimizer("adam", {**settings, "learning_rate": self._pushed * self.adam_lr_ratio})

    def _is_adams(self, variable: Any) -> bool:
        path = str(getattr(variable, "path", variable.name))
        if len(variable.shape) != 2 or (self.exclude_embeddings and "embedding" in path.lower()):
            return True
        return any(re.search(keyword, path) for keyword in self.exclude_layers)

    def _core_of(self, variable: Any) -> _core.Optimizer:
        return self._adam if self._is_adams(variable) else self.core

    def _add(self, variable: Any) -> dict[str, Any]:
        if self._is_adams(variable):
            self.core.delegate(variable.core, self._adam)
        return super()._add(variable)

    def _set_in_core(self, name: str, value: Any) -> None:
        if name == "global_clipnorm" and value is not None:
            raise ValueError(f"Muon: expected global_clipnorm=None. Received: global_clipnorm={value!r}")
        super()._set_in_core(name, value)
        if name in _SHARED:
            self._adam.set(**{name: for_core(name, value)})

    def before_step(self) -> None:
        before = self._pushed
        super().before_step()
        if self._pushed != before:
            self._adam.set(learning_rate=self._pushed * self.adam_lr_ratio)
        if self._adam.iterations != self.core.iterations:  # somebody has set the number of steps
            self._adam.iterations = self.core.iterations

    def _own(self) -> dict[str, Any]:
        names = ("adam_beta_1", "adam_beta_2", "adam_weight_decay", "epsilon", "exclude_layers", "exclude_embeddings",
                 "adam_lr_ratio")  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._own()}

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), **self._own()}
