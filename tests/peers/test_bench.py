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
    names = ("work", "turns", "growth", "contention")
    yield [importlib.import_module(name) for name in names]
    for name in names:
        sys.modules.pop(name, None)


def test_the_ratio_is_the_median_over_rounds_of_the_best_variants(modules):
    work, turns, *_ = modules
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
    work, turns, growth, _ = modules
    sizes = (1.0, 2.0, 8.0)
    line = [turns.Timing(work.Work("x", 1, "forward"), size, {"cconv": 3 * size**1.5}) for size in sizes]
    assert growth.exponents(line, "cconv") == pytest.approx((1.5, 1.5))


def test_contention_is_told_against_the_quiet_turn_of_the_same_round(modules):
    work, *_, contention = modules
    found = contention.Contended(work.Work("resnet20", 1, "infer"), "cconv", "model")
    rounds = [(1.0, 1.0, 3.0, 9.0), (2.0, 2.0, 4.0, 4.0), (1.0, 2.0, 2.0, 2.0)]
    contention.conclude(found, [{"quiet": (a, b), "1 busy": (c, d)} for a, b, c, d in rounds])
    assert found.seconds == {"quiet": 1.0, "1 busy": 3.0}
    assert found.ratios == {"quiet": 1.0, "1 busy": 2.0} and found.mean_ratios == {"quiet": 1.0, "1 busy": 2.0}


def test_conditions_are_one_busy_core_all_and_twice_the_threads(modules):
    *_, contention = modules
    assert [(c.name, c.busy, c.factor) for c in contention.conditions(8)] == [
        ("quiet", 0, 1),
        ("1 busy", 1, 1),
        ("8 busy", 8, 1),
        ("16 threads", 0, 2),
    ]
    assert [c.busy for c in contention.conditions(1)] == [0, 1, 0]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes are not bound to cores here")
def test_a_busy_process_has_its_core_and_ends_with_an_error(modules):
    *_, contention = modules
    core = contention.core_numbers(1)[0]
    with pytest.raises(KeyboardInterrupt), contention.busy(core) as process:
        assert process.poll() is None and os.sched_getaffinity(process.pid) == {core}
        raise KeyboardInterrupt
    assert process.poll() is not None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes are not bound to cores here")
def test_a_busy_process_ends_with_its_parent(modules):
    *_, contention = modules
    core = contention.core_numbers(1)[0]
    code = f"""if True:
        import os, signal, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", {contention.SPIN!r}, "{core}"], stdout=subprocess.PIPE)
        child.stdout.readline()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    # The pipe is the child's too: its end is read when neither is there any more.
    assert subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, timeout=60).returncode != 0


def test_layers_and_networks_have_a_ratio(tmp_path):
    results, _ = run(tmp_path, "layers", "networks", "--cases", "mnist", "--engines", "torch")
    assert {row["case"] for row in results["layers"]} == {"mnist_c1_3x3", "mnist_c2_3x3"}
    assert {row["mode"] for row in results["layers"]} == {"forward", "fwd+bwd"}
    assert {row["mode"] for row in results["networks"]} == {"train", "infer", "predict"}
    for row in results["layers"] + results["networks"]:
        assert row["ratio"] > 0 and row["ratios"]["torch"] == row["ratio"] and row["flops"] > 0
    assert all(row["ratios"]["cconv, 1 thread"] > 0 for row in results["networks"])
    assert (tmp_path / "layers.png").exists() and (tmp_path / "networks.png").exists()


PARAMETERS = {  # of the papers or the authors, torchvision and Keras
    "lenet": 61_706,
    "mlp": 669_706,
    "squeezenet": 1_235_496,
    "mobilenet_v3": 5_483_032,
    "efficientnet_b0": 5_288_548,
    "densenet121": 7_978_856,
    "googlenet": 6_998_552,
    "shufflenet": 1_864_728 + 1000,  # the authors' classifier has no bias
    "alexnet": 61_100_840,
    "xception": 22_855_952,
}


def test_the_zoo_has_the_published_numbers_of_parameters(modules):
    import torch

    zoo, zoo_torch, networks = (importlib.import_module(name) for name in ("zoo", "zoo_torch", "work"))
    with torch.device("meta"):
        for name, count in PARAMETERS.items():
            network = networks.ZOO[name]
            net = zoo_torch.ZooNet(zoo.described(name, network.side, network.channels))
            assert sum(parameter.numel() for parameter in net.parameters()) == count, name


@pytest.mark.slow
def test_the_zoo_computes_alike(tmp_path):
    cases = ("lenet", "mlp", "squeezenet", "shufflenet", "mobilenet_v3")  # a part of a name is enough: GoogLeNet, too
    options = ("--modes", "infer", "--threads", "1", "--engines", "torch", "--seconds", "0.001")
    results, _ = run(tmp_path, "zoo", "--cases", *cases, *options)
    assert [row["case"] for row in results["zoo"]] == [
        "lenet",
        "mlp",
        "squeezenet",
        "mobilenet_v3",
        "googlenet",
        "shufflenet",
    ]
    assert all(row["ratio"] > 0 for row in results["zoo"]) and "failed" not in results


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
@pytest.mark.skipif(len(getattr(os, "sched_getaffinity", lambda _: ())(0)) < 2, reason="two cores that can be named")
def test_contention_has_every_condition(tmp_path):
    results, printed = run(tmp_path, "contention", "--cases", "mnist", "--engines", "torch", "--seconds", "0.01")
    assert {(row["mode"], row["engine"]) for row in results["contention"]} == {
        (mode, engine) for mode in ("train", "infer") for engine in ("cconv", "torch")
    }
    for row in results["contention"]:
        assert list(row["seconds"]) == ["quiet", "1 busy", "2 busy", "4 threads"] and row["ratios"]["quiet"] == 1
    assert [row["engine"] for row in results["two_trainings"]] == ["cconv", "torch"]
    assert "two trainings of mnist_convnet" in printed


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
