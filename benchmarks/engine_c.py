"""The C core alone: an ONNX file as a graph, of a batch one call of `cconv_plan_run`, no more of Python than that."""

from __future__ import annotations

import numpy as np
from onnx_file import exported
from work import Prepared, Work, aligned

import cconv
from cconv import _core


def start(threads: int) -> dict[str, object]:
    _core.set_num_threads(threads)
    return {"version": cconv.__version__}


def variants(work: Work) -> tuple[str, ...]:
    return ("plan",) if work.mode == "infer" else ()


def prepare(work: Work, variant: str) -> Prepared:
    graph = _core.load_onnx(str(exported(work)))
    outputs = [node for _, node in graph.outputs()]
    plan = _core.Plan(graph, outputs, max_batch=work.batch)
    x = np.ascontiguousarray(work.images()[0].transpose(0, 3, 1, 2))
    found = [aligned(np.empty(plan.shape(node, work.batch), np.float32)) for node in outputs]

    def call() -> None:
        plan.run([x], n=work.batch, outputs=found)

    call()
    return Prepared(call, {"y": found[0][:8].copy()})
