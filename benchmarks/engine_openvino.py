"""OpenVINO: inference of the file PyTorch has exported, held to float32."""

from __future__ import annotations

import numpy as np
import openvino
from onnx_file import exported
from work import Prepared, Work

SETTINGS = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}


def start(threads: int) -> dict[str, object]:
    SETTINGS["INFERENCE_NUM_THREADS"] = str(threads)
    return {"version": openvino.__version__}


def variants(work: Work) -> tuple[str, ...]:
    return ("compiled",) if work.infers else ()


def prepare(work: Work, variant: str) -> Prepared:
    size = work.at_once
    x = np.ascontiguousarray(work.images()[0].transpose(0, 3, 1, 2))
    core = openvino.Core()
    model = core.read_model(exported(work))
    model.reshape([size, *x.shape[1:]])
    request = core.compile_model(model, "CPU", SETTINGS).create_infer_request()

    def call() -> list[np.ndarray]:
        # Read in place, and copied: the next request writes there again.
        inputs = (x[at : at + size] for at in range(0, len(x), size))
        return [request.infer([part], share_inputs=True, share_outputs=True)[0].copy() for part in inputs]

    return Prepared(call, {"y": call()[0][:8]})
