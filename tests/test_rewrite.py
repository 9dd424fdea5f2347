"""Plans join nodes: the same results as node by node, and never where a caller would notice."""

import numpy as np
import pytest

import cconv
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


ACTIVATIONS = [
    ("relu", {}),
    ("clip", {"minimum": 0.0, "maximum": 6.0}),
    ("leaky_relu", {"alpha": 0.3}),
    ("elu", {"alpha": 0.7}),
    ("sigmoid", {}),
    ("tanh", {}),
    ("hard_sigmoid", {}),
]
FROM_X = [("gelu", {}), ("gelu_tanh", {}), ("silu", {}), ("mish", {}), ("hard_silu", {})]


def layer_of(layer, op, attributes):
    """Builds a layer and an activation behind it."""

    def build(g, a):
        if layer == "dense":
            w, y = weights_of(g, 8, 5), None
            y = g.add("dense", [a, w, 0])
        elif layer == "depthwise":
            w = weights_of(g, 3, 3, 1, 8)
            y = g.add("conv", [a, w, 0], {"groups": 8})
        else:
            w = weights_of(g, 3, 3, 8, 5)
            y = g.add("conv", [a, w, 0], {"padding": "same"})
        return [g.add(op, [y], attributes)], [w]

    return build


LAYERS = ["conv", "depthwise", "dense"]


@pytest.mark.parametrize("op, attributes", ACTIVATIONS)
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("wrt", [False, True])
def test_activation_goes_into_the_layer_before_it(layer, op, attributes, wrt):
    results = both(layer_of(layer, op, attributes), random(3, 9, 9, 8), wrt=wrt)
    assert results[0][0] == ["dense" if layer == "dense" else "conv"] and op in results[1][0]
    assert_equal(results)


@pytest.mark.parametrize("op, attributes", FROM_X)
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("wrt", [False, True])
def test_activation_whose_slope_needs_what_is_before_it(layer, op, attributes, wrt):
    """With gradients the value before it is kept, so there is nothing to win."""
    results = both(layer_of(layer, op, attributes), random(3, 9, 9, 8), wrt=wrt)
    name = "dense" if layer == "dense" else "conv"
    assert results[0][0] == ([name, op] if wrt else [name])
    assert_equal(results)


@pytest.mark.parametrize("gate, whole", [("sigmoid", "silu"), ("hard_sigmoid", "hard_silu")])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("wrt", [False, True])
def test_a_product_with_its_own_gate_is_one_op(gate, whole, side, wrt):
    def build(g, a):
        w = weights_of(g, 3, 3, 8, 5)
        y = g.add("conv", [a, w, 0])
        s = g.add(gate, [y])
        return [g.add("multiply", [s, y] if side else [y, s])], [w]

    results = both(build, random(3, 9, 9, 8), wrt=wrt)
    assert results[0][0] == (["conv", whole] if wrt else ["conv"])
    assert results[1][0] == ["conv", gate, "multiply"]
    assert_equal(results, rtol=1e-6)


@pytest.mark.parametrize("other", ["seen", "read", "another"])
def test_a_gate_that_others_need_stays(other):
    def build(g, a):
        s = g.add("sigmoid", [g.add("negative", [a]) if other == "another" else a])
        y = g.add("multiply", [a, s])
        return [y, *([s] if other == "seen" else [g.add("sqrt", [s])] if other == "read" else [])], []

    results = both(build, random(3, 5))
    assert "silu" not in results[0][0] and "multiply" in results[0][0]
    assert_equal(results)


def gelu_by_hand(g, y, order="x gate half", scaled="divide", half=0.5, one=1.0, root=2**0.5):
    """x (1 + erf(x / sqrt(2))) / 2 as exporters write it, the factors multiplied in this order."""
    by = g.constant(np.float32(root if scaled == "divide" else 1 / root))
    error = g.add("erf", [g.add(scaled, [y, by])])
    factors = {"x": y, "gate": g.add("add", [error, g.constant(np.float32(one))]), "half": g.constant(np.float32(half))}
    first, second, third = (factors[name] for name in order.split())
    return g.add("multiply", [g.add("multiply", [first, second]), third]), error


