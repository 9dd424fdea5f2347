"""dense and matmul beyond the cases of test_ops.py: NumPy beside them, many threads, errors."""

import numpy as np
import pytest

from cconv import _core


def run(op, arrays, attributes=None, threads=1):
    graph = _core.Graph()
    arrays = [np.ascontiguousarray(array, np.float32) for array in arrays]
    node = graph.add(op, [graph.input(array.shape) for array in arrays], attributes or {}, name="under_test")
    return _core.Plan(graph, [node], threads=threads).run(arrays)[0]


@pytest.mark.parametrize(
    "rows, k, m", [(1, 1, 1), (1, 1602, 10), (1, 1003, 999), (13, 769, 31), (29, 1537, 65), (500, 3, 2)]
)
def test_dense_is_a_matrix_product_for_any_number_of_threads(rows, k, m):
    rng = np.random.default_rng(rows + k + m)
    x, w, b = (rng.integers(-8, 9, shape).astype(np.float32) for shape in [(rows, k), (k, m), (m,)])
    for threads in (1, 2, 5):
        assert np.array_equal(run("dense", [x, w, b], threads=threads), x @ w + b)


@pytest.mark.parametrize("a", [(3, 4), (2, 3, 4), (5, 1, 3, 4), (1, 2, 3, 4), (4,)])
@pytest.mark.parametrize("b", [(4, 6), (2, 4, 6), (2, 4, 1), (5, 2, 4, 6), (4,)])
def test_matmul_broadcasts_as_numpy_does(a, b):
    rng = np.random.default_rng(7)
    left, right = (rng.integers(-8, 9, shape).astype(np.float32) for shape in (a, b))
    expected = np.matmul(left, right)
    assert _core.infer("matmul", [a, b]) == expected.shape
    for threads in (1, 3):
        assert np.array_equal(run("matmul", [left, right], threads=threads), expected)


def test_dense_nan_stays_in_its_row():
    x, w = np.ones((20, 30)), np.ones((30, 40))
    x[3, 4] = np.nan
    for activation in ("linear", "relu", "tanh"):
        rows = np.isnan(run("dense", [x, w], {"activation": activation}))
        assert rows[3].all()
        assert rows.sum() == 40


WRONG = [
    ("dense", [(7,), (7, 2), None], {}, "expected x of rank 2 or more (..., k), received shape (7,)"),
    ("dense", [(3, 7), (7,), None], {}, "expected w of rank 2 (k, m), received shape (7,)"),
    ("dense", [(3, 7), (6, 2), None], {}, "expected x with a last axis of 6, as w has rows; received shape (3, 7)"),
    ("dense", [(3, 7), (7, 2), (3,)], {}, "expected b with 2 values, one for each column of w, received 3"),
    ("dense", [(3, 7), (7, 2), (2, 1)], {}, "expected b of rank 1 (m), received shape (2, 1)"),
    ("dense", [(3, 7), (7, 2), None], {"activation": "elu", "alpha": -1}, "alpha of at least 0, received -1"),
    ("matmul", [(3, 7), (6, 2)], {}, "expected as many columns in a as rows in b, received 7 and 6"),
    ("matmul", [(3, 7), (7, 2)], {"transpose_b": True}, "expected as many columns in a as rows in b, received 7 and 2"),
    ("matmul", [(2, 3, 7), (4, 7, 2)], {}, "leading axes that broadcast, received shapes (2, 3, 7) and (4, 7, 2)"),
    ("matmul", [(), (7, 2)], {}, "expected a and b of rank 1 or more, received shapes () and (7, 2)"),
]


@pytest.mark.parametrize("op, shapes, attributes, message", WRONG, ids=[message[:50] for *_, message in WRONG])
def test_dense_and_matmul_name_what_was_expected_and_received(op, shapes, attributes, message):
    with pytest.raises(ValueError) as error:
        _core.infer(op, shapes, attributes, name="layer_3")
    assert str(error.value).startswith(f"layer_3 ({op}): ")
    assert message in str(error.value)


