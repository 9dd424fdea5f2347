"""Plans join nodes: the same results as node by node, and never where a caller would notice."""

import numpy as np
import pytest
from rewriting import assert_equal, both, ops, random, weights_of

from cconv import _core


@pytest.mark.parametrize("wrt", [False, True])
@pytest.mark.parametrize("shape, groups", [((5, 4, 12), 3), ((7, 10), 5), ((6,), 2), ((3, 4, 2, 8), 4)])
def test_a_shuffle_written_apart_is_one_op(shape, groups, wrt):
    def build(g, a):
        *image, c = shape
        y = g.add("reshape", [a], {"shape": [0, *image, groups, c // groups]})
        n = len(image) + 1
        y = g.add("transpose", [y], {"axes": [*range(n), n + 1, n]})
        return [g.add("reshape", [y], {"shape": [-1, *shape]})], []

    results = both(build, random(2, *shape), wrt=wrt)
    assert results[0][0] == ["channel_shuffle"]
    assert_equal(results)


@pytest.mark.parametrize(
    "apart, axes, whole",
    [
        ([0, 6, 4, 12], [0, 2, 1, 3], [0, 4, 6, 12]),
        ([0, 4, 6, 3, 4], [0, 2, 1, 4, 3], [0, 4, 6, 12]),
        ([0, 4, 6, 3, 4], [0, 1, 2, 4, 3], [0, 4, 12, 6]),
        ([0, 4, 12, 3, 2], [0, 1, 2, 4, 3], [0, 4, 6, 12]),
        ([-1, 4, 6, 2, 12], [0, 1, 2, 4, 3], [-1, 4, 6, 12]),
        ([0, 4, 6, 3, 2, 2], [0, 1, 2, 3, 5, 4], [0, 4, 6, 12]),
    ],
)
def test_other_turns_are_no_shuffles(apart, axes, whole):
    def build(g, a):
        y = g.add("transpose", [g.add("reshape", [a], {"shape": apart})], {"axes": axes})
        return [g.add("reshape", [y], {"shape": whole})], []

    results = both(build, random(2, 4, 6, 12))
    assert "channel_shuffle" not in results[0][0] and "transpose" in results[0][0]
    assert_equal(results)


def test_what_does_nothing_is_left_out():
    def build(g, a):
        y = g.add("dropout", [g.add("exp", [a])], {"rate": 0.5})
        y = g.add("stop_gradient", [g.add("identity", [y])])
        return [g.add("negative", [y])], []

    results = both(build, random(3, 6))
    assert results[0][0] == ["exp", "negative"]
    assert_equal(results)


def test_dropout_drops_the_same_whatever_is_joined():
    def build(g, a):
        w = weights_of(g, 6, 6)
        y = g.add("relu", [g.add("dense", [a, w, 0])])
        return [g.add("dropout", [g.add("identity", [y])], {"rate": 0.5})], [w]

    results = both(build, random(30, 6), training=True, wrt=True)
    assert results[0][0] == ["dense", "dropout"]
    assert_equal(results)


def test_nodes_that_are_seen_or_read_elsewhere_stay():
    x = random(2, 5, 5, 4)
    graph = _core.Graph()
    a = graph.input((None, 5, 5, 4))
    conv = graph.add("conv", [a, weights_of(graph, 3, 3, 4, 4), 0], {"padding": "same"})
    relu = graph.add("relu", [conv])
    total = graph.add("add", [relu, conv])
    conv2 = graph.add("conv", [total, weights_of(graph, 1, 1, 4, 3), 0])
    last = graph.add("relu", [conv2])
    # two readers of the first convolution; the second one is an output, or its gradient is asked for
    assert ops(_core.Plan(graph, [last])) == ["conv", "relu", "add", "conv"]
    as_output = _core.Plan(graph, [last, conv2], max_batch=2)
    assert ops(as_output) == ["conv", "relu", "add", "conv", "relu"]
    first, second = as_output.run([x])
    np.testing.assert_array_equal(first, np.maximum(second, 0))
    as_leaf = _core.Plan(graph, [last], max_batch=2, root=last, wrt=[conv2])
    assert ops(as_leaf) == ["conv", "relu", "add", "conv", "relu"]
    as_leaf.run([x])
    np.testing.assert_array_equal(as_leaf.gradient(conv2), (second > 0).astype(np.float32))


def test_the_graph_itself_is_not_changed():
    graph = _core.Graph()
    a = graph.input((None, 5))
    y = graph.add("relu", [graph.add("dense", [a, weights_of(graph, 5, 4), 0])])
    before = len(graph)
    _core.Plan(graph, [y])
    assert len(graph) == before and ops(_core.Plan(graph, [y], rewrite=False)) == ["dense", "relu"]
