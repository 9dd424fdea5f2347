"""Measure a few well-known networks on this machine: milliseconds and billions of operations a second (GFLOP/s).

Weights and images are random. What is told is the median of runs that follow one another; a multiplication and an
addition are two operations, those of convolutions and dense layers are counted, a training step as three times a
prediction.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _core, applications, layers
from ..layers.input_layer import Input
from ..models import Model, Sequential
from ..utils import set_random_seed
from .arguments import number, positive


def _mnist() -> Model:
    return Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def _mobilenet() -> Model:
    return applications.MobileNetV2(weights=None)


def _resnet() -> Model:
    return applications.ResNet50(weights=None)


# name -> what makes the model, images of a run, whether it is a training step
RUNS: dict[str, tuple[Callable[[], Model], int, bool]] = {
    "mnist-train": (_mnist, 128, True),
    "mnist-predict": (_mnist, 128, False),
    "mobilenetv2-one": (_mobilenet, 1, False),
    "mobilenetv2-train": (_mobilenet, 8, True),
    "resnet50-one": (_resnet, 1, False),
    "resnet50-eight": (_resnet, 8, False),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", metavar="RUN", nargs="*", help=f"which to measure, of {', '.join(RUNS)}; default: all")
    parser.add_argument(
        "--seconds", type=number, default=2.0, help="time for each, behind one run to warm up; default: 2"
    )
    parser.add_argument("--threads", type=positive, help=f"default: {_core.get_num_threads()}, as this process may use")


def run(options: argparse.Namespace) -> int:
    unknown = [name for name in options.runs if name not in RUNS]
    if unknown:
        raise ValueError(f"there is no run {unknown[0]!r}. There are: {', '.join(RUNS)}")
    if options.threads:
        _core.set_num_threads(options.threads)
    print(f"cconv {_core.version()}, {_core.isa()}, {_core.get_num_threads()} threads")
    print(f"{'run':<18} {'images':>6} {'ms':>9} {'fastest':>9} {'images/s':>10} {'GFLOP/s':>9} {'runs':>5}")
    for name in options.runs or RUNS:
        make, batch, training = RUNS[name]
        times, operations = _measure(make, batch, training, options.seconds)
        median = statistics.median(times)
        print(
            f"{name:<18} {batch:>6} {1e3 * median:>9.2f} {1e3 * min(times):>9.2f} {batch / median:>10.1f} "
            f"{operations / median / 1e9:>9.1f} {len(times):>5}",
            flush=True,
        )
    return 0


def _measure(make: Callable[[], Model], batch: int, training: bool, seconds: float) -> tuple[list[float], float]:
    """Seconds of each run, and the operations of one."""
    set_random_seed(0)
    model = make()
    images = np.random.default_rng(0).standard_normal((batch, *model.input_shape[1:]), np.float32)
    operations = batch * operations_of(model) * (3 if training else 1)
    if training:
        labels = np.arange(batch) % model.output_shape[-1]
        model.compile("sgd", "sparse_categorical_crossentropy")

        def step() -> Any:
            return model.train_on_batch(images, labels)
    else:

        def step() -> Any:
            return model.predict_on_batch(images)

    step()
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return times, operations


def operations_of(model: Model) -> int:
    """Operations of convolutions and dense layers for one sample."""
    total = 0
    for layer in model._flatten_layers():
        for node in layer._inbound_nodes:
            places = int(np.prod(node.outputs[0].shape[1:-1], dtype=np.int64)) if node.outputs else 0
            kernels = [v for v in layer._own_variables() if v.name.endswith("kernel")]
            total += sum(2 * v.size * places for v in kernels)
    return total
