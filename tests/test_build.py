"""Builds other than the one in use: without OpenMP, wheel, source archive; what is said where nothing was built."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
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


@pytest.mark.slow
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
    wheel = next(tmp_path.glob("cconv-*.whl"))
    assert wheel.stat().st_size < 5_000_000
    inside = set(zipfile.ZipFile(wheel).namelist())
    expected = {p.relative_to(TOP).as_posix() for p in (TOP / "cconv").rglob("*.py")} | {
        "cconv/py.typed",
        "cconv/_core.pyi",
        "cconv/include/cconv.h",
    }
    if os.name == "posix":
        expected.add("cconv/lib/libcconv.a")
    assert expected <= inside
    assert sum(name.startswith("cconv/_core.") and name.endswith((".so", ".pyd")) for name in inside) == 1
    assert not [name for name in inside if name.startswith(("tests/", "src_c/", "examples/"))]


def test_the_archive_holds_every_file_of_the_tree(tmp_path):
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(tmp_path), "sdist", "-d", str(tmp_path)]
    result = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    with tarfile.open(next(tmp_path.glob("cconv-*.tar.gz"))) as archive:
        inside = {member.name.split("/", 1)[1] for member in archive if member.isfile()}
    made = {name for name in inside if name in ("PKG-INFO", "setup.cfg") or ".egg-info/" in name}
    if (TOP / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=TOP, check=True, capture_output=True
        )
        tree = {name for name in listed.stdout.decode().split("\0") if name and (TOP / name).exists()}
    else:
        tree = {"cconv/_core.pxd", "docs/ops.md", "src_c/include/cconv.h", "src_c/ops/ops.def", "Makefile", ".ci/run"}
        inside &= tree | made
    assert inside - made == tree


def test_the_package_page_has_no_link_that_needs_the_tree(tmp_path):
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(tmp_path)]
    subprocess.run(command, cwd=TOP, check=True, capture_output=True)
    page = (tmp_path / "cconv.egg-info" / "PKG-INFO").read_text(encoding="utf-8")
    assert "Description-Content-Type: text/markdown" in page
    assert re.findall(r"\]\((?!https?://)[^)]*\)", page) == []
    for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)+)`", page):
        if name.startswith(("docs/", "src_c/", "examples/")):
            assert (TOP / name).exists(), f"the page names {name}, which is not there"
    assert "`docs/design.md`" in page and "src_c/include/cconv.h" in page


def test_every_link_of_the_readme_leads_to_a_file():
    links = re.findall(r"\]\((?!https?://)([^)#]*)", (TOP / "README.md").read_text(encoding="utf-8"))
    assert len(links) > 5
    assert [link for link in links if not (TOP / link).exists()] == []


def test_source_that_is_not_compiled_says_what_to_do(tmp_path):
    (tmp_path / "cconv").mkdir()
    shutil.copy(TOP / "cconv" / "__init__.py", tmp_path / "cconv")
    # without site: an editable installation would lend the folder its compiled part
    command = [sys.executable, "-S", "-c", "import cconv"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    error = result.stderr.strip().splitlines()[-1]
    assert result.returncode == 1
    assert error.startswith("ImportError") and str(tmp_path) in error
    assert "another folder" in error and "pip install --editable ." in error
