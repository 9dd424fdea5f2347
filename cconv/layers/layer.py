"""The base of all layers: weights, configuration, and the call that traces a layer into a graph."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import initializers
from .._core import Plan
from ..config import standardize_dtype
from ..dtypes import as_numbers, of_array
from ..graph import PlanCache, as_input_array, build_graph, in_order, signature
from ..naming import auto_name
from ..ops.operation import Node, fresh
from ..random import next_seed
from ..scope import (
    absolute_name_scope,
    current_path,
    current_training,
    is_tracing,
    layer_call,
    name_scope,
    tracing,
    training_scope,
)
from ..tensor import Tensor
from ..tree import flatten, is_nested, map_structure
from ..variable import Variable
from .input_spec import check_inputs


class Layer:
    """A step of a model: a function of tensors, with weights.

    Subclasses make their weights in `build` and write `call` with the functions of `cconv.ops`. Layers and variables
    assigned to attributes are found.

    Args:
        activity_regularizer: Function of the output whose value is added to the loss.
        trainable: Whether training changes the weights.
        dtype: `"float32"`.
        autocast: Must be true: floating-point inputs become float32.
        name: Name of the layer; by default its class in snake case, numbered.

    Example:

    >>> class Scale(cconv.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
    ...
    ...     def call(self, x):
    ...         return x * self.factor
    >>> layer = Scale()
    >>> layer(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    >>> [w.path for w in layer.weights]
    ['scale/factor']
    """

    #: raised when any attribute of any layer is set or removed: what was found out before may be out of date
    _changes = 0

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        # the arguments, as a default for get_config
        try:
            constructor = _signature(cls.__init__)
            bound = constructor.bind(self, *args, **kwargs)
        except TypeError:
            return self
        config = {}
        for name, value in list(bound.arguments.items())[1:]:
            kind = constructor.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                config.update(value)
            elif kind is not inspect.Parameter.VAR_POSITIONAL:
                config[name] = value
        object.__setattr__(self, "_init_config", config)
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _wrap_build(cls.__dict__["build"])

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._weights: list[Variable] = []
        self._inbound_nodes: list[Node] = []
        self._traced_losses: list[Tensor] = []
        self._plans = PlanCache(8)
        self._known_calls: dict[tuple[tuple[int, ...], str], _KnownCall] = {}
        self._parent_path: tuple[str, ...] | None = None
        self._build_config: dict[str, Any] | None = None
        self.built = False
        self.input_spec = None
        self.supports_masking = False
        if name is not None and (not isinstance(name, str) or "/" in name or not name):
            raise ValueError(f"Argument `name` must be a non-empty string without '/'. Received: name={name!r}")
        self.name = auto_name(type(self).__name__) if name is None else name
        if not autocast:
            raise ValueError(f"Floating-point inputs become float32: expected autocast=True. Received: {autocast!r}")
        self.dtype = standardize_dtype(dtype)
        self._trainable = bool(trainable)
        if activity_regularizer is not None:
            from .. import regularizers

            activity_regularizer = regularizers.get(activity_regularizer)
        self.activity_regularizer = activity_regularizer
        self._input_shape_argument = None
        if "batch_shape" in kwargs:
            self._input_shape_argument = tuple(kwargs.pop("batch_shape"))
        elif "input_shape" in kwargs:
            self._input_shape_argument = (kwargs.pop("batch_size", None), *kwargs.pop("input_shape"))
        elif "input_dim" in kwargs:
            self._input_shape_argument = (None, kwargs.pop("input_dim"))
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}")

    # ---- to be written by subclasses

    def build(self, input_shape: Any) -> None:
        """Makes the weights, once the shape of the input is known.

        Args:
            input_shape: Tuple, with `None` for the batch; a list of tuples if the layer takes a list of tensors.
        """
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the output, with functions of `cconv.ops`. May take `training`."""
        raise TypeError(f"Layer {type(self).__name__} does not have a `call()` method implemented.")

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
            dtype: `"float32"`.
            trainable: Whether training changes it.
            autocast: Unused.
            regularizer: Penalty added to the loss.
            constraint: Function applied after every update.
            aggregation: Unused.
            overwrite_with_gradient: Must be False.
            name: Name within the layer.
        """
        self._check_init_called()
        if overwrite_with_gradient:
            raise ValueError("`overwrite_with_gradient` is not supported. Received: overwrite_with_gradient=True")
        shape = () if shape is None else shape
        if initializer is None:
            initializer = "glorot_uniform" if np.ndim(shape) and len(shape) else "zeros"
        if isinstance(regularizer, (str, dict)):
            from .. import regularizers

            regularizer = regularizers.get(regularizer)
        if isinstance(constraint, (str, dict)):
            from .. import constraints

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
        Layer._changes += 1
        return variable

    def _own_variables(self) -> list[Variable]:
        """Those of this layer itself, in the order they were made: by `add_weight`, or assigned to attributes."""
        found = list(self._weights)
        for key, value in vars(self).items():
            if key not in _UNTRACKED:
                for item in _leaves(value):
                    if isinstance(item, Variable) and not any(item is v for v in found):
                        found.append(item)
        return found

    @property
    def _layers(self) -> list[Layer]:
        """The layers among the attributes, also in lists, tuples and dictionaries."""
        found: list[Layer] = []
        for key, value in vars(self).items():
            if key not in _UNTRACKED:
                for item in _leaves(value):
                    if isinstance(item, Layer) and not any(item is layer for layer in found):
                        found.append(item)
        return found

    @property
    def _trainable_variables(self) -> list[Variable]:
        return [v for v in self._own_variables() if v.trainable or getattr(v, "_frozen_by_layer", False)]

    @property
    def _non_trainable_variables(self) -> list[Variable]:
        return [v for v in self._own_variables() if not (v.trainable or getattr(v, "_frozen_by_layer", False))]

    def _flatten_layers(self, include_self: bool = True) -> list[Layer]:
        """This layer and all below, depth first, each once."""
        found: list[Layer] = []
        seen: set[int] = set()
        stack: list[Layer] = [self]
        while stack:
            layer = stack.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            if layer is not self or include_self:
                found.append(layer)
            stack.extend(reversed(layer._layers))
        return found

    @property
    def variables(self) -> list[Variable]:
        """All weights of this layer and those below it."""
        found: list[Variable] = []
        seen: set[int] = set()
        for layer in self._flatten_layers():
            for v in (*layer._trainable_variables, *layer._non_trainable_variables):
                if id(v) not in seen:
                    seen.add(id(v))
                    found.append(v)
        return found

    @property
    def weights(self) -> list[Variable]:
        """All weights of this layer and those below it."""
        return self.variables

    @property
    def trainable_variables(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [v for v in self.variables if not v.trainable] if self.trainable else self.variables

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return self.trainable_variables

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return self.non_trainable_variables

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights of this layer. Setting it also sets it for the layers below."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        for v in self._trainable_variables:
            v.trainable = value
            v._frozen_by_layer = not value
        self._trainable = value
        for layer in self._layers:
            layer.trainable = value

    def count_params(self) -> int:
        """The number of weights' elements.

        Raises:
            ValueError: The layer is not built yet, so that its weights are not known.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. "
                "You can build it manually via: `layer.build(input_shape)`."
            )
        return sum(v.size for v in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, as arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets all weights from arrays in the order of `get_weights()`. Either all are set or none."""
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length "
                f"{len(weights)}, "
                f"but the layer was expecting {len(variables)} weights{'' if self.built else ' (it is not built yet)'}."
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
                    "file lists "
                    f"{len(store.keys())} variables for this layer."
                )
            raise ValueError(
                f"Layer '{self.name}' expected {len(variables)} variables, but received {len(store.keys())} variables "
                f"during loading. Expected: {[v.name for v in variables]}"
            )
        for i, v in enumerate(variables):
            v.assign(np.asarray(store[f"{i}"]))

    # ---- penalties

    def add_loss(self, loss: Any) -> None:
        """Adds a scalar, computed in `call`, to the loss that training minimizes."""
        for value in flatten(loss):
            if isinstance(value, Tensor):
                self._traced_losses.append(value)

    def losses_for_tracing(self) -> list[Tensor]:
        """Penalties as symbolic scalars: of the weights, and what the last traced call gave to `add_loss`."""
        with tracing():
            found = [t for layer in self._flatten_layers() for t in layer._traced_losses]
            for v in self.trainable_variables:
                if v.regularizer is not None:
                    found.append(v.regularizer(v))
        return found

    @property
    def losses(self) -> list[Any]:
        """The penalties: of the weights as numbers; those of a traced call as symbolic tensors."""
        found: list[Any] = [t for layer in self._flatten_layers() for t in layer._traced_losses]
        return found + [v.regularizer(v) for v in self.trainable_variables if v.regularizer is not None]

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._traced_losses = []

    # ---- the call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Applies the layer to symbolic tensors (then the result is symbolic) or to arrays (then it is computed)."""
        if len(args) == 1 and not kwargs and type(args[0]) is np.ndarray and not is_tracing():
            known = getattr(self, "_known_calls", _NO_CALLS).get((args[0].shape, args[0].dtype.kind))
            plan = known and known.plan()
            if plan is not None:
                return known.run(plan, args[0])
        self._check_init_called()
        leaves = flatten([args, kwargs])
        symbolic = any(isinstance(x, Tensor) for x in leaves)
        if not symbolic and not is_tracing() and any(isinstance(x, (np.ndarray, Variable)) for x in leaves):
            return self._call_on_arrays(args, kwargs)
        bound = self._bind(args, kwargs)
        first = next(iter(bound.values()), None)
        check_inputs(self.input_spec, first, self.name)
        with absolute_name_scope(self._path()):
            if not self.built:
                self._build_for(bound)
                check_inputs(self.input_spec, first, self.name)
        training = self._training(args, kwargs)
        call_kwargs = {k: v for k, v in kwargs.items() if k != "training"}
        if _takes_training(type(self).call) and not _given(type(self).call, args, "training"):
            call_kwargs["training"] = training
        with (
            layer_call() as outermost,
            tracing(),
            absolute_name_scope((*current_path(), self.name)),
            training_scope(training),
        ):
            if outermost:
                self._clear_losses()
            outputs = self.call(*args, **call_kwargs)
            if self.activity_regularizer is not None:
                for y in flatten(outputs):
                    self.add_loss(self.activity_regularizer(y))
        if symbolic and not is_tracing():
            outputs = map_structure(fresh, outputs)
            call_kwargs = {k: v for k, v in kwargs.items() if k != "training" or v is not None}
            Node(self, args, call_kwargs, outputs)
        return outputs

    def _call_on_arrays(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Traces the layer for arrays of these shapes and runs the graph."""
        arrays: list[np.ndarray] = []
        symbols: list[Tensor] = []

        def replace(x):
            if isinstance(x, Variable):
                x = x.value
            if not isinstance(x, np.ndarray):
                return x
            x = as_input_array(x)
            arrays.append(x)
            symbols.append(Tensor(x.shape, dtype=of_array(x.dtype)))
            return symbols[-1]

        alone = len(args) == 1 and not kwargs and type(args[0]) is np.ndarray
        key = (args[0].shape, args[0].dtype.kind) if alone else None
        args, kwargs = map_structure(replace, args), map_structure(replace, kwargs)
        with tracing():
            outputs = self(*args, **kwargs)
        tensors = [y for y in flatten(outputs) if isinstance(y, Tensor)]
        if not tensors:
            return outputs
        with tracing():
            leaves = [apply_identity(y) if y.op in ("input", "variable", "constant") else y for y in tensors]

        # a layer inside may have been told to act as in training by itself
        training = any(t.op == "dropout" or t.attributes.get("training") for t in in_order(leaves, symbols))

        def make():
            graph, ids = build_graph(leaves, symbols)
            return Plan(graph, [ids[id(y)] for y in leaves], training=training), self.variables

        lock, (plan, _) = self._plans.get((signature(leaves, symbols), training), make)
        with lock:
            values = iter(plan.run(arrays, seed=next_seed() if training else 0))
        if key is not None and not training and self._is_constant():
            if len(self._known_calls) >= 4:
                self._known_calls.clear()
            self._known_calls[key] = _KnownCall(plan, lock, outputs)
        return map_structure(lambda y: next(values) if isinstance(y, Tensor) else y, outputs)

    def _is_constant(self) -> bool:
        """Whether nothing but attributes decides what a call computes: no code of the user's is in it."""
        return all(
            type(layer).__module__.startswith("cconv.")
            and getattr(getattr(layer, "activation", None), "__module__", "cconv.").startswith("cconv.")
            and layer.activity_regularizer is None
            for layer in self._flatten_layers()
        )

    def _bind(self, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The tensor arguments of the call by name."""
        try:
            bound = _signature(type(self).call).bind(self, *args, **kwargs)
        except TypeError:
            # `training` may be given to a layer whose call does not know it
            rest = {k: v for k, v in kwargs.items() if k != "training"}
            try:
                bound = _signature(type(self).call).bind(self, *args, **rest)
            except TypeError as error:
                raise TypeError(f"Layer '{self.name}': {error}") from None
        found: dict[str, Any] = {}
        for name, value in list(bound.arguments.items())[1:]:
            kind = _signature(type(self).call).parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                items = value.items()
            elif kind is inspect.Parameter.VAR_POSITIONAL:
                items = [(f"{name}{i}", v) for i, v in enumerate(value)]
            else:
                items = [(name, value)]
            for key, item in items:
                leaves = flatten(item)
                if leaves and any(isinstance(x, (Tensor, Variable, np.ndarray)) for x in leaves):
                    found[key] = item
        if not found:
            given = [*args, *kwargs.values()]
            raise ValueError(
                f"Layer '{self.name}' expected a symbolic tensor (such as `cconv.Input`) or a NumPy array. "
                f"Received: {', '.join(repr(x) for x in given)} (of type {', '.join(type(x).__name__ for x in given)})"
            )
        return found

    def _build_for(self, bound: dict[str, Any]) -> None:
        shapes = {name: _shapes(value) for name, value in bound.items()}
        parameters = [p for p in _signature(type(self).build).parameters.values() if p.name != "self"]
        names = [p.name for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]
        if len(names) == 1 or len(shapes) == 1 or not all(f"{k}_shape" in names for k in shapes):
            self.build(next(iter(shapes.values())))
        else:
            self.build(**{f"{k}_shape": v for k, v in shapes.items()})
        self.built = True

    def _training(self, args: tuple, kwargs: dict[str, Any]) -> bool:
        training = kwargs.get("training")
        if _takes_training(type(self).call) and _given(type(self).call, args, "training"):
            training = args[list(_signature(type(self).call).parameters).index("training") - 1]
        if training is None:
            training = current_training()
        return bool(training)

    def _path(self) -> tuple[str, ...]:
        """Where the layer stands among those it was first used in, with its own name at the end."""
        if self._parent_path is None:
            self._parent_path = current_path()
        return (*self._parent_path, self.name)

    @property
    def path(self) -> str:
        """The name within the model, `"model/block/conv2d"`."""
        return "/".join(self._path())

    # ---- shapes

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the output for inputs of this shape (a tuple, or a nested structure of tuples)."""
        with tracing():
            outputs = self(
                *(map_shapes(_symbol, shape) for shape in args),
                **{k.removesuffix("_shape"): map_shapes(_symbol, shape) for k, shape in kwargs.items()},
            )
        return map_structure(lambda y: y.shape, outputs)

    def _first_node(self, what: str) -> Node:
        if not self._inbound_nodes:
            raise AttributeError(f"The layer '{self.name}' has never been called and thus has no defined {what}.")
        return self._inbound_nodes[0]

    @property
    def output(self) -> Any:
        """The symbolic output of the first call of the layer."""
        outputs = self._first_node("output").outputs
        return outputs[0] if len(outputs) == 1 else outputs

    @property
    def input(self) -> Any:
        """The symbolic input of the first call of the layer."""
        inputs = self._first_node("input").inputs
        return inputs[0] if len(inputs) == 1 else inputs

    # ---- configuration

    def get_config(self) -> dict[str, Any]:
        """The arguments from which an equal layer can be made.

        Subclasses whose `__init__` takes only names, numbers and sequences of them need not write their own.
        """
        config = {"name": self.name, "trainable": self.trainable, "dtype": dtype_config()}
        if self.activity_regularizer is not None:
            from .. import regularizers

            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).__init__ is Layer.__init__ or type(self).get_config is not Layer.get_config:
            return config
        own = {k: v for k, v in getattr(self, "_init_config", {}).items() if k not in ("dtype", "activity_regularizer")}
        for key, value in own.items():
            if not _is_plain(value):
                raise TypeError(
                    f"Layer {type(self).__name__} was created with an argument that cannot be written as JSON: "
                    f"{key}={value!r}. "
                    "Implement `get_config()` (and `from_config()`) to say how it is saved."
                )
        if not _takes_base_arguments(type(self)):
            return own
        return {**config, **own, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """Makes a layer from what `get_config` returned."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes with which the layer was built."""
        return self._build_config

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the layer from `get_build_config`'s shapes."""
        if not config or self.built:
            return
        shapes = {k: shape_from_config(v) for k, v in config.items() if v is not None}
        if "input_shape" in shapes:
            self.build(shapes["input_shape"])
        elif "shapes_dict" in shapes:
            self.build(**config["shapes_dict"])
        elif shapes:
            self.build(**shapes)

    def _check_init_called(self) -> None:
        if "_weights" not in vars(self):
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as the first statement in "
                "the "
                "`__init__()` method."
            )

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (Variable, Layer)):
            self._check_init_called()
        Layer._changes += 1
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        Layer._changes += 1
        super().__delattr__(name)

    def __getstate__(self) -> dict[str, Any]:
        # the history of symbolic calls belongs to the models made of it
        return {**vars(self), "_inbound_nodes": [], "_traced_losses": [], "_known_calls": {}}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


# attributes that hold bookkeeping, not parts of the layer
_UNTRACKED = frozenset(
    {"_weights", "_inbound_nodes", "_traced_losses", "_plans", "_known_calls", "_init_config", "_build_config"}
)


class _KnownCall:
    """A call on one array, to be repeated without tracing while no layer's attributes have changed."""

    def __init__(self, plan: Plan, lock: Any, outputs: Any) -> None:
        self._plan = weakref.ref(plan)  # how long plans are kept is for `PlanCache` to say
        self._lock = lock
        self._outputs = outputs
        self._changes = Layer._changes

    def plan(self) -> Plan | None:
        return self._plan() if self._changes == Layer._changes else None

    def run(self, plan: Plan, x: np.ndarray) -> Any:
        with self._lock:
            values = iter(plan.run([as_input_array(x)]))
        return map_structure(lambda y: next(values) if isinstance(y, Tensor) else y, self._outputs)


_NO_CALLS: dict[tuple[tuple[int, ...], str], _KnownCall] = {}


def _leaves(value: Any) -> list:
    if isinstance(value, (Variable, Layer)):
        return [value]
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _leaves(item)]
    return []


def _wrap_build(build: Callable) -> Callable:
    @functools.wraps(build)
    def wrapped(self, *args: Any, **kwargs: Any):
        self._check_init_called()
        if getattr(self, "_building", False):
            return build(self, *args, **kwargs)
        object.__setattr__(self, "_building", True)
        try:
            with absolute_name_scope(self._path()):
                result = build(self, *args, **kwargs)
        finally:
            del self._building
        self.built = True
        names = [p for p in _signature(build).parameters if p != "self"]
        self._build_config = {**dict(zip(names, args, strict=False)), **kwargs}
        # a layer frozen before it was built has its weights frozen too
        if not self._trainable:
            self.trainable = False
        return result

    return wrapped


@functools.lru_cache(maxsize=512)
def _signature(function: Callable) -> inspect.Signature:
    return inspect.signature(function)


def _takes_training(call: Callable) -> bool:
    return "training" in _signature(call).parameters


def _given(call: Callable, args: tuple, name: str) -> bool:
    """Whether the positional arguments reach as far as this one."""
    parameters = list(_signature(call).parameters.values())
    at = [p.name for p in parameters].index(name)
    return parameters[at].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and len(args) >= at


def _takes_base_arguments(cls: type) -> bool:
    """Whether the constructor passes `name` and the like on."""
    parameters = _signature(cls.__init__).parameters
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()) or "name" in parameters


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return all(_is_plain(v) for v in value)
    return value is None or isinstance(value, (str, int, float, bool))


