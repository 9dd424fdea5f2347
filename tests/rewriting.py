"""What the tests of rewritten plans share."""

import numpy as np

from cconv import _core


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def variable(graph, array, name=None):
    made = _core.Variable(array.shape)
    made.assign(array)
    return graph.variable(made, name), made


def weights_of(graph, *shape, seed=1):
    return variable(graph, random(*shape, seed=seed) * 0.3)[0]


def norm_of(graph, x, c, seed=2, **attributes):
    """batch_norm over variables; returns the node and the variables' nodes."""
    rng = np.random.default_rng(seed)
    values = [rng.random(c) + 0.5, rng.standard_normal(c), rng.standard_normal(c), rng.random(c) + 0.5]
    nodes = [variable(graph, v.astype(np.float32))[0] for v in values]
    return graph.add("batch_norm", [x, *nodes], {"training": True, **attributes}, "norm"), nodes


def ops(plan):
    """What runs: the first column of the table."""
    return [line.split()[0] for line in plan.describe().splitlines()[1:-1] if not line.startswith("(")]


def both(build, x, *, training=False, wrt=False, outputs=1):
    """Plans of build(graph, input) -> (outputs, wrt nodes), rewritten and not: their ops, values and gradients."""
    results = []
    for rewrite in (True, False):
        graph = _core.Graph()
        given = graph.input((None, *x.shape[1:]), "x")
        wanted, leaves = build(graph, given)
        leaves = [given, *leaves] if wrt else []
        root = wanted[0] if wrt else 0
        plan = _core.Plan(graph, wanted, max_batch=len(x), training=training, root=root, wrt=leaves, rewrite=rewrite)
        for _ in range(2):  # the second run leaves out what is known
            values = plan.run([x])
        if wrt:
            values = values + [plan.gradient(node) for node in leaves]
        results.append((ops(plan), values))
    return results


def assert_equal(results, rtol=0.0):
    for a, b in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * max(float(np.abs(b).max()), 1e-30))


LAYERS = ["conv", "depthwise", "dense"]
