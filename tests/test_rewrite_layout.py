"""Transposes between ops cancel, or move to where they cancel."""

import numpy as np
import pytest
from rewriting import assert_equal, both, norm_of, ops, random, variable, weights_of

from cconv import _core

# ---- Transposes ----

TO_LAST, TO_FIRST = {"axes": [0, 2, 3, 1]}, {"axes": [0, 3, 1, 2]}


def conv_first(g, x, c, *, seed=1, **attributes):
    """A convolution of images whose channels come first, as layers make it, and its weights."""
    w = weights_of(g, 3, 3, g.shape(x)[1], c, seed=seed)
    y = g.add("conv", [g.add("transpose", [x], TO_LAST), w, 0], {"padding": "same", **attributes})
    return g.add("transpose", [y], TO_FIRST), w


def transposes(plan):
    return ops(plan).count("transpose")


def assert_transposes(build, x, rewritten, plain, *, training=False, wrt=False, rtol=3e-6):
    results = both(build, x, training=training, wrt=wrt)
    assert [r[0].count("transpose") for r in results] == [rewritten, plain]
    assert_equal(results, rtol=rtol)


@pytest.mark.parametrize("wrt", [False, True])
def test_transposes_cancel_between_convolutions(wrt):
    def build(g, a):
        y, v = conv_first(g, a, 6)
        y, w = conv_first(g, g.add("relu", [y]), 5)
        return [y], [v, w]

    assert_transposes(build, random(2, 4, 7, 6), 2, 4, wrt=wrt)


CARRIERS = {
    "norm": lambda g, y: norm_of(g, y, 6, axis=1)[0],
    "a sum with what came before": lambda g, y: g.add("add", [y, g.add("tanh", [y])]),
    "a product with a vector": lambda g, y: g.add("multiply", [y, variable(g, random(9))[0]]),
    "a product with channels": lambda g, y: g.add("multiply", [variable(g, random(6, 1, 1))[0], y]),
    "a number": lambda g, y: g.add("add", [y, g.constant(np.float32(2))]),
    "concatenate": lambda g, y: g.add("concatenate", [y, g.add("relu", [y])], {"axis": 1}),
    "concatenate columns": lambda g, y: g.add("concatenate", [y, y], {"axis": -1}),
    "softmax": lambda g, y: g.add("softmax", [y], {"axis": 1}),
    "softmax of rows": lambda g, y: g.add("log_softmax", [y], {"axis": -2}),
    "slice": lambda g, y: g.add("slice", [y], {"begin": [0, 1, 0, -4], "size": [-1, 3, -1, 4]}),
    "mean of pixels": lambda g, y: g.add("mean", [y], {"axes": [2, 3], "keepdims": True}),
    "max of channels": lambda g, y: g.add("max", [y], {"axes": [1], "keepdims": True}),
    "where": lambda g, y: g.add("where", [g.add("greater", [y, g.constant(np.float32(0))]), y, g.add("square", [y])]),
    "pooling": lambda g, y: g.add(
        "transpose", [g.add("max_pool", [g.add("transpose", [y], TO_LAST)], {"pool_size": [2, 2]})], TO_FIRST
    ),
    "padding": lambda g, y: g.add(
        "transpose", [g.add("pad", [g.add("transpose", [y], TO_LAST)], {"pads": [0, 1, 0, 0, 0, 2, 3, 0]})], TO_FIRST
    ),
}


@pytest.mark.parametrize("wrt", [False, True])
@pytest.mark.parametrize("what", CARRIERS)
def test_transposes_move_past(what, wrt):
    def build(g, a):
        y, v = conv_first(g, a, 6)
        y, w = conv_first(g, CARRIERS[what](g, y), 5)
        return [y], [v, w]

    results = both(build, random(2, 4, 8, 9), training=True, wrt=wrt)
    last = 0 if what == "mean of pixels" else 1  # of images of one pixel
    assert results[0][0].count("transpose") == 1 + last
    assert_equal(results, rtol=3e-5)


