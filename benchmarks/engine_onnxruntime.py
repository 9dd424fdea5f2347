"""ONNX Runtime: inference of the file PyTorch has exported."""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx_file import exported
from work import Prepared, Work

THREADS = 1


def start(threads: int) -> dict[str, object]:
    global THREADS
    THREADS = threads
    return {"version": onnxruntime.__version__}


def variants(work: Work) -> tuple[str, ...]:
    return ("session",) if work.infers else ()


def prepare(work: Work, variant: str) -> Prepared:
    size = work.at_once
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_free_dimension_override_by_name("batch", size)
    x = np.ascontiguousarray(work.images()[0].transpose(0, 3, 1, 2))

    session = onnxruntime.InferenceSession(str(exported(work)), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def call() -> list[np.ndarray]:
        return [session.run(None, {name: x[at : at + size]})[0] for at in range(0, len(x), size)]

    y = call()[0][:8]
    return Prepared(call, {"y": y if work.model else np.moveaxis(y, 1, -1)})  # models are compared as their files say
