"""The attention op: large scores, no keys, some of the gradients, memory that does not grow with the number of scores.

Its values are tested in test_ops.py."""

import itertools

import numpy as np
import pytest

from cconv import _core


def run(arrays, dy, wrt, **attributes):
    graph = _core.Graph()
    nodes = [graph.input(array.shape) for array in arrays]
    node = graph.add("attention", nodes, attributes)
    plan = _core.Plan(graph, [node], root=node, wrt=[nodes[i] for i in wrt], threads=2)
    return [plan.run(arrays, root_gradient=dy)[0], *(plan.gradient(nodes[i]) for i in wrt)]


def arrays(lead, tq, tk, d, dv):
    rng = np.random.default_rng(0)
    shapes = [(*lead, tq, d), (*lead, tk, d), (*lead, tk, dv), (*lead, tq, dv)]
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("wrt", [c for n in (1, 2) for c in itertools.combinations(range(3), n)])
def test_some_of_the_gradients(wrt):
    q, k, v, dy = arrays((2,), 6, 11, 5, 3)
    every = run([q, k, v], dy, (0, 1, 2))
    some = run([q, k, v], dy, wrt)
    assert all(np.array_equal(some[1 + i], every[1 + which]) for i, which in enumerate(wrt))


def test_large_scores_do_not_overflow():
    q, k, v, dy = arrays((1,), 4, 5, 3, 2)
    y, *slopes = run([q * 1e4, k * 1e4, v], dy, (0, 1, 2))
    best = (q.astype(np.float64) @ np.swapaxes(k, -1, -2)).argmax(-1)
    np.testing.assert_allclose(y[0], v[0][best[0]], rtol=1e-6)
    assert all(np.isfinite(s).all() for s in slopes)


def test_without_keys_there_is_nothing_to_take_a_mean_of():
    q, k, v, dy = arrays((2,), 3, 0, 4, 5)
    y, dq, dk, dv = run([q, k, v], dy, (0, 1, 2))
    assert not y.any() and not dq.any() and dk.shape == k.shape and dv.shape == v.shape


def test_memory_does_not_grow_with_the_number_of_scores():
    def needs(steps):
        graph = _core.Graph()
        x = graph.input((None, steps, 8))
        y = graph.add("attention", [x, x, x])
        return _core.Plan(graph, [y], max_batch=1, root=y, wrt=[x], threads=2).bytes

    few, many = needs(2000), needs(8000)
    assert many < 6 * few and many < 8000 * 8000 * 4 / 4


@pytest.mark.parametrize(
    "shapes, words",
    [
        (((5,), (5,), (5,)), "rank 2 or more"),
        (((2, 3, 4), (3, 3, 4), (2, 3, 4)), "a key with the leading axes of the query"),
        (((2, 3, 4), (2, 3, 4), (3, 4)), "a value with the leading axes of the query"),
        (((2, 3, 4), (2, 3, 5), (2, 3, 4)), "keys of as many channels as queries"),
        (((2, 3, 4), (2, 6, 4), (2, 3, 4)), "as many values as keys"),
    ],
)
def test_shapes_that_do_not_fit(shapes, words):
    graph = _core.Graph()
    with pytest.raises(ValueError, match=words):
        graph.add("attention", [graph.input(s) for s in shapes])
