"""The builds that differ from the one in use: without OpenMP, and an isolated wheel."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent

REPORT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("cconv._core", sys.argv[1])
core = importlib.util.module_from_spec(spec)
spec.loader.exec_module(core)
print(core.openmp(), core.get_num_threads(), core.num_threads_reason(), len(core.ops()), sep="|")
"""


def build(tmp_path: Path, **environment: str) -> Path:
    """Builds the extension into tmp_path; its file."""
    command = [
        sys.executable,
        "setup.py",
        "-q",
        "build_ext",
        "--build-lib",
        str(tmp_path),
        "--build-temp",
        str(tmp_path / "objects"),
    ]
    result = subprocess.run(command, cwd=TOP, env={**os.environ, **environment}, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return next((tmp_path / "cconv").glob("_core.*"))


@pytest.mark.slow
def test_builds_single_threaded_without_openmp(tmp_path):
    extension = build(tmp_path, CCONV_OPENMP="0", CCONV_WERROR="1", CFLAGS="-O1")
    output = subprocess.run(
        [sys.executable, "-c", REPORT, str(extension)], check=True, capture_output=True, text=True
    ).stdout
    openmp, threads, reason, ops = output.strip().split("|")
    assert (openmp, threads, reason) == ("0", "1", "no OpenMP")
    assert int(ops) > 30


def test_a_wheel_holds_the_whole_package(tmp_path):
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path),
        ".",
    ]
    result = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    inside = set(zipfile.ZipFile(next(tmp_path.glob("cconv-*.whl"))).namelist())
    expected = {p.relative_to(TOP).as_posix() for p in (TOP / "cconv").rglob("*.py")} | {
        "cconv/py.typed",
        "cconv/_core.pyi",
    }
    assert expected <= inside
    assert sum(name.startswith("cconv/_core.") and name.endswith((".so", ".pyd")) for name in inside) == 1
    assert not [name for name in inside if name.startswith(("tests/", "src_c/", "examples/"))]
