"""docs/zoo.md says of every network of `cconv.applications` what the network itself says."""

import importlib.util
import inspect
import json
import sys
from pathlib import Path

import pytest

import cconv

DOCS = Path(__file__).resolve().parent.parent / "docs"
LINES = (DOCS / "zoo.md").read_text(encoding="utf-8").splitlines(keepends=True)
QUICK = ("AlexNet", "ConvNeXtTiny", "EfficientNetLite0", "MobileNetV2", "MobileNetV3Small", "ResNet18", "ResNet20",
         "ShuffleNetV2", "SqueezeNet", "UNet")  # fmt: skip


@pytest.fixture(scope="module")
def make_zoo():
    before, known = list(sys.path), set(sys.modules)
    spec = importlib.util.spec_from_file_location("make_zoo", DOCS / "make_zoo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = before
    for name in set(sys.modules) - known:
        if Path(getattr(sys.modules[name], "__file__", None) or "").parent == DOCS.parent / "benchmarks":
            del sys.modules[name]


def test_the_head_and_the_names_are_what_the_program_writes(make_zoo):
    rows = [line for line in LINES if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == make_zoo.names()
    assert "".join(LINES[: -len(rows)]) == make_zoo.head(make_zoo.known_times()), "run `make docs`"


@pytest.mark.parametrize("name", QUICK)
def test_a_row_is_what_the_program_writes(name, make_zoo):
    assert make_zoo.row(name, make_zoo.known_times()) in LINES, "docs/zoo.md is out of date: run `make docs`"


def test_every_network_is_measured(make_zoo):
    functions = {name for name in cconv.applications.__all__ if inspect.isfunction(getattr(cconv.applications, name))}
    assert set(make_zoo.benchmark.APPLICATIONS) == functions


@pytest.mark.parametrize("name", QUICK)
def test_the_table_of_the_benchmark_has_the_size_and_the_work(name, make_zoo):
    network, model = make_zoo.benchmark.APPLICATIONS[name], make_zoo.benchmark.model_of(name)
    assert model.input_shape[1:] == network.image
    giga = make_zoo.benchmark.multiply_adds(model) / 1e9
    assert abs(giga - make_zoo.benchmark.GIGA[name]) <= max(0.05, 0.02 * giga)


def test_times_of_a_run_are_taken_over(make_zoo, tmp_path, monkeypatch):
    monkeypatch.setattr(make_zoo, "TIMES", tmp_path / "times.json")
    rows = [
        {"case": "ResNet20", "mode": "train", "batch": 8, "seconds": {"cconv": 0.25, "torch": 0.5}},
        {"case": "ResNet20", "mode": "infer", "batch": 1, "seconds": {"cconv": 0.001, "onnxruntime": 0.002}},
        {"case": "ResNet20", "mode": "infer", "batch": 8, "seconds": {"cconv": 7}},
        {"case": "ResNet18", "mode": "train", "batch": 8, "failed": "no memory"},
    ]
    run = {"cpu": "A", "threads": 2, "date": "today", "engines": {"torch": {"version": "2"}}, "rows": rows}
    (tmp_path / "run.json").write_text(json.dumps(run))
    make_zoo.take_times(tmp_path / "run.json")
    times = make_zoo.known_times()
    assert make_zoo.row("ResNet20", times).endswith("| 1 | - | 250 (8) | 500 |\n")
    assert make_zoo.row("ResNet18", times).endswith("| - | - | - | - |\n")
    assert "PyTorch 2" in make_zoo.head(times)
