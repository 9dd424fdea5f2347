"""Every attribute that ONNX gives an operator that is read is looked at, or said to change nothing here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

onnx = pytest.importorskip("onnx", reason="needs onnx")
from . import onnx_cases  # noqa: E402

FOLDER = Path(__file__).resolve().parents[2] / "src_c" / "onnx"
OLDEST = 6  # the first opset that is read


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
        missed += [f"{op}.{a}" for a in sorted(wanted) if f'"{a}"' not in text]
    assert not missed


STORED = onnx_cases.archive()
PASSES = (Path(__file__).parent / "onnx_passes.txt").read_text(encoding="utf-8").split() if STORED else []


def with_defaults(model: bytes) -> bytes:
    """The model with every attribute written out that its nodes leave to be what the schema says."""
    proto = onnx.ModelProto.FromString(model)
    [version] = [opset.version for opset in proto.opset_import if opset.domain == ""]
    for node in proto.graph.node:
        given = {attribute.name for attribute in node.attribute}
        schema = onnx.defs.get_schema(node.op_type, version)
        node.attribute.extend(
            a.default_value for a in schema.attributes.values() if a.name not in given and not a.required
        )
        for attribute in [a for a in node.attribute if not a.name]:
            node.attribute.remove(attribute)  # without a default
    return proto.SerializeToString()


@pytest.mark.skipif(not STORED, reason="CCONV_DATASETS names no folder with onnx_conformance")
@pytest.mark.parametrize("case", PASSES)
def test_attributes_are_asked_for_on_every_way_through_a_reader(case, monkeypatch):
    monkeypatch.setattr(onnx_cases, "run", lambda model, inputs, run=onnx_cases.run: run(with_defaults(model), inputs))
    assert onnx_cases.outcome(STORED, case) == ""
