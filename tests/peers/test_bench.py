"""The benchmark runs with the engines that are there, compares what they compute, and names those that are missing."""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

TOP = Path(__file__).resolve().parent.parent.parent


def start(out, *arguments):
    """A quick run, to its end."""
    command = [sys.executable, "benchmarks", *arguments, "--quick", "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    return subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True)


def run(out, *arguments):
    """A quick run: its results.json and what it has printed."""
    done = start(out, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((out / "results.json").read_text(encoding="utf-8")), done.stdout


class Engine(NamedTuple):
    """As much of a `turns.Worker` as a contender's label needs."""

    label: str


@pytest.fixture
def modules(monkeypatch):
    """The benchmark's modules that compute something from times."""
    monkeypatch.syspath_prepend(TOP / "benchmarks")
    names = ("work", "turns", "growth")
    yield [importlib.import_module(name) for name in names]
    for name in names:
        sys.modules.pop(name, None)


def test_the_ratio_is_the_median_over_rounds_of_the_best_variants(modules):
    work, turns, _ = modules
    ours, peer = Engine("cconv"), Engine("torch")
    contenders = [turns.Contender(ours, "plan"), turns.Contender(peer, "slow"), turns.Contender(peer, "quick")]
    rounds = [(1.0, 9.0, 2.0), (2.0, 9.0, 3.0), (1.0, 8.0, 4.0)]
    timing = turns.Timing(work.Work("lenet", 1, "forward"), 1.0)
    turns.conclude([dict(zip(contenders, times)) for times in rounds], timing)
    assert timing.seconds == {"cconv": 1.0, "torch": 2.0} and timing.variants["torch"] == "quick"
    assert timing.ratio == timing.ratios["torch"] == 2.0


def test_a_difference_between_engines_is_told(modules):
    work, *_ = modules
    what = work.Work("resnet20", 1, "infer")
    y = np.ones((1, 10), np.float32)
    assert work.agree({"y": y}, {"y": y * 1.0001}, what) == ""
    assert "differs" in work.agree({"y": y}, {"y": y * 1.01}, what)
    assert "differs" in work.agree({"y": y}, {"y": y * np.nan}, what)
    assert "shape" in work.agree({"y": y}, {"y": y.T}, what)


def test_growth_of_a_power_is_that_power(modules):
    work, turns, growth = modules
    sizes = (1.0, 2.0, 8.0)
    line = [turns.Timing(work.Work("x", 1, "forward"), size, {"cconv": 3 * size**1.5}) for size in sizes]
    assert growth.exponents(line, "cconv") == pytest.approx((1.5, 1.5))


def test_layers_and_networks_have_a_ratio(tmp_path):
    results, _ = run(tmp_path, "layers", "networks", "--cases", "mnist", "--engines", "torch")
    assert {row["case"] for row in results["layers"]} == {"mnist_c1_3x3", "mnist_c2_3x3"}
    assert {row["mode"] for row in results["layers"]} == {"forward", "fwd+bwd"}
    assert {row["mode"] for row in results["networks"]} == {"train", "infer", "predict"}
    for row in results["layers"] + results["networks"]:
        assert row["ratio"] > 0 and row["ratios"]["torch"] == row["ratio"] and row["flops"] > 0
    assert all(row["ratios"]["cconv, 1 thread"] > 0 for row in results["networks"])
    assert (tmp_path / "layers.png").exists() and (tmp_path / "networks.png").exists()


def test_parts_have_a_ratio_and_agree(tmp_path):
    cases = ("text_", "unet_", "deeplab", "psp", "i3d", "softmax")
    results, _ = run(tmp_path, "parts", "--threads", "1", "--cases", *cases, "--engines", "torch", "--seconds", "0.001")
    assert {(row["kind"], row["mode"]) for row in results["parts"]} == {
        (kind, mode)
        for kind in ("attention", "norm", "resize", "embedding", "3-d pool", "function")
        for mode in ("forward", "fwd+bwd")
    }
    assert all(row["ratio"] > 0 for row in results["parts"]) and "failed" not in results
    assert all(row["flops"] > 0 for row in results["parts"] if row["kind"] == "attention")
    assert (tmp_path / "parts.png").exists()


@pytest.mark.slow
def test_growth_fits_a_slope(tmp_path):
    results, _ = run(tmp_path, "growth", "--cases", "channels", "--modes", "forward")
    assert {(row["axis"], row["engine"]) for row in results["growth_summary"]} == {
        ("channels", "cconv"),
        ("channels", "torch"),
    }
    assert (tmp_path / "growth.png").exists()


@pytest.mark.slow
def test_facts_of_packages_and_memory(tmp_path):
    results, _ = run(tmp_path, "facts", "--cases", "mnist", "--engines", "torch")
    assert all(facts["installed_bytes"] > 0 for facts in results["packages"].values())
    assert all(size > 0 for size in results["training_memory"]["mnist_convnet"].values())


def test_cases_that_nothing_has_are_an_error(tmp_path):
    done = start(tmp_path, "layers", "--cases", "resnet_57", "lenet_c9")
    assert done.returncode != 0 and "nothing was measured" in done.stderr


@pytest.mark.skipif(importlib.util.find_spec("openvino") is not None, reason="OpenVINO is installed")
def test_a_missing_engine_is_no_error(tmp_path):
    arguments = ("--cases", "mnist", "--modes", "infer", "--engines", "openvino")
    results, printed = run(tmp_path, "networks", *arguments)
    assert "openvino: not installed" in printed
    assert [row["ratio"] for row in results["networks"]] == [None]
