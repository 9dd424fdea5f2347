"""Cases of the elementwise functions. Two operands: every way of broadcasting, each way round."""

import numpy as np

from cases import Case

SHAPES = [("image", (2, 5, 4, 3)), ("row", (17,)), ("scalar", ()), ("empty", (0, 3)), ("several shares", (3, 7, 331))]

# Shapes of a and b.
PAIRS = [
    ("same", (2, 3, 4), (2, 3, 4)),
    ("same, several shares", (3, 29, 61), (3, 29, 61)),
    ("b is a scalar", (5, 7), ()),
    ("a is a scalar", (), (5, 7)),
    ("b is one element", (5, 7), (1, 1)),
    ("a bias", (2, 3, 4, 6), (6,)),
    ("a is a bias", (6,), (2, 3, 4, 6)),
    ("a column", (5, 7), (5, 1)),
    ("a is a column", (5, 1), (5, 7)),
    ("outer", (5, 1), (1, 7)),
    ("outer, other way round", (1, 7), (5, 1)),
    ("middle axis", (4, 3, 5), (4, 1, 5)),
    ("both repeated", (4, 1, 5, 1), (1, 3, 1, 2)),
    ("rank 8", (2, 1, 3, 1, 2, 1, 2, 1), (1, 2, 3, 1, 1, 2, 1, 2)),
    ("more axes in b", (3, 1), (2, 4, 3, 5)),
    ("channels, many pixels", (2, 70, 65, 3), (3,)),
    ("one element for 20000", (4, 50, 100), (1, 1, 1)),
    ("both scalars", (), ()),
    ("empty", (0, 3), (0, 3)),
]


def unary(values, **settings):
    return [Case(id, [shape], values=values, **settings) for id, shape in SHAPES]


def binary(values="normal", **settings):
    return [Case(id, [a, b], values=values, **settings) for id, a, b in PAIRS] + [
        Case("empty and a bias", [(0, 3), (3,)], values=values, **{**settings, "min_nonzero": 0})
    ]


def ties(rng, shape):
    return rng.integers(0, 3, shape)


def quarters(rng, shape):
    """Halves among them, which are rounded to the even neighbour; no NaN: it is not equal to itself."""
    return rng.integers(-20, 21, shape) / 4 + 0.0


COMPARED = [*binary(values="normal", min_nonzero=0), Case("ties", [(9, 8), (9, 8)], values=ties, min_nonzero=0.1)]


def bits(rng, shape):
    return rng.integers(-(2**31), 2**31, shape)


def odd(rng, shape):
    return rng.choice([np.nan, np.inf, -np.inf, 0.0, 1.5], shape)


def any_shift(rng, shape):
    return rng.integers(-1, 34, shape)


def above_one(rng, shape):
    return rng.uniform(1.1, 4, shape)


def below_one(rng, shape):
    return rng.uniform(-0.95, 0.95, shape)


def between_halves(rng, shape):
    """No multiples of a half, so that a quotient by one is far from its jumps."""
    return rng.choice([-0.5, 0.5], shape) * (rng.integers(1, 9, shape) + rng.uniform(0.2, 0.8, shape))


def halves(rng, shape):
    return rng.choice([-0.5, 0.5], shape)


SOME = ("same, several shares", "a scalar", "a column", "outer", "both repeated", "both scalars", "empty")


def some(cases):
    """A few ways of broadcasting, for rows of the table whose formulas are what is new."""
    return [case for case in cases if case.id.endswith(SOME)]


REST = [
    *some(binary([between_halves, halves])),
    Case("any numbers", [(40, 30), (40, 30)], values="away_from_zero", numeric=False, grad=(0,)),
    Case("whole", [(9, 8), (9, 8)], values=["integers", "away_from_zero"], numeric=False, grad=(0,), min_nonzero=0.1),
]
BITS = some(binary(bits, min_nonzero=0))

# At a tie the reference has no slope to measure.
CHOSEN = [*binary("distinct", numeric=False), Case("ties", [(9, 8), (9, 8)], values=ties, numeric=False)]

