"""The one way into the core: an op on tensors becomes a node, on arrays it runs at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import _core
from ..dtypes import of, of_array, wanted
from ..graph import as_input_array, freeze, is_random
from ..program import Program, ProgramCache
from ..recorded_tensor import RecordedTensor
from ..recording import record_of
from ..scope import current_name, is_recording, is_tracing, name_scope, tracing
from ..tensor import Tensor, constant
from ..variable import Variable

__all__ = ["apply", "gradient", "is_eager", "name_scope", "shape_of", "tracing"]

_programs = ProgramCache(64)


def is_eager(*inputs: Any) -> bool:
    """True if the numbers of these inputs are there to be looked at: a function of them need not be part of a graph."""
    if any(isinstance(x, Tensor) or (isinstance(x, RecordedTensor) and not x.is_known) for x in inputs):
        return False
    return not ((is_tracing() or is_recording()) and any(isinstance(x, Variable) for x in inputs))


def _is_symbolic(inputs: Sequence[Any]) -> bool:
    """Whether an op on these becomes a node."""
    return any(isinstance(x, Tensor) for x in inputs) or (is_tracing() and any(isinstance(x, Variable) for x in inputs))


def shape_of(x: Any) -> tuple[int | None, ...]:
    """The shape of a tensor, variable or anything NumPy makes an array of."""
    shape = getattr(x, "shape", None)
    return tuple(shape) if shape is not None else np.shape(x)


def apply(
    op: str,
    inputs: Sequence[Any],
    attributes: Mapping[str, Any] | None = None,
    name: str | None = None,
    seed: int = 0,
) -> Tensor | np.ndarray:
    """Applies an op of the C core.

    Args:
        op: Its name, as in `cconv.ops`' table.
        inputs: Tensors, variables, arrays or numbers, `None` for an optional one left out.
        attributes: The op's attributes; those that are `None` take their default.
        name: What errors call the node; by default the layer that is being called.
        seed: Seed of the run where the op draws random numbers and runs at once.

    Returns:
        A `Tensor` if an input is symbolic, or a variable while a layer is traced; a `RecordedTensor` where a tape
        records or an input is one; else an array. Inputs of types that the op does not take are cast: to the type they
        have together, or to the one that it computes in.

    Raises:
        ValueError: The attributes or shapes break a rule of the op.
    """
    attributes = {key: value for key, value in (attributes or {}).items() if value is not None}
    name = name or current_name()
    if not _is_symbolic(inputs):
        record = None if is_tracing() else record_of(*inputs)
        if record is None:
            return _run(op, inputs, attributes, name, seed)
        if not is_random(op):
            return record.op(op, inputs, attributes, name)
        # drawn at once, by the seed of this call
        if inputs[0] is None:
            return record.constant(_run(op, inputs, attributes, name, seed))
        mask = _run(op, [np.ones(shape_of(inputs[0]), np.float32)], attributes, name, seed)
        return record.op("multiply", [inputs[0], mask], {}, name)
    types = wanted(op, tuple(None if x is None else of(x) for x in inputs))
    nodes = tuple(_node(x, dtype) for x, dtype in zip(inputs, types, strict=True))
    shapes = [None if x is None else x.shape for x in nodes]
    shape, dtype = _core.infer_value(op, shapes, types, attributes, name)
    return Tensor(shape, op=op, inputs=nodes, attributes=attributes, name=name, dtype=dtype)


def gradient(op: str, inputs: Sequence[Any], attributes: Mapping[str, Any], dy: Any, wrt: int) -> np.ndarray:
    """The gradient of `sum(dy * op(*inputs))` with respect to input number `wrt`, for arrays."""
    if _is_symbolic([*inputs, dy]):
        raise TypeError("Gradients are computed at once, from arrays. Received a symbolic tensor.")
    arrays = [None if x is None else _array(x) for x in inputs]
    shapes = tuple(None if x is None else x.shape for x in arrays)
    attributes = {key: value for key, value in attributes.items() if value is not None}
    shape = _core.infer(op, shapes, attributes, current_name())
    dy = np.ascontiguousarray(np.asarray(dy), np.float32)
    if dy.shape != tuple(shape):
        raise ValueError(
            f"{op}: the gradient of the output must have the output's shape {tuple(shape)}. Received: {dy.shape}"
        )

    def make():
        floats = [None if x is None else Tensor(x) for x in shapes]
        y = Tensor(shape, op=op, inputs=tuple(floats), attributes=attributes)
        return Program([y], [x for x in floats if x is not None], root=y, wrt=[floats[wrt]])

    program = _programs.get((op, shapes, freeze(attributes), wrt), make)
    return program.gradients([x for x in arrays if x is not None], dy)[0]


def _run(op: str, inputs: Sequence[Any], attributes: dict[str, Any], name: str | None, seed: int) -> np.ndarray:
    arrays = [None if x is None else _array(x) for x in inputs]
    shapes = tuple(None if x is None else x.shape for x in arrays)
    given = tuple(None if x is None else of_array(x.dtype) for x in arrays)

    def make():
        types = wanted(op, given)
        # what is wrong is said with the name of the layer
        shape, dtype = _core.infer_value(op, shapes, types, attributes, name)
        fed = [None if s is None else Tensor(s, dtype=_fed(a, b)) for s, a, b in zip(shapes, given, types, strict=True)]
        nodes = tuple(_node(x, to) for x, to in zip(fed, types, strict=True))
        y = Tensor(shape, op=op, inputs=nodes, attributes=attributes, dtype=dtype)
        return Program([y], [x for x in fed if x is not None])

    program = _programs.get((op, shapes, given, freeze(attributes)), make)
    return program.run([x for x in arrays if x is not None], seed=seed)[0]


def _fed(given: str, wanted: str) -> str:
    """The type of the input that an array is fed to: the one wanted, where gathering converts as a cast does."""
    return wanted if given == wanted or (given, wanted) == ("bool", "int32") else "float32"


def _array(x: Any) -> np.ndarray:
    return x._numbers() if isinstance(x, Variable) else as_input_array(x)


def _node(x: Any, dtype: str | None) -> Tensor | None:
    """What a symbolic op reads: a value of this type."""
    if x is None:
        return None
    if not isinstance(x, (Tensor, Variable)):
        return constant(x, dtype)
    node = x.current() if isinstance(x, Variable) else x
    if node.dtype == dtype:
        return node
    return Tensor(node.shape, op="cast", inputs=(node,), attributes={"to": dtype}, name=node.name, dtype=dtype)
