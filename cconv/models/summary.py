"""The table that `Model.summary()` prints."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..ops.operation import Node
from ..utils.html import table
from ..utils.io_utils import can_encode, print_msg


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Prints the table of a model; see `Model.summary`."""
    text = summary_text(model, line_length, positions, expand_nested, show_trainable, layer_range)
    if print_fn is not None:
        print_fn(text)
        return
    if not can_encode(text):
        text = text.translate(_PLAIN)
    print_msg(text)


def summary_text(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> str:
    """The table of a model as text."""
    chain = _is_chain(model)
    header = ["Layer (type)", "Output Shape", "Param #"]
    shares = list(positions or ([0.45, 0.80, 1.0] if chain else [0.3, 0.56, 0.74, 1.0]))
    if not chain:
        header.append("Connected to")
    if show_trainable:
        header.append("Trainable")
        if positions is None:
            shares = [share * 0.9 for share in shares] + [1.0]
    if len(shares) != len(header):
        raise ValueError(f"`positions` needs {len(header)} values for this model. Received: positions={positions}")
    if line_length is None:
        wanted = (88 if chain else 108) + (12 if show_trainable else 0)
        line_length = min(wanted, shutil.get_terminal_size().columns - 4)
    widths = _widths(line_length, shares)
    rows = _rows(model, chain, expand_nested, show_trainable, layer_range)
    align = [
        str.ljust,
        str.ljust,
        str.rjust,
        *([] if chain else [str.ljust]),
        *([str.center] if show_trainable else []),
    ]
    lines = [f'Model: "{model.name}"', *_table(header, rows, widths, align), *_totals(model)]
    return "\n".join(lines)


def summary_html(model: Any) -> str:
    """The table of a model as HTML, which notebooks show for it."""
    chain = _is_chain(model)
    header = ["Layer", "Type", "Output shape", "Params", *([] if chain else ["Connected to"])]
    rows = []
    for title, *others in _rows(model, chain, False, False, None):
        name, _, kind = title.partition(" (")
        rows.append([name, kind.removesuffix(")"), *others])
    totals = "<br>".join(html.escape(line.strip()) for line in _totals(model))
    heading = f"<b>{html.escape(type(model).__name__)}</b> {html.escape(model.name)}"
    return f"<div>{heading}{table(header, rows, right=[3])}<small>{totals}</small></div>"


def _is_chain(model: Any) -> bool:
    """Whether the layers follow one another, so that it need not be said what each is connected to."""
    readers: dict[int, int] = {}
    for node in _nodes(model):
        if len(node.inputs) > 1 or len(node.outputs) > 1:
            return False
        for x in node.inputs:
            readers[id(x)] = readers.get(id(x), 0) + 1
    return all(count == 1 for count in readers.values())


def _nodes(model: Any) -> list[Node]:
    """The calls of layers that a model, or a layer that holds others, is made of; none if it is not known."""
    structure = getattr(model, "_structure", None)
    return [] if structure is None else structure.nodes


def _widths(line_length: int, shares: Sequence[float]) -> list[int]:
    """The widths of the columns' contents."""
    ends = [int(line_length * share) if share <= 1 else int(share) for share in shares]
    widths = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    if min(widths) < 4:
        raise ValueError(f"Insufficient console width to print summary. Received: line_length={line_length}")
    # borders and a space on each side of a cell come out of the columns in equal parts
    excess = sum(widths) + 3 * len(widths) + 1 - line_length
    for i in range(len(widths)):
        part = round(excess / (len(widths) - i))
        widths[i] -= part
        excess -= part
    return [max(width, 1) for width in widths]


def _rows(
    model: Any, chain: bool, expand_nested: bool, show_trainable: bool, layer_range: Sequence[str] | None
) -> list[list[str]]:
    rows = []
    rest = _level(model, layer_range, 0)
    while rest:
        owner, members, level = rest.pop()
        prefix = "   " * level + ("└ " if level else "")
        kind = getattr(getattr(owner, "function", None), "operation_class", type(owner).__name__)
        row = [f"{prefix}{owner.name} ({kind})", _output_shape(owner), _parameters(owner)]
        if not chain:
            row.append(_connections(owner, members))
        if show_trainable:
            has = bool(getattr(owner, "weights", None))
            row.append(("Y" if owner.trainable else "N") if has else "-")
        rows.append(row)
        if expand_nested and hasattr(owner, "layers"):
            rest.extend(_level(owner, None, level + 1))
    return rows


def _level(model: Any, layer_range: Sequence[str] | None, level: int) -> list[tuple[Any, set[int], int]]:
    """The layers of a model with the calls that it is made of, the last one first."""
    members = {id(node) for node in _nodes(model)}
    owners = _between(list(getattr(model, "operations", model.layers)), layer_range)
    return [(owner, members, level) for owner in reversed(owners)]


def _between(owners: list[Any], layer_range: Sequence[str] | None) -> list[Any]:
    if not layer_range:
        return owners
    if len(layer_range) != 2 or not all(isinstance(name, str) for name in layer_range):
        raise ValueError(f"`layer_range` must be a list of two names. Received: layer_range={layer_range}")
    at = []
    for name in layer_range:
        found = [i for i, owner in enumerate(owners) if re.match(name, owner.name)]
        if not found:
            raise ValueError(f"No layer matches {name!r} of `layer_range`. Layers: {[owner.name for owner in owners]}")
        at.append(found)
    return owners[min(at[0]) : max(at[1]) + 1]


def _output_shape(owner: Any) -> str:
    nodes: list[Node] = list(owner._inbound_nodes)
    if nodes:
        shapes = [str(x.shape) for x in nodes[0].outputs]
        return shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]"
    config = getattr(owner, "_build_config", None)
    if not config:
        return "?"
    try:
        shapes = owner.compute_output_shape(*config.values())
    except (TypeError, ValueError, AttributeError):
        return "?"
    return str(shapes)


