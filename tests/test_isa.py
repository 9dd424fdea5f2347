"""The choice of an instruction set, and that all of them compute the same."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from levels import LEVELS

from cconv import _core

ROOT = Path(__file__).resolve().parent.parent
BASE = f"-I{ROOT / 'src_c'}"
NAMES = [level.name for level in LEVELS]

REPORT = """
import json, numpy as np
from cconv import _core
rng = np.random.default_rng(11)
sums = []
for c, oc, groups, algorithm in [
    (3, 17, 1, "auto"), (9, 33, 1, "direct"), (16, 16, 16, "auto"), (5, 47, 1, "im2col"), (2, 33, 1, "rows")
]:
    shapes = [(3, 9, 10, c), (3, 2, c // groups, oc), (oc,)]
    x, w, b = (rng.integers(-8, 9, shape).astype(np.float32) for shape in shapes)
    graph = _core.Graph()
    nodes = [graph.input(shape) for shape in shapes]
    attributes = {"padding": "same", "strides": 2, "groups": groups, "algorithm": algorithm, "activation": "relu"}
    y = graph.add("conv", nodes, attributes)
    plan = _core.Plan(graph, [y], root=y, wrt=nodes, threads=2)
    result = plan.run([x, w, b])[0]
    for array in (result, *(plan.gradient(node) for node in nodes)):
        sums.append([float(array.sum()), float(array.ravel() @ (np.arange(array.size) % 997.0))])
print(json.dumps({"isa": _core.isa(), "isas": _core.isas(), "error": _core.isa_error(), "sums": sums}))
"""


def report(isa: str | None) -> dict:
    environment = {name: value for name, value in os.environ.items() if name != "CCONV_ISA"}
    if isa is not None:
        environment["CCONV_ISA"] = isa
    done = subprocess.run([sys.executable, "-c", REPORT], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_isa_is_one_of_those_it_lists():
    assert _core.isas()[0] == "portable"
    assert _core.isa() in _core.isas()
    assert list(_core.isas()) == sorted(_core.isas(), key=NAMES.index)


def test_isa_defaults_to_the_best_and_can_be_lowered_to_each():
    best = report(None)
    assert best["isa"] == best["isas"][-1]
    assert best["error"] is None
    for isa in best["isas"]:
        lowered = report(isa)
        assert lowered["isa"] == isa
        assert lowered["error"] is None
        assert lowered["sums"] == best["sums"], f"{isa} computes other numbers than {best['isa']}"


def test_isa_that_does_not_exist_is_named_and_not_used():
    got = report("sse9")
    assert got["isa"] == got["isas"][-1]
    assert got["error"] == f'CCONV_ISA: expected {", ".join(NAMES[:-1])} or {NAMES[-1]}, received "sse9"'


def test_isa_that_this_machine_does_not_run_is_named_and_not_used():
    missing = next(level for level in LEVELS if not level.here)
    got = report(missing.name)
    assert got["isa"] == got["isas"][-1]
    assert got["error"] == f'CCONV_ISA: this machine runs {" ".join(got["isas"])}, received "{missing.name}"'


def test_isa_is_empty_as_if_not_set():
    assert report("")["error"] is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "level", [level for level in LEVELS if level.machine and level.here], ids=lambda level: level.name
)
def test_isa_files_export_nothing_but_their_unit(level, tmp_path):
    """An inline function with wide instructions, chosen by the linker for the whole library, would crash old CPUs."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    assert compiler, "a C compiler is needed, as for the build"
    flags = dict(re.findall(r"^(\w+) *= *(.*)$", (ROOT / "src_c" / "flags.mk").read_text(), re.M))
    target = tmp_path / f"{level.name}.o"
    source = ROOT / "src_c" / "kernels" / f"isa_{level.name}.c"
    words = [*shlex.split(f"{flags['STANDARD']} -O1 {level.flags}"), BASE]
    subprocess.run([compiler, *words, "-c", str(source), "-o", str(target)], check=True)
    names = subprocess.run(["nm", "-g", "--defined-only", str(target)], check=True, capture_output=True, text=True)
    assert [line.split()[-1] for line in names.stdout.splitlines()] == [f"cc_unit_{level.name}"]


@pytest.mark.parametrize(
    "level", [level for level in LEVELS if level.flags or not level.here], ids=lambda level: level.name
)
def test_isa_files_without_their_flags_are_empty(level):
    """On other CPUs, or with a compiler that lacks the flags, every file compiles and the portable kernels remain."""
    compiler = shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")
    source = ROOT / "src_c" / "kernels" / f"isa_{level.name}.c"
    done = subprocess.run(
        [compiler, "-std=c11", BASE, "-E", "-P", str(source)], check=True, capture_output=True, text=True
    )
    assert f"cc_unit_{level.name} = 0;" in done.stdout


def test_importing_with_an_isa_that_is_not_there_warns():
    def said(isa):
        command = [sys.executable, "-c", "import cconv"]
        result = subprocess.run(command, env={**os.environ, "CCONV_ISA": isa}, cwd=ROOT, capture_output=True, text=True)
        assert result.returncode == 0
        return result.stderr

    assert re.search(r'UserWarning: CCONV_ISA: expected portable, .* received "sse9"; using \w+', said("sse9"))
    assert said("portable") == "" and said("") == ""