@pytest.mark.parametrize("order", ["x gate half", "gate x half", "half x gate", "half gate x", "x half gate"])
@pytest.mark.parametrize("scaled", ["divide", "multiply"])
@pytest.mark.parametrize("wrt", [False, True])
def test_gelu_in_five_ops_is_one(order, scaled, wrt):
    def build(g, a):
        w = weights_of(g, 8, 5)
        return [gelu_by_hand(g, g.add("dense", [a, w, 0]), order, scaled)[0]], [w]

    results = both(build, random(7, 8), wrt=wrt)
    assert results[0][0] == (["dense", "gelu"] if wrt else ["dense"])
    assert_equal(results, rtol=2e-6)


@pytest.mark.parametrize("other", [{"half": 0.4}, {"one": 1.1}, {"root": 1.5}, "seen", "read", "another", "wider"])
def test_what_is_not_quite_gelu_stays(other):
    def build(g, a):
        y, error = gelu_by_hand(g, a, **(other if isinstance(other, dict) else {}))
        if other == "another":
            gate = g.add("add", [error, g.constant(np.float32(1))])
            y = g.add("multiply", [g.add("multiply", [g.add("negative", [a]), gate]), g.constant(np.float32(0.5))])
        if other == "wider":
            y = g.add("multiply", [y, g.constant(np.ones((1, 1, 1), np.float32))])
        return [y, *([error] if other == "seen" else [g.add("abs", [error])] if other == "read" else [])], []

    results = both(build, random(7, 5))
    assert ("gelu" in results[0][0]) == (other == "wider")
    assert_equal(results, rtol=2e-6 if other == "wider" else 0)


def layer_before(g, a, kind, bias):
    """A layer of five channels, and its variables."""
    shape = {"dense": (8, 5), "conv": (3, 3, 8, 5), "depthwise": (3, 3, 1, 8)}[kind]
    nodes = [weights_of(g, *shape)] + ([weights_of(g, shape[-1], seed=3)] if bias else [])
    op = "dense" if kind == "dense" else "conv"
    return g.add(op, [a, nodes[0], *(nodes[1:] or [0])], {"groups": 8} if kind == "depthwise" else {}), nodes


@pytest.mark.parametrize("op", ["multiply", "add"])
@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("axes", [1, 4])
@pytest.mark.parametrize("wrt", [False, True])
def test_numbers_for_the_channels_go_into_the_layer_before_them(op, kind, bias, side, axes, wrt):
    def build(g, a):
        y, nodes = layer_before(g, a, kind, bias)
        s = weights_of(g, *[1] * (axes - 1), 8 if kind == "depthwise" else 5, seed=4)
        return [g.add("relu", [g.add(op, [s, y] if side else [y, s])])], [*nodes, s]

    results = both(build, random(3, 9, 9, 8), wrt=wrt)
    alone = not wrt or (op == "add" and not bias and axes == 1)
    left = [n for n in results[0][0] if n not in ("reshape", "multiply", "add")]  # those of variables run once
    assert left == ["dense" if kind == "dense" else "conv"] + ([] if alone else ["relu"])
    assert_equal(results, rtol=2e-6)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (1, 1, 1, 1)])
@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("bias", [False, True])
def test_one_number_for_all_goes_into_the_weights(shape, kind, bias):
    """As of the scaled residual sums of Inception-ResNets, which then are the convolution's own."""

    def build(g, a):
        y, nodes = layer_before(g, a, kind, bias)
        scaled = g.add("multiply", [weights_of(g, *shape, seed=4), y])
        residual = g.add("slice", [a], {"begin": (0,) * 4, "size": (-1, *g.shape(y)[1:])}) if kind != "dense" else 0
        return [g.add("relu", [g.add("add", [residual, scaled]) if residual else scaled])], nodes

    results = both(build, random(3, 9, 9, 8))
    left = [n for n in results[0][0] if n not in ("reshape", "multiply")]
    assert left == (["dense"] if kind == "dense" else ["slice", "conv"])
    assert_equal(results, rtol=3e-6)


