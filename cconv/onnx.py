"""Models of ONNX files: read by the C core, held as layers that have the names of the file's nodes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import _core, ops
from .dtypes import of
from .layers.input_layer import InputLayer, check_sizes
from .layers.layer import Layer
from .models.model import Model
from .naming import short_repr
from .ops._apply import apply
from .registry import register_serializable

__all__ = ["OnnxLayer", "load"]

_FEW = 1024  # elements of a constant that stand in a layer's configuration; more are a weight that is not trained
_STATISTICS = {"batch_norm": (3, 4)}  # inputs that training renews, and no gradient


@register_serializable("cconv")
class OnnxLayer(Layer):
    """A node of an ONNX file: the ops of the core that it became, and its weights.

    Made by `cconv.onnx.load`, and from the configuration that a saved model holds.

    Args:
        nodes: The ops, in order: `op`, `inputs` and `attributes`. An input is `None` or a pair: one of `"input"`,
            `"weight"`, `"constant"` and `"node"`, and a number.
        weights: Name, shape and whether training changes it, of each weight.
        constants: Type and values of each constant.
        outputs: Numbers of the nodes that are outputs.

    Example:

    >>> layer = cconv.onnx.OnnxLayer(
    ...     nodes=[{"op": "multiply", "inputs": [["input", 0], ["weight", 0]], "attributes": {}}],
    ...     weights=[["scale", [2], True]],
    ...     constants=[],
    ...     outputs=[0],
    ... )
    >>> layer(np.array([[1.0, 2.0]])).tolist()
    [[0.0, 0.0]]
    """

    # what the layer computes does not change: nobody need look through it before each run
    _unobserved = Layer._unobserved | {"nodes", "weight_specs", "constants", "output_numbers", "_values", "_held"}

    def __init__(
        self,
        nodes: Sequence[Mapping[str, Any]],
        weights: Sequence[Sequence[Any]] = (),
        constants: Sequence[Mapping[str, Any]] = (),
        outputs: Sequence[int] = (0,),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.nodes = [dict(node) for node in nodes]
        self.weight_specs = [list(spec) for spec in weights]
        self.constants = [dict(constant) for constant in constants]
        self.output_numbers = list(outputs)
        self._values = [np.array(c["values"], c["dtype"]).reshape(c["shape"]) for c in self.constants]
        self._held = [
            self.add_weight(shape=tuple(shape), initializer="zeros", trainable=trainable, name=name)
            for name, shape, trainable in self.weight_specs
        ]
        self.built = True

    def share(self, number: int, variable: Any) -> None:
        """Takes another layer's variable as weight `number`: several nodes of a file may read one initializer."""
        held = self._held[number]
        self._weights[:] = [variable if weight is held else weight for weight in self._weights]
        self._held[number] = variable
        self._changed("_weights")

    def call(self, inputs, training=None):
        given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        found: list[Any] = []
        places = {"input": given, "weight": self._held, "constant": self._values, "node": found}
        for node in self.nodes:
            read = [None if place is None else places[place[0]][place[1]] for place in node["inputs"]]
            attributes = dict(node["attributes"])
            if "training" in attributes:
                attributes["training"] = bool(training) and self.trainable
            if node["op"] == "dropout" and not training:
                found.append(read[0])
            else:
                found.append(apply(node["op"], read, attributes))
        results = [found[k] for k in self.output_numbers]
        return results[0] if len(results) == 1 else results

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "nodes": self.nodes,
            "weights": self.weight_specs,
            "constants": self.constants,
            "outputs": self.output_numbers,
        }


def load(
    path: str | os.PathLike[str] | bytes,
    shapes: Mapping[str, Sequence[int | None]] | None = None,
    data_format: str | None = None,
    name: str | None = None,
) -> Model:
    """Makes a model of an ONNX file.

    The model predicts, trains, prints its summary and is saved as any other. Its layers have the names of the file's
    nodes, `/` written as `.`; the tensors between them hold images channels last, whatever the file does.

    Args:
        path: The file; or its bytes.
        shapes: Shapes of inputs, by their names, where they are to be other than in the file; `None` for a size that
            stays open. A batch of a fixed size becomes any batch, if the model computes samples apart.
        data_format: `None`: images go in as the file says, `(n, c, h, w)`. `"channels_last"`: inputs of three axes and
            more are `(n, h, w, c)`, as layers of cconv have them.
        name: The model's name; by default the file's.

    Returns:
        A functional model, not compiled.

    Raises:
        NotImplementedError: The file has operators that are not supported; all of them are named.
        OSError: The file cannot be read.
        ValueError: It is no ONNX file, or an argument is not as said.

    Example:

    >>> x = cconv.Input((4,))
    >>> cconv.Model(x, cconv.layers.Dense(3, name="dense")(x)).export("small.onnx", format="onnx", verbose=False)
    >>> model = cconv.onnx.load("small.onnx")
    >>> model.predict(np.ones((2, 4)), verbose=0).shape
    (2, 3)
    """
    if data_format not in (None, "channels_first", "channels_last"):
        raise ValueError(
            f"Expected data_format as None, 'channels_first' or 'channels_last'. Received: data_format={data_format!r}"
        )
    graph = _read(path, _checked(shapes))
    if name is None:
        name = "onnx" if isinstance(path, (bytes, bytearray)) else Path(os.fsdecode(path)).stem
    return _Builder(graph).model(name.replace("/", "."), data_format == "channels_last")


