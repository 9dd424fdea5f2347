"""cconv: layers as a plan of one op, networks through the methods a user calls."""

from __future__ import annotations

import os

import numpy as np
from work import PREDICT_BATCH, Prepared, Work, build_keras, keras_call

import cconv
from cconv import _core


def start(threads: int) -> dict[str, object]:
    _core.set_num_threads(threads)
    return {"version": cconv.__version__, "isa": _core.isa()}


def variants(work: Work) -> tuple[str, ...]:
    return ("plan" if work.layer else "model",)


def prepare(work: Work, variant: str) -> Prepared:
    return layer(work) if work.layer else network(work)


def layer(work: Work) -> Prepared:
    x, w, b, dy = work.layer_arrays()
    backward = work.mode == "fwd+bwd"
    graph = _core.Graph()
    nodes = [graph.input((None, *x.shape[1:]))]
    for values in (w, b):
        variable = _core.Variable(values.shape)
        variable.assign(values)
        nodes.append(graph.variable(variable))
    y = graph.add("conv2d", nodes, work.layer.attributes)
    plan = _core.Plan(graph, [y], max_batch=work.batch, root=y if backward else 0, wrt=nodes if backward else ())
    out = np.empty_like(dy)

    def call() -> None:
        plan.run([x], n=work.batch, outputs=[out], root_gradient=dy if backward else None)

    call()
    results = {"y": out[-1].copy()}
    if backward:
        results |= {"dx": plan.gradient(nodes[0])[-1], "dw": plan.gradient(nodes[1]), "db": plan.gradient(nodes[2])}
    return Prepared(call, results, work.layer.flops(work.batch) * (3 if backward else 1))


def network(work: Work) -> Prepared:
    cconv.utils.set_random_seed(0)
    model = build_keras(cconv, work.name)
    weights = {f"{layer.name}/{i}": w for layer in model.layers for i, w in enumerate(layer.get_weights())}
    if not work.file(".npz").exists():
        part = work.file(f".{os.getpid()}.part.npz")
        np.savez(part, **weights)
        part.replace(work.file(".npz"))
    x, _ = work.images()
    flops = multiplications(model) * 2 * len(x)
    if work.mode == "train":
        prepared = keras_call(model, cconv, work)
        prepared.flops = 3 * flops
        return prepared

    def call() -> np.ndarray:
        if work.mode == "predict":
            return model.predict(x, batch_size=PREDICT_BATCH, verbose=0)
        return model.predict_on_batch(x)

    return Prepared(call, {"y": call()[:8]}, flops)


def multiplications(model: object) -> int:
    """For one image, in convolutions and dense layers."""
    total = 0
    for layer in model.layers:
        if weights := layer.get_weights():
            kernel = weights[0]
            if kernel.ndim == 4:
                height, width = layer.output.shape[1:3]
                total += height * width * kernel.size
            elif kernel.ndim == 2:
                total += kernel.size
    return total
