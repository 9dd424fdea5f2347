"""Transposes of every order, over sizes around those of a vector and of a tile."""

import itertools

import numpy as np
import pytest

from cconv import _core


@pytest.mark.parametrize(
    "shape",
    [
        (65, 33),
        (3, 17, 64),
        (700, 5),
        (5, 700),
        (30, 3, 300),
        (64, 1, 16, 2),
        (2, 5, 129, 3),
        (1, 130, 18),
        (2, 3, 4, 5, 6),
        (0, 3, 2),
    ],
)
@pytest.mark.parametrize("threads", [1, 3])
def test_every_order_is_that_of_numpy(shape, threads):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for axes in itertools.permutations(range(len(shape))):
        graph = _core.Graph()
        given = graph.input(shape)
        node = graph.add("transpose", [given], {"axes": list(axes)})
        plan = _core.Plan(graph, [node], max_batch=max(1, shape[axes[0]]), threads=threads, root=node, wrt=[given])
        (y,) = plan.run([x], root_gradient=np.ascontiguousarray(x.transpose(axes)))
        assert np.array_equal(y, x.transpose(axes)), axes
        assert np.array_equal(plan.gradient(given), x), axes


SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 257)


def transposed(x, axes):
    graph = _core.Graph()
    given = graph.input(x.shape)
    return _core.Plan(graph, [graph.add("transpose", [given], {"axes": axes})]).run([x])[0]


@pytest.mark.parametrize("rows", SIZES)
def test_matrices(rows):
    for columns in SIZES:
        x = np.arange(3 * rows * columns, dtype=np.float32).reshape(3, rows, columns)
        assert np.array_equal(transposed(x, (0, 2, 1)), x.transpose(0, 2, 1)), (rows, columns)


def test_every_bit_stays():
    """Of numbers that are none, and zeros' signs."""
    x = np.random.default_rng(1).integers(0, 2**32, (40, 50), dtype=np.uint32).view(np.float32)
    assert np.array_equal(transposed(x, (1, 0)).view(np.uint32), x.view(np.uint32).T)