def _checked(shapes: Any) -> dict[str, tuple[int | None, ...]]:
    if shapes is None:
        return {}
    if not isinstance(shapes, Mapping) or not all(isinstance(name, str) for name in shapes):
        raise TypeError(f"Expected shapes as a dictionary of inputs' names and shapes. Received: {short_repr(shapes)}")
    return {name: check_sizes(shape, f"shapes[{name!r}]") for name, shape in shapes.items()}


def _read(path: Any, shapes: dict[str, Sequence[int | None]]) -> _core.Graph:
    """The graph, for any batch if the model allows it."""
    if not isinstance(path, (bytes, bytearray, str, os.PathLike)):
        raise TypeError(f"Expected a path or the bytes of an ONNX file. Received: {short_repr(path)}")
    graph = _core.load_onnx(path, shapes)
    fixed = {
        node.name: (None, *node.shape[1:])
        for node in graph.nodes()
        if node.kind == "input" and len(node.shape) > 1 and node.shape[0] is not None
    }
    if not fixed:
        return graph
    try:
        opened = _core.load_onnx(path, {**shapes, **fixed}, graph)
    except (ValueError, NotImplementedError):
        return graph
    wanted = [node for _, node in opened.outputs()]
    return opened if opened.per_sample(wanted) or _samples_are_apart(graph, opened) else graph


def _samples_are_apart(graph: _core.Graph, opened: _core.Graph) -> bool:
    """Whether one sample more changes nothing for the others: seen, where it does not show in the graph."""
    inputs = [node for node in graph.nodes() if node.kind == "input"]
    if any(None in node.shape or node.dtype != "float32" or not node.shape for node in inputs):
        return False
    n = inputs[0].shape[0]
    rng = np.random.default_rng(0)
    more = [rng.random((node.shape[0] + 1, *node.shape[1:]), np.float32) for node in inputs]
    try:
        alone = _core.Plan(graph, [node for _, node in graph.outputs()])
        together = _core.Plan(opened, [node for _, node in opened.outputs()], max_batch=n + 1)
        first, last = (alone.run([np.ascontiguousarray(x[k : k + n]) for x in more]) for k in range(2))
        found = together.run(more)
    except (ValueError, NotImplementedError):
        return False
    return all(
        y.shape[:1] == (n + 1,)
        and np.allclose(y[:n], a, rtol=1e-4, atol=1e-5)
        and np.allclose(y[1:], b, rtol=1e-4, atol=1e-5)
        for y, a, b in zip(found, first, last, strict=True)
    )


