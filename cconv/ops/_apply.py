"""The one way into the core: an op on tensors becomes a node, on arrays it runs at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import _core
from ..dtypes import of, of_array, wanted
from ..graph import PlanCache, as_input_array, freeze
from ..scope import current_name, is_tracing, name_scope, tracing
from ..tensor import Tensor, constant
from ..variable import Variable

__all__ = ["apply", "gradient", "is_eager", "name_scope", "shape_of", "tracing"]

_plans = PlanCache(64)


def is_eager(*inputs: Any) -> bool:
    """True if an op on these inputs would run at once."""
    if any(isinstance(x, Tensor) for x in inputs):
        return False
    return not (is_tracing() and any(isinstance(x, Variable) for x in inputs))


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
        A `Tensor` if an input is symbolic, or a variable while a layer is traced; else an array. Inputs of types that
        the op does not take are cast: to the type they have together, or to the one that it computes in.

    Raises:
        ValueError: The attributes or shapes break a rule of the op.
    """
    attributes = {key: value for key, value in (attributes or {}).items() if value is not None}
    name = name or current_name()
    if is_eager(*inputs):
        return _run(op, inputs, attributes, name, seed)
    types = wanted(op, tuple(None if x is None else of(x) for x in inputs))
    nodes = tuple(_node(x, dtype) for x, dtype in zip(inputs, types, strict=True))
    shapes = [None if x is None else x.shape for x in nodes]
    shape, dtype = _core.infer_value(op, shapes, types, attributes, name)
    return Tensor(shape, op=op, inputs=nodes, attributes=attributes, name=name, dtype=dtype)


def gradient(op: str, inputs: Sequence[Any], attributes: Mapping[str, Any], dy: Any, wrt: int) -> np.ndarray:
    """The gradient of `sum(dy * op(*inputs))` with respect to input number `wrt`, for arrays."""
    if not is_eager(*inputs, dy):
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
        ways = [None if shape is None else ("float32", None) for shape in shapes]
        graph, nodes, y = _one_op(op, shapes, ways, attributes)
        return _core.Plan(graph, [y], root=y, wrt=[nodes[wrt]]), nodes[wrt]

    lock, (plan, node) = _plans.get((op, shapes, freeze(attributes), wrt), make)
    with lock:
        plan.run([x for x in arrays if x is not None], root_gradient=dy)
        return plan.gradient(node)


def _run(op: str, inputs: Sequence[Any], attributes: dict[str, Any], name: str | None, seed: int) -> np.ndarray:
    arrays = [None if x is None else _array(x) for x in inputs]
    shapes = tuple(None if x is None else x.shape for x in arrays)
    given = tuple(None if x is None else of_array(x.dtype) for x in arrays)

    def make():
        types = wanted(op, given)
        # asked first, so that what is wrong is said with the name of the layer
        _core.infer_value(op, shapes, types, attributes, name)
        ways = [None if a is None else _way(a, b) for a, b in zip(given, types, strict=True)]
        graph, _, y = _one_op(op, shapes, ways, attributes)
        return _core.Plan(graph, [y], training=op == "dropout")

    lock, plan = _plans.get((op, shapes, given, freeze(attributes)), make)
    with lock:
        return plan.run([x for x in arrays if x is not None], seed=seed)[0]


def _way(given: str, wanted: str) -> tuple[str, str | None]:
    """The type of the input that an array is fed to, and what it is then cast to: most are converted when gathered."""
    if given == wanted or wanted == "float32" or (given, wanted) == ("bool", "int32"):
        return wanted, None
    return "float32", wanted


def _one_op(
    op: str, shapes: Sequence[Any], ways: Sequence[Any], attributes: dict[str, Any]
) -> tuple[_core.Graph, list[int], int]:
    graph = _core.Graph()
    nodes = []
    for shape, way in zip(shapes, ways, strict=True):
        node = 0 if shape is None else graph.input(shape, dtype=way[0])
        nodes.append(graph.add("cast", [node], {"to": way[1]}) if way and way[1] else node)
    return graph, nodes, graph.add(op, nodes, attributes)


def _array(x: Any) -> np.ndarray:
    return x.value if isinstance(x, Variable) else as_input_array(x)


def _node(x: Any, dtype: str | None) -> Tensor | None:
    """What a symbolic op reads: a value of this type."""
    if x is None:
        return None
    if not isinstance(x, (Tensor, Variable)):
        return constant(x, dtype)
    node = x.node() if isinstance(x, Variable) else x
    if node.dtype == dtype:
        return node
    return Tensor(node.shape, op="cast", inputs=(node,), attributes={"to": dtype}, name=node.name, dtype=dtype)
