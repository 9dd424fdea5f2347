"""Functions keep their digits: float32 results beside float64's, over all sizes of arguments."""

import numpy as np
import pytest
from scipy import special

from cconv import losses, ops
from cconv.ops._apply import gradient
from cconv.program import Program
from cconv.scope import tracing
from cconv.tensor import Tensor

TINY = float(np.finfo(np.float32).tiny)


def arguments():
    rng = np.random.default_rng(0)
    sizes = 10.0 ** np.concatenate([rng.uniform(-37.9, 38.5, 20000), rng.uniform(-6, 3, 20000)])
    return np.concatenate([sizes, -sizes, [0.0, -0.0, np.inf, -np.inf, np.nan]]).astype(np.float32)


X = arguments()
SMALL = X[np.abs(X) < 80]  # where e^x is a normal number


def check(result, expected, ulps):
    """Within so many units in the last place; what float32 has no number for is infinite, 0 or NaN as expected."""
    result, expected = np.asarray(result), np.asarray(expected, np.float64)
    assert result.dtype == np.float32
    assert result.shape == expected.shape
    with np.errstate(over="ignore", under="ignore"):
        nearest = expected.astype(np.float32)
    normal = np.isfinite(nearest) & (np.abs(expected) >= TINY)
    off = np.abs(result[normal].astype(np.float64) - expected[normal]) / np.spacing(np.abs(nearest[normal]))
    assert off.max(initial=0) <= ulps
    below = np.abs(expected) < TINY
    assert np.all(np.abs(result[below]) <= TINY)
    np.testing.assert_array_equal(result[~normal & ~below], nearest[~normal & ~below])


def selu(x):
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))


