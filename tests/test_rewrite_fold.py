"""Constant factors, terms and batch normalizations go into the weights of the layer before them."""

import numpy as np
import pytest
from rewriting import LAYERS, assert_equal, both, norm_of, ops, random, variable, weights_of

from cconv import _core


def layer_before(g, a, kind, bias):
    """A layer of five channels, and its variables."""
    shape = {"dense": (8, 5), "conv": (3, 3, 8, 5), "depthwise": (3, 3, 1, 8)}[kind]
    nodes = [weights_of(g, *shape)] + ([weights_of(g, shape[-1], seed=3)] if bias else [])
    op = "dense" if kind == "dense" else "conv"
    return g.add(op, [a, nodes[0], *(nodes[1:] or [0])], {"groups": 8} if kind == "depthwise" else {}), nodes


@pytest.mark.parametrize("op", ["multiply", "add"])
@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("axes", [1, 4])
@pytest.mark.parametrize("wrt", [False, True])
def test_numbers_for_the_channels_go_into_the_layer_before_them(op, kind, bias, side, axes, wrt):
    def build(g, a):
        y, nodes = layer_before(g, a, kind, bias)
        s = weights_of(g, *[1] * (axes - 1), 8 if kind == "depthwise" else 5, seed=4)
        return [g.add("relu", [g.add(op, [s, y] if side else [y, s])])], [*nodes, s]

    results = both(build, random(3, 9, 9, 8), wrt=wrt)
    alone = not wrt or (op == "add" and not bias and axes == 1)
    left = [n for n in results[0][0] if n not in ("reshape", "multiply", "add")]  # those of variables run once
    assert left == ["dense" if kind == "dense" else "conv"] + ([] if alone else ["relu"])
    assert_equal(results, rtol=2e-6)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (1, 1, 1, 1)])
@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("bias", [False, True])
def test_one_number_for_all_goes_into_the_weights(shape, kind, bias):
    """As of the scaled residual sums of Inception-ResNets, which then are the convolution's own."""

    def build(g, a):
        y, nodes = layer_before(g, a, kind, bias)
        scaled = g.add("multiply", [weights_of(g, *shape, seed=4), y])
        residual = g.add("slice", [a], {"begin": (0,) * 4, "size": (-1, *g.shape(y)[1:])}) if kind != "dense" else 0
        return [g.add("relu", [g.add("add", [residual, scaled]) if residual else scaled])], nodes

    results = both(build, random(3, 9, 9, 8))
    left = [n for n in results[0][0] if n not in ("reshape", "multiply")]
    assert left == (["dense"] if kind == "dense" else ["slice", "conv"])
    assert_equal(results, rtol=3e-6)


@pytest.mark.parametrize(
    "op, shape",
    [(op, shape) for op in ("multiply", "add") for shape in [(9, 1, 5), (3, 1, 1, 5), (1, 1, 1, 1, 5)]]
    + [("add", ()), ("add", (1,)), ("multiply", (1, 1, 1, 1, 1))],
)
def test_other_numbers_stay_behind_the_layer(op, shape):
    def build(g, a):
        y, _ = layer_before(g, a, "conv", True)
        return [g.add(op, [y, weights_of(g, *shape, seed=4)])], []

    results = both(build, random(3, 11, 11, 8))
    assert results[0][0] == ["conv", op]
    assert_equal(results)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("layer", ["conv", "depthwise", "dense"])
def test_batch_norm_goes_into_the_weights(layer, bias):
    def build(g, a):
        shape, attributes = {
            "conv": ((3, 3, 8, 20), {"strides": 2}),
            "depthwise": ((3, 3, 1, 8), {"groups": 8}),
            "dense": ((8, 20), {}),
        }[layer]
        inputs = [a, weights_of(g, *shape), variable(g, random(shape[-1], seed=5))[0] if bias else 0]
        y = g.add("dense" if layer == "dense" else "conv", inputs, attributes)
        y, _ = norm_of(g, y, shape[-1], epsilon=1e-3)
        return [g.add("relu", [y])], []

    results = both(build, random(3, 9, 9, 8))
    assert "batch_norm" not in results[0][0] and "relu" not in results[0][0]
    assert_equal(results, rtol=3e-6)


def test_batch_norm_without_gamma_or_beta_goes_into_the_weights():
    def build(g, a):
        y = g.add("conv", [a, weights_of(g, 3, 3, 8, 5), 0])
        _, nodes = norm_of(g, y, 5)
        return [g.add("batch_norm", [y, 0, 0, *nodes[2:]])], []

    results = both(lambda g, a: build(g, a), random(3, 9, 9, 8))
    assert_equal(results, rtol=3e-6)


def test_folded_weights_follow_the_variables():
    graph = _core.Graph()
    a = graph.input((None, 6, 6, 8))
    w, weights = variable(graph, random(3, 3, 8, 5))
    y, nodes = norm_of(graph, graph.add("conv", [a, w, 0]), 5)
    gamma, scale = variable(graph, np.ones(5, np.float32))
    y = graph.add("batch_norm", [graph.add("conv", [a, w, 0]), gamma, *nodes[1:]])
    x = random(2, 6, 6, 8, seed=9)
    plans = [_core.Plan(graph, [y], max_batch=2, rewrite=rewrite) for rewrite in (True, False)]
    for step in range(4):
        if step == 1:
            weights.assign(random(3, 3, 8, 5, seed=7))
        if step == 2:
            scale.assign(random(5, seed=8))
        folded, plain = (plan.run([x])[0] for plan in plans)
        np.testing.assert_allclose(folded, plain, rtol=1e-4, atol=1e-5)


def test_moving_averages_that_training_renews_reach_the_folded_weights():
    graph = _core.Graph()
    a = graph.input((None, 6, 6, 8))
    w, _ = variable(graph, random(3, 3, 8, 5))
    y, nodes = norm_of(graph, graph.add("conv", [a, w, 0]), 5, momentum=0.5)
    train = _core.Plan(graph, [y], max_batch=4, training=True)
    plans = [_core.Plan(graph, [y], max_batch=4, rewrite=rewrite) for rewrite in (True, False)]
    x = random(4, 6, 6, 8, seed=9)
    for _ in range(3):
        folded, plain = (plan.run([x])[0] for plan in plans)
        np.testing.assert_allclose(folded, plain, rtol=1e-4, atol=1e-5)
        train.run([x])


def test_batch_norm_stays_where_gradients_flow_or_the_weights_are_fed():
    def with_gradients(g, a):
        w = weights_of(g, 3, 3, 8, 5)
        y, nodes = norm_of(g, g.add("conv", [a, w, 0]), 5, training=False)
        return [y], [w, *nodes]

    results = both(with_gradients, random(3, 6, 6, 8), wrt=True)
    assert results[0][0] == ["conv", "batch_norm"]
    assert_equal(results)

    graph = _core.Graph()
    a, w = graph.input((None, 6, 6, 8)), graph.input((3, 3, 8, 5))
    y, _ = norm_of(graph, graph.add("conv", [a, w, 0]), 5)
    assert ops(_core.Plan(graph, [y])) == ["conv", "batch_norm"]
