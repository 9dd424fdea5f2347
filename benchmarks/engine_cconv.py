"""cconv: layers as a plan of one op, networks through the methods a user calls."""

from __future__ import annotations

import os

import applications
import numpy as np
from work import Prepared, Work, aligned, build_keras, training_step

import cconv
from cconv import _core
from cconv.graph import build_graph


def start(threads: int) -> dict[str, object]:
    _core.set_num_threads(threads)
    return {"version": cconv.__version__, "isa": _core.isa()}


def variants(work: Work) -> tuple[str, ...]:
    return ("model" if work.whole else "plan",)


def prepare(work: Work, variant: str) -> Prepared:
    if work.part:
        return part(work)
    return layer(work) if work.layer else network(work)


def layer(work: Work) -> Prepared:
    x, w, b, dy = work.layer_arrays()
    backward = work.mode == "fwd+bwd"
    graph = _core.Graph()
    variables = [_core.Variable(values.shape) for values in (w, b)]
    for variable, values in zip(variables, (w, b)):
        variable.assign(values)
    nodes = [graph.input((None, *x.shape[1:])), *(graph.variable(variable) for variable in variables)]
    y = graph.add(work.layer.op, nodes, work.layer.attributes)
    plan = _core.Plan(graph, [y], max_batch=work.batch, root=y if backward else 0, wrt=nodes if backward else ())
    out = aligned(dy)

    def call() -> None:
        plan.run([x], n=work.batch, outputs=[out], root_gradient=dy if backward else None)

    call()
    results = {"y": out[-1].copy()}
    if backward:
        results |= {"dx": plan.gradient(nodes[0])[-1], "dw": plan.gradient(nodes[1]), "db": plan.gradient(nodes[2])}
    flops = work.layer.flops(work.batch)
    if not backward:
        return Prepared(call, results, flops)
    # In training the weights are others in each step: what a plan makes of them once is made anew, inside the time.
    return Prepared(call, results, 3 * flops, before=lambda: variables[0].assign(w))


def part(work: Work) -> Prepared:
    x, weights = work.part_arrays()
    this, backward = work.part, work.mode == "fwd+bwd"
    symbolic = cconv.Input(this.shape, dtype=str(x.dtype))
    layer = getattr(cconv.layers, this.layer)(**this.settings)
    y = layer(symbolic, symbolic) if this.attends else layer(symbolic)
    layer.set_weights(weights)
    graph, ids = build_graph([y], [symbolic])
    node, variables = ids[id(y)], layer.trainable_weights
    wrt = [ids[id(symbolic)]] * (not this.numbers) + [ids[id(variable.node())] for variable in variables]
    given = [node, wrt] if backward else [0, ()]
    plan = _core.Plan(graph, [node], max_batch=work.batch, root=given[0], wrt=given[1])
    dy = work.part_gradient(plan.shape(node, work.batch))
    out = aligned(dy)

    def call() -> None:
        plan.run([x], n=work.batch, outputs=[out], root_gradient=dy if backward else None)

    call()
    results = {"y": out[-1].copy()}
    flops = this.flops(work.batch)
    if not backward:
        return Prepared(call, results, flops)
    gradients = [plan.gradient(n) for n in wrt]
    if not this.numbers:
        results["dx"] = gradients.pop(0)[-1]
    results |= {f"dw{i}": gradients[i] for i in this.compared}
    return Prepared(call, results, 3 * flops, before=lambda: layer.set_weights(weights))


def model_file(work: Work) -> Prepared:
    model = cconv.onnx.load(work.model)
    x = np.ascontiguousarray(work.images()[0].transpose(0, 3, 1, 2))

    def call() -> list[np.ndarray]:
        found = model.predict_on_batch(x)
        return found if isinstance(found, list) else [found]

    return Prepared(call, {"y": call()[0][:8]})


def network(work: Work) -> Prepared:
    if work.model:
        return model_file(work)
    if work.is_application:
        model = applications.built(work)
        return network_calls(work, model, applications.multiply_adds(model))
    model = build_keras(cconv, work.name)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if values := layer.get_weights():
            layer.set_weights(lively(values, rng))
    weights = {f"{layer.name}/{i}": w for layer in model.layers for i, w in enumerate(layer.get_weights())}
    if not work.file(".npz").exists():
        part = work.file(f".{os.getpid()}.part.npz")
        np.savez(part, **weights)
        part.replace(work.file(".npz"))
    return network_calls(work, model, multiplications(model))


def network_calls(work: Work, model: object, multiply_adds: int) -> Prepared:
    """A model's methods that a work calls."""
    x, _ = work.images()
    flops = multiply_adds * 2 * len(x)
    if work.mode == "train":
        prepared = training_step(model, cconv, work)
        prepared.flops = 3 * flops
        return prepared

    def call() -> np.ndarray:
        if work.mode == "predict":
            return model.predict(x, batch_size=work.at_once, verbose=0)
        return model.predict_on_batch(x)

    return Prepared(call, {"y": call()[:8]}, flops)


def lively(values: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Weights for a layer that keep a deep network's outputs apart: a fresh one's hardly depend on its input."""
    kernel = values[0]
    if kernel.ndim == 1:  # batch normalization: gamma, beta, mean, variance
        n = len(kernel)
        mean, variance = 0.1 * rng.standard_normal(n), rng.uniform(0.5, 1.5, n)
        return [rng.uniform(0.4, 0.8, n), 0.1 * rng.standard_normal(n), mean, variance]
    depthwise = kernel.shape[-1] == 1
    fan_in = kernel.size // kernel.shape[-2 if depthwise else -1]
    return [
        (2 / fan_in) ** 0.5 * rng.standard_normal(kernel.shape),
        *(0.1 * rng.standard_normal(v.shape) for v in values[1:]),
    ]


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
