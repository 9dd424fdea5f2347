"""The C core's makefile: what is built anew, and what is said of compilers that lack something."""

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent


def make(folder: Path, *arguments: str) -> str:
    target = folder / "objects" / "base" / "clock.o"
    command = ["make", "-C", str(TOP / "src_c"), f"OUT={folder}", *arguments, str(target)]
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "CFLAGS")}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def compiler(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("change", ["EXTRA=-DANY", "CFLAGS=-O1", "OPENMP=0", "WERROR=1", "CC"])
def test_another_compiler_or_flag_builds_anew_and_the_same_one_does_not(change, tmp_path):
    if change == "CC":
        change = "CC=" + str(compiler(tmp_path, "another", 'exec cc "$@"'))
    made = tmp_path / "made" / "objects" / "base" / "clock.o"
    make(tmp_path / "made")
    first = made.stat().st_mtime_ns
    assert make(tmp_path / "made") and made.stat().st_mtime_ns == first
    make(tmp_path / "made", change)
    second = made.stat().st_mtime_ns
    assert second > first
    make(tmp_path / "made", change)
    assert made.stat().st_mtime_ns == second


@pytest.mark.parametrize(
    "script",
    [
        'case "$*" in *-fopenmp*) exit 1;; esac; exec cc "$@"',
        'case "$*" in *parallel.c*) echo "int main() { return 1; }" | cc -x c - -o parallel; exit;; esac; exec cc "$@"',
    ],
    ids=["does not link", "does not run"],
)
def test_a_compiler_whose_openmp_does_not_work_is_named_and_builds_without(script, tmp_path):
    own = compiler(tmp_path, "own-cc", script)
    said = make(tmp_path / "made", f"CC={own}")
    assert re.search(r"own-cc has no OpenMP that works \(-fopenmp, omp\.h and the library\): .* one thread", said)
    assert "-fopenmp" not in (tmp_path / "made" / "settings").read_text(encoding="utf-8")
    assert "OpenMP" not in make(tmp_path / "made", f"CC={own}", "OPENMP=0")


def test_a_compiler_for_another_machine_is_not_asked_to_run(tmp_path):
    cross = compiler(
        tmp_path,
        "cross-cc",
        'cc "$@" && case "$*" in *"-o p"*) printf "no program" > plain; printf "no program" > parallel;; esac',
    )
    make(tmp_path / "made", f"CC={cross}")
    assert "-fopenmp" in (tmp_path / "made" / "settings").read_text(encoding="utf-8")


def test_the_tests_say_how_long_they_take():
    said = subprocess.run(["make", "-n", "test"], cwd=TOP, capture_output=True, text=True, check=True).stdout
    assert re.search(r"all tests but the slow ones: about \d+ minutes", said)
    assert "--quick" in subprocess.run(["make", "-n", "test-quick"], cwd=TOP, capture_output=True, text=True).stdout
