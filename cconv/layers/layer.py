"""The base of all layers: weights, configuration, and the call that traces a layer into a graph."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from ..array_like import is_array_like
from ..config import standardize_dtype
from ..naming import auto_name, nearest, short_repr
from ..ops.operation import Calls, Node, fresh
from ..recorded_tensor import RecordedTensor
from ..regularizers import activity_penalty
from ..scope import (
    absolute_name_scope,
    building,
    current_training,
    is_recording,
    is_tracing,
    layer_call,
    tracing,
    untraced,
)
from ..tensor import Tensor
from ..tree import flatten, map_structure
from .arguments import (
    argument_names,
    constructor_arguments,
    position,
    shape_arguments,
    signature,
    takes,
    takes_base_arguments,
    tensor_arguments,
)
from .array_calls import ArrayCalls
from .held import Holding
from .input_spec import check_inputs
from .masking import hand_on, is_mask, mask_arguments
from .parts import base_config, plain_arguments, regularizer_of
from .shapes import declared, for_any_sizes, map_shapes, shape_from_config, shapes_of, symbol
from .tracked import Tracked
from .typed import Typed


class Layer(Typed, Holding, Tracked):
    """A step of a model: a function of tensors, with weights.

    Subclasses make their weights in `build` and write `call` with the functions of `cconv.ops`. Layers and variables
    assigned to attributes are found.

    Args:
        activity_regularizer: Function of the output whose value, divided by the batch size, is added to the loss.
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

    _array_calls: ArrayCalls | None = None
    _init_config: Mapping[str, Any] = MappingProxyType({})  # where the constructor's arguments did not fit
    _building = False
    supports_masking = False  # whether a mask of the input is one of the output
    makes_mask = False  # whether `compute_mask` gives one of an input without a mask

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        # as a default for get_config
        arguments = constructor_arguments(cls, self, args, kwargs)
        if arguments is not None:
            object.__setattr__(self, "_init_config", arguments)
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
        if name is not None and (not isinstance(name, str) or "/" in name or not name):
            raise ValueError(f"Argument `name` must be a non-empty string without '/'. Received: name={name!r}")
        super().__init__(auto_name(type(self).__name__) if name is None else name, trainable)
        self._inbound_nodes = Calls()
        self._traced_losses: list[Tensor] = []
        self._array_calls = ArrayCalls()
        self._build_config: dict[str, Any] | None = None
        self.input_spec = None
        if not isinstance(trainable, (bool, np.bool_)):
            raise ValueError(f"Expected `trainable` to be a boolean. Received: trainable={trainable!r}")
        if not autocast:
            raise ValueError(f"Floating-point inputs become float32: expected autocast=True. Received: {autocast!r}")
        self.dtype = standardize_dtype(dtype)
        self.activity_regularizer = regularizer_of(activity_regularizer)
        self._input_shape_argument = None
        if "batch_shape" in kwargs:
            self._input_shape_argument = tuple(kwargs.pop("batch_shape"))
        elif "input_shape" in kwargs:
            self._input_shape_argument = (kwargs.pop("batch_size", None), *kwargs.pop("input_shape"))
        elif "input_dim" in kwargs:
            self._input_shape_argument = (None, kwargs.pop("input_dim"))
        if kwargs:
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}. "
                f"{nearest(next(iter(kwargs)), argument_names(type(self)))}"
            )

    # ---- to be written by subclasses

    def build(self, input_shape: Any) -> None:
        """Makes the weights, once the shape of the input is known.

        Args:
            input_shape: Tuple, with `None` for the batch; a list of tuples if the layer takes a list of tensors. It may
                have other parameters: `x_shape` is the shape of the argument `x` of `call`.
        """
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the output, with functions of `cconv.ops`. May take `training` and `mask`.

        It is traced, once for many runs. Variables that it assigns are assigned in every run; other things that it does
        (printing, setting attributes) are done while it is traced only.
        """
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `call()` method implemented.")

    # ---- penalties

    def add_loss(self, loss: Any) -> None:
        """Adds a tensor computed in `call`, or several, to the loss that training minimizes; of what a tape recorded,
        to `losses` until the next call.

        Raises:
            ValueError: It is no tensor: a number, or called outside of `call`.
        """
        for value in flatten(loss):
            if isinstance(value, RecordedTensor):
                self._array_calls.losses = [*self._array_calls.losses, value]
                continue
            if not isinstance(value, Tensor):
                raise ValueError(
                    f"Layer '{self.name}': `add_loss()` is called inside `call()`, with tensors computed from its "
                    f"input. Received: {value!r}"
                )
            self._traced_losses.append(value)

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Not supported, as in Keras.

        Raises:
            NotImplementedError: Always, with what to do instead.
        """
        raise NotImplementedError(
            f"Layer '{self.name}': metrics are not added in a call. Give them to `compile(metrics=[...])`; or make one "
            "in `__init__()` as an attribute and call its `update_state()` in a `train_step` of the model's own."
        )

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
        """The penalties as numbers: those of the last call on arrays or the last step of `fit` or `evaluate`, then
        those of the weights."""
        if is_tracing():
            return self.losses_for_tracing()
        found = [value for layer in self._flatten_layers() for value in layer._array_calls.losses]
        return found + [v.regularizer(v) for v in self.trainable_variables if v.regularizer is not None]

    # ---- the call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Applies the layer to symbolic tensors (then the result is symbolic) or to arrays (then it is computed)."""
        calls = self._array_calls
        if calls is None:
            self._check_init_called()
        elif len(args) == 1 and not kwargs and type(args[0]) is np.ndarray and not is_tracing():
            cached = calls.cached.get((args[0].shape, args[0].dtype.kind))
            program = None if cached is None else cached.program()
            if program is not None and not is_recording():
                return cached.run(program, args[0])
        leaves = flatten([args, kwargs])
        symbolic = any(isinstance(x, Tensor) for x in leaves)
        if not symbolic and not is_tracing() and any(is_array_like(x) for x in leaves):
            return calls.call(self, args, kwargs, leaves)
        if symbolic and not is_tracing():
            outputs = map_structure(fresh, for_any_sizes(self, args, kwargs))
            Node(self, args, {k: v for k, v in kwargs.items() if k != "training" or v is not None}, outputs)
            return outputs
        bound = tensor_arguments(self, args, kwargs)
        first = next(iter(bound.values()), None)
        tensors = {name: value for name, value in bound.items() if not is_mask(name)}
        check_inputs(self.input_spec, first, self.name)
        with absolute_name_scope(self._path()):
            if not self.built:
                with building, untraced():
                    if not self.built:  # another thread may have been faster
                        self._build_for(tensors)
                check_inputs(self.input_spec, first, self.name)
        training = self._training(args, kwargs)
        call_kwargs = {k: v for k, v in kwargs.items() if k != "training"}
        if takes(type(self).call, "training") and position(type(self).call, args, "training") is None:
            call_kwargs["training"] = training
        call_kwargs.update(mask_arguments(self, tensors, kwargs))
        with layer_call(self, [x for x in leaves if isinstance(x, Tensor)], training) as outermost:
            if outermost:
                for layer in self._flatten_layers():
                    layer._traced_losses = []
            parts = None if type(self).__module__.startswith("cconv.") else self._layers
            outputs = self.call(*args, **call_kwargs)
            if parts is not None and len(self._layers) > len(parts):  # by way of a list or dictionary
                self._refuse_state(self._layers[-1].name)
            if self.activity_regularizer is not None:
                for y in flatten(outputs):
                    self.add_loss(activity_penalty(self.activity_regularizer, y))
            if type(self).compute_output_shape is not Layer.compute_output_shape:
                outputs = declared(self, {name: shapes_of(value) for name, value in tensors.items()}, outputs)
            return hand_on(self, first, outputs)

    def _build_for(self, bound: dict[str, Any]) -> None:
        args, kwargs = shape_arguments(type(self).build, {name: shapes_of(value) for name, value in bound.items()})
        self.build(*args, **kwargs)
        self.built = True

    def _training(self, args: tuple, kwargs: dict[str, Any]) -> bool:
        training, call = kwargs.get("training"), type(self).call
        at = position(call, args, "training") if takes(call, "training") else None
        if at is not None:
            training = args[at]
        if training is None:
            training = current_training()
        return bool(training)

    # ---- shapes

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the output for inputs of this shape (a tuple, or a nested structure of tuples)."""
        given = {k.removesuffix("_shape"): map_shapes(symbol, shape) for k, shape in kwargs.items()}
        outputs = for_any_sizes(self, [map_shapes(symbol, shape) for shape in args], given)
        return map_structure(lambda y: y.shape, outputs)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output: that of the input, by default. Asked where `supports_masking` is true."""
        return previous_mask

    def _first_node(self, what: str) -> Node:
        node = next(iter(self._inbound_nodes), None)
        if node is None:
            raise AttributeError(
                f"The layer '{self.name}' has never been called and thus has no defined {what}, or nobody holds what "
                "the call returned, nor a model made of it."
            )
        return node

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
        config = base_config(self)
        if type(self).__init__ is Layer.__init__ or self._writes_config():
            return config
        own = plain_arguments(self)
        return {**config, **own, "name": self.name} if takes_base_arguments(type(self)) else own

    def _writes_config(self) -> bool:
        """Whether the class has a `get_config` of its own, which adds its arguments."""
        return type(self).get_config is not Layer.get_config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """Makes a layer from what `get_config` returned."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes with which the layer was built."""
        if not self._build_config or len(self._build_config) > 1:
            return {"shapes_dict": self._build_config} if self._build_config else self._build_config
        return {"input_shape": next(iter(self._build_config.values()))}  # whatever `build` calls it

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the layer from `get_build_config`'s shapes."""
        if not config or self.built:
            return
        shapes = {k: shape_from_config(v) for k, v in config.items() if v is not None}
        if "input_shape" in shapes:
            self.build(shapes["input_shape"])
        elif "shapes_dict" in shapes:
            self.build(**shapes["shapes_dict"])
        elif shapes:
            self.build(**shapes)

    def __getstate__(self) -> dict[str, Any]:
        # the history of symbolic calls belongs to the models made of it, what is cached to the layer itself
        own = {"_inbound_nodes": Calls(), "_traced_losses": [], "_array_calls": ArrayCalls(), "_dependents": ()}
        return {**vars(self), **own}

    def __repr__(self) -> str:
        told = {"name": self.name, **self._told_settings(), "built": self.built}
        shown = (f"{key}={value if key == 'name' else short_repr(value)}" for key, value in told.items())
        return f"<{type(self).__name__} {', '.join(shown)}>"

    def _told_settings(self) -> dict[str, Any]:
        """The arguments that the layer was made with, but for those that say the default, as they are now."""
        parameters = {**signature(Layer.__init__).parameters, **signature(type(self).__init__).parameters}
        found = {}
        for key, value in self._init_config.items():
            default = parameters[key].default if key in parameters else None
            plain = isinstance(value, (str, int, float, tuple)) and type(value) is type(default)
            if key not in ("name", "dtype") and value is not default and not (plain and value == default):
                found[key] = getattr(self, key, value)
        return found


def _wrap_build(build: Callable) -> Callable:
    @functools.wraps(build)
    def wrapped(self, *args: Any, **kwargs: Any):
        self._check_init_called()
        if self._building:
            return build(self, *args, **kwargs)
        object.__setattr__(self, "_building", True)
        try:
            with absolute_name_scope(self._path()):
                result = build(self, *args, **kwargs)
        finally:
            object.__delattr__(self, "_building")
        self.built = True
        names = [p for p in signature(build).parameters if p != "self"]
        self._build_config = {**dict(zip(names, args, strict=False)), **kwargs}
        # a layer frozen before it was built has its weights frozen too
        if not self._trainable:
            self.trainable = False
        return result

    return wrapped
