"""Cases of the reductions: every pattern of kept and reduced axes, few and many outputs, one block and several."""

from cases import Case

# id, shape, attributes
PATTERNS = [
    ("all", (3, 4, 5), {}),
    ("all, keepdims", (3, 4, 5), {"keepdims": True}),
    ("last", (3, 4, 5), {"axes": (-1,)}),
    ("first", (6, 5), {"axes": (0,)}),
    ("middle", (3, 4, 5), {"axes": (1,)}),
    ("middle, keepdims", (3, 4, 5), {"axes": (-2,), "keepdims": True}),
    ("first and last", (3, 4, 5), {"axes": (2, 0)}),
    ("pixels", (2, 5, 6, 3), {"axes": (1, 2)}),
    ("all but channels", (2, 5, 6, 70), {"axes": (0, 1, 2)}),
    ("alternating", (2, 3, 2, 3, 2), {"axes": (0, 2, 4)}),
    ("alternating, other ones", (2, 3, 2, 3, 2), {"axes": (1, 3)}),
    ("axis of size 1", (4, 1, 5), {"axes": (1,)}),
    ("scalar", (), {}),
    ("one element", (1, 1), {}),
    ("rank 8", (2, 1, 2, 3, 1, 2, 2, 1), {"axes": (0, 3, 5)}),
]
LONG = [
    ("several blocks", (21000,), {}),
    ("several blocks, columns", (9000, 3), {"axes": (0,)}),
    ("several blocks, runs", (50, 3, 400), {"axes": (0, 2)}),
    ("several shares", (70, 300), {"axes": (1,)}),
]
# A batch may be empty, not what is reduced: its largest element does not exist.
EMPTY = [("empty batch", (0, 4), {"axes": (1,)})]
EMPTY_SUM = [*EMPTY, ("sum of nothing", (3, 0), {"axes": (1,)})]


def cases(patterns, values="normal", **settings):
    return [Case(id, [shape], attributes, values=values, **settings) for id, shape, attributes in patterns]


def few(rng, shape):
    return rng.integers(0, 3, shape) + 1


def some_zeros(rng, shape):
    """None, one and two zeros in rows of four."""
    return [[2, 3, 1, 2], [2, 0, 3, 1], [0, 2, 0, 3]]


EXTREMES = [
    *cases([*PATTERNS, *LONG], "distinct", numeric=True),
    *cases(EMPTY, "distinct"),
    Case("ties", [(6, 9)], {"axes": (1,)}, values=few, numeric=False),
    Case("ties of columns", [(30, 70)], {"axes": (0,)}, values=few, numeric=False),
]

CASES = {
    "sum": [*cases([*PATTERNS, *LONG], exact=True), *cases(EMPTY_SUM, min_nonzero=0)],
    "mean": [*cases([*PATTERNS, *LONG]), *cases(EMPTY)],
    "max": EXTREMES,
    "min": EXTREMES,
    "prod": [
        # 8 roundings of float32 are not enough: the terms themselves are divided out of the product.
        *cases([p for p in PATTERNS if p[0] != "all but channels"], "away_from_zero"),
        Case("zeros", [(3, 4)], {"axes": (1,)}, values=some_zeros, exact=True, adjoint=False),
        *cases(EMPTY_SUM, min_nonzero=0),
    ],
    "cumsum": [
        *(
            Case(id, [shape], {"axis": axis}, exact=True)
            for id, shape, axis in [
                ("last", (5, 7), -1),
                ("first", (6, 40), 0),
                ("middle", (3, 6, 5), 1),
                ("row", (700,), 0),
                ("one element", (4, 1), 1),
                ("several shares", (500, 30), 1),
            ]
        ),
        *(
            Case(
                f"{id}, exclusive, {reverse}",
                [shape],
                {"axis": axis, "exclusive": True, "reverse": reverse},
                exact=True,
            )
            for reverse in (False, True)
            for id, shape, axis in [("last", (5, 7), -1), ("first", (6, 40), 0), ("middle", (3, 6, 5), 1)]
        ),
        Case("reverse", [(3, 6, 5)], {"axis": 1, "reverse": True}, exact=True),
        Case("several shares, reverse", [(500, 30)], {"axis": 0, "reverse": True}, exact=True),
        Case("one element, exclusive", [(4, 1)], {"exclusive": True}, min_nonzero=0),
        Case("empty", [(0, 3)], min_nonzero=0),
        Case("nothing to add", [(3, 0)], min_nonzero=0),
    ],
    "cumprod": [
        Case("last", [(5, 7)], values="away_from_zero"),
        Case("first", [(6, 40)], {"axis": 0}, values="signs"),
        Case("middle", [(3, 6, 5)], {"axis": 1}, values="away_from_zero"),
        Case("zeros", [(3, 4)], values=some_zeros, exact=True, adjoint=False),
        Case("several shares", [(500, 5)], {"axis": -1}, values="away_from_zero"),
        Case("empty", [(0, 3)], min_nonzero=0),
    ],
    "argsort": [
        Case("last", [(5, 7)], min_nonzero=0.2),
        Case("first", [(6, 40)], {"axis": 0}),
        Case("middle", [(3, 6, 5)], {"axis": 1}),
        Case("ties", [(8, 60)], values=few),
        Case("one element", [(4, 1)], min_nonzero=0),
        Case("empty batch", [(0, 4)]),
        Case("several shares", [(100, 33)]),
        Case("a long row", [(5000,)]),
    ],
    "top_k_indices": [
        Case("two", [(5, 7)], {"k": 2}),
        Case("all", [(5, 7)], {"k": 7}),
        Case("ties", [(8, 60)], {"k": 30}, values=few),
        Case("several shares", [(3, 50, 33)], {"k": 5}),
    ],
    "argmin": [
        Case("last", [(5, 7)], min_nonzero=0.2),
        Case("first", [(6, 40)], {"axis": 0}),
        Case("middle, keepdims", [(3, 6, 5)], {"axis": 1, "keepdims": True}),
        Case("ties", [(8, 6)], values=few, min_nonzero=0),
        Case("several shares", [(500, 30)]),
    ],
    "argmax": [
        Case("last", [(5, 7)], min_nonzero=0.2),
        Case("first", [(6, 40)], {"axis": 0}),
        Case("middle, keepdims", [(3, 6, 5)], {"axis": 1, "keepdims": True}),
        Case("ties", [(8, 6)], values=few, min_nonzero=0),
        Case("empty batch", [(0, 4)]),
        Case("several shares", [(500, 30)]),
    ],
}