def _parameters(owner: Any) -> str:
    if not hasattr(owner, "count_params"):
        return "0"
    if not owner.built:
        return "0 (unbuilt)"
    return f"{owner.count_params():,}"


def _connections(owner: Any, members: set[int]) -> str:
    found = []
    for node in owner._inbound_nodes:
        if id(node) in members or not members:
            found += [f"{x.history[0].name}[{x.history[1]}][{x.history[2]}]" for x in node.inputs if x.history]
    return ", ".join(found) if found else "-"


def _totals(model: Any) -> list[str]:
    trainable = sum(v.size for v in model.trainable_weights)
    fixed = sum(v.size for v in model.non_trainable_weights)
    extra = 0
    if model.compiled and model.optimizer.built:
        extra = sum(np.size(v.value) for v in model.optimizer.variables)
    lines = [
        f" Total params: {trainable + fixed + extra:,} ({_memory(trainable + fixed + extra)})",
        f" Trainable params: {trainable:,} ({_memory(trainable)})",
        f" Non-trainable params: {fixed:,} ({_memory(fixed)})",
    ]
    if extra:
        lines.append(f" Optimizer params: {extra:,} ({_memory(extra)})")
    return lines


def _memory(count: int) -> str:
    size = 4.0 * count
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024 or unit == "TB":
            return f"{size:.2f} {unit}"
        size /= 1024
    return ""


def _table(header: list[str], rows: list[list[str]], widths: list[int], align: list[Callable]) -> list[str]:
    def rule(left: str, line: str, middle: str, right: str) -> str:
        return left + middle.join(line * (width + 2) for width in widths) + right

    def cells(row: list[str], bar: str) -> list[str]:
        wrapped = [_wrap(text, width) for text, width in zip(row, widths, strict=True)]
        height = max(len(lines) for lines in wrapped)
        out = []
        for i in range(height):
            parts = []
            for lines, width, fill in zip(wrapped, widths, align, strict=True):
                parts.append(fill(lines[i] if i < len(lines) else "", width))
            out.append(f"{bar} " + f" {bar} ".join(parts) + f" {bar}")
        return out

    lines = [rule("┏", "━", "┳", "┓"), *cells(header, "┃"), rule("┡", "━", "╇", "┩")]
    for i, row in enumerate(rows):
        if i:
            lines.append(rule("├", "─", "┼", "┤"))
        lines += cells(row, "│")
    return [*lines, rule("└", "─", "┴", "┘")]


def _wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` characters, broken at spaces; longer words are cut."""
    indent = len(text) - len(text.lstrip())
    lines = [""]
    for word in text.split():
        if len(word) > width:
            word = word[: max(width - 1, 0)] + "…"
        if not lines[-1]:
            lines[-1] = (" " * indent + word)[:width] if len(lines) == 1 else word
        elif len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


# for terminals whose encoding has no box characters
_PLAIN = str.maketrans(
    {**dict.fromkeys("┏┳┓┡╇┩├┼┤└┴┘", "+"), **dict.fromkeys("━─", "-"), **dict.fromkeys("┃│", "|"), "…": "~"}
)

__all__ = ["print_summary", "summary_html", "summary_text"]
