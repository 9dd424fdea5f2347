"""Activations go into the op before them: the same results as node by node, and never where a caller would notice."""

import numpy as np
import pytest
from rewriting import LAYERS, assert_equal, both, norm_of, ops, random, weights_of

import cconv

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


@pytest.mark.parametrize("op, attributes", [("relu", {}), ("clip", {"minimum": 0.0, "maximum": 6.0})])
@pytest.mark.parametrize("training", [False, True])
def test_activation_goes_into_batch_norm(op, attributes, training):
    def build(g, a):
        y, nodes = norm_of(g, a, 20)
        return [g.add(op, [y], attributes)], nodes[:2]

    results = both(build, 4 * random(5, 4, 3, 20), training=training, wrt=True)
    assert results[0][0] == ["batch_norm"] and results[1][0] == ["batch_norm", op]
    assert_equal(results)


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
