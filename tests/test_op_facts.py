"""What the table says of an op is what it does: samples are computed one by one, axes exchanged, seeds changed."""

import numpy as np
import pytest
from cases import all_cases
from op_harness import input_dtypes, of_type

from cconv import _core

OPS = _core.ops()
CASES = all_cases()
IDS = [pytest.param(op, case, id=f"{op}: {case.id}") for op in OPS for case in CASES[op]]


def batched_ways(case):
    """Sets of inputs that may be fed a batch at a time: each alone, and all of the same first size."""
    sizes = [shape[0] if shape else None for shape in case.inputs]
    ways = {(i,) for i, size in enumerate(sizes) if size}
    ways |= {tuple(i for i, size in enumerate(sizes) if size == n) for n in set(sizes) - {None, 0}}
    return sorted(ways)


def planned(op, case, batched):
    """Whether samples stay apart, and a function that runs arrays; `None` where the op cannot be fed like that."""
    graph = _core.Graph()
    nodes, dtypes = [], input_dtypes(op, len(case.inputs))
    for i, shape in enumerate(case.inputs):
        given = None if shape is None else (None, *shape[1:]) if i in batched else tuple(shape)
        nodes.append(0 if shape is None else graph.input(given, dtype=dtypes[i]))
    try:
        y = graph.add(op, nodes, case.attributes)
    except ValueError:
        return None
    n = max(case.inputs[i][0] for i in batched)
    plans = []

    def run(arrays):
        if not plans:
            plans.append(_core.Plan(graph, [y], max_batch=n, training=True))
        return plans[0].run([of_type(a, dtype) for a, dtype in zip(arrays, dtypes) if a is not None])[0]

    return graph.per_sample([y]), run


def by_sample(run, arrays, batched, n):
    parts = [[a[k : k + 1] if i in batched else a for i, a in enumerate(arrays)] for k in range(n)]
    return np.concatenate([run(part) for part in parts])


@pytest.mark.parametrize("op, case", IDS)
def test_samples_that_stay_apart_are_computed_one_by_one(op, case):
    for batched in batched_ways(case):
        sizes = {case.inputs[i][0] for i in batched}
        made = planned(op, case, batched) if len(sizes) == 1 else None
        if made is None:
            continue
        apart, run = made
        arrays, (n,) = case.arrays(), sizes
        if apart:
            assert OPS[op].per_sample, "the graph says so, the table does not"
            whole, parts = run(arrays), by_sample(run, arrays, batched, n)
            assert whole.shape == parts.shape
            np.testing.assert_allclose(
                parts, whole, rtol=1e-6, atol=1e-6 * np.abs(np.nan_to_num(whole)).max(initial=1e-30)
            )
        elif n > 1 and not OPS[op].random:  # without drops a random op may be anything
            assert not looks_apart(run, arrays, batched, n), f"with inputs {batched} in batches its samples stay apart"


def looks_apart(run, arrays, batched, n):
    """Whether samples computed one by one are the same as together, for these values and for others."""
    rng = np.random.default_rng(0)
    for _ in range(3):
        try:
            whole, parts = run(arrays), by_sample(run, arrays, batched, n)
        except ValueError:
            return False
        if len(whole) != n or whole.size == 0 or not np.array_equal(whole, parts, equal_nan=True):
            return False
        arrays = [None if a is None else rows_of_their_own(rng, a) for a in arrays]
    return True


def rows_of_their_own(rng, array):
    """-1 or 1 in one row, 0 or 1 in the next."""
    y = rng.integers(0, 2, array.shape).astype(np.float32)
    if y.ndim:
        y[::2] = 2 * y[::2] - 1
    return y


@pytest.mark.parametrize("op", [op for op in OPS if OPS[op].per_sample])
def test_an_op_whose_samples_may_stay_apart_has_a_case_in_which_they_do(op):
    ways = [planned(op, case, batched) for case in CASES[op] for batched in batched_ways(case) if batched]
    assert any(way is not None and way[0] for way in ways)


def has_axes_to_exchange(case):
    ranks = {len(shape) for shape in case.inputs if shape is not None}
    return len(ranks) == 1 and min(ranks) >= 2


@pytest.mark.parametrize("op, case", [p for p in IDS if has_axes_to_exchange(p.values[1])])
def test_elementwise_ops_do_not_care_where_an_element_lies(op, case):
    arrays = case.arrays()
    turned = [None if a is None else np.ascontiguousarray(np.swapaxes(a, 0, 1)) for a in arrays]
    y = alone(op, arrays, case.attributes)
    try:
        z = alone(op, turned, case.attributes)
    except ValueError:
        assert not OPS[op].elementwise
        return
    if OPS[op].elementwise:
        np.testing.assert_array_equal(np.swapaxes(z, 0, 1), y)


def alone(op, arrays, attributes, seed=3):
    graph = _core.Graph()
    dtypes = input_dtypes(op, len(arrays))
    nodes = [0 if a is None else graph.input(a.shape, dtype=dtype) for a, dtype in zip(arrays, dtypes)]
    plan = _core.Plan(graph, [graph.add(op, nodes, attributes)], training=True)
    return plan.run([of_type(a, dtype) for a, dtype in zip(arrays, dtypes) if a is not None], seed=seed)[0]


