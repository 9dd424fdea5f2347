"""Graphs and plans below the op level: shared memory, several readers, batches smaller than planned, repacking."""

import numpy as np
import pytest

from cconv import _core


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def differentiate(build, *arrays, root_gradient=None):
    """y and the gradients of a graph: build(graph, *inputs) -> root."""
    graph = _core.Graph()
    inputs = [graph.input(a.shape) for a in arrays]
    root = build(graph, *inputs)
    plan = _core.Plan(graph, [root], root=root, wrt=inputs, training=True)
    (y,) = plan.run(arrays, root_gradient=root_gradient)
    return y, [plan.gradient(i) for i in inputs]


def test_plan_adds_the_gradients_of_several_readers():
    x, dy = random(5, 7), random(5, 7, seed=1)

    def build(g, a):
        square = g.add("multiply", [a, a])
        cube = g.add("multiply", [square, a])
        return g.add("add", [g.add("add", [cube, square]), a])

    y, (dx,) = differentiate(build, x, root_gradient=dy)
    np.testing.assert_allclose(y, x**3 + x**2 + x, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(dx, dy * (3 * x**2 + 2 * x + 1), rtol=1e-5, atol=1e-5)


def test_plan_writes_in_place_only_where_nobody_reads_later():
    x = random(64, 100)

    def build(g, a):
        shifted = g.add("add", [a, g.constant(np.float32(3))])
        hidden = g.add("tanh", [g.add("negative", [shifted])])
        # hidden is read again after exp could have overwritten it, and by tanh's own backward pass
        return g.add("multiply", [g.add("exp", [hidden]), hidden])

    y, (dx,) = differentiate(build, x)
    h = np.tanh(-(x.astype(float) + 3))
    np.testing.assert_allclose(y, np.exp(h) * h, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(dx, -(1 - h**2) * np.exp(h) * (1 + h), rtol=1e-4, atol=1e-6)


def test_plan_keeps_an_output_that_an_op_could_overwrite():
    x = random(4, 4)
    graph = _core.Graph()
    a = graph.input((4, 4))
    doubled = graph.add("add", [a, a])
    relu = graph.add("relu", [doubled])
    plan = _core.Plan(graph, [doubled, relu])
    first, second = plan.run([x])
    np.testing.assert_array_equal(first, 2 * x)
    np.testing.assert_array_equal(second, np.maximum(2 * x, 0))


def test_outputs_are_computed_in_the_callers_memory_unless_the_run_reads_it():
    x, w = random(4, 6), random(6, 6)
    graph = _core.Graph()
    a = graph.input((None, 6))
    variable = _core.Variable((6, 6))
    variable.assign(w)
    y = graph.add("relu", [graph.add("dense", [a, graph.variable(variable)])])
    twice = graph.add("add", [y, y])
    plan = _core.Plan(graph, [y, twice, y, a], max_batch=4)
    expected = [np.maximum(x @ w, 0), 2 * np.maximum(x @ w, 0), np.maximum(x @ w, 0), x]

    def check(inputs, outputs, n=4):
        before = inputs.copy()
        plan.run([inputs], n=n, outputs=outputs)
        for out, values in zip(outputs, expected):
            np.testing.assert_allclose(out[:n], values[:n], rtol=1e-5, atol=1e-6)
        return np.array_equal(inputs, before)

    assert check(x.copy(), [np.zeros((4, 6), np.float32) for _ in range(4)])
    assert check(x.copy(), [np.zeros((3, 6), np.float32) for _ in range(4)], n=3)  # elsewhere, with fewer samples
    again = plan.run([x])  # the first caller's memory is no longer written
    np.testing.assert_array_equal(again[0], again[2])
    over = x.copy()
    plan.run([over], outputs=[over, *(np.zeros((4, 6), np.float32) for _ in range(3))])  # over the input itself
    np.testing.assert_allclose(over, expected[0], rtol=1e-5, atol=1e-6)


def test_a_given_root_gradient_is_read_in_place_and_left_as_it_was():
    x, dy = random(5, 7), random(5, 7)
    graph = _core.Graph()
    a = graph.input((None, 7))
    y = graph.add("relu", [graph.add("tanh", [a])])
    plan = _core.Plan(graph, [y], max_batch=5, root=y, wrt=[a])
    given = dy.copy()
    for _ in range(2):
        plan.run([x], root_gradient=given)
        np.testing.assert_array_equal(given, dy)
        np.testing.assert_allclose(plan.gradient(a), dy * (x > 0) * (1 - np.tanh(x) ** 2), rtol=1e-5, atol=1e-6)
    plan.run([x])  # ones
    np.testing.assert_allclose(plan.gradient(a), (x > 0) * (1 - np.tanh(x) ** 2), rtol=1e-5, atol=1e-6)


def test_plan_reuses_memory_in_inference():
    graph = _core.Graph()
    node = graph.input((1000, 1000))
    for _ in range(20):
        node = graph.add("exp", [graph.add("negative", [node])])
    plan = _core.Plan(graph, [node])
    assert plan.bytes <= 2 * 4_000_000 + 4096  # the gathered input and one value, not forty


def test_plan_takes_smaller_batches_and_rows():
    x = random(10, 3)
    graph = _core.Graph()
    a = graph.input((None, 3), "x")
    root = graph.add("exp", [a])
    plan = _core.Plan(graph, [root], max_batch=8)
    for n in (8, 3, 1, 8):
        (y,) = plan.run([x[:n]])
        np.testing.assert_allclose(y, np.exp(x[:n]), rtol=1e-5)
    rows = np.array([9, 0, 4], np.int64)
    (y,) = plan.run([x], rows=rows)
    np.testing.assert_allclose(y, np.exp(x[rows]), rtol=1e-5)
    with pytest.raises(ValueError, match="1 to 8 samples, received 9"):
        plan.run([x[:9]])
    with pytest.raises(ValueError, match=r"'x'.*rows of 0 to 9, received 10"):
        plan.run([x], rows=np.array([10]))


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int32", "int64", "bool"])
def test_plan_converts_inputs(dtype):
    x = np.arange(12).reshape(4, 3).astype(dtype)
    graph = _core.Graph()
    plan = _core.Plan(graph, [graph.add("negative", [graph.input((None, 3))])], max_batch=4)
    for rows in (None, np.array([2, 0, 3], np.int64)):
        (y,) = plan.run([x], rows=rows)
        np.testing.assert_array_equal(y, -(x if rows is None else x[rows]).astype(np.float32))


def test_plan_notices_new_weights():
    weights = _core.Variable((3, 5))
    graph = _core.Graph()
    y = graph.add("dense", [graph.input((None, 3)), graph.variable(weights), 0])
    plan = _core.Plan(graph, [y], max_batch=4)
    x = random(4, 3)
    for seed in (1, 2):
        w = random(3, 5, seed=seed)
        weights.assign(w)
        np.testing.assert_allclose(plan.run([x])[0], x @ w, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rewrite", [True, False])
def test_constants_are_computed_anew_where_one_of_two_readers_is(rewrite):
    """`shared` lies where other values do between the runs that compute it: who reads it needs it computed again."""
    base, shift = _core.Variable((3, 3, 4, 4)), _core.Variable((3, 3, 4, 4))

    def make():
        graph = _core.Graph()
        x = graph.input((None, 6, 6, 4))
        shared = graph.add("exp", [graph.variable(base)])
        y = graph.add("conv", [x, shared, 0], {"padding": "same"})
        shifted = graph.add("add", [shared, graph.variable(shift)])
        for _ in range(3):
            y = graph.add("conv", [graph.add("tanh", [y]), shifted, 0], {"padding": "same"})
        return _core.Plan(graph, [y], max_batch=2, rewrite=rewrite)

    x = random(2, 6, 6, 4)
    base.assign(random(3, 3, 4, 4, seed=1) * 0.1)
    shift.assign(random(3, 3, 4, 4, seed=2) * 0.1)
    plan = make()
    first = plan.run([x])[0]
    np.testing.assert_array_equal(plan.run([x])[0], first)
    shift.assign(random(3, 3, 4, 4, seed=3) * 0.1)
    changed = plan.run([x])[0]
    assert not np.array_equal(changed, first)
    np.testing.assert_array_equal(changed, make().run([x])[0])
    base.assign(random(3, 3, 4, 4, seed=4) * 0.1)
    np.testing.assert_array_equal(plan.run([x])[0], make().run([x])[0])


def test_plan_gives_zero_gradients_to_what_the_root_does_not_depend_on():
    graph = _core.Graph()
    a, b = graph.input((3,)), graph.input((2,))
    root = graph.add("exp", [a])
    plan = _core.Plan(graph, [root], root=root, wrt=[a, b])
    plan.run([random(3), random(2)])
    np.testing.assert_array_equal(plan.gradient(b), np.zeros(2))
    with pytest.raises(ValueError, match="wrt"):
        plan.gradient(root)


def test_gradients_stop_at_ops_without_one():
    x = random(6)
    y, (dx,) = differentiate(lambda g, a: g.add("multiply", [g.add("sign", [a]), a]), x)
    np.testing.assert_allclose(y, np.abs(x), rtol=1e-6)
    np.testing.assert_array_equal(dx, np.sign(x))


def test_graph_keeps_its_first_error():
    graph = _core.Graph()
    a = graph.input((2, 3))
    with pytest.raises(ValueError, match="no_such_op"):
        graph.add("no_such_op", [a])
    with pytest.raises(ValueError, match="no_such_op"):
        graph.add("exp", [a])


def test_variable_is_seen_not_copied():
    variable = _core.Variable((2, 2))
    view = variable.array
    assert not view.flags.writeable and view.ctypes.data % 64 == 0
    variable.assign([[1, 2], [3, 4]])
    np.testing.assert_array_equal(view, [[1, 2], [3, 4]])
    with pytest.raises(ValueError, match=r"shape \(2, 2\), received shape \(3,\)"):
        variable.assign(np.zeros(3))


def test_memory_that_cannot_be_had_is_a_memory_error():
    with pytest.raises(MemoryError):
        _core.Variable((1 << 30, 1 << 25))
    graph = _core.Graph()
    node = graph.add("exp", [graph.input((None, 1 << 30))])
    with pytest.raises(MemoryError):
        _core.Plan(graph, [node], max_batch=1 << 25)


def test_plan_describes_its_nodes_and_times_them_when_asked():
    x = random(4, 6, 6, 8)
    weights = _core.Variable((3, 3, 8, 16))
    weights.assign(random(3, 3, 8, 16))
    graph = _core.Graph()
    a, w = graph.input((None, 6, 6, 8)), graph.variable(weights)
    root = graph.add("mean", [graph.add("conv", [a, w, 0], {"padding": "same"}, "first")])
    plan = _core.Plan(graph, [root], max_batch=4, root=root, wrt=[w])
    line = next(line for line in plan.describe().splitlines() if line.startswith("conv"))
    assert "first" in line and "(4, 6, 6, 16)" in line and int(line.split()[-2]) >= 4 * 6 * 6 * 16 * 4
    plan.run([x])
    assert "ms" not in plan.describe()
    before = _core.allocations()
    plan.profile()
    made = _core.allocations()
    for _ in range(3):
        plan.run([x])
    assert _core.allocations() == made == before + 1
    assert "3 runs" in plan.describe()
    line = next(s for s in plan.describe().splitlines() if s.startswith("conv"))
    forward, backward = map(float, line.split()[-3:-1])
    assert forward >= 0 and backward >= 0
    plan.profile(False)
    plan.run([x])
    assert "ms" not in plan.describe()


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("threads", [1, 3])
def test_values_computed_anew_for_the_backward_pass_are_those_of_the_forward_pass(threads):
    """Batch normalization's results are not kept; as outputs of the plan they are. The gradients are the same bits."""
    rng = np.random.default_rng(1)
    graph = _core.Graph()
    variables = []

    def weight(*shape):
        variables.append(_core.Variable(shape))
        variables[-1].assign((0.2 * rng.standard_normal(shape)).astype(np.float32))
        return graph.variable(variables[-1])

    def unit(x, c, residual=None, relu=True):
        # an algorithm with little scratch: what is compared is the memory of values
        x = graph.add("conv", [x, weight(3, 3, c, 24), 0], {"padding": "same", "algorithm": "direct"})
        one, zero = graph.constant(np.ones(24)), graph.constant(np.zeros(24))
        x = graph.add("batch_norm", [x, weight(24), weight(24), zero, one], {"training": True})
        x = x if residual is None else graph.add("add", [residual, x])
        return graph.add("relu", [x]) if relu else x

    a = graph.input((None, 9, 9, 5))
    units = [unit(a, 5)]
    for i in range(5):
        units.append(unit(unit(units[-1], 24), 24, units[-1], relu=i != 3))
    root = graph.add("mean", [graph.add("square", [units[-1]])])
    wrt = [n for n in range(1, len(graph) + 1) if n < root and graph.shape(n) in [v.shape for v in variables]]
    wrt = [n for n in wrt if graph.shape(n) == (3, 3, 24, 24)]
    plans = [
        _core.Plan(graph, [root, *more], max_batch=24, training=True, root=root, wrt=wrt, threads=threads)
        for more in ([], units)
    ]
    assert plans[0].bytes < 0.9 * plans[1].bytes
    for n in (24, 5):
        x = random(n, 9, 9, 5)
        losses = [plan.run([x])[0] for plan in plans]
        assert losses[0] == losses[1] > 0
        for node in wrt:
            np.testing.assert_array_equal(plans[0].gradient(node), plans[1].gradient(node))


@pytest.mark.parametrize("shape", [(), (3,), (1024,), (7, 333, 5), (0, 4)])
def test_results_begin_at_a_cache_line_where_they_are_large(shape):
    array = _core.empty_aligned(shape)
    assert array.shape == shape and array.dtype == np.float32 and array.flags.c_contiguous
    assert array.size < 1024 or array.ctypes.data % 64 == 0


def test_what_a_run_returns_is_aligned():
    graph = _core.Graph()
    x = graph.input((None, 1000))
    (y,) = _core.Plan(graph, [graph.add("relu", [x])], max_batch=8).run([np.ones((8, 1000), np.float32)])
    assert y.ctypes.data % 64 == 0 and (y == 1).all()