class _Builder:
    """Layers of the nodes of a graph: those that came of one node of the file, one after the other, are a layer."""

    def __init__(self, graph: _core.Graph) -> None:
        self.nodes = [None, *graph.nodes()]
        self.outputs = [node for _, node in graph.outputs()]
        self.moving = self._which_move()
        self.readers = self._readers()
        self.tensors: dict[int, Any] = {}
        self.variables: dict[int, Any] = {}  # by the address of their numbers
        self.names: set[str] = set()

    def _which_move(self) -> list[bool]:
        """Which nodes depend on the inputs."""
        moving = [False] * len(self.nodes)
        for i, node in enumerate(self.nodes):
            if node is not None:
                moving[i] = node.kind == "input" or any(moving[x] for x in node.inputs if x)
        return moving

    def _readers(self) -> list[list[int]]:
        readers: list[list[int]] = [[] for _ in self.nodes]
        for i, node in enumerate(self.nodes):
            for x in node.inputs if node is not None else ():
                readers[x].append(i)
        return readers

    def model(self, name: str, channels_last: bool) -> Model:
        inputs = []
        for i, node in enumerate(self.nodes):
            if node is not None and node.kind == "input":
                given, self.tensors[i] = self._input(node, channels_last)
                inputs.append(given)
        for group in self._groups():
            self._add_layer(group)
        for node in self.outputs:
            if node not in self.tensors or self.nodes[node].kind == "input":
                self._add_identity(node)
        outputs = [self.tensors[node] for node in self.outputs]
        return Model(inputs[0] if len(inputs) == 1 else inputs, outputs[0] if len(outputs) == 1 else outputs, name=name)

    def _input(self, node: Any, channels_last: bool) -> tuple[Any, Any]:
        """The model's input, and what the graph's is made of."""
        rank = len(node.shape)
        image = channels_last and rank > 2
        shape = (node.shape[0], *node.shape[2:], node.shape[1]) if image else node.shape
        given = InputLayer(batch_shape=shape, dtype=node.dtype, name=self._free_name(node.name)).output
        return given, ops.transpose(given, (0, rank - 1, *range(1, rank - 1))) if image else given

    def _groups(self) -> list[list[int]]:
        groups: list[list[int]] = []
        for i, node in enumerate(self.nodes):
            if node is None or node.kind != "op" or not self.moving[i]:
                continue
            if groups and groups[-1][-1] == i - 1 and self.nodes[i - 1].name == node.name:
                groups[-1].append(i)
            else:
                groups.append([i])
        return groups

    def _with_fixed(self, group: list[int]) -> list[int]:
        """The nodes, and those before them that are the same in every run."""
        found: set[int] = set(group)
        stack = list(group)
        while stack:
            for x in self.nodes[stack.pop()].inputs:
                if x and self.nodes[x].kind == "op" and not self.moving[x] and x not in found:
                    found.add(x)
                    stack.append(x)
        return sorted(found)

    def _free_name(self, name: str) -> str:
        base = name.strip("/").replace("/", ".") or "node"
        free, number = base, 0
        while free in self.names:
            number += 1
            free = f"{base}_{number}"
        self.names.add(free)
        return free

    def _add_identity(self, node: int) -> None:
        """An output that no layer computes: an input, or what is the same in every run, for each sample of a batch."""
        if self.nodes[node].kind != "input":
            raise NotImplementedError(f"The output '{self.nodes[node].name}' does not depend on the inputs.")
        layer = OnnxLayer(
            [{"op": "identity", "inputs": [["input", 0]], "attributes": {}}],
            name=self._free_name(f"{self.nodes[node].name}_output"),
        )
        self.tensors[node] = layer(self.tensors[node])

    def _add_layer(self, group: list[int]) -> None:
        inputs: list[int] = []
        weights: list[list[Any]] = []
        values: list[_core.Variable | np.ndarray] = []
        constants: list[dict[str, Any]] = []
        nodes: list[dict[str, Any]] = []
        places: dict[int, list[Any]] = {}

        def place(x: int, trainable: bool) -> list[Any] | None:
            if not x or x in places:
                return places.get(x)
            node = self.nodes[x]
            big = node.kind == "constant" and node.value.size > _FEW and of(node.value) == "float32"
            if node.kind == "variable" or big:
                values.append(node.value)
                weights.append([node.name.replace("/", "."), list(node.shape), trainable and not big])
                places[x] = ["weight", len(weights) - 1]
            elif node.kind == "constant":
                values_list = node.value.ravel().tolist()
                constants.append({"dtype": node.dtype, "shape": list(node.shape), "values": values_list})
                places[x] = ["constant", len(constants) - 1]
            else:
                inputs.append(x)
                places[x] = ["input", len(inputs) - 1]
            return places[x]

        for i in self._with_fixed(group):
            node = self.nodes[i]
            still = _STATISTICS.get(node.op, ())
            read = [place(x, k not in still) for k, x in enumerate(node.inputs)]
            places[i] = ["node", len(nodes)]
            nodes.append({"op": node.op, "inputs": read, "attributes": node.attributes})
        given = [i for i in group if i in self.outputs or any(r not in group for r in self.readers[i])]
        name = self._free_name(self.nodes[group[-1]].name)
        layer = OnnxLayer(nodes, weights, constants, [places[i][1] for i in given], name=name)
        for k, value in enumerate(values):
            address = np.asarray(value).ctypes.data
            if address in self.variables:
                layer.share(k, self.variables[address])
                continue
            self.variables[address] = layer._held[k]
            if isinstance(value, _core.Variable):
                layer._held[k]._adopt(value)
            else:
                layer._held[k].assign(value)
        results = layer(self.tensors[inputs[0]] if len(inputs) == 1 else [self.tensors[x] for x in inputs])
        for i, y in zip(given, results if len(given) > 1 else [results], strict=True):
            self.tensors[i] = y
