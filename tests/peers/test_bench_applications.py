"""Networks of `cconv.applications` in the benchmark: PyTorch's modules compute and learn the same."""

import dataclasses
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import cconv

torch = pytest.importorskip("torch")
BENCHMARKS = Path(__file__).resolve().parent.parent.parent / "benchmarks"
# small images of networks that have together every kind of layer; ResNet50V2 pads by zeros before it pools
NETWORKS = {"ConvNeXtTiny": 32, "InceptionV1": 64, "MixNetS": 64, "MobileNetV3Small": 64, "NASNetMobile": 64,
            "ResNet20": 32, "ResNet50V2": 64, "ShuffleNet": 64, "ShuffleNetV2": 64, "UNet": 32}  # fmt: skip
SETTINGS = {"UNet": {"width": 8}}


@pytest.fixture(scope="module")
def modules():
    before, known = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(BENCHMARKS))
    yield [importlib.import_module(name) for name in ("applications", "applications_torch", "applications_run")]
    sys.path[:] = before
    for name in set(sys.modules) - known:
        if Path(getattr(sys.modules[name], "__file__", None) or "").parent == BENCHMARKS:
            del sys.modules[name]


def both(modules, name, side):
    """A model with lively weights, and the module made of it."""
    applications, applications_torch, _ = modules
    with applications.without_drawing():
        model = getattr(cconv.applications, name)(input_shape=(side, side, 3), **SETTINGS.get(name, {}))
    rng = np.random.default_rng(0)
    weights = {}
    for layer in applications.leaves(model):
        if isinstance(layer, cconv.layers.Dropout):
            layer.rate = 0.0
        if (values := applications.lively(layer, rng)) is not None:
            layer.set_weights(values)
        weights |= {f"{layer.name}/{i}": w for i, w in enumerate(layer.get_weights())}
    net = applications_torch.ApplicationNet(json.loads(model.to_json())["config"], weights)
    return model, net


def images(modules, name, side):
    network = dataclasses.replace(modules[0].APPLICATIONS[name], side=side)
    rng = np.random.default_rng(1)
    x = np.float32(network.brightest) * rng.random((4, *network.image), np.float32)
    return x, rng.integers(0, network.classes, (4, side, side) if network.pixelwise else 4)


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_and_losses_are_those_of_the_model(modules, name):
    side = NETWORKS[name]
    model, net = both(modules, name, side)
    x, y = images(modules, name, side)
    given = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))).to(memory_format=torch.channels_last)
    net = net.to(memory_format=torch.channels_last).eval()
    with torch.inference_mode():
        there = np.moveaxis(torch.softmax(net(given), 1).numpy(), 1, -1)
    here = model.predict_on_batch(x)
    assert np.abs(here - there).max() <= 1e-4 * np.abs(there).max()

    net.train()
    optimizer = torch.optim.SGD(net.parameters(), 1e-4, momentum=0.9)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=cconv.optimizers.SGD(1e-4, momentum=0.9))
    for _ in range(2):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(given), torch.from_numpy(y))
        loss.backward()
        optimizer.step()
        assert float(model.train_on_batch(x, y)) == pytest.approx(loss.item(), rel=2e-3)


def test_uneven_paddings_become_even_ones_where_the_result_has_the_same_size(modules):
    _, net = both(modules, "MobileNetV3Small", 64)
    x = torch.rand(1, 3, 64, 64)
    shape = net(x).shape
    assert modules[1].as_in_pytorch(net) and net(x).shape == shape
    assert not modules[1].as_in_pytorch(net)  # they are even now


def test_a_layer_without_a_module_is_named(modules):
    model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2, name="a")])
    model = cconv.Model(model.inputs, cconv.layers.RepeatVector(2, name="strange")(model.outputs[0]))
    with pytest.raises(NotImplementedError, match="strange: no module for RepeatVector"):
        weights = {"a/0": np.zeros((4, 2), np.float32), "a/1": np.zeros(2, np.float32)}
        modules[1].ApplicationNet(json.loads(model.to_json())["config"], weights)


def a_row(case, mode, batch, ratio, **rest):
    seconds = {"cconv": 0.1, "torch": 0.1 * ratio}
    found = {"case": case, "mode": mode, "batch": batch, "seconds": seconds, "variants": {"torch": "frozen"}}
    return {**found, "ratios": {"torch": ratio}, "ratio": ratio, "notes": [], "memory": {}, **rest}


def test_rows_of_several_runs_are_kept_together(modules, tmp_path):
    path, run = tmp_path / "applications.json", modules[2]
    first = run.Rows(path)
    first.add(a_row("ResNet50", "infer", 1, 0.5), {"cpu": "A"})
    first.add({"case": "ResNet20", "mode": "train", "batch": 8, "failed": "no memory"}, {})
    second = run.Rows(path)
    assert not run.done(second, run.Work("ResNet20", 8, "train"))  # what failed is tried again
    assert run.done(second, run.Work("ResNet50", 1, "infer"))
    peaks = {"cconv": 10**6, "torch": 4 * 10**6}
    second.add(a_row("ResNet20", "train", 8, 2.0, memory=peaks), {"threads": 2})
    second.add(a_row("ResNet50", "infer", 1, 0.8), {})
    kept = json.loads(path.read_text())
    assert kept["cpu"] == "A" and kept["threads"] == 2
    assert [(row["case"], row["ratio"]) for row in kept["rows"]] == [("ResNet20", 2.0), ("ResNet50", 0.8)]
    table = run.markdown(kept["rows"])
    assert table[2] == "| ResNet20 | 0.04 | 8 | 100 | 200 | 2.00 | 1 | 0.25 | - | - | - | - | - | - | - | - |"
    told = "\n".join(run.summary(kept["rows"]))
    assert "below 1: ResNet50 batch 1 infer 0.80 (PyTorch frozen)" in told and "0.25 of PyTorch's in the mean" in told


def test_a_failure_has_its_row(modules):
    rows = [{"case": "ResNet20", "mode": "train", "batch": 8, "failed": "no memory"}]
    assert "| failed |" in modules[2].markdown(rows)[2]
    assert modules[2].summary(rows) == ["- failed: ResNet20 batch 8 train: no memory"]
