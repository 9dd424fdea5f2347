"""Losses of probabilities take the logits before them."""

import numpy as np
import pytest
from rewriting import assert_equal, ops, random, variable

from cconv import _core

LOSSES = [
    ("categorical_crossentropy", "softmax", {"axis": -1}),
    ("categorical_crossentropy", "softmax", {"axis": 1}),
    ("sparse_categorical_crossentropy", "softmax", {}),
    ("binary_crossentropy", "sigmoid", {}),
]


def loss_of_probabilities(op, activation, attributes, *, between=lambda g, p: p, seen=False):
    """Plans of a loss of what a dense layer and an activation give: (ops, values of a rewritten plan, of logits)."""
    results = []
    x, w = random(6, 4, 5), random(5, 3, seed=1)
    shape = (6, 4, 3) if op != "sparse_categorical_crossentropy" else (6, 4)
    truth = np.random.default_rng(3).integers(0, 2, shape)
    truth = truth.astype(np.int32 if op.startswith("sparse") else np.float32)
    for logits in (False, True):
        g = _core.Graph()
        a, t = g.input((None, 4, 5)), g.input((None, *shape[1:]), dtype=str(truth.dtype))
        weights, _ = variable(g, w)
        z = g.add("dense", [a, weights, 0])
        axis = {"axis": attributes["axis"]} if "axis" in attributes else {}
        p = z if logits else g.add(activation, [z], axis)
        y = g.add(op, [t, between(g, p)], {**attributes, "from_logits": logits})
        root = g.add("mean", [y])
        outputs = [y, root] + ([p] if seen and not logits else [])
        plan = _core.Plan(g, outputs, max_batch=6, root=root, wrt=[weights], training=True)
        values = plan.run([x, truth])
        results.append((ops(plan), [*values[:2], plan.gradient(weights)]))
    return results


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize("op, activation, attributes", LOSSES)
def test_a_loss_of_probabilities_takes_the_logits(op, activation, attributes, seen):
    results = loss_of_probabilities(op, activation, attributes, seen=seen)
    assert op in results[0][0]
    assert (activation in results[0][0]) == (seen and activation == "softmax")
    assert_equal(results)


def test_logits_behind_ops_that_move_elements():
    flat = {"between": lambda g, p: g.add("reshape", [p], {"shape": [0, 4, 3]})}
    results = loss_of_probabilities("binary_crossentropy", "sigmoid", {}, **flat)
    assert "sigmoid" not in results[0][0]
    assert_equal(results)
    g = _core.Graph()
    a, t = g.input((None, 3, 4)), g.input((None, 4), dtype="int32")
    p = g.add("transpose", [g.add("softmax", [a], {"axis": 1})], {"axes": [0, 2, 1]})
    over_rows = g.add("transpose", [g.add("softmax", [a], {"axis": 2})], {"axes": [0, 2, 1]})
    loss, other = (g.add("sparse_categorical_crossentropy", [t, x]) for x in (p, over_rows))
    assert ops(_core.Plan(g, [loss])) == ["transpose", "sparse_categorical_crossentropy"]
    assert "softmax" in ops(_core.Plan(g, [other]))  # over another axis: not what the loss would do


def test_probabilities_whose_gradient_is_asked_for_stay():
    g = _core.Graph()
    a, t = g.input((None, 3)), g.input((None,), dtype="int32")
    p = g.add("softmax", [a])
    loss = g.add("sparse_categorical_crossentropy", [t, p])
    assert "softmax" in ops(_core.Plan(g, [loss], root=loss, wrt=[p]))
    assert "softmax" not in ops(_core.Plan(g, [loss], root=loss, wrt=[a]))
