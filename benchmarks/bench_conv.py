"""Times convolution layers and the MNIST convnet beside PyTorch, same machine, same number of threads.

    python benchmarks/bench_conv.py [--cases resnet] [--quick] [--threads N] [--json results.json]

Each case is timed in turns, ours, PyTorch, ours, ..., so that a disturbance of the machine meets both; the best time of
each counts. PyTorch works in its `channels_last` format, which is our layout and its fastest one on CPUs. The last
column is PyTorch's time divided by ours: above 1 we are faster.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import cconv
from cconv import _core


@dataclass(frozen=True)
class Layer:
    """A convolution: side is the image's height and width, c and k the channels in and out."""

    name: str
    side: int
    c: int
    k: int
    kernel: int = 3
    stride: int = 1
    groups: int = 1
    padding: bool = True

    @property
    def pad(self) -> int:
        return self.kernel // 2 if self.padding else 0

    @property
    def out(self) -> int:
        return (self.side + 2 * self.pad - self.kernel) // self.stride + 1

    def flops(self, batch: int) -> int:
        """Of the forward pass, a multiplication and an addition counted as two."""
        return 2 * batch * self.out**2 * self.k * self.kernel**2 * self.c // self.groups


LAYERS = (
    Layer("lenet_c1_5x5", 28, 1, 6, kernel=5),
    Layer("lenet_c3_5x5", 14, 6, 16, kernel=5, padding=False),
    Layer("mnist_c1_3x3", 28, 1, 32, padding=False),
    Layer("mnist_c2_3x3", 13, 32, 64, padding=False),
    Layer("vgg_224_3_64", 224, 3, 64),
    Layer("vgg_112_128", 112, 128, 128),
    Layer("vgg_28_512", 28, 512, 512),
    Layer("resnet_stem_7x7_s2", 224, 3, 64, kernel=7, stride=2),
    Layer("resnet_56_64", 56, 64, 64),
    Layer("resnet_28_128", 28, 128, 128),
    Layer("resnet_14_256", 14, 256, 256),
    Layer("resnet_7_512", 7, 512, 512),
    Layer("resnet_56_128_s2", 56, 128, 128, stride=2),
    Layer("resnet_1x1_56_64_256", 56, 64, 256, kernel=1),
    Layer("resnet_1x1_14_1024_256", 14, 1024, 256, kernel=1),
    Layer("resnet_1x1_s2_56_256_512", 56, 256, 512, kernel=1, stride=2),
    Layer("depthwise_112_32", 112, 32, 32, groups=32),
    Layer("depthwise_14_512", 14, 512, 512, groups=512),
    Layer("grouped_56_128_g32", 56, 128, 128, groups=32),
)

Timed = tuple[Callable[[], object], Callable[[], object]]  # ours, PyTorch's