FUNCTIONS = {
    "arcsinh": np.arcsinh, "cbrt": np.cbrt, "erf": special.erf, "erfc": special.erfc, "exp2": np.exp2,
    "log10": np.log10, "log2": np.log2, "trunc": np.trunc,
    "absolute": np.abs, "arctan": np.arctan, "ceil": np.ceil, "cos": np.cos, "cosh": np.cosh,
    "exp": np.exp, "expm1": np.expm1,
    "floor": np.floor, "log": np.log, "log1p": np.log1p, "negative": np.negative, "reciprocal": lambda x: 1 / x,
    "round": np.round, "rsqrt": lambda x: 1 / np.sqrt(x), "sign": np.sign, "sin": np.sin, "sinh": np.sinh,
    "sqrt": np.sqrt,
    "square": np.square, "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "hard_sigmoid": lambda x: np.clip((x + 3) / 6, 0, 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "relu": lambda x: np.maximum(x, 0), "relu6": lambda x: np.clip(x, 0, 6), "selu": selu, "sigmoid": special.expit,
    "softplus": lambda x: np.logaddexp(0, x),
    "softsign": lambda x: np.where(np.isinf(x), np.sign(x), x / (1 + np.abs(x))),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_functions_of_one_element(name):
    check(getattr(ops, name)(X), FUNCTIONS[name](X.astype(np.float64)), 4)


def test_silu_where_the_sigmoid_is_a_normal_number():
    x = SMALL.astype(np.float64)
    check(ops.silu(SMALL), x * special.expit(x), 4)


@pytest.mark.parametrize("name", ["tan", "arcsin", "arccos", "arctanh", "erfinv"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_functions_that_have_a_domain(name):
    x = np.float32(np.random.default_rng(2).uniform(-1, 1, 20000) ** 3)
    check(getattr(ops, name)(x), getattr(special if name == "erfinv" else np, name)(x.astype(np.float64)), 4)


def test_functions_of_two_elements():
    rng = np.random.default_rng(3)
    a, b = (np.float32(rng.choice([-1, 1], 20000) * 10.0 ** rng.uniform(-18, 18, 20000)) for _ in range(2))
    check(ops.arctan2(a, b), np.arctan2(a.astype(np.float64), b), 4)
    check(ops.hypot(a, b), np.hypot(a.astype(np.float64), b), 4)
    near, far = np.float32(rng.uniform(0, 50, (2, 20000)))
    check(ops.logaddexp(near, far), np.logaddexp(near.astype(np.float64), far), 4)


@pytest.mark.parametrize(("name", "slope"), [("expm1", np.exp), ("log1p", lambda x: 1 / (1 + x))])
def test_gradients(name, slope):
    x = SMALL[SMALL > -1 + 1e-3] if name == "log1p" else SMALL
    check(gradient(name, [x], {}, np.ones_like(x), 0), slope(x.astype(np.float64)), 4)


def test_the_first_digit_of_all():
    assert ops.log1p(1e-10) == np.float32(1e-10)
    assert ops.expm1(1e-10) == np.float32(1e-10)


def test_sign_of_what_is_below_the_normal_numbers():
    np.testing.assert_array_equal(ops.sign(np.float32([1e-40, -1e-40, 0, np.nan])), [1, -1, 0, np.nan])


def test_what_is_below_the_normal_numbers_counts_as_zero():
    """In arithmetic and comparisons; what only moves numbers or changes their sign keeps them (docs/design.md)."""
    x = np.float32([1e-40, -1e-40])
    np.testing.assert_array_equal(ops.abs(x), np.abs(x))
    np.testing.assert_array_equal(ops.negative(x), -x)
    np.testing.assert_array_equal(ops.reshape(x, (2, 1))[:, 0], x)
    assert ops.equal(x, 0).all() and not ops.greater(x, 0).any() and not ops.less(x, 0).any()
    assert not ops.cast(x, "bool").any()
    assert ops.maximum(x, 0.0).tolist() == ops.minimum(x, 0.0).tolist() == ops.multiply(x, 2).tolist() == [0, 0]


def column(*values):
    return [np.asarray(v, np.float32)[:, None] for v in values]


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_binary_crossentropy_of_logits_and_its_gradient(label):
    x = SMALL.astype(np.float64)
    labels, logits = column(np.full_like(SMALL, label), SMALL)
    check(losses.binary_crossentropy(labels, logits, from_logits=True), np.logaddexp(0, x if label == 0 else -x), 4)
    slope = gradient("binary_crossentropy", [labels, logits], {"from_logits": True}, np.ones(len(x)), 1)
    check(slope[:, 0], special.expit(x) if label == 0 else -special.expit(-x), 4)


def neighbours(low, high):
    """Pairs of positive numbers, from a millionth apart to far apart."""
    rng = np.random.default_rng(1)
    a = np.exp(rng.uniform(np.log(low), np.log(high), 4000)).astype(np.float32)
    b = a * (1 + 10 ** rng.uniform(-6.5, -0.1, 4000) * rng.choice([-1, 1], 4000))
    return a, np.clip(b, low, high).astype(np.float32)


def test_mean_squared_logarithmic_error_of_neighbours():
    t, p = neighbours(1e-6, 1e6)
    d = np.log1p((p.astype(np.float64) - t) / (1 + t.astype(np.float64)))
    check(losses.mean_squared_logarithmic_error(*column(t, p)), d * d, 8)


def test_kl_divergence_of_neighbours():
    t, p = neighbours(1e-5, 1)
    wide = t.astype(np.float64)
    check(losses.kl_divergence(*column(t, p)), wide * np.log(wide / p), 4)


def test_log_cosh():
    x = np.abs(SMALL.astype(np.float64))
    near = np.log1p(2 * np.sinh(np.minimum(x, 1) / 2) ** 2)
    expected = np.where(x < 0.5, near, np.logaddexp(x, -x) - np.log(2))
    kept = (expected >= 1e-37) | (expected == 0)
    result = losses.log_cosh(*column(np.zeros_like(SMALL), SMALL))
    check(np.asarray(result)[kept], expected[kept], 4)


def test_logsumexp():
    both = np.stack([np.zeros_like(SMALL), SMALL], 1)
    check(ops.logsumexp(both, axis=1), np.logaddexp(0, SMALL.astype(np.float64)), 4)


@pytest.mark.parametrize("x", [[np.inf, 1], [np.inf, np.inf], [-np.inf, -np.inf], [-np.inf, 2], [np.inf, -np.inf]])
def test_logsumexp_of_infinite_numbers(x):
    assert ops.logsumexp(np.float32(x)) == np.logaddexp(*x)


def test_gradient_of_logsumexp_is_softmax():
    values = np.float32([[0, -20, 3], [2, 2, 2], [1000, 1000, 0]])
    x = Tensor((None, 3))
    with tracing():
        y = ops.logsumexp(x, axis=1)
    program = Program([y], [x], root=y, wrt=[x], max_batch=3)
    slopes = program.gradients([values], np.ones(3, np.float32))[0]
    np.testing.assert_allclose(slopes, special.softmax(values.astype(np.float64), axis=1), rtol=3e-7)
