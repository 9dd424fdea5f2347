"""Attention: steps and channels around the rows that are worked on at a time and the vectors' widths."""

from . import Case

SIZES = [  # leading axes, tq, tk, d, dv
    ((2,), 5, 7, 3, 4),
    ((), 9, 1, 1, 1),
    ((1,), 1, 1, 1, 1),
    ((3, 2), 17, 33, 16, 15),
    ((1,), 130, 65, 31, 48),
    ((2,), 1, 300, 8, 1),
    ((1,), 3, 4, 600, 2),
    ((4,), 70, 9, 2, 33),
]


def shapes(lead, tq, tk, d, dv):
    return [(*lead, tq, d), (*lead, tk, d), (*lead, tk, dv)]


ATTENTION = [
    Case(
        f"{activation}, {lead} {tq} by {tk}, {d} and {dv} channels",
        shapes(lead, tq, tk, d, dv),
        {"activation": activation, "scale": d**-0.5},
        tolerance=16,  # a score is a sum of d products, and its error one of the exponent
        grad=(2,) if activation == "softmax" and tk == 1 else None,  # a single key has weight 1
    )
    for activation in ("softmax", "linear", "relu")
    for lead, tq, tk, d, dv in SIZES
] + [
    # as many keys as a power of 2 has: their mean of integers is exact
    Case("linear, exact", shapes((2,), 70, 64, 6, 9), {"activation": "linear"}, exact=True, adjoint=False),
    Case("relu, exact", shapes((2,), 70, 64, 6, 9), {"activation": "relu"}, exact=True, adjoint=False, numeric=False),
    Case("no queries", shapes((2,), 0, 3, 4, 5), min_nonzero=0),
    Case("no sets", shapes((0,), 2, 3, 4, 5), min_nonzero=0),
    Case("no channels", shapes((2,), 3, 4, 0, 5), grad=(2,)),
]

CASES = {"attention": ATTENTION}