@pytest.mark.parametrize(
    "op, shape",
    [(op, shape) for op in ("multiply", "add") for shape in [(9, 1, 5), (3, 1, 1, 5), (1, 1, 1, 1, 5)]]
    + [("add", ()), ("add", (1,)), ("multiply", (1, 1, 1, 1, 1))],
)
def test_other_numbers_stay_behind_the_layer(op, shape):
    def build(g, a):
        y, _ = layer_before(g, a, "conv", True)
        return [g.add(op, [y, weights_of(g, *shape, seed=4)])], []

    results = both(build, random(3, 11, 11, 8))
    assert results[0][0] == ["conv", op]
    assert_equal(results)


@pytest.mark.parametrize("op, attributes", [("relu", {}), ("clip", {"minimum": 0.0, "maximum": 6.0})])
@pytest.mark.parametrize("training", [False, True])
def test_activation_goes_into_batch_norm(op, attributes, training):
    def build(g, a):
        y, nodes = norm_of(g, a, 20)
        return [g.add(op, [y], attributes)], nodes[:2]

    results = both(build, 4 * random(5, 4, 3, 20), training=training, wrt=True)
    assert results[0][0] == ["batch_norm"] and results[1][0] == ["batch_norm", op]
    assert_equal(results)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("side", [0, 1])
def test_sum_and_relu_go_into_batch_norm(relu, side):
    def build(g, a):
        w = weights_of(g, 3, 3, 6, 6)
        y, nodes = norm_of(g, g.add("conv", [a, w, 0], {"padding": "same"}), 6)
        y = g.add("add", [y, a] if side else [a, y])
        return [g.add("relu", [y]) if relu else y], [w, *nodes[:2]]

    results = both(build, random(4, 5, 5, 6), training=True, wrt=True)
    assert results[0][0] == ["conv", "batch_norm"]
    assert_equal(results)


def test_sum_of_two_batch_norms():
    def build(g, a):
        y, nodes = norm_of(g, g.add("conv", [a, weights_of(g, 1, 1, 6, 9), 0]), 9)
        z, more = norm_of(g, g.add("conv", [a, weights_of(g, 1, 1, 6, 9, seed=3), 0]), 9, seed=4)
        return [g.add("relu", [g.add("add", [y, z])])], [*nodes[:2], *more[:2]]

    results = both(build, random(4, 5, 5, 6), training=True, wrt=True)
    assert sorted(results[0][0]) == ["batch_norm", "batch_norm", "conv", "conv"]
    assert_equal(results)


def test_sum_that_broadcasts_stays():
    def build(g, a):
        y, _ = norm_of(g, a, 6)
        return [g.add("add", [y, g.constant(np.ones(6, np.float32))])], []

    results = both(build, random(4, 5, 5, 6), training=True)
    assert results[0][0] == ["batch_norm", "add"]
    assert_equal(results)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("layer", ["conv", "depthwise", "dense"])
def test_batch_norm_goes_into_the_weights(layer, bias):
    def build(g, a):
        shape, attributes = {
            "conv": ((3, 3, 8, 20), {"strides": 2}),
            "depthwise": ((3, 3, 1, 8), {"groups": 8}),
            "dense": ((8, 20), {}),
        }[layer]
        inputs = [a, weights_of(g, *shape), variable(g, random(shape[-1], seed=5))[0] if bias else 0]
        y = g.add("dense" if layer == "dense" else "conv", inputs, attributes)
        y, _ = norm_of(g, y, shape[-1], epsilon=1e-3)
        return [g.add("relu", [y])], []

    results = both(build, random(3, 9, 9, 8))
    assert "batch_norm" not in results[0][0] and "relu" not in results[0][0]
    assert_equal(results, rtol=3e-6)


def test_batch_norm_without_gamma_or_beta_goes_into_the_weights():
    def build(g, a):
        y = g.add("conv", [a, weights_of(g, 3, 3, 8, 5), 0])
        _, nodes = norm_of(g, y, 5)
        return [g.add("batch_norm", [y, 0, 0, *nodes[2:]])], []

    results = both(lambda g, a: build(g, a), random(3, 9, 9, 8))
    assert_equal(results, rtol=3e-6)


