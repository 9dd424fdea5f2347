"""Writes docs/ops.md, the reference of the C core's ops: `make docs`.

Inputs, attributes, types and properties are what the table of the C core says, `_core.ops()`. The formulas are the
docstrings of the float64 references in tests/reference that the ops are tested against: of `name`, and of
`name_backward` for the gradient. A family of ops is a module there; its heading is how the module's docstring begins,
up to a full stop or colon.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "ops.md"

sys.path[:0] = [str(DOCS.parent), str(DOCS.parent / "tests")]
import reference  # noqa: E402

from cconv import _core  # noqa: E402

HEAD = """\
# The ops of cconv

<!-- Written by docs/make_ops.py: change tests/reference or the op, then run `make docs`. -->

Every op of the C core under its name in `cconv_graph_add`. How to read an entry:

- A formula begins with the shapes of the inputs, in order, and after `->` that of the output `y`. `(...)` is any shape,
  the same wherever it stands in a line; *broadcast* is NumPy's rule: counted from the last axis, sizes are equal or 1.
- Sizes are `n` samples, `d` depth, `h` height, `w` width, `c` channels; of an output `od`, `oh`, `ow`, `oc`; of a
  kernel `kd`, `kh`, `kw`. Indices in brackets are counted from 0. An axis below 0 is counted from the last.
- `dy` is the gradient of the loss by `y`, `dx` that by an input `x`.
- An input that is optional may be left out; of one that is repeated there are one or more.
- All of an entry but its formulas is known at run time, too: `cconv_op_describe`.
- An attribute without a default must be given. A list is written `2,2`; where it has a value for each axis, a single
  value holds for all of them.
"""

TYPES = """\
- Types are those of the inputs, in order, and after `->` that of `y`. A number is float32 or int32; any is every type,
  the same wherever it stands in a line.
"""

# What the letters of the table's type texts stand for.
TYPE_NAMES = {"f": "float32", "i": "int32", "b": "bool", "n": "number", "t": "any", "a": "any other"}
TYPE_NAMES |= {"*": "as an attribute says"}

# What else the table may say of an op, and in which words; and the inputs it may point out by number, none by 0.
PROPERTIES = {
    "elementwise": "elementwise",
    "per_sample": "samples stay apart (as attributes allow)",
    "random": "depends on the seed and step of the run",
}
ROLES = ("weights", "bias", "residual")


def formula(name: str) -> str | None:
    """The docstring of the reference of that name."""
    function = reference.find(name)
    return None if function is None or not function.__doc__ else inspect.getdoc(function)


def family(name: str) -> str:
    """The heading under which an op stands."""
    function = reference.find(name)
    if function is None:
        raise LookupError(f"expected a reference for the op {name} in tests/reference, found none")
    return re.split(r"[.:]", inspect.getmodule(function).__doc__, maxsplit=1)[0].strip()


def types_of(op) -> str | None:
    """The types of inputs and output in words, where the table says them."""
    types = getattr(op, "types", None)
    if not types:
        return None
    words = types.split() if isinstance(types, str) else [str(word) for word in types]
    named = [TYPE_NAMES.get(word, word) for word in words]
    return re.sub(r",? ->,?", " ->", ", ".join(named))


def properties_of(op) -> str:
    """What else the table says, in words."""
    words = [text for field, text in PROPERTIES.items() if getattr(op, field, False)]
    numbered = [(role, getattr(op, role, 0)) for role in ROLES]
    words += [f"{role} `{op.inputs[number].rstrip('?*')}`" for role, number in numbered if number]
    return ", ".join(words)


def input_text(declared: str) -> str:
    """An input of the table, `b?` or `x*`, in words."""
    marks = {"?": " (optional)", "*": " (repeated)"}
    return f"`{declared.rstrip('?*')}`{marks.get(declared[-1], '')}"


def default_text(attribute) -> str:
    if attribute.default is None:
        return ""
    if attribute.type == "bool":
        return "`false`" if attribute.default in ("0", "false") else "`true`"
    return f"`{attribute.default}`" if attribute.default else "none"


def code(text: str) -> list[str]:
    return ["```text", *text.split("\n"), "```", ""]


def section(op) -> list[str]:
    lines = [f"### {op.name}", "", "Inputs: " + ", ".join(map(input_text, op.inputs)), ""]
    if op.meaning:
        meaning = re.sub(r"([a-z_]+(?:, [a-z_]+)*):", lambda names: f"`{names[1]}`:", op.meaning)
        lines += [f"{meaning}.", ""]
    if types := types_of(op):
        lines += [f"Types: {types}", ""]
    if properties := properties_of(op):
        lines += [f"Properties: {properties}", ""]
    lines += code(formula(op.name) or "")
    if op.differentiable:
        lines += ["Gradient:", "", *code(formula(op.name + "_backward") or "")]
    else:
        lines += ["No gradient passes.", ""]
    if op.attributes:
        lines += [*attribute_table(op.attributes), ""]
    return lines


def attribute_table(attributes) -> list[str]:
    lines = ["| attribute | type | default | choices | meaning |", "|---|---|---|---|---|"]
    for attribute in attributes:
        choices = ", ".join(f"`{choice}`" for choice in attribute.choices)
        meaning = attribute.meaning.replace("|", "\\|")
        lines.append(f"| `{attribute.name}` | {attribute.type} | {default_text(attribute)} | {choices} | {meaning} |")
    return lines


def rules() -> list[str]:
    """What updates variables: rules are made by cconv_optimizer_new, and are no ops."""
    lines = ["", "## Update rules", "", "The kinds of `cconv_optimizer_new`, with their settings.", ""]
    for name, attributes in _core.optimizer_rules().items():
        lines += [f"### {name}", "", *attribute_table(attributes), ""]
    return lines[:-1]


def anchor(heading: str) -> str:
    """The name GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def page() -> str:
    """The text of docs/ops.md."""
    ops = _core.ops()
    families: dict[str, list] = {}
    for op in ops.values():
        families.setdefault(family(op.name), []).append(op)
    lines = (HEAD + (TYPES if any(types_of(op) for op in ops.values()) else "")).split("\n")
    lines += ["The families:", ""]
    for heading, members in families.items():
        links = " ".join(f"[{op.name}](#{anchor(op.name)})" for op in members)
        lines += [f"- [{heading}](#{anchor(heading)}): {links}"]
    links = " ".join(f"[{name}](#{anchor(name)})" for name in _core.optimizer_rules())
    lines += [f"- [Update rules](#update-rules): {links}"]
    for heading, members in families.items():
        lines += ["", f"## {heading}", ""]
        for op in members:
            lines += section(op)
        lines.pop()
    return "\n".join(lines + rules()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
