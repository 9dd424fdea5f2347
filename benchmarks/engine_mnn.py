"""MNN: inference of the file PyTorch has exported, converted by MNN's own tool, held to float32."""

from __future__ import annotations

from pathlib import Path

import _tools  # the converter itself: the module around it, MNN.tools, installs packages and reports what is converted
import MNN
import numpy as np
from onnx_file import exported
from work import Prepared, Work

SETTINGS = {"backend": "CPU", "precision": "high"}


def start(threads: int) -> dict[str, object]:
    SETTINGS["numThread"] = threads
    return {"version": MNN.version()}


def variants(work: Work) -> tuple[str, ...]:
    return ("session",) if work.infers else ()


def converted(work: Work) -> Path:
    path = work.file(".mnn")
    if not path.exists():
        part = work.file(".part.mnn")
        files = ["--modelFile", str(exported(work)), "--MNNModel", str(part)]
        if not _tools.mnnconvert(["mnnconvert", "-f", "ONNX", *files, "--bizCode", "benchmarks"]):
            raise RuntimeError("MNN does not convert the network")
        part.replace(path)
    return path


def tensor(values: np.ndarray) -> MNN.Tensor:
    """MNN's copy of an array in PyTorch's layout."""
    return MNN.Tensor(values.shape, MNN.Halide_Type_Float, values, MNN.Tensor_DimensionType_Caffe)


def prepare(work: Work, variant: str) -> Prepared:
    size = work.at_once
    x = np.ascontiguousarray(work.images()[0].transpose(0, 3, 1, 2))
    net = MNN.Interpreter(str(converted(work)))
    session = net.createSession(SETTINGS)
    given = net.getSessionInput(session)
    net.resizeTensor(given, (size, *x.shape[1:]))
    net.resizeSession(session)
    out = net.getSessionOutput(session)
    parts = [tensor(x[at : at + size]) for at in range(0, len(x), size)]
    y = tensor(np.zeros(out.getShape(), np.float32))

    def infer(part: MNN.Tensor) -> np.ndarray:
        given.copyFrom(part)
        net.runSession(session)
        out.copyToHostTensor(y)
        return y.getNumpyData().copy()  # the next one is written there

    def call() -> list[np.ndarray]:
        return [infer(part) for part in parts]

    return Prepared(call, {"y": call()[0][:8]})
