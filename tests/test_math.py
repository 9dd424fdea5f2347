"""Elementwise functions and reductions where the cases of all ops do not look.

Special values, the exactness of long sums, and plans of several ops, in which values and gradients share memory.
"""

import warnings

import numpy as np
import pytest
import reference
from op_harness import OneOp

from cconv import _core

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 1e30, -1e30], np.float32)
UNARY = ["negative", "abs", "square", "sqrt", "exp", "log", "sin", "cos", "floor", "round", "sign", "reciprocal"]
ACTIVATIONS = ["relu", "leaky_relu", "elu", "sigmoid", "tanh", "arctan", "softplus", "softsign", "binary_step"]
ARITHMETIC = ["add", "subtract", "multiply", "divide", "power", "maximum", "minimum"]
COMPARISONS = ["equal", "not_equal", "greater", "greater_equal", "less", "less_equal"]


def run(op, *arrays, **attributes):
    return OneOp(op, arrays, attributes).run(arrays).y


def same(actual, expected):
    """NaN where NaN is expected, equal infinities, numbers to float32."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.asarray(expected, np.float64).astype(np.float32)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("op", UNARY + ACTIVATIONS)
def test_special_values_go_through_as_in_numpy(op):
    x = SPECIAL[np.abs(SPECIAL) < 1e3] if op in ("sin", "cos") else SPECIAL
    x = np.concatenate([x, SPECIAL[:3]])
    with np.errstate(all="ignore"):
        expected = reference.find(op)(x.astype(np.float64))
        if op == "softsign":
            expected = np.where(np.isinf(x), np.sign(x), expected)
    same(run(op, x), expected)


@pytest.mark.parametrize("op", ARITHMETIC + COMPARISONS)
def test_special_pairs_go_through_as_in_numpy(op):
    a, b = SPECIAL[:, None], SPECIAL[None, :]
    with np.errstate(all="ignore"):
        expected = reference.find(op)(a.astype(np.float64), b.astype(np.float64))
    same(run(op, a, b), expected)


def test_special_values_through_clip_and_where():
    same(run("clip", SPECIAL, minimum=-2, maximum=2), np.clip(SPECIAL, -2, 2))
    same(run("where", SPECIAL, SPECIAL, -SPECIAL), np.where(SPECIAL != 0, SPECIAL, -SPECIAL))


@pytest.mark.parametrize("op", ["sum", "mean", "max", "min", "prod"])
@pytest.mark.parametrize("axes", [(0,), (1,), ()])
def test_special_values_in_reductions(op, axes):
    for special in (np.nan, np.inf, -np.inf):
        x = np.full((9, 12), 1.5, np.float32)
        x[4, 7] = special
        same(run(op, x, axes=axes), reference.find(op)(x.astype(np.float64), axes=axes))


def test_argmax_takes_the_first_largest_and_the_first_nan():
    x = np.array([[1, 3, 3], [np.nan, 5, np.nan], [2, np.nan, np.inf], [-np.inf, -np.inf, -np.inf]], np.float32)
    np.testing.assert_array_equal(run("argmax", x), np.argmax(x, -1))


def test_roots_and_powers_at_zero_have_the_usual_gradients():
    zero, one = np.zeros(1, np.float32), np.ones(1, np.float32)
    assert OneOp("sqrt", [zero], {}, wrt=[0]).run([zero], one).gradients[0] == np.inf
    assert OneOp("abs", [zero], {}, wrt=[0]).run([zero], one).gradients[0] == 0
    result = OneOp("power", [zero, one * 2], {}, wrt=[0, 1]).run([zero, one * 2], one)
    assert result.gradients[0] == 0 and result.gradients[1] == 0
    result = OneOp("power", [zero, zero], {}, wrt=[0, 1]).run([zero, zero], one)
    assert result.y == 1 and result.gradients[0] == 0 and result.gradients[1] == 0


@pytest.mark.parametrize("shape, axes", [((10_000_000,), ()), ((2_000_000, 5), (0,)), ((5, 2_000_000), (1,))])
def test_long_sums_are_good_to_the_last_digit(shape, axes):
    x = np.random.default_rng(1).random(shape, np.float32)
    expected = x.astype(np.float64).sum(axes or None)
    for op, right in (("sum", expected), ("mean", expected / (x.size / np.size(expected)))):
        one, two = (OneOp(op, [x], {"axes": axes}, threads=n).run([x]).y for n in (1, 2))
        assert np.array_equal(one, two)
        assert np.max(np.abs(one - right) / right) <= 2.0**-24


def test_a_long_sum_of_gradients_is_good_to_the_last_digit():
    """The gradient of a bias of one element beside a million others."""
    x, b = np.ones((1_000_000, 1), np.float32), np.ones(1, np.float32)
    dy = np.random.default_rng(2).random(x.shape, np.float32)
    gradient = OneOp("multiply", [x, b], {}, wrt=[1]).run([x, b], dy).gradients[1]
    right = dy.astype(np.float64).sum()
    assert abs(gradient[0] - right) / right <= 2.0**-24


def test_no_gradient_flows_through_steps():
    steps = {*COMPARISONS, "floor", "round", "sign", "binary_step", "argmax", "one_hot", "stop_gradient"}
    ops = _core.ops()
    assert all(not ops[op].differentiable for op in steps)
    mine = {
        *UNARY,
        *ACTIVATIONS,
        *ARITHMETIC,
        "where",
        "clip",
        "sum",
        "mean",
        "max",
        "min",
        "prod",
        "flatten",
        "softmax",
    }
    assert all(ops[op].differentiable for op in mine - steps)


def test_a_condition_computed_from_parameters_gets_no_gradient():
    graph = _core.Graph()
    x = graph.input((4,))
    condition = graph.add("cast", [graph.add("negative", [x])], {"to": "bool"})
    y = graph.add("where", [condition, x, graph.add("square", [x])])
    plan = _core.Plan(graph, [y], root=y, wrt=[x])
    values = np.array([0, 1, -2, 0], np.float32)
    np.testing.assert_array_equal(plan.run([values])[0], values)
    np.testing.assert_array_equal(plan.gradient(x), [0, 1, 1, 0])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("op", ARITHMETIC)
def test_both_operands_may_be_one_value(op, threads):
    graph = _core.Graph()
    x = graph.input((None, 700))
    middle = graph.add("exp", [x])
    y = graph.add(op, [middle, middle])
    plan = _core.Plan(graph, [y], max_batch=9, root=y, wrt=[x], threads=threads)
    values = np.random.default_rng(4).uniform(-2, 1, (9, 700)).astype(np.float32)
    e = np.exp(values.astype(np.float64))
    same(plan.run([values])[0], reference.find(op)(e, e))
    da, db = reference.find(op + "_backward")(np.ones_like(e), e, e)
    np.testing.assert_allclose(plan.gradient(x), (da + db) * e, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_chain_in_which_values_and_gradients_take_each_others_places(threads):
    """A bias, products, views, softmax and a mean: nothing that is read later may be overwritten in place."""
    graph = _core.Graph()
    x, bias = graph.input((None, 4, 6)), graph.input((6,))
    h = graph.add("add", [graph.add("tanh", [x]), bias])
    h = graph.add("multiply", [h, graph.add("sigmoid", [graph.add("identity", [h])])])
    h = graph.add("flatten", [graph.add("transpose", [h], {"axes": (0, 2, 1)})])
    h = graph.add("softmax", [h])
    h = graph.add("subtract", [h, graph.add("mean", [h], {"axes": (0,), "keepdims": True})])
    loss = graph.add("sum", [graph.add("square", [h])])
    plan = _core.Plan(graph, [loss], max_batch=50, root=loss, wrt=[x, bias], threads=threads)
    rng = np.random.default_rng(5)
    x0, b0 = rng.standard_normal((50, 4, 6)).astype(np.float32), rng.standard_normal(6).astype(np.float32)

    def value(x, b):
        h = np.tanh(x) + b
        h = h / (1 + np.exp(-h))
        h = h.transpose(0, 2, 1).reshape(len(x), -1)
        h = np.exp(h) / np.exp(h).sum(1, keepdims=True)
        return np.square(h - h.mean(0)).sum()

    x1, b1 = x0.astype(np.float64), b0.astype(np.float64)
    np.testing.assert_allclose(plan.run([x0, b0])[0], value(x1, b1), rtol=1e-5)
    for node, along in ((x, (rng.standard_normal(x0.shape), 0)), (bias, (0, rng.standard_normal(6)))):
        ends = [value(x1 + s * 1e-5 * along[0], b1 + s * 1e-5 * along[1]) for s in (1, -1)]
        direction = along[0] if node == x else along[1]
        np.testing.assert_allclose(
            np.sum(plan.gradient(node) * direction), (ends[0] - ends[1]) / 2e-5, rtol=1e-3, atol=1e-5
        )


SMALLEST = float(np.finfo(np.float32).tiny)


def units(actual, expected):
    """The distance in units in the last place of the expected numbers; below the normal numbers all count as zero."""
    tiny = np.abs(expected) < 1.01 * SMALLEST
    unit = np.spacing(np.maximum(np.abs(expected), SMALLEST).astype(np.float32)).astype(np.float64)
    return np.where(tiny & (np.abs(actual) <= 1.02 * SMALLEST), 0, np.abs(actual - expected) / unit)


# Small arguments of either sign in every binade, the whole range of the exponential, and the places where its power of
# two changes.
WIDE = np.concatenate(
    [
        np.ldexp(np.random.default_rng(0).uniform(1, 2, 400), np.tile(np.arange(-100, 0), 4)),
        np.random.default_rng(1).uniform(0, 89, 20_000),
        (np.arange(130) + 0.5) * np.log(2),
        [88.72283, 87.33654, 103.97208, 1e30],
    ]
)
WIDE = np.concatenate([WIDE, -WIDE]).astype(np.float32)
PRECISE = {
    "exp": np.exp,
    "sigmoid": lambda x: np.where(x > 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x)))),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
}


@pytest.mark.parametrize("op", PRECISE)
def test_exponentials_are_right_to_the_last_places(op):
    with np.errstate(all="ignore"):
        expected = PRECISE[op](WIDE.astype(np.float64))
        expected = np.where(expected > np.finfo(np.float32).max, np.inf, expected)
    actual = run(op, WIDE).astype(np.float64)
    np.testing.assert_array_equal(np.isinf(actual), np.isinf(expected))
    finite = np.isfinite(expected)
    distance = units(actual[finite], expected[finite])
    assert distance.max() <= 4, (WIDE[finite][distance.argmax()], distance.max())


@pytest.mark.parametrize("op", ["exp", "sigmoid", "tanh", "elu", "softplus", "relu", "softsign", "arctan"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 4099])
def test_elements_do_not_depend_on_their_place(op, n):
    x = np.random.default_rng(n).normal(size=n).astype(np.float32)
    whole = run(op, x)
    np.testing.assert_array_equal(whole[-1:], run(op, x[-1:]))
    np.testing.assert_array_equal(whole[: n // 2], run(op, x[: n // 2 + 1])[: n // 2])


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 17, 255, 256, 257, 1000])
@pytest.mark.parametrize("op", ["softmax", "log_softmax"])
def test_softmax_of_rows_of_any_length(op, n):
    x = (10 * np.random.default_rng(n).normal(size=(3, n))).astype(np.float32)
    x[1] += 1e4
    shifted = x.astype(np.float64) - x.max(-1, keepdims=True)
    logarithm = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    expected = np.exp(logarithm) if op == "softmax" else logarithm
    np.testing.assert_allclose(run(op, x), expected, rtol=3e-6, atol=1e-6)
    np.testing.assert_allclose(run(op, x.T.copy(), axis=0).T, run(op, x), rtol=3e-6, atol=1e-6)
