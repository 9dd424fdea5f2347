"""Cases of the poolings: odd sizes, windows that overlap, touch and leave gaps, each padding, one and many channels."""

import numpy as np

from cases import Case


def ties(rng, shape):
    """Few different values: every window has equal maxima."""
    return rng.integers(0, 2, shape) + 1


# id, shape of x, attributes
GEOMETRY = [
    ("2x2", (2, 6, 8, 5), {"pool_size": (2, 2)}),
    ("2x2 of odd sizes drops the end", (3, 7, 5, 3), {"pool_size": (2, 2)}),
    ("2x2 same of odd sizes", (2, 7, 5, 3), {"pool_size": (2, 2), "padding": "same"}),
    ("3x3 stride 2 same", (2, 9, 8, 4), {"pool_size": (3, 3), "strides": (2, 2), "padding": "same"}),
    ("3x2 stride 1x3", (2, 8, 11, 2), {"pool_size": (3, 2), "strides": (1, 3)}),
    ("3x3 stride 1 same, 70 channels", (1, 5, 6, 70), {"pool_size": (3, 3), "strides": (1, 1), "padding": "same"}),
    ("2x3 stride 3 leaves gaps", (2, 11, 10, 3), {"pool_size": (2, 3), "strides": (3, 4)}),
    ("2x2 stride 5 same leaves gaps", (2, 11, 8, 3), {"pool_size": (2, 2), "strides": (5,), "padding": "same"}),
    (
        "4x3 explicit, more on one side",
        (2, 6, 7, 3),
        {"pool_size": (4, 3), "strides": (2, 1), "padding": "explicit", "pads": (3, 0, 1, 2)},
    ),
    ("window larger than the image, same", (2, 3, 2, 4), {"pool_size": (5, 4), "strides": (1, 1), "padding": "same"}),
    ("whole image", (4, 5, 3, 9), {"pool_size": (5, 3)}),
    ("1x1", (2, 3, 4, 2), {"pool_size": (1, 1)}),
    ("one channel, one row", (1, 1, 13, 1), {"pool_size": (1, 4), "strides": (1, 2), "padding": "same"}),
    ("window of 306 cells", (2, 20, 19, 3), {"pool_size": (18, 17), "strides": (1, 1)}),
]


def cases(values="normal", exact=None, tolerance=1.0):
    """exact says for a shape and its attributes whether integers stay exact."""
    return [
        Case(
            id,
            [shape],
            attributes,
            values=values,
            exact=exact is not None and exact(shape, attributes),
            # The sums of a window of 306 cells are taken one cell after another.
            tolerance=tolerance * (4 if "306" in id else 1),
        )
        for id, shape, attributes in GEOMETRY
    ]


def divides_exactly(shape, attributes):
    """Whether every window has a power of two of real cells."""
    return attributes["pool_size"] in ((2, 2), (1, 1)) and "padding" not in attributes


GLOBAL = [
    ("odd sizes", (3, 5, 7, 6), {}),
    ("keepdims", (2, 3, 5, 70), {"keepdims": True}),
    ("one cell", (2, 1, 1, 3), {}),
    ("power of two", (2, 4, 8, 65), {"keepdims": False}),
    ("one long row", (1, 1, 513, 2), {}),
]

CASES = {
    "max_pool": cases("distinct", lambda shape, attributes: True)
    + [
        Case("ties", [(2, 6, 7, 5)], {"pool_size": (3, 2), "strides": (2, 1)}, ties, numeric=False),  # kinks everywhere
        *(
            Case(
                f"{activation}, {c} channels",
                [(2, 5, 7, c)],
                {"pool_size": (2, 2), "strides": strides, "activation": activation},
                lambda rng, s: rng.permutation(np.prod(s)).reshape(s) / np.prod(s) * 16 - 6,
            )
            for activation in ("relu", "relu6")
            for c, strides in ((16, (2, 2)), (19, (1, 1)))
        ),
        *(
            Case(f"{c} channels", [(2, 4, 5, c)], {"pool_size": (2, 2)}, "distinct", exact=True)
            for c in (15, 16, 17, 33)
        ),
        Case(
            "negative with padding",
            [(2, 5, 5, 3)],
            {"pool_size": (3, 3), "padding": "same"},
            lambda rng, s: -1 - rng.random(s),
        ),
    ],
    "avg_pool": cases(exact=divides_exactly),
    "sum_pool": cases(exact=lambda shape, attributes: True),
    "l2_pool": cases(),
    "global_avg_pool": [Case(id, [shape], attributes, exact="power" in id) for id, shape, attributes in GLOBAL],
    "global_max_pool": [Case(id, [shape], attributes, "distinct", exact=True) for id, shape, attributes in GLOBAL]
    + [Case("ties", [(2, 4, 3, 5)], {}, ties, numeric=False)],  # kinks everywhere
}