@pytest.mark.parametrize(
    "op, attributes",
    [
        ("sum", {"axes": [2]}),
        ("mean", {"axes": [3, 1]}),
        ("argmax", {"axis": 2}),
        ("min", {"axes": []}),
        ("max", {"axes": [-1]}),
    ],
)
def test_transposes_lose_the_axes_that_are_reduced(op, attributes):
    def build(g, a):
        y, _ = conv_first(g, a, 6)
        y, _ = conv_first(g, y, 5)
        return [g.add("exp" if op != "argmax" else "square", [g.add(op, [y], attributes)])], []

    results = both(build, random(2, 4, 8, 9))
    assert results[0][0].count("transpose") <= 2 < results[1][0].count("transpose")
    assert_equal(results, rtol=3e-5)


def test_axes_of_size_one_change_places_for_nothing():
    def build(g, a):
        y, v = conv_first(g, a, 6)
        pooled = g.add("mean", [y], {"axes": [2, 3]})
        gate, w = conv_first(g, g.add("reshape", [pooled], {"shape": [0, 6, 1, 1]}), 6, seed=2)
        y = g.add("multiply", [y, g.add("sigmoid", [gate])])
        y, u = conv_first(g, y, 3, seed=4)
        return [g.add("flatten", [g.add("mean", [y], {"axes": [2, 3], "keepdims": True})])], [u, v, w]

    assert_transposes(build, random(2, 4, 8, 9), 1, 6, wrt=True, rtol=3e-5)


def test_a_transpose_before_flatten_and_one_for_each_value_that_is_seen():
    def build(g, a):
        y, _ = conv_first(g, a, 6)
        z, _ = conv_first(g, y, 5)
        return [g.add("flatten", [z]), y], []

    assert_transposes(build, random(2, 4, 8, 9), 3, 4)


def test_two_readers_share_what_is_made_for_them():
    def build(g, a):
        y, _ = conv_first(g, a, 6)
        z, _ = conv_first(g, a, 6, seed=2)
        y = g.add("add", [y, z])
        return [g.add("flatten", [y]), g.add("reshape", [y], {"shape": [0, 2, -1]})], []

    assert_transposes(build, random(2, 4, 8, 9), 2, 4)


def test_graphs_that_would_not_have_fewer_stay_as_they_are():
    def build(g, a):
        y = g.add("transpose", [a], {"axes": [0, 2, 1]})
        return [g.add("relu", [y]), g.add("exp", [y])], []

    results = both(build, random(2, 3, 4))
    assert results[0][0] == results[1][0] == ["transpose", "relu", "exp"]
    assert_equal(results)


def test_dropout_drops_the_same_elements_in_any_layout():
    def build(g, a):
        y, v = conv_first(g, a, 6)
        y, w = conv_first(g, g.add("dropout", [y], {"rate": 0.5}), 5)
        return [y], [v, w]

    assert_transposes(build, random(2, 4, 7, 6), 4, 4, training=True, wrt=True)


def test_gradients_of_values_that_are_asked_for_are_theirs_alone():
    graph = _core.Graph()
    a = graph.input((None, 4, 7, 6))
    y, w = conv_first(graph, a, 6)
    y = graph.add("relu", [y])
    z, _ = conv_first(graph, y, 5)
    root = graph.add("add", [graph.add("sum", [z]), graph.add("sum", [graph.add("square", [y])])])
    x = random(2, 4, 7, 6)
    plans = [_core.Plan(graph, [root], max_batch=2, root=root, wrt=[y, w], rewrite=r) for r in (True, False)]
    for plan in plans:
        plan.run([x])
    for node in (y, w):
        np.testing.assert_allclose(*(plan.gradient(node) for plan in plans), rtol=1e-4, atol=1e-4)


def test_unknown_sizes_move_with_their_axes():
    def build(g):
        a = g.input((None, 4, None, None))
        y, _ = conv_first(g, a, 6)
        y, _ = conv_first(g, g.add("mean", [y], {"axes": [1], "keepdims": True}), 5)
        return y

    for shape in [(2, 4, 8, 9), (2, 4, 1, 7), (2, 4, 7, 1)]:
        values = []
        for rewrite in (True, False):
            g = _core.Graph()
            plan = _core.Plan(g, [build(g)], max_batch=2, input_shapes=[shape], rewrite=rewrite)
            values.append(plan.run([random(*shape)])[0])
        np.testing.assert_allclose(*values, rtol=1e-5, atol=1e-5)
