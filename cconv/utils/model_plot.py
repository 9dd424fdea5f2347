"""Models drawn as graphs of their layers: `model_to_dot` and `plot_model`."""

from __future__ import annotations

import sys
from typing import Any

from ..tensor import Tensor
from ..tree import flatten
from .dot import Dot, box, escape, quoted

_FRAME = 'fontname="Helvetica"; labeljust="l"; color="#888888"; style=rounded;'


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Dot:
    """The graph of a model's layers in Graphviz' language.

    Args:
        model: A model. One that is not made of symbolic tensors is drawn as a list of its layers.
        show_shapes: Whether to tell the shapes of inputs and outputs.
        show_dtype: Whether to tell the types of outputs.
        show_layer_names: Whether to tell names beside the classes.
        rankdir: Direction: `"TB"` downward, `"LR"` to the right.
        expand_nested: Whether to draw the layers of models inside the model, in a frame.
        dpi: Pixels per inch of a picture.
        subgraph: Whether to return a frame (`subgraph cluster_...`), to be put into a graph of one's own.
        show_layer_activations: Whether to tell activation functions.
        show_trainable: Whether to tell if training changes a layer.
        splines: Form of the edges: `"ortho"`, `"curved"`, `"polyline"`, `"spline"` or `"line"`.

    Returns:
        A graph with the methods `to_string()`, `write(path)` and `create(format=)`; only the last two need Graphviz.

    Raises:
        ValueError: The model has no layers, or its layers do not know their shapes and `show_shapes` is given.

    Example:

    >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2, name="last")])
    >>> "last" in cconv.utils.model_to_dot(model).to_string()
    True
    """
    if not getattr(model, "layers", None):
        raise ValueError(f"A model with layers is needed to draw them. Received: model={model!r}")
    if rankdir not in ("TB", "LR", "BT", "RL"):
        raise ValueError(f"`rankdir`: expected 'TB', 'LR', 'BT' or 'RL'. Received: rankdir={rankdir!r}")
    if show_shapes and not model.built:
        raise ValueError(
            f"Model '{model.name}' is not built yet, so that its shapes are not known. Call it on data, or "
            "`model.build(input_shape)`, first; or expect no shapes (show_shapes=False)."
        )
    drawing = _Drawing(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, expand_nested)
    drawing.add(model, "")
    body = "\n".join(f"  {line}" for line in drawing.lines)
    if subgraph:
        return Dot(f"subgraph {quoted('cluster_' + model.name)} {{\n  label={quoted(model.name)};\n{body}\n}}\n")
    settings = f"rankdir={rankdir}; dpi={int(dpi)}; splines={quoted(splines)}; nodesep=0.4; ranksep=0.4; pad=0.2;"
    style = 'node [shape=plain, fontname="Helvetica", fontsize=11]; edge [color="#444444", arrowsize=0.7];'
    return Dot(f"digraph model {{\n  {settings}\n  {style}\n{body}\n}}\n")


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Dot | None:
    """Draws the graph of a model's layers into a file, by Graphviz.

    Args:
        model: A model.
        to_file: Name of the picture, whose extension says the format: `.png`, `.svg`, `.pdf`, ...; or `.dot`, for the
            text that Graphviz reads, which needs no Graphviz.
        show_shapes: See `model_to_dot`, as for the arguments that follow.
        show_dtype: Types of outputs.
        show_layer_names: Names beside the classes.
        rankdir: Direction.
        expand_nested: Layers of models inside the model.
        dpi: Pixels per inch.
        show_layer_activations: Activation functions.
        show_trainable: Whether training changes a layer.
        splines: Form of the edges.

    Returns:
        In a notebook the graph, which is shown there; else `None`.

    Raises:
        ImportError: Graphviz is not installed.
        ValueError: See `model_to_dot`; or Graphviz does not know the format.

    Example:

    >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])
    >>> cconv.utils.plot_model(model, "model.dot", show_shapes=True)
    """
    graph = model_to_dot(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        dpi=dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
    )
    graph.write(to_file)
    return graph if "ipykernel" in sys.modules else None


class _Drawing:
    """The statements of a graph, and which node stands for which layer.

    Attributes:
        lines: The statements.
    """

    def __init__(self, shapes: bool, dtype: bool, names: bool, activations: bool, trainable: bool, nested: bool):
        self.lines: list[str] = []
        self._shapes, self._dtype, self._names = shapes, dtype, names
        self._activations, self._trainable, self._nested = activations, trainable, nested

    def add(self, model: Any, prefix: str) -> tuple[str, str]:
        """Draws a model; returns the nodes that edges to it and from it touch."""
        structure = getattr(model, "_structure", None)
        if structure is None:
            return self._add_list(model, prefix)
        ends: dict[int, tuple[str, str]] = {}
        members = {id(node) for node in structure.nodes}
        for owner in structure.operations:
            ends[id(owner)] = self._add_owner(owner, prefix, members)
        for node in structure.nodes:
            for x in node.inputs:
                if id(x.node) in members:
                    start, end = ends[id(x.node.owner)][1], ends[id(node.owner)][0]
                    self.lines.append(f"{quoted(start)} -> {quoted(end)};")
        return ends[id(structure.inputs[0].node.owner)][0], ends[id(structure.outputs[0].node.owner)][1]

    def _add_list(self, model: Any, prefix: str) -> tuple[str, str]:
        """Layers of which it is not known what they are connected to, but in a stack."""
        ends = [self._add_owner(layer, prefix, set()) for layer in model.layers]
        if type(model).__name__ == "Sequential":
            for (_, start), (end, _) in zip(ends, ends[1:], strict=False):
                self.lines.append(f"{quoted(start)} -> {quoted(end)};")
        return ends[0][0], ends[-1][1]

    def _add_owner(self, owner: Any, prefix: str, members: set[int]) -> tuple[str, str]:
        name = f"{prefix}{owner.name}"
        if self._nested and getattr(owner, "layers", None):
            self.lines.append(f"subgraph {quoted('cluster_' + name)} {{")
            self.lines.append(f"label=<<b>{escape(owner.name)}</b>>; {_FRAME}")
            ends = self.add(owner, f"{name}/")
            self.lines.append("}")
            return ends
        kind = getattr(getattr(owner, "function", None), "operation_class", type(owner).__name__)
        self.lines.append(box(name, kind, self._rows(owner, members)))
        return name, name

    def _rows(self, owner: Any, members: set[int]) -> list[tuple[str, str]]:
        rows = [("", owner.name)] if self._names else []
        activation = getattr(owner, "activation", None)
        if self._activations and activation is not None:
            rows.append(("Activation", getattr(activation, "__name__", type(activation).__name__)))
        if self._shapes or self._dtype:
            nodes = list(owner._inbound_nodes)
            node = next((node for node in nodes if id(node) in members), nodes[0] if nodes else None)
            if self._shapes:
                known = node is not None
                if known and not node.is_input:
                    rows.append(("Input shape", _shapes(node.inputs)))
                rows.append(("Output shape", _shapes(node.outputs) if known else "?"))
            if self._dtype:
                rows.append(("Output dtype", "?" if node is None else ", ".join(x.dtype for x in node.outputs)))
        if self._trainable and getattr(owner, "weights", None):
            rows.append(("Trainable", "yes" if owner.trainable else "no"))
        return rows


def _shapes(tensors: list[Tensor]) -> str:
    return ", ".join(str(x.shape) for x in flatten(tensors))
