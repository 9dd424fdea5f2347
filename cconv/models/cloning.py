"""Models made anew of new layers: `clone_model`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..layers.input_layer import InputLayer
from ..layers.layer import Layer
from ..ops.operation import Operation
from ..scope import untraced
from ..tensor import Tensor
from ..tree import flatten, is_nested, map_structure, pack
from .model import Model
from .sequential import Sequential


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Model:
    """A model of the same structure and name with layers, and so weights, of its own. It is not compiled.

    Args:
        model: A functional or `Sequential` model. Of a class of the user's the configuration is copied, and the
            arguments that follow are refused.
        input_tensors: Symbolic tensors to build the clone upon, in the structure of the model's input; by default new
            inputs are made.
        clone_function: Gives for a layer (but an input's) the one to have in its place. By default
            `type(layer).from_config(layer.get_config())`.
        call_function: Called as `call_function(layer, *args, **kwargs)` in place of each call of a layer of a
            functional model; returns symbolic tensors.
        recursive: Whether the layers of models inside the model are given to `clone_function` too; else such a model
            is given to it as one layer.

    Returns:
        The new model.

    Raises:
        ValueError: `input_tensors` does not fit, or an argument is given that such a model does not take.
        TypeError: `clone_function` returned something that is no layer.

    Example:

    >>> model = cconv.Sequential([cconv.Input((8, 8, 1)), cconv.layers.Conv2D(4, 3), cconv.layers.ReLU()])
    >>> def no_activations(layer):
    ...     if isinstance(layer, cconv.layers.ReLU):
    ...         return cconv.layers.Identity(name=layer.name)
    ...     return type(layer).from_config(layer.get_config())
    >>> [type(layer).__name__ for layer in cconv.models.clone_model(model, clone_function=no_activations).layers]
    ['Conv2D', 'Identity']
    """
    if not isinstance(model, Model):
        raise ValueError(f"Expected a model. Received: model={model!r} (of type {type(model).__name__})")
    for name, function in (("clone_function", clone_function), ("call_function", call_function)):
        if function is not None and not callable(function):
            raise ValueError(f"Expected `{name}` to be callable or None. Received: {name}={function!r}")
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError(
                "`call_function` is for functional models: the layers of a Sequential model are not called one by one. "
                f"Received the Sequential model '{model.name}'."
            )
        with untraced():
            return _clone_stack(model, input_tensors, _cloner(clone_function, None, recursive))
    default_config = type(model).get_config is Model.get_config
    if model._is_functional() and (default_config or clone_function is not None or input_tensors is not None):
        with untraced():
            return _clone_graph(model, input_tensors, _cloner(clone_function, call_function, recursive), call_function)
    if any(x is not None for x in (clone_function, call_function, input_tensors)):
        raise ValueError(
            "`clone_function`, `call_function` and `input_tensors` are for Sequential and functional models. "
            f"Received a model of type {type(model).__name__}."
        )
    return type(model).from_config(model.get_config())


def _cloner(
    clone_function: Callable[[Layer], Layer] | None, call_function: Callable[..., Any] | None, recursive: bool
) -> Callable[[Any], Any]:
    """What gives the new layer for an old one, or the new operation."""

    def clone(owner: Any) -> Any:
        if isinstance(owner, Operation):
            return Operation(owner.function, name=owner.name, **owner.settings)
        if isinstance(owner, InputLayer):
            return type(owner).from_config(owner.get_config())
        if recursive and (isinstance(owner, Sequential) or (isinstance(owner, Model) and owner._is_functional())):
            inner_call = None if isinstance(owner, Sequential) else call_function
            return clone_model(owner, clone_function=clone_function, call_function=inner_call, recursive=True)
        if clone_function is None:
            return type(owner).from_config(owner.get_config())
        made = clone_function(owner)
        if not isinstance(made, Layer):
            raise TypeError(f"`clone_function` must return a layer. For layer '{owner.name}' it returned: {made!r}")
        return made

    return clone


def _clone_stack(model: Sequential, input_tensors: Any, clone: Callable[[Any], Any]) -> Sequential:
    layers = [clone(layer) for layer in (model._layers if model._has_input else model.layers)]
    if input_tensors is not None:
        given = flatten(input_tensors)
        if len(given) != 1 or not isinstance(given[0], Tensor):
            raise ValueError(
                "A Sequential model has one input: `input_tensors` must be a single symbolic tensor. "
                f"Received: input_tensors={input_tensors!r}"
            )
        first = given[0].history[0] if given[0].history else None
        if not isinstance(first, InputLayer):
            first = InputLayer(batch_shape=given[0].shape, dtype=given[0].dtype)
        layers = [first, *(layer for layer in layers if not isinstance(layer, InputLayer))]
    return Sequential(layers, trainable=model.trainable, name=model.name)


def _clone_graph(
    model: Model, input_tensors: Any, clone: Callable[[Any], Any], call_function: Callable[..., Any] | None
) -> Model:
    structure = model._structure
    clones: dict[int, Any] = {}

    def cloned(owner: Any) -> Any:
        if id(owner) not in clones:
            clones[id(owner)] = clone(owner)
        return clones[id(owner)]

    if input_tensors is None:
        inputs = [cloned(x.history[0]).output for x in structure.inputs]
    else:
        inputs = _fitting(input_tensors, structure.nested_inputs)
    values = {id(x): y for x, y in zip(structure.inputs, inputs, strict=True)}
    for node in structure.nodes:
        if node.is_input:
            continue
        args, kwargs = node.arguments(values)
        layer = cloned(node.owner)
        if call_function is None or isinstance(layer, Operation):
            outputs = layer(*args, **kwargs)
        else:
            outputs = call_function(layer, *args, **kwargs)
        for x, y in zip(node.outputs, (y for y in flatten(outputs) if isinstance(y, Tensor)), strict=True):
            values[id(x)] = y
    outputs = map_structure(lambda x: values[id(x)], structure.nested_outputs)
    return type(model)(pack(structure.nested_inputs, inputs), outputs, name=model.name, trainable=model.trainable)


def _fitting(input_tensors: Any, nested_inputs: Any) -> list[Tensor]:
    """`input_tensors` as a list, if they are symbolic tensors in the structure of the model's."""
    given = flatten(input_tensors)
    if not all(isinstance(x, Tensor) for x in given):
        raise ValueError(f"`input_tensors` must be symbolic tensors. Received: input_tensors={input_tensors!r}")
    same = is_nested(input_tensors) == is_nested(nested_inputs) and len(given) == len(flatten(nested_inputs))
    if same and isinstance(nested_inputs, dict):
        same = isinstance(input_tensors, dict) and set(input_tensors) == set(nested_inputs)
    if not same:
        raise ValueError(
            "`input_tensors` must have the structure of the model's input. "
            f"Expected: {nested_inputs!r}. Received: {input_tensors!r}"
        )
    return given
