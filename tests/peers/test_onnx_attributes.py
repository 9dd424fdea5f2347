"""Every attribute that ONNX gives an operator that is read is looked at, or is one that changes nothing here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

onnx = pytest.importorskip("onnx", reason="needs onnx")

FOLDER = Path(__file__).resolve().parents[2] / "src_c" / "onnx"
OLDEST = 6  # the first opset that is read

# Why they need not be looked at.
HARMLESS = {
    "broadcast": "opset 6: shapes that are not equal are an error without it",
    "consumed_inputs": "a hint about memory",
    "is_test": "opset 6: models are read as they infer",
    "saturate": "of types of eight bits that are not read",
    "round_mode": "likewise",
    "seed": "other numbers are drawn, whatever it is",
    "sorted": "0 allows any order",
    "stash_type": "of sums that are float32 here",
}


def functions() -> dict[str, str]:
    """The bodies of all functions of the readers, those that a macro writes by its lines."""
    found = {}
    for path in [*FOLDER.glob("read*.c"), FOLDER / "nodes.c", FOLDER / "build.c"]:
        text = path.read_text(encoding="utf-8")
        for name, body in re.findall(r"^(?:static )?[\w *]+?\b(\w+)\([^;{]*\)\n\{(.*?)^\}", text, re.S | re.M):
            found[name] = body
        for line in re.findall(r"^#define (?:.*\\\n)*.*", text, re.M):
            macro = re.match(r"#define (\w+)\(", line)
            for use in re.findall(rf"^{macro[1]}\((\w+).*\)", text, re.M) if macro else ():
                found[f"onnx_read_{use}"] = line
    return found


def reached(name: str, bodies: dict[str, str], seen: set[str]) -> str:
    """A function's body with those of all that it names."""
    if name in seen or name not in bodies:
        return ""
    seen.add(name)
    return bodies[name] + "".join(reached(other, bodies, seen) for other in set(re.findall(r"\w+", bodies[name])))


def test_attributes_are_looked_at():
    bodies, missed = functions(), []
    rows = re.findall(r"^ONNX_(?:RUN_)?OPERATOR\((\w+)\)", (FOLDER / "operators.def").read_text(), re.M)
    schemas = [s for s in onnx.defs.get_all_schemas_with_history() if s.domain == "" and not s.deprecated]
    for op in rows:
        text = reached(f"onnx_read_{op}", bodies, set())
        assert text, f"expected a reader of {op}"
        versions = sorted(s.since_version for s in schemas if s.name == op)
        oldest = max([v for v in versions if v <= OLDEST], default=versions[0])
        wanted = {a for s in schemas if s.name == op and s.since_version >= oldest for a in s.attributes}
        missed += [f"{op}.{a}" for a in sorted(wanted) if f'"{a}"' not in text and a not in HARMLESS]
    assert not missed