@pytest.mark.parametrize("op", OPS)
def test_only_random_ops_depend_on_the_seed(op):
    values = [[alone(op, case.arrays(), case.attributes, seed=seed) for seed in (3, 4)] for case in CASES[op]]
    differs = any(not np.array_equal(a, b, equal_nan=True) for a, b in values)
    assert differs == OPS[op].random


@pytest.mark.parametrize("op", ["roi_align", "projective_transform", "broadcast_to"])
def test_inputs_that_get_no_gradient_get_zeros(op):
    """Not what the memory held: of the run before, numbers that are none."""
    for case in CASES[op]:
        arrays = case.arrays()
        if len(arrays) < 2 or arrays[1].size == 0:
            continue
        graph = _core.Graph()
        nodes = [graph.input(a.shape, dtype=dtype) for a, dtype in zip(arrays, input_dtypes(op, len(arrays)))]
        node = graph.add(op, nodes, case.attributes)
        plan = _core.Plan(graph, [node], root=node, wrt=nodes[:2])
        for fill in (np.nan, 1):
            given = [of_type(a if i else a * fill, graph.dtype(nodes[i])) for i, a in enumerate(arrays)]
            plan.run(given, root_gradient=np.full(graph.shape(node), fill, np.float32))
        assert plan.gradient(nodes[1]).shape == arrays[1].shape and not np.any(plan.gradient(nodes[1]))


@pytest.mark.parametrize("op", [op for op in OPS if OPS[op].weights or OPS[op].bias or OPS[op].residual])
def test_weights_bias_and_residual_are_where_the_table_says(op):
    """The output is linear in the weights; a bias or residual is added to it."""
    found = set()
    for case in CASES[op]:
        arrays = case.arrays()
        if case.attributes.get("activation", "linear") != "linear":
            continue
        for kind in ("weights", "bias", "residual"):
            k = getattr(OPS[op], kind)
            if not k or k >= len(arrays) or arrays[k] is None or 0 in np.shape(arrays[0]) or arrays[k].size == 0:
                continue
            doubled = [2 * a if i == k else a for i, a in enumerate(arrays)]
            zero = [0 * a if i == k else a for i, a in enumerate(arrays)]
            y, twice, none = (alone(op, a, case.attributes) for a in (arrays, doubled, zero))
            scale = np.abs(y).max(initial=1e-30)
            np.testing.assert_allclose(twice - y, y - none, atol=3e-5 * scale)
            if kind == "residual":
                np.testing.assert_allclose(y - none, arrays[k], atol=3e-5 * scale)
            if kind == "bias":
                np.testing.assert_allclose(y - none, np.broadcast_to(arrays[k], y.shape), atol=3e-5 * scale)
            if kind == "weights":
                assert not np.array_equal(y, none)
            found.add(kind)
    assert found == {kind for kind in ("weights", "bias", "residual") if getattr(OPS[op], kind)}


def relu_of(graph, x):
    return graph.add("relu", [x])


def test_graphs_that_mix_samples():
    graph = _core.Graph()
    x, row = graph.input((None, 4)), graph.input((None,))
    fixed, image = graph.input((3, 4)), graph.input((None, 4, 4, 2))
    weights = graph.variable(_core.Variable((4, 5)))
    assert graph.per_sample([relu_of(graph, graph.add("dense", [x, weights, 0]))])
    assert graph.per_sample([relu_of(graph, x), image])
    assert not graph.per_sample([graph.add("add", [x, row])])  # the batch of one beside the columns of the other
    assert not graph.per_sample([graph.add("add", [x, fixed])])
    assert not graph.per_sample([relu_of(graph, fixed)])  # has no samples
    assert not graph.per_sample([x, weights])
    mixed = graph.add("mean", [x], {"axes": [0], "keepdims": True})
    assert not graph.per_sample([graph.add("subtract", [x, mixed])])
    assert graph.per_sample([relu_of(graph, x)])  # what is not asked for does not matter
    there = graph.add("transpose", [x], {"axes": [1, 0]})
    assert not graph.per_sample([graph.add("transpose", [there], {"axes": [1, 0]})])  # it does not look that far
    assert not graph.per_sample([graph.add("dropout", [x], {"rate": 0.5})])


def test_sizes_that_are_unknown_but_no_batch():
    graph = _core.Graph()
    x, wide = graph.input((None, 3)), graph.input((3, None))
    turned = graph.add("transpose", [wide], {"axes": [1, 0]})
    assert graph.shape(turned) == (None, 3)
    assert not graph.per_sample([graph.add("add", [x, turned])])


def test_training_by_attribute():
    graph = _core.Graph()
    x = graph.input((None, 4))
    mean, variance = (graph.variable(_core.Variable((4,))) for _ in range(2))
    for training, axis, apart in [(False, -1, True), (True, -1, False), (False, 1, True)]:
        y = graph.add("batch_norm", [x, 0, 0, mean, variance], {"training": training, "axis": axis})
        assert graph.per_sample([y]) == apart


@pytest.mark.parametrize("outputs", [[0], [99], [-1]])
def test_nodes_that_do_not_exist(outputs):
    graph = _core.Graph()
    graph.input((None, 4))
    assert not graph.per_sample(outputs)


def test_random_numbers_depend_on_the_place_in_the_batch():
    assert not any(op.elementwise or op.per_sample for op in OPS.values() if op.random)