def _shapes(value: Any) -> Any:
    """The shapes of a structure of tensors; a tuple of tensors counts as a list, so that it differs from a shape."""
    if isinstance(value, dict):
        return {k: _shapes(v) for k, v in value.items()}
    if is_nested(value):
        return [_shapes(v) for v in value]
    return tuple(value.shape)


def map_shapes(function: Callable, shapes: Any) -> Any:
    """Applies a function to every shape of a nested structure."""
    if isinstance(shapes, dict):
        return {k: map_shapes(function, v) for k, v in shapes.items()}
    if shapes is None or all(s is None or isinstance(s, (int, np.integer)) for s in shapes):
        return function(shapes)
    return [map_shapes(function, s) for s in shapes]


def shape_from_config(shapes: Any) -> Any:
    """Shapes read from JSON: lists of sizes become tuples."""
    if shapes is None:
        return None
    return map_shapes(tuple, shapes)


def _symbol(shape: Sequence[int | None]) -> Tensor:
    return Tensor(tuple(shape))


def apply_identity(x: Tensor) -> Tensor:
    """A node that repeats `x`: plans return the values of ops only."""
    return Tensor(x.shape, op="identity", inputs=(x,), name=x.name, dtype=x.dtype)


def dtype_config(name: str = "float32") -> dict[str, Any]:
    """The number type as Keras writes it."""
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}


__all__ = ["Layer", "apply_identity", "dtype_config", "map_shapes", "name_scope", "shape_from_config"]
