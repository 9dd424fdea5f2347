"""Activation functions: their digits beside float64's, slopes at bends, errors, names."""

import numpy as np
import pytest
from scipy import special

import cconv
from cconv import activations, ops
from cconv.ops._apply import gradient
from cconv.program import Program
from cconv.scope import tracing
from cconv.tensor import Tensor

X = np.concatenate([np.linspace(-14, 14, 40001), np.float32([0, 1e-30, -1e-30])]).astype(np.float32)
D = X.astype(np.float64)
EXP = np.exp(D)
W = EXP * (EXP + 2)


def gelu_tanh_slope(x):
    u = 2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    s = special.expit(u)
    return s + x * s * special.expit(-u) * 2 * np.sqrt(2 / np.pi) * (1 + 0.134145 * x**2)


# name, value, slope
CURVES = {
    "gelu": (D * special.ndtr(D), special.ndtr(D) + D * np.exp(-(D**2) / 2) / np.sqrt(2 * np.pi)),
    "silu": (D * special.expit(D), special.expit(D) * (1 + D * special.expit(-D))),
    "mish": (D * W / (W + 2), W / (W + 2) + 4 * D * EXP * (EXP + 1) / (W + 2) ** 2),
}


@pytest.mark.parametrize("name", CURVES)
def test_curves_keep_their_digits(name):
    value, slope = CURVES[name]
    y = cconv.ops._apply.apply(name, [X])
    normal = np.abs(value) > 2e-38
    assert np.max(np.abs(y - value)[normal] / np.spacing(np.abs(value.astype(np.float32)))[normal]) <= 8
    assert np.max(np.abs(y[~normal])) <= 2e-38
    dx = gradient(name, [X], {}, np.ones_like(X), 0)
    np.testing.assert_allclose(dx, slope, rtol=0, atol=3e-7)
    assert np.array_equal(y[:5], cconv.ops._apply.apply(name, [X[:5]])), "a row's end is computed as its middle"


def test_approximate_gelu():
    """Far below 0 the exponent's own rounding counts, which is relative to the exponent."""
    x = np.linspace(-14, 14, 400001, dtype=np.float32)
    d = x.astype(np.float64)
    exponent = 2 * np.sqrt(2 / np.pi) * (d + 0.044715 * d**3)
    value = d * special.expit(exponent)
    y = ops.gelu(x)
    near = np.abs(d) < 4
    assert np.max(np.abs(y - value)[near] / np.spacing(np.abs(value.astype(np.float32)))[near]) <= 20
    np.testing.assert_allclose(y, value, rtol=2e-7, atol=5e-9)
    assert np.all(np.abs(y - value) <= np.abs(value) * (4e-7 + 2.2e-7 * np.abs(exponent)) + 4.2e-38)
    np.testing.assert_allclose(gradient("gelu_tanh", [X], {}, np.ones_like(X), 0), gelu_tanh_slope(D), atol=3e-7)
    assert np.max(np.abs(ops.gelu(X) - ops.gelu(X, approximate=False))) < 5e-4


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "silu", "mish", "hard_silu"])
def test_curves_at_the_ends_of_the_numbers(name):
    y = cconv.ops._apply.apply(name, [np.float32([np.inf, 3e38, -3e38, -np.inf, np.nan])])
    assert y[0] == np.inf and y[1] == np.float32(3e38) and np.all(y[2:4] == 0) and np.isnan(y[4])
    dx = gradient(name, [np.float32([np.inf, 3e38, -3e38, -np.inf])], {}, np.ones(4, np.float32), 0)
    np.testing.assert_array_equal(dx, [1, 1, 0, 0])


def slope_at(function, x):
    """The slope of the sum of a function's values."""
    with tracing():
        inputs = Tensor(np.shape(x))
        y = ops.sum(function(inputs))
    return Program([y], [inputs], root=y, wrt=[inputs]).gradients([np.float32(x)], np.float32(1))[0]


@pytest.mark.parametrize(
    ("function", "x", "slopes"),
    [
        (ops.squareplus, [0.0, 1e10, -1e10], [0.5, 1, 0]),
        (ops.log_sigmoid, [0.0, 100, -100], [0.5, 0, 1]),
        (ops.soft_shrink, [0.0, 2, -2], [0, 1, 1]),
        (ops.sparse_plus, [0.0, 2, -2], [0.5, 1, 0]),
        (ops.celu, [1.0, 2, -200], [1, 1, 0]),
        (ops.sparsemax, [3.0, 1.0, -4.0], [0, 0, 0]),
        (lambda x: ops.sparsemax(x)[0], [1.0, 0.75, -4.0], [0.5, -0.5, 0]),
        (lambda x: ops.glu(x), [2.0, 0.0], [0.5, 0.5]),
    ],
)
def test_slopes_of_composed_functions(function, x, slopes):
    np.testing.assert_allclose(slope_at(function, x), slopes, atol=1e-6)


def test_squareplus_and_log_sigmoid_keep_their_digits_far_below_zero():
    np.testing.assert_allclose(ops.squareplus(np.float32([-1e6, -1e18])), [1e-6, 1e-18], rtol=1e-6)
    np.testing.assert_allclose(ops.log_sigmoid(np.float32([-1e4, 40])), [-1e4, -np.exp(-40.0)], rtol=1e-6)


def test_sparsemax_sums_to_one_along_any_axis():
    x = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    for axis in (0, 1, 2, -2):
        y = ops.sparsemax(x, axis=axis)
        np.testing.assert_allclose(y.sum(axis), 1, atol=1e-6)
        assert np.all(y >= 0) and np.any(y == 0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ops.glu(np.ones((2, 3))), "even size"),
        (lambda: ops.glu(cconv.Input((None,))), "known"),
        (lambda: ops.sparsemax(cconv.Input((None,))), "known"),
        (lambda: ops.celu([1.0], alpha=0), "alpha"),
        (lambda: ops.hard_shrink([1.0], threshold=-1), "threshold"),
        (lambda: ops.squareplus([1.0], b="wide"), "`b`"),
        (lambda: activations.get("geluu"), "Did you mean 'gelu'"),
    ],
)
def test_wrong_arguments(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_names_and_files():
    assert activations.get("hard_swish") is activations.get("hard_silu") is ops.hard_silu
    assert activations.serialize(activations.get("gelu")) == "gelu"
    layer = cconv.layers.Dense(2, activation="gelu")
    assert cconv.layers.Dense.from_config(layer.get_config()).activation is activations.gelu