def test_folded_weights_follow_the_variables():
    graph = _core.Graph()
    a = graph.input((None, 6, 6, 8))
    w, weights = variable(graph, random(3, 3, 8, 5))
    y, nodes = norm_of(graph, graph.add("conv", [a, w, 0]), 5)
    gamma, scale = variable(graph, np.ones(5, np.float32))
    y = graph.add("batch_norm", [graph.add("conv", [a, w, 0]), gamma, *nodes[1:]])
    x = random(2, 6, 6, 8, seed=9)
    plans = [_core.Plan(graph, [y], max_batch=2, rewrite=rewrite) for rewrite in (True, False)]
    for step in range(4):
        if step == 1:
            weights.assign(random(3, 3, 8, 5, seed=7))
        if step == 2:
            scale.assign(random(5, seed=8))
        folded, plain = (plan.run([x])[0] for plan in plans)
        np.testing.assert_allclose(folded, plain, rtol=1e-4, atol=1e-5)


def test_moving_averages_that_training_renews_reach_the_folded_weights():
    graph = _core.Graph()
    a = graph.input((None, 6, 6, 8))
    w, _ = variable(graph, random(3, 3, 8, 5))
    y, nodes = norm_of(graph, graph.add("conv", [a, w, 0]), 5, momentum=0.5)
    train = _core.Plan(graph, [y], max_batch=4, training=True)
    plans = [_core.Plan(graph, [y], max_batch=4, rewrite=rewrite) for rewrite in (True, False)]
    x = random(4, 6, 6, 8, seed=9)
    for _ in range(3):
        folded, plain = (plan.run([x])[0] for plan in plans)
        np.testing.assert_allclose(folded, plain, rtol=1e-4, atol=1e-5)
        train.run([x])


def test_batch_norm_stays_where_gradients_flow_or_the_weights_are_fed():
    def with_gradients(g, a):
        w = weights_of(g, 3, 3, 8, 5)
        y, nodes = norm_of(g, g.add("conv", [a, w, 0]), 5, training=False)
        return [y], [w, *nodes]

    results = both(with_gradients, random(3, 6, 6, 8), wrt=True)
    assert results[0][0] == ["conv", "batch_norm"]
    assert_equal(results)

    graph = _core.Graph()
    a, w = graph.input((None, 6, 6, 8)), graph.input((3, 3, 8, 5))
    y, _ = norm_of(graph, graph.add("conv", [a, w, 0]), 5)
    assert ops(_core.Plan(graph, [y])) == ["conv", "batch_norm"]


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("norm", [False, True])
def test_sum_goes_into_the_convolution_at_inference(norm, kernel, relu):
    def build(g, a):
        r = g.add("exp", [a])
        y = g.add("conv", [g.add("tanh", [r]), weights_of(g, kernel, kernel, 6, 6), 0], {"padding": "same"})
        y = g.add("add", [r, norm_of(g, y, 6)[0] if norm else y])
        return [g.add("relu", [y]) if relu else y], []

    results = both(build, random(3, 9, 9, 6))
    assert results[0][0] == ["exp", "tanh", "conv"]
    assert_equal(results, rtol=3e-6)


def test_sum_with_what_the_convolution_reads():
    def build(g, a):
        r = g.add("exp", [a])
        y = g.add("conv", [r, weights_of(g, 3, 3, 6, 6), 0], {"padding": "same"})
        return [g.add("add", [y, r])], []

    results = both(build, random(3, 9, 9, 6))
    assert results[0][0] == ["exp", "conv"]
    assert_equal(results, rtol=3e-6)


def test_sum_stays_where_the_convolution_is_differentiated():
    def build(g, a):
        w = weights_of(g, 3, 3, 6, 6)
        return [g.add("add", [g.add("conv", [a, w, 0], {"padding": "same"}), a])], [w]

    results = both(build, random(3, 9, 9, 6), wrt=True)
    assert results[0][0] == ["conv", "add"]
    assert_equal(results)


