"""cconv.show_config tells the truth about threads, instructions and OpenMP."""

import os
import subprocess
import sys

import pytest

from cconv import _config_report, _core

PRINT = "from cconv._config_report import show_config; show_config()"


def report(**environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", PRINT], env={**os.environ, **environment}, check=True, capture_output=True, text=True
    ).stdout


def test_it_reports_what_is_in_use():
    facts = _config_report.show_config(mode="dicts")
    assert facts["version"] == _core.version() and facts["isa"] in facts["isas"]
    assert facts["threads"] == _core.get_num_threads() >= 1
    text = report()
    for word in [_core.version(), "instructions", "threads", "numpy", "h5py"]:
        assert word in text


def test_it_follows_the_environment():
    text = report(CCONV_ISA="portable", OMP_NUM_THREADS="3")
    assert "portable (available" in text
    if _core.openmp():
        assert "3 (OMP_NUM_THREADS)" in text
    assert "CCONV_ISA" in report(CCONV_ISA="quantum")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no CPU affinity")
def test_threads_follow_the_affinity():
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    one = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}}); {PRINT}"
    done = subprocess.run([sys.executable, "-c", one], env=environment, check=True, capture_output=True, text=True)
    assert "1 (affinity)" in done.stdout or "1 (no OpenMP)" in done.stdout


def test_a_build_without_openmp_says_so(monkeypatch, capsys):
    monkeypatch.setattr(_core, "openmp", lambda: 0)
    _config_report.show_config()
    assert "built without OpenMP: single-threaded" in capsys.readouterr().out


def test_a_wrong_mode_is_refused():
    with pytest.raises(ValueError, match="mode='loud'"):
        _config_report.show_config("loud")