def layer_pair(layer: Layer, batch: int, backward: bool) -> Timed:
    """One layer with bias, forward, or forward and all three gradients; results are compared first."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, layer.side, layer.side, layer.c), np.float32)
    w = rng.standard_normal((layer.kernel, layer.kernel, layer.c // layer.groups, layer.k), np.float32)
    b = rng.standard_normal(layer.k, np.float32)
    w *= np.float32((layer.kernel**2 * layer.c / layer.groups) ** -0.5)

    graph = _core.Graph()
    nodes = [graph.input((None, *x.shape[1:]))]
    for values in (w, b):
        variable = _core.Variable(values.shape)
        variable.assign(values)
        nodes.append(graph.variable(variable))
    attributes = {"strides": layer.stride, "groups": layer.groups, "padding": "explicit", "pads": (layer.pad,) * 4}
    y = graph.add("conv2d", nodes, attributes)
    plan = _core.Plan(graph, [y], max_batch=batch, root=y if backward else 0, wrt=nodes if backward else ())
    out = np.empty((batch, layer.out, layer.out, layer.k), np.float32)
    dy = np.ones_like(out)

    def ours() -> None:
        plan.run([x], n=batch, outputs=[out], root_gradient=dy if backward else None)

    tx = torch.from_numpy(x).permute(0, 3, 1, 2).requires_grad_(backward)  # a view: already channels_last
    tw = torch.from_numpy(w).permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last).requires_grad_(backward)
    tb = torch.from_numpy(b).requires_grad_(backward)
    tdy = torch.from_numpy(dy).permute(0, 3, 1, 2)
    result = {}

    def peer() -> None:
        with torch.set_grad_enabled(backward):
            result["y"] = torch.nn.functional.conv2d(tx, tw, tb, layer.stride, layer.pad, 1, layer.groups)
            if backward:
                tx.grad = tw.grad = tb.grad = None
                result["y"].backward(tdy)

    ours()
    peer()
    np.testing.assert_allclose(out, result["y"].detach().permute(0, 2, 3, 1).numpy(), rtol=1e-3, atol=1e-3)
    if backward:
        want = tw.grad.permute(2, 3, 1, 0).numpy()
        np.testing.assert_allclose(plan.gradient(nodes[1]), want, rtol=1e-3, atol=1e-3 * np.abs(want).max())
    return ours, peer


def convnet_pair(batch: int, training: bool) -> Timed:
    """The simple MNIST convnet: one training step with Adam, or inference, from and to NumPy arrays."""
    keras = cconv
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    nn = torch.nn
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10),
    ).to(memory_format=torch.channels_last)  # fmt: skip
    adam = torch.optim.Adam(net.parameters())
    rng = np.random.default_rng(0)
    x = rng.random((batch, 28, 28, 1), np.float32)
    y = rng.integers(0, 10, batch)
    tx, ty = torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(y)
    if not training:
        net.eval()

    def ours() -> None:
        if training:
            model.train_on_batch(x, y)
        else:
            model.predict_on_batch(x)

    def peer() -> None:
        if training:
            adam.zero_grad()
            logits = net(tx)
            nn.functional.cross_entropy(logits, ty).backward()
            adam.step()
            (logits.argmax(1) == ty).sum().item()
        else:
            with torch.inference_mode():
                torch.softmax(net(tx), 1).numpy()

    return ours, peer


def best_of(pair: Timed, seconds: float) -> list[float]:
    """Best seconds per call of each, in turns, for about this long together."""
    counts, best = [], []
    for call in pair:
        call()
        start = time.perf_counter()
        call()
        took = time.perf_counter() - start
        counts.append(max(1, int(0.02 / max(took, 1e-7))))  # 20 ms a turn, so that the clock's grain does not matter
        best.append(float("inf"))
    end, turns = time.perf_counter() + seconds, 0
    while turns < 3 or time.perf_counter() < end:
        for i, call in enumerate(pair):
            start = time.perf_counter()
            for _ in range(counts[i]):
                call()
            best[i] = min(best[i], (time.perf_counter() - start) / counts[i])
        turns += 1
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", default="", help="only cases whose name contains this")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--threads", type=int, default=0, help="for both; default: cconv's choice")
    parser.add_argument("--seconds", type=float, default=1.0, help="per case")
    parser.add_argument("--quick", action="store_true", help="a tenth of a second per case: to see that it runs")
    parser.add_argument("--json", type=Path, default=Path("build/bench_conv.json"))
    options = parser.parse_args()
    if options.threads:
        _core.set_num_threads(options.threads)
    threads = _core.get_num_threads()
    torch.set_num_threads(threads)
    seconds = 0.1 if options.quick else options.seconds

    machine = platform.processor() or platform.machine()
    print(f"cconv {_core.version()} ({_core.isa()}), PyTorch {torch.__version__}, {threads} threads, {machine}")
    columns = ("ours ms", "peer ms", "ours GF/s", "peer GF/s", "peer/ours")
    print(f"{'case':<26} {'batch':>5} {'pass':<8}", *(f"{column:>9}" for column in columns))
    rows = []

    def report(name: str, batch: int, what: str, flops: int, pair: Timed) -> None:
        ours, peer = best_of(pair, seconds)
        speeds = [f"{flops / t / 1e9:9.1f}" if flops else " " * 9 for t in (ours, peer)]
        times = [f"{t * 1e3:9.3f}" for t in (ours, peer)]
        print(f"{name:<26} {batch:>5} {what:<8}", *times, *speeds, f"{peer / ours:9.2f}", flush=True)
        row = {"case": name, "batch": batch, "pass": what, "flops": flops}
        rows.append({**row, "ours_s": ours, "peer_s": peer, "ratio": peer / ours})

    for layer in LAYERS:
        if options.cases not in layer.name:
            continue
        for batch in options.batches:
            report(layer.name, batch, "forward", layer.flops(batch), layer_pair(layer, batch, False))
            report(layer.name, batch, "fwd+bwd", 3 * layer.flops(batch), layer_pair(layer, batch, True))
    if options.cases in "mnist_convnet":
        report("mnist_convnet", 128, "train", 0, convnet_pair(128, True))
        report("mnist_convnet", 128, "predict", 0, convnet_pair(128, False))
    if not rows:
        sys.exit(f"no case contains {options.cases!r}")

    print(f"median peer/ours: {statistics.median(row['ratio'] for row in rows):.2f}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    facts = {
        "machine": platform.platform(),
        "cpus": os.cpu_count(),
        "threads": threads,
        "isa": _core.isa(),
        "torch": torch.__version__,
    }
    options.json.write_text(
        json.dumps({**facts, "date": time.strftime("%Y-%m-%d"), "rows": rows}, indent=1), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