@pytest.mark.parametrize("wrt", [False, True])
def test_padding_goes_into_the_window(wrt):
    def build(g, a):
        w = weights_of(g, 3, 3, 8, 5)
        y = g.add("conv", [g.add("pad", [a], {"pads": [0, 1, 0, 0, 0, 2, 1, 0]}), w, 0], {"strides": 2})
        y = g.add("pad", [g.add("relu", [y])], {"pads": [0, 1, 1, 0, 0, 1, 1, 0]})
        return [g.add("max_pool", [y], {"pool_size": 3, "strides": 2})], [w]

    results = both(build, random(3, 11, 12, 8), wrt=wrt)
    assert results[0][0] == ["conv", "max_pool"]
    assert_equal(results, rtol=1e-6)


@pytest.mark.parametrize("wrt", [False, True])
@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 0, 2, 1]])
def test_padding_is_added_to_the_pads_of_a_convolution(pads, wrt):
    """As models from ONNX have them, whose windows say all their pads."""

    def build(g, a):
        w, own = weights_of(g, 3, 3, 8, 5), {"padding": "explicit", "pads": pads, "strides": 2}
        return [g.add("conv", [g.add("pad", [a], {"pads": [0, 1, 0, 0, 0, 2, 1, 0]}), w, 0], own)], [w]

    results = both(build, random(3, 11, 12, 8), wrt=wrt)
    assert results[0][0] == ["conv"]
    assert_equal(results, rtol=1e-6)


@pytest.mark.parametrize("own", [[0, 0, 0, 0], [0, 1, 0, 0]])
@pytest.mark.parametrize("op", ["max_pool", "avg_pool"])
def test_padding_is_not_added_to_the_pads_of_a_pooling(op, own):
    def build(g, a):
        padded = g.add("pad", [g.add("relu", [a])], {"pads": [0, 1, 1, 0, 0, 1, 1, 0]})
        return [g.add(op, [padded], {"pool_size": 3, "strides": 2, "padding": "explicit", "pads": own})], []

    results = both(build, random(3, 9, 9, 8))
    assert ("pad" in results[0][0]) == any(own)
    assert_equal(results, rtol=1e-6)


@pytest.mark.parametrize("activation", ["relu", "clip"])
def test_activation_goes_behind_the_maximum(activation):
    def build(g, a):
        w = weights_of(g, 3, 3, 8, 5)
        attributes = {"minimum": 0, "maximum": 6} if activation == "clip" else {}
        y = g.add(activation, [g.add("conv", [a, w, 0])], attributes)
        return [g.add("max_pool", [y], {"pool_size": 3, "strides": 2})], [w]

    results = both(build, 3 * random(3, 11, 12, 8), wrt=True)
    assert results[0][0] == ["conv", "max_pool"]
    assert_equal(results)


def test_padding_stays_where_a_zero_may_be_the_maximum():
    def build(g, a):
        y = g.add("pad", [g.add("negative", [g.add("exp", [a])])], {"pads": [0, 1, 1, 0, 0, 1, 1, 0]})
        return [g.add("max_pool", [y], {"pool_size": 2})], []

    results = both(build, random(3, 6, 6, 8))
    assert "pad" in results[0][0]
    assert_equal(results)


@pytest.mark.parametrize(
    "attributes",
    [
        {"pads": [1, 1, 1, 0, 0, 1, 1, 0]},
        {"pads": [0, 1, 1, 0, 1, 1, 1, 0]},
        {"pads": [0, 1, 1, 1, 0, 1, 1, 0]},
        {"pads": [0, 1, 1, 0, 0, 1, 1, 1]},
        {"pads": [0, 1, 1, 0, 0, 1, 1, 0], "value": 1.0},
        *({"pads": [0, 1, 1, 0, 0, 1, 1, 0], "mode": mode} for mode in ("reflect", "symmetric", "edge")),
    ],
)
def test_padding_stays_where_it_is_not_zeros_around_the_image(attributes):
    def build(g, a):
        channels = 8 + attributes["pads"][3] + attributes["pads"][7]
        pooled = g.add("max_pool", [g.add("pad", [g.add("relu", [a])], attributes)], {"pool_size": 3, "strides": 2})
        w = weights_of(g, 3, 3, channels, 5)
        return [pooled, g.add("conv", [g.add("pad", [a], attributes), w, 0])], []

    results = both(build, random(3, 6, 7, 8))
    assert results[0][0].count("pad") == 2
    assert_equal(results)


