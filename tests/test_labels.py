"""A label that is no class ends a run before anything has changed."""

import numpy as np
import pytest
from op_harness import OneOp

import cconv
from cconv import _core, layers

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(12, 5)).astype(np.float32)
Y = RANDOM.integers(0, 3, 12)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("large", [False, True])  # large gradients: variables are updated within the backward pass
@pytest.mark.parametrize("computed", [False, True])
def test_nothing_changes(threads, large, computed):
    size = 2048 if large else 4
    graph = _core.Graph()
    x, t = graph.input((None, 5)), graph.input((None,), dtype="int32")
    kernels = [_core.Variable((5, size)), _core.Variable((size, size)), _core.Variable((size, 3))]
    average = _core.Variable((size,))
    y = x
    for kernel in kernels:
        kernel.assign(RANDOM.normal(size=kernel.shape) / 8)
    nodes = [graph.variable(kernel) for kernel in kernels]
    y = graph.add("dense", [x, nodes[0]])
    y = graph.add(
        "batch_norm", [y, 0, 0, graph.variable(average), graph.variable(_core.Variable((size,)))], {"training": 1}
    )
    y = graph.add("dense", [graph.add("dense", [y, nodes[1]]), nodes[2]])
    label = graph.add("maximum", [t, graph.constant(np.int32(-1))]) if computed else t
    loss = graph.add("sparse_categorical_crossentropy", [label, y], {"from_logits": True}, name="entropy")
    root = graph.add("mean", [loss])
    optimizer = _core.Optimizer("adam")
    plan = _core.Plan(
        graph, [root], max_batch=8, training=True, root=root, wrt=nodes, optimizer=optimizer, threads=threads
    )
    rows = np.arange(8)[::-1].copy()
    plan.run([X, Y], rows=rows)
    before = [v.array.copy() for v in [*kernels, average]]
    wrong = Y.copy()
    wrong[5], wrong[1], wrong[9] = -1, 3, 77
    with pytest.raises(ValueError, match=r"entropy.*labels of 0 to 2.*received -1 in sample 2 .* row 5 of"):
        plan.run([X, wrong], rows=rows)
    assert optimizer.iterations == 1
    for v, old in zip([*kernels, average], before, strict=True):
        np.testing.assert_array_equal(v.array, old)
    plan.run([X, Y], rows=rows)  # the plan goes on
    assert optimizer.iterations == 2 and np.isfinite(kernels[0].array).all()


def test_labels_from_a_generator_leave_the_weights():
    model = cconv.Sequential([cconv.Input((5,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")

    def batches():
        yield X[:4], Y[:4]
        yield X[4:8], np.array([0, 1, -1, 2])

    with pytest.raises(ValueError, match="-1"):
        model.fit(batches(), verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_images_of_labels_name_the_sample():
    labels = np.zeros((2, 3, 3), np.int32)
    labels[1, 2, 0] = 4
    with pytest.raises(ValueError, match="received 4 in sample 1"):
        cconv.ops.sparse_categorical_crossentropy(labels, np.full((2, 3, 3, 4), 0.25, np.float32))


@pytest.mark.parametrize("rows, place", [(0, "received 0 in sample 0"), (1, "received 1 in sample 1")])
def test_positions_outside_of_a_table_name_their_sample(rows, place):
    table, positions = np.zeros((rows, 2), np.float32), np.array([[0, 0], [0, 1]], np.int32)
    with pytest.raises(ValueError, match=place):
        OneOp("take", [table, positions], {"axis": 0, "checked": True}).run([table, positions])