CASES = {
    "negative": unary("normal", exact=True),
    "abs": unary("away_from_zero", exact=True, adjoint=True),
    "square": unary("normal", exact=True, adjoint=False),
    "sqrt": unary("positive"),
    "exp": unary("normal"),
    "log": unary("positive"),
    "expm1": unary("normal"),
    "log1p": unary("positive"),
    "sin": unary("normal"),
    "cos": unary("normal"),
    "cosh": unary("normal"),
    "sinh": unary("normal"),
    "reciprocal": unary("away_from_zero"),
    "tan": unary(below_one),
    "arcsin": unary(below_one),
    "arccos": unary(below_one),
    "arcsinh": [*unary("normal"), Case("large", [(3,)], values=lambda rng, shape: [1e30, -3e25, 1e20], numeric=False)],
    "arccosh": unary(above_one),
    "arctanh": unary(below_one),
    "exp2": unary("normal"),
    "log2": unary("positive"),
    "log10": unary("positive"),
    "cbrt": unary("away_from_zero"),
    "erf": unary("normal"),
    "erfc": unary("normal"),
    "erfinv": [
        *unary(below_one),
        Case("ends", [(4,)], values=lambda rng, shape: [-1, 1, 0, 1.5], numeric=False, grad=()),
    ],
    "trunc": unary(quarters, min_nonzero=0.1),
    "floor": unary(quarters),
    "ceil": unary(quarters),
    "round": unary(quarters),
    "sign": [*unary("away_from_zero"), Case("zeros", [(4,)], values="zeros", min_nonzero=0)],
    "clip": [
        *(
            Case(id, [shape], {"minimum": -0.5, "maximum": 1}, values="away_from_zero" if shape else "unit")
            for id, shape in SHAPES
        ),
        Case("one side", [(5, 8)], {"minimum": 0.25, "maximum": float("inf")}),
        Case("at the ends", [(5, 8)], {"minimum": 0, "maximum": 2}, values=ties, numeric=False),
        Case("one value", [(5, 8)], {"minimum": 2, "maximum": 2}, numeric=False),
    ],
    "add": binary(exact=True),
    "subtract": binary(exact=True),
    "multiply": binary(exact=True),
    "divide": binary("away_from_zero"),
    "power": [
        *binary("positive"),
        Case("cubes", [(5, 6), ()], values=["away_from_zero", lambda rng, shape: 3.0], grad=(0,)),
        Case(
            "base zero",
            [(6,), (6,)],
            values=["zeros", lambda rng, shape: [0, 1, 2, 0.5, 3, 1]],
            grad=(1,),
            numeric=False,
            min_nonzero=0.1,
        ),
        Case("exponent zero", [(6,), ()], values=["normal", "zeros"], numeric=False, grad=(0,)),
    ],
    "mod": REST,
    "fmod": REST,
    "floor_divide": [
        *some(binary([between_halves, halves])),
        Case("any numbers", [(40, 30), (40, 30)], values="away_from_zero"),
        Case("tenths", [(3,), (3,)], values=[lambda rng, shape: [1, -1, 6], lambda rng, shape: [0.1, 0.1, 0.1]]),
        Case("whole", [(9, 8), (9, 8)], values=["integers", "away_from_zero"]),
    ],
    "arctan2": [
        *some(binary("away_from_zero")),
        Case("large", [(3,), (3,)], values=lambda rng, shape: [1e30, -3e25, 1e20], numeric=False),
    ],
    "hypot": [
        *some(binary("away_from_zero")),
        Case("large", [(3,), (3,)], values=lambda rng, shape: [1e30, -3e25, 1e20], numeric=False),
        Case("origin", [(3,), (3,)], values=["zeros", lambda rng, shape: [0, 1, 2]], numeric=False),
    ],
    "logaddexp": [
        *some(binary()),
        Case("far apart", [(4,), (4,)], values=lambda rng, shape: rng.permutation([-1e4, 1e4, 300.0, -300.0])),
        Case("equal", [(4,), (4,)], values="ones"),
    ],
    "isnan": unary(odd, min_nonzero=0),
    "isinf": unary(odd, min_nonzero=0),
    "bitwise_not": unary(bits, min_nonzero=0),
    "bitwise_and": BITS,
    "bitwise_or": BITS,
    "bitwise_xor": BITS,
    "left_shift": some(binary([bits, any_shift], min_nonzero=0)),
    "right_shift": some(binary([bits, any_shift], min_nonzero=0)),
    "maximum": CHOSEN,
    "minimum": CHOSEN,
    "equal": COMPARED,
    "not_equal": COMPARED,
    "greater": COMPARED,
    "greater_equal": COMPARED,
    "less": COMPARED,
    "less_equal": COMPARED,
    "cast": [
        *(
            Case(f"{id} to {to}", [shape], {"to": to}, values="away_from_zero", min_nonzero=0, numeric=to == "float32")
            for to in ("float32", "int32", "bool")
            for id, shape in SHAPES
        ),
        Case("zeros", [(4,)], {"to": "bool"}, values="zeros", min_nonzero=0),
        Case("fractions", [(9, 9)], {"to": "int32"}, values=quarters),
    ],
    "where": [
        Case(id, [c, a, b], values=["binary", "normal", "normal"], grad=(1, 2))
        for id, c, a, b in [
            ("same", (4, 5), (4, 5), (4, 5)),
            ("rows chosen", (4, 1), (4, 5), (4, 5)),
            ("scalars", (40, 5), (), ()),
            ("bias and column", (4, 5), (5,), (4, 1)),
            ("condition smallest", (1, 5), (4, 5), ()),
            ("several shares", (3, 29, 61), (29, 1), (3, 1, 61)),
            ("a long sum", (4, 50, 100), (1,), (100,)),
            ("empty", (0, 5), (0, 5), (0, 1)),
        ]
    ],
}