@pytest.mark.parametrize("wrt", [False, True])
@pytest.mark.parametrize("included", [False, True])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_padding_counts_in_a_mean(rank, included, wrt):
    def build(g, a):
        y = g.add("pad", [a], {"pads": [0, *[1] * rank, 0, 0, *[2] * rank, 0]})
        return [g.add("avg_pool", [y], {"pool_size": 3, "strides": 2, "count_include_pad": included})], []

    results = both(build, random(3, *(6, 5, 7)[:rank], 11), wrt=wrt)
    assert results[0][0] == ["avg_pool"]
    assert_equal(results, rtol=1e-6)


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


def parts_of(g, a, first, *, seen=False):
    """relu of a convolution beside something else of the same image; whether the convolution's sums are seen."""
    conv = g.add("conv", [a, weights_of(g, 3, 3, 6, 5), 0], {"padding": "same"})
    y = g.add("relu", [g.add("concatenate", [first, conv])])
    return [y, conv] if seen else [y]


def test_relu_goes_into_the_parts_that_have_negative_values():
    def build(g, a):
        mean = g.add("avg_pool", [g.add("relu", [a])], {"pool_size": 3, "strides": 1, "padding": "same"})
        return parts_of(g, a, mean), []

    results = both(build, random(3, 7, 6, 6))
    assert results[0][0] == ["relu", "avg_pool", "conv", "concatenate"]
    assert_equal(results)


@pytest.mark.parametrize("why", ["negative", "seen", "wrt", "shared"])
def test_relu_stays_behind_parts_that_it_changes(why):
    def build(g, a):
        first = g.add("identity" if why == "negative" else "relu", [a])
        outputs = parts_of(g, a, first, seen=why == "seen")
        if why == "shared":
            outputs = [g.add("add", [outputs[0], g.add("exp", [outputs[0] - 1])])]
        return outputs, []

    results = both(build, random(3, 7, 6, 6), wrt=why == "wrt")
    assert "relu" in results[0][0][-3:] and "concatenate" in results[0][0]
    assert_equal(results, rtol=1e-6)


@pytest.mark.parametrize("rank", [1, 3])
def test_padding_goes_into_a_pooling_of_any_rank(rank):
    def build(g, a):
        y = g.add("pad", [g.add("relu", [a])], {"pads": [0, *[1] * rank, 0, 0, *[2] * rank, 0]})
        return [g.add("max_pool", [y], {"pool_size": 3, "strides": 2})], []

    results = both(build, random(3, *(6, 5, 7)[:rank], 8))
    assert results[0][0] == ["relu", "max_pool"]
    assert_equal(results)


@pytest.mark.parametrize("pads, attributes", [([1, 1], {"strides": 3, "ceil_mode": True}), ([1, 3], {"strides": 1})])
def test_padding_stays_where_a_window_could_lie_in_it(pads, attributes):
    def build(g, a):
        y = g.add("pad", [g.add("relu", [a])], {"pads": [0, pads[0], 0, 0, pads[1], 0]})
        return [g.add("max_pool", [y], {"pool_size": 3, **attributes})], []

    results = both(build, random(3, 5, 8))
    assert results[0][0] == ["relu", "pad", "max_pool"]
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


# ---- Losses of probabilities ----


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


@pytest.mark.parametrize(
    "activation",
    [
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "sigmoid",
        "tanh",
        "softplus",
        "softsign",
        "arctan",
        "binary_step",
        "hard_sigmoid",
        "gelu",
        "silu",
        "swish",
        "mish",
        "hard_silu",
        "hard_swish",
    ],
)
def test_what_layers_write_apart_runs_as_one(activation):
    layers = cconv.layers
    model = cconv.Sequential(
        [
            cconv.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation=activation),
            layers.SeparableConv2D(4, 3, activation=activation),
            layers.Flatten(),
            layers.Dense(5, activation=activation),
        ]
    )
    y = model.predict(random(2, 8, 8, 3), verbose=0)
    (step,) = (step for _, step in model._trainer.planner.programs.items())
    assert ops(step) == ["conv", "conv", "conv", "flatten", "dense"]
    np.testing.assert_array_equal(model(random(2, 8, 8, 3)), y)