def test_dense_and_matmul_pass_unknown_sizes_on():
    assert _core.infer("dense", [(None, None, 7), (7, 2), None]) == (None, None, 2)
    assert _core.infer("matmul", [(None, 3, 7), (1, 7, 2)]) == (None, 3, 2)
    assert _core.infer("matmul", [(None, 3, 7), (5, 7, 2)]) == (5, 3, 2)


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65])
@pytest.mark.parametrize("k", [1, 2, 7, 8, 9, 100])
def test_a_single_row_times_narrow_and_wide_matrices(k, m):
    rng = np.random.default_rng(k + m)
    x, w, b = (rng.integers(-8, 9, shape).astype(np.float32) for shape in [(1, k), (k, m), (m,)])
    for threads in (1, 3):
        assert np.array_equal(run("dense", [x, w, b], threads=threads), x @ w + b)
        assert np.array_equal(run("dense", [x, w], {"activation": "relu"}, threads), np.maximum(x @ w, 0))


def test_a_plan_of_several_rows_runs_one():
    rng = np.random.default_rng(0)
    x, w = (rng.integers(-8, 9, shape).astype(np.float32) for shape in [(4, 9), (9, 10)])
    graph, kernel = _core.Graph(), _core.Variable((9, 10))
    kernel.assign(w)
    plan = _core.Plan(graph, [graph.add("dense", [graph.input((None, 9)), graph.variable(kernel)])], max_batch=4)
    for rows in (1, 4, 1):
        assert np.array_equal(plan.run([x[:rows]], n=rows)[0], x[:rows] @ w)


@pytest.mark.parametrize("rows", [1, 3, 40, 256])
@pytest.mark.parametrize("k,m", [(1100, 1000), (1024, 1024), (4000, 270)])
def test_large_weights_packed_as_they_are_used_give_the_same_bits(rows, k, m):
    random = np.random.default_rng(rows)
    x, w, b, dy = (random.standard_normal(shape).astype(np.float32) for shape in [(rows, k), (k, m), (m,), (rows, m)])
    found = []
    for late in (False, True):  # weights without a gradient stay the same from run to run: they are packed once, whole
        graph = _core.Graph()
        nodes = [graph.input((None, k)), graph.input((k, m)), graph.input((m,))]
        y = graph.add("dense", nodes, {"activation": "tanh"})
        wrt = nodes[:2] if late else nodes[:1]
        plan = _core.Plan(graph, [y], max_batch=256, root=y, wrt=wrt)
        found.append([np.array(plan.run([x, w, b], n=rows, root_gradient=dy)[0]), plan.gradient(nodes[0])])
    np.testing.assert_array_equal(found[1][0], found[0][0])
    np.testing.assert_array_equal(found[1][1], found[0][1])


# Below and above what copies of x and dz pay for, and sums split into blocks; edges of tiles and of groups of them.
@pytest.mark.parametrize(
    "rows, k, m",
    [
        (128, 128, 128),
        (127, 128, 128),
        (129, 127, 130),
        (500, 300, 77),
        (3000, 96, 384),
        (257, 1000, 33),
        (900, 20, 1000),
    ],
)
def test_weight_gradients_are_exact_for_any_number_of_threads(rows, k, m):
    rng = np.random.default_rng(rows + k + m)
    x, dz = (rng.integers(-3, 4, shape).astype(np.float32) for shape in [(rows, k), (rows, m)])
    w = rng.integers(-2, 3, (k, m)).astype(np.float32)
    graph = _core.Graph()
    nodes = [graph.input(x.shape), graph.input(w.shape)]
    y = graph.add("dense", nodes, {})
    for threads in (1, 2, 5):
        plan = _core.Plan(graph, [y], root=y, wrt=nodes, threads=threads)
        plan.run([x, w], root_gradient=dz)
        assert np.array_equal(plan.gradient(nodes[1]), x.T @ dz)
        assert np.array_equal(plan.gradient(nodes[0]), dz @ w.T)
