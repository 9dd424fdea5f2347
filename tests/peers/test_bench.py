"""The benchmark runs with the engines that are there, compares what they compute, and names those that are missing."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent


def run(out, *arguments):
    """A quick run: its results.json and what it has printed."""
    command = [sys.executable, "benchmarks", *arguments, "--quick", "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((out / "results.json").read_text(encoding="utf-8")), done.stdout


def test_layers_and_networks_have_a_ratio(tmp_path):
    results, _ = run(tmp_path, "layers", "networks", "--cases", "mnist", "--engines", "torch")
    assert {row["case"] for row in results["layers"]} == {"mnist_c1_3x3", "mnist_c2_3x3"}
    assert {row["mode"] for row in results["layers"]} == {"forward", "fwd+bwd"}
    assert {row["mode"] for row in results["networks"]} == {"train", "infer", "predict"}
    for row in results["layers"] + results["networks"]:
        assert row["ratio"] > 0 and row["ratios"]["torch"] == row["ratio"] and row["flops"] > 0
    assert all(row["ratios"]["cconv, 1 thread"] > 0 for row in results["networks"])
    assert (tmp_path / "layers.png").exists() and (tmp_path / "networks.png").exists()


def test_growth_fits_a_slope(tmp_path):
    results, _ = run(tmp_path, "growth", "--cases", "channels", "--modes", "forward")
    assert {(row["axis"], row["engine"]) for row in results["growth_summary"]} == {
        ("channels", "cconv"),
        ("channels", "torch"),
    }
    assert (tmp_path / "growth.png").exists()


def test_facts_of_packages_and_memory(tmp_path):
    results, _ = run(tmp_path, "facts", "--cases", "mnist", "--engines", "torch")
    assert all(facts["installed_bytes"] > 0 for facts in results["packages"].values())
    assert all(size > 0 for size in results["training_memory"]["mnist_convnet"].values())


@pytest.mark.skipif(importlib.util.find_spec("openvino") is not None, reason="OpenVINO is installed")
def test_a_missing_engine_is_no_error(tmp_path):
    arguments = ("--cases", "mnist", "--modes", "infer", "--engines", "openvino")
    results, printed = run(tmp_path, "networks", *arguments)
    assert "openvino: not installed" in printed
    assert [row["ratio"] for row in results["networks"]] == [None]
