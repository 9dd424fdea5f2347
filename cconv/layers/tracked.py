"""What layers are made of: variables and other layers, found among their attributes, and who is told of a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import constraints, initializers, regularizers
from ..changes import Observed
from ..dtypes import as_numbers
from ..scope import absolute_name_scope, current_path, is_calling
from ..variable import Variable
from .stateless import stateless_call

_AGGREGATIONS = ("none", "mean", "sum", "only_first_replica")


class Tracked(Observed):
    """A named owner of variables and of others like itself, which it finds among its attributes.

    Args:
        name: Its name.
        trainable: Whether training changes the variables.
    """

    __slots__ = ("_places",)  # beside the attributes: of no interest to who copies or stores these

    _unobserved = frozenset({
        "_weights", "_inbound_nodes", "_traced_losses", "_array_calls", "_trainer", "_dependents", "_parent_path",
        "_init_config", "_build_config", "_building",
    })  # fmt: skip

    def __init__(self, name: str, trainable: bool) -> None:
        self._weights: list[Variable] = []
        self._parent_path: tuple[str, ...] | None = None
        self.built = False
        self.name = name
        self._trainable = bool(trainable)

    def _check_init_called(self) -> None:
        if "_weights" not in vars(self):
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as the first statement in "
                "the `__init__()` method."
            )

    # ---- changes

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (Variable, Tracked)):
            self._check_init_called()
            if is_calling(self) and not any(value is part for part in (*self._own_variables(), *self._layers)):
                self._refuse_state(name)
        super().__setattr__(name, value)
        if name not in self._unobserved:
            object.__setattr__(self, "_places", None)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        object.__setattr__(self, "_places", None)

    def _tell_changes(self, dependent: Any) -> list[Any]:
        """From now on `dependent` hears of every attribute that is set here or in a layer below. Returns these."""
        layers = self._flatten_layers()
        for layer in layers:
            layer._tell(dependent)
        return layers

    def _refuse_state(self, name: str | None) -> None:
        raise ValueError(
            f"Layer '{self.name}': weights and layers are made in `__init__()` or `build()`, before the first call. "
            f"Received {name!r} in `call()`."
        )

    def _watched(self) -> Iterable[Any]:
        own = [
            value
            for name, value in list(vars(self).items())
            if name not in self._unobserved and not name.endswith("_initializer")  # these have done their work
        ]
        return [*own, *self._weights, *self._layers]

    # ---- names

    def _path(self) -> tuple[str, ...]:
        """Where the layer stands among those it was first used in, with its own name at the end."""
        if self._parent_path is None:
            self._parent_path = current_path()
        return (*self._parent_path, self.name)

    @property
    def path(self) -> str:
        """The name within the model, `"model/block/conv2d"`."""
        return "/".join(self._path())

    # ---- weights

    def add_weight(
        self,
        shape: Sequence[int] | None = None,
        initializer: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Makes a weight of this layer.

        Args:
            shape: Tuple of sizes; `None` or `()` for a scalar.
            initializer: Initializer, its name, or a function of the shape. `None`: Glorot uniform.
            dtype: `"float32"`, `"int32"` or `"bool"`, as of `cconv.Variable`.
            trainable: Whether training changes it.
            autocast: Must be true: weights are float32, as what they meet.
            regularizer: Penalty added to the loss.
            constraint: Function applied after every update.
            aggregation: How copies of the weight would become one, in Keras' words: `"none"`, `"mean"`, `"sum"` or
                `"only_first_replica"`. There is one copy, so that all of them say the same.
            overwrite_with_gradient: Must be False.
            name: Name within the layer.

        Raises:
            ValueError: An argument is not as said, or the layer is in its `call`.
        """
        self._check_init_called()
        if is_calling(self):
            self._refuse_state(name)
        if overwrite_with_gradient:
            raise ValueError("`overwrite_with_gradient` is not supported. Received: overwrite_with_gradient=True")
        if not autocast:
            raise ValueError(
                f"Layer '{self.name}', weight {name!r}: weights are float32, expected autocast=True. "
                f"Received: autocast={autocast!r}"
            )
        if aggregation not in _AGGREGATIONS:
            raise ValueError(
                f"Layer '{self.name}', weight {name!r}: expected aggregation as one of {', '.join(_AGGREGATIONS)}. "
                f"Received: aggregation={aggregation!r}"
            )
        shape = () if shape is None else shape
        if initializer is None:
            initializer = "glorot_uniform" if np.ndim(shape) and len(shape) else "zeros"
        if isinstance(regularizer, (str, dict)):
            regularizer = regularizers.get(regularizer)
        if isinstance(constraint, (str, dict)):
            constraint = constraints.get(constraint)
        with absolute_name_scope(self._path()):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=trainable,
                name=name,
                regularizer=regularizer,
                constraint=constraint,
            )
        self._weights.append(variable)
        self._changed("_weights")
        return variable

    def add_variable(self, *args: Any, **kwargs: Any) -> Variable:
        """The same as `add_weight`."""
        return self.add_weight(*args, **kwargs)

    def _members(self) -> tuple[dict[int, Variable], dict[int, Any]]:
        """The variables and the layers of this layer itself, by their `id`: of its `_weights` and its attributes."""
        variables: dict[int, Variable] = {id(v): v for v in self._weights}
        layers: dict[int, Any] = {}
        for value in self._found_places():
            _collect(value, variables, layers)
        return variables, layers

    def _found_places(self) -> list[Any]:
        """The attributes that are variables or layers, or may hold them. Found again after an attribute was set."""
        kept = getattr(self, "_places", None)
        if kept is None or kept[0] is None:
            kept = [None]
            object.__setattr__(self, "_places", kept)  # first: what is set meanwhile, in another thread, takes it away
            own = [value for name, value in vars(self).items() if name not in self._unobserved]
            kept[0] = [value for value in own if _may_hold(value)]
        return kept[0]

    def _own_variables(self) -> list[Variable]:
        """Those of this layer itself, in the order they were made: by `add_weight`, or assigned to attributes."""
        return list(self._members()[0].values())

    @property
    def _layers(self) -> list[Any]:
        """The layers among the attributes, also in lists, tuples and dictionaries."""
        return list(self._members()[1].values())

    _trainable_variables = property(lambda self: [v for v in self._own_variables() if not _is_not_trained(v)])
    _non_trainable_variables = property(lambda self: [v for v in self._own_variables() if _is_not_trained(v)])

    def _flatten_layers(self, include_self: bool = True) -> list[Any]:
        """This layer and all below, depth first, each once."""
        return [layer for layer, _ in self._walk()][0 if include_self else 1 :]

    def _walk(self) -> Iterator[tuple[Any, dict[int, Variable]]]:
        """This layer and all below, depth first, each once, with the variables of each itself."""
        seen: set[int] = set()
        stack: list[Tracked] = [self]
        while stack:
            layer = stack.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                variables, below = layer._members()
                yield layer, variables
                stack.extend(reversed(below.values()))

    @property
    def variables(self) -> list[Variable]:
        """All weights of this layer and those below it."""
        found: dict[int, Variable] = {}
        for _, own in self._walk():
            for v in sorted(own.values(), key=_is_not_trained):
                found.setdefault(id(v), v)
        return list(found.values())

    weights = property(lambda self: self.variables, doc="All weights of this layer and those below it.")

    @property
    def trainable_variables(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [v for v in self.variables if not v.trainable] if self.trainable else self.variables

    trainable_weights = property(lambda self: self.trainable_variables, doc="The weights that training changes.")
    non_trainable_weights = property(
        lambda self: self.non_trainable_variables, doc="The weights that training leaves alone."
    )

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights of this layer. Setting it also sets it for the layers below."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        for layer in self._flatten_layers():
            if layer is not self and type(layer).trainable is not Tracked.trainable:
                layer.trainable = value  # as its class has it
                continue
            for v in layer._trainable_variables:
                v.trainable = value
                v._frozen_by_layer = not value
            layer._trainable = value

    def count_params(self) -> int:
        """The number of weights' elements.

        Raises:
            ValueError: The layer is not built yet, so that its weights are not known.

        Example:

        >>> cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(3)]).count_params()
        15
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. "
                "You can build it manually via: `layer.build(input_shape)`."
            )
        return sum(v.size for v in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, as arrays.

        Example:

        >>> layer = cconv.layers.Dense(3)
        >>> _ = layer(np.zeros((1, 4)))
        >>> [w.shape for w in layer.get_weights()]
        [(4, 3), (3,)]
        """
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets all weights from arrays in the order of `get_weights()`. Either all are set or none."""
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length "
                f"{len(weights)}, but the layer was expecting {len(variables)} weights"
                f"{'' if self.built else ' (it is not built yet)'}."
            )
        arrays = [
            as_numbers(w.value if isinstance(w, Variable) else w, f"Layer '{self.name}' weight '{v.path}'")
            for v, w in zip(variables, weights, strict=True)
        ]
        for v, array in zip(variables, arrays, strict=True):
            if v.shape != array.shape:
                raise ValueError(
                    f"Layer '{self.name}' weight '{v.path}': weight shape {v.shape} is not compatible with "
                    f"provided weight shape {array.shape}."
                )
        for v, array in zip(variables, arrays, strict=True):
            v.assign(array)

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple:
        """Calls the layer on arrays with these values in the place of its variables', which it keeps.

        The variables are lent the values for the length of the call: other threads should not use the layer meanwhile.

        Args:
            trainable_variables: An array for each of `self.trainable_variables`.
            non_trainable_variables: An array for each of `self.non_trainable_variables`.
            *args: What the layer is called on.
            return_losses: Whether to return the penalties (of activities and weights) as well.
            **kwargs: Further arguments of the call, such as `training`.

        Returns:
            `(outputs, non_trainable_variables)`, where the second are the values after the call, such as moving
            averages in training; with `return_losses` a third element, the list of penalties.

        Raises:
            ValueError: The layer is not built, or the arrays do not fit its variables.

        Example:

        >>> layer = cconv.layers.BatchNormalization(momentum=0.5)
        >>> layer.build((None, 1))
        >>> y, (mean, variance) = layer.stateless_call(
        ...     [[2.0], [1.0]], [[0.0], [1.0]], np.array([[1.0], [3.0]]), training=True)
        >>> y.round(2).tolist(), mean.tolist(), layer.moving_mean.numpy().tolist()
        ([[-1.0], [3.0]], [1.0], [0.0])
        """
        return stateless_call(self, trainable_variables, non_trainable_variables, args, return_losses, kwargs)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Writes the weights of this layer itself (not those below) into a mapping."""
        for i, v in enumerate((*self._trainable_variables, *self._non_trainable_variables)):
            store[f"{i}"] = v.numpy()

    def load_own_variables(self, store: dict[str, Any]) -> None:
        """Reads what `save_own_variables` wrote."""
        variables = [*self._trainable_variables, *self._non_trainable_variables]
        if len(store.keys()) != len(variables):
            if not variables and not self.built:
                raise ValueError(
                    f"Layer '{self.name}' was never built and thus it doesn't have any variables. However the weights "
                    f"file lists {len(store.keys())} variables for this layer."
                )
            raise ValueError(
                f"Layer '{self.name}' expected {len(variables)} variables, but received {len(store.keys())} variables "
                f"during loading. Expected: {[v.name for v in variables]}"
            )
        for i, v in enumerate(variables):
            v.assign(np.asarray(store[f"{i}"]))


def _is_not_trained(v: Variable) -> bool:
    return not (v.trainable or getattr(v, "_frozen_by_layer", False))


def is_container(value: Any) -> bool:
    """Whether a value may get or lose members without an attribute being set."""
    if isinstance(value, tuple):
        return any(is_container(item) for item in value)
    return isinstance(value, (list, dict, set))


def _may_hold(value: Any) -> bool:
    """Whether a value is a variable or a layer, or may come to hold some."""
    if isinstance(value, tuple):
        return any(map(_may_hold, value))
    return isinstance(value, (list, dict, Variable, Tracked))


def _collect(value: Any, variables: dict[int, Variable], layers: dict[int, Any]) -> None:
    """Adds the variables and layers in a value: itself, or what lists, tuples and dictionaries hold."""
    if isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            _collect(item, variables, layers)
    elif isinstance(value, Variable):
        variables[id(value)] = value
    elif isinstance(value, Tracked):
        layers[id(value)] = value
