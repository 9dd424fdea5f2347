"""Cases of the activations: a scalar, a row, an image, and more elements than one thread's share."""

from cases import Case

SHAPES = [("image", (2, 5, 4, 3)), ("row", (17,)), ("scalar", ()), ("empty", (0, 3)), ("several shares", (3, 7, 331))]


def cases(values="away_from_zero", **settings):
    """One number alone is positive, where every activation has a slope."""
    return [Case(id, [shape], values=values if shape else "positive", **settings) for id, shape in SHAPES]


def spread(rng, shape):
    """Far to both sides: where a formula without care overflows or loses its digits."""
    return rng.uniform(-30, 30, shape)


# The gradient of these is told from y, close to its limit: what is left there is relative to 1.
SATURATING = [Case("far from zero", [(40, 9)], values=spread, numeric=False, tolerance=4)]


def large(rng, shape):
    return 500 + 10 * rng.standard_normal(shape)


SOFTMAX = [
    Case("rows", [(6, 10)]),
    Case("large values", [(5, 7)], values=large, numeric=False, min_nonzero=0),
    Case("image", [(2, 3, 4, 5)]),
    Case("channels first", [(3, 6, 5, 4)], {"axis": 1}),
    Case("first axis", [(7, 70)], {"axis": 0}),
    Case("many columns", [(2, 5, 150)], {"axis": -2}),
    Case("one class", [(4, 1)], numeric=False),
    Case("vector", [(1000,)], {"axis": 0}),
    Case("empty", [(0, 3)]),
    Case("several shares", [(300, 10)]),
]
# One class: log_softmax is zero, and so are both gradients.
LOG_SOFTMAX = [case for case in SOFTMAX if case.id != "one class"]

CASES = {
    "relu": cases(exact=True, min_nonzero=0.2),
    "leaky_relu": [
        *cases(),
        Case("slope 0.5", [(3, 8)], {"alpha": 0.5}, values="away_from_zero", exact=True),
        Case("slope 0", [(3, 8)], {"alpha": 0.0}, values="away_from_zero", exact=True, min_nonzero=0.2),
    ],
    "elu": [*cases(), Case("alpha 0.7", [(3, 8)], {"alpha": 0.7}, values="away_from_zero"), *SATURATING],
    "sigmoid": [*cases("normal"), *SATURATING],
    "tanh": [*cases("normal"), *SATURATING],
    "arctan": [*cases("normal"), *SATURATING],
    "softplus": [*cases("normal"), *SATURATING],
    "softsign": [*cases("away_from_zero"), *SATURATING],
    "gelu": [*cases("normal"), *SATURATING],
    "gelu_tanh": [*cases("normal"), *SATURATING],
    "silu": [*cases("normal"), *SATURATING],
    "mish": [*cases("normal"), *SATURATING],
    "hard_silu": [*cases("normal"), *SATURATING],
    "hard_sigmoid": [*cases("normal"), *SATURATING],
    "binary_step": [*cases(min_nonzero=0.2), Case("zero", [(3, 2)], values="zeros")],
    "softmax": SOFTMAX,
    "log_softmax": LOG_SOFTMAX,
}
