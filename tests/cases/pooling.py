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
    (
        "ceil mode",
        (2, 8, 7, 5),
        {"pool_size": (3, 2), "strides": (2, 2), "ceil_mode": True},
    ),
    (
        "ceil mode, the last window would begin in the padding",
        (1, 5, 6, 8),
        {"pool_size": (3, 3), "strides": (3, 2), "padding": "explicit", "pads": (1, 0, 1, 2), "ceil_mode": True},
    ),
    ("ceil mode, same", (1, 11, 8, 3), {"pool_size": (2,), "strides": (3,), "padding": "same", "ceil_mode": True}),
    (
        "ceil mode, window larger than the image",
        (2, 3, 4, 2),
        {"pool_size": (4, 5), "strides": (2, 2), "ceil_mode": True},
    ),
    ("1-D: 2", (3, 10, 16), {"pool_size": (2,)}),
    ("1-D: 3 stride 2 same", (2, 9, 17), {"pool_size": (3,), "strides": (2,), "padding": "same"}),
    ("1-D: 2 stride 3 leaves gaps", (1, 12, 8), {"pool_size": (2,), "strides": (3,)}),
    ("1-D: one cell", (2, 1, 3), {"pool_size": (1,)}),
    ("1-D: window larger than the sequence", (1, 3, 8), {"pool_size": (5,), "strides": (1,), "padding": "same"}),
    (
        "1-D: explicit, ceil mode",
        (2, 8, 5),
        {"pool_size": (3,), "strides": (2,), "padding": "explicit", "pads": (2, 1), "ceil_mode": True},
    ),
    ("3-D: 2x2x2", (2, 4, 6, 4, 8), {"pool_size": (2, 2, 2)}),
    ("3-D: 2x2x2 of odd sizes drops the end", (1, 5, 3, 7, 17), {"pool_size": (2,)}),
    ("3-D: 3x2x3 stride 1", (2, 5, 4, 6, 3), {"pool_size": (3, 2, 3), "strides": (1, 1, 1)}),
    ("3-D: 3 stride 2 same", (2, 5, 6, 7, 16), {"pool_size": (3, 3, 3), "strides": (2, 2, 2), "padding": "same"}),
    ("3-D: 2x1x2 stride 3 leaves gaps", (1, 7, 5, 8, 9), {"pool_size": (2, 1, 2), "strides": (3,)}),
    ("3-D: one plane", (1, 1, 4, 5, 2), {"pool_size": (1, 2, 2)}),
    ("3-D: planes only", (2, 6, 3, 2, 5), {"pool_size": (3, 1, 1), "strides": (2, 1, 1)}),
    ("3-D: one cell", (2, 1, 1, 1, 4), {"pool_size": (1, 1, 1)}),
    (
        "3-D: window larger than the volume, same",
        (1, 2, 3, 1, 8),
        {"pool_size": (4, 5, 3), "strides": (1, 1, 1), "padding": "same"},
    ),
    (
        "3-D: explicit, ceil mode",
        (2, 5, 6, 4, 3),
        {
            "pool_size": (3, 4, 3),
            "strides": (2, 3, 2),
            "padding": "explicit",
            "pads": (1, 0, 2, 2, 1, 0),
            "ceil_mode": True,
        },
    ),
    ("3-D: window of 294 cells", (1, 7, 8, 8, 2), {"pool_size": (6, 7, 7), "strides": (1, 1, 1)}),
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
            # The sums of a window of many cells are taken one cell after another.
            tolerance=tolerance * (4 if "306" in id or "294" in id else 1),
        )
        for id, shape, attributes in GEOMETRY
    ]


def divides_exactly(shape, attributes):
    """Whether every window has a power of two of real cells."""
    return set(attributes["pool_size"]) <= {1, 2} and "padding" not in attributes and "ceil_mode" not in attributes


GLOBAL = [
    ("odd sizes", (3, 5, 7, 6), {}),
    ("keepdims", (2, 3, 5, 70), {"keepdims": True}),
    ("one cell", (2, 1, 1, 3), {}),
    ("power of two", (2, 4, 8, 65), {"keepdims": False}),
    ("one long row", (1, 1, 513, 2), {}),
    ("1-D", (3, 7, 17), {}),
    ("1-D, keepdims, one cell", (2, 1, 8), {"keepdims": True}),
    ("1-D, power of two", (2, 16, 66), {}),
    ("3-D", (2, 3, 4, 5, 9), {}),
    ("3-D, keepdims", (1, 3, 1, 5, 65), {"keepdims": True}),
    ("3-D, power of two", (2, 4, 2, 8, 16), {"keepdims": True}),
]

ADAPTIVE = [
    ("images", (2, 7, 5, 3), (3, 2)),
    ("one size for all axes", (2, 5, 7, 70), (3,)),
    ("as many cells", (2, 4, 3, 5), (4, 3)),
    ("more cells", (2, 2, 3, 4), (5, 4)),
    ("sequence", (3, 11, 4), (4,)),
    ("volume", (2, 3, 4, 5, 2), (2, 3, 1)),
    ("empty", (0, 4, 4, 2), (2,)),
]

CASES = {
    "max_pool": cases("distinct", lambda shape, attributes: True)
    + [
        Case("ties", [(2, 6, 7, 5)], {"pool_size": (3, 2), "strides": (2, 1)}, ties, numeric=False),  # kinks everywhere
        Case("1-D: ties", [(2, 9, 8)], {"pool_size": (3,), "strides": (2,)}, ties, numeric=False),
        Case("3-D: ties", [(2, 4, 5, 4, 9)], {"pool_size": (3, 2, 2), "strides": (1, 2, 1)}, ties, numeric=False),
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
        *(
            Case(
                f"3-D: {activation}",
                [(2, 5, 4, 4, 11)],
                {"pool_size": (3, 2, 2), "strides": (2, 2, 1), "activation": activation},
                lambda rng, s: rng.permutation(np.prod(s)).reshape(s) / np.prod(s) * 16 - 12,
            )
            for activation in ("relu", "relu6")
        ),
        Case(
            "negative with padding",
            [(2, 5, 5, 3)],
            {"pool_size": (3, 3), "padding": "same"},
            lambda rng, s: -1 - rng.random(s),
        ),
    ],
    "avg_pool": cases(exact=divides_exactly)
    + [
        Case(f"padding counts: {id}", [shape], {**attributes, "count_include_pad": True})
        for id, shape, attributes in GEOMETRY
        if "padding" in attributes or "ceil_mode" in attributes
    ]
    + [
        Case(
            "padding counts: powers of two",
            [(2, 3, 5, 4, 8)],
            {"pool_size": (2,), "padding": "explicit", "pads": (1, 1, 0, 0, 0, 0), "count_include_pad": True},
            exact=True,
        )
    ],
    "sum_pool": cases(exact=lambda shape, attributes: True),
    "l2_pool": cases(),
    "adaptive_avg_pool": [Case(id, [shape], {"size": size}) for id, shape, size in ADAPTIVE],
    "adaptive_max_pool": [Case(id, [shape], {"size": size}, "distinct", exact=True) for id, shape, size in ADAPTIVE]
    + [Case("ties", [(2, 4, 3, 5)], {"size": (2, 2)}, ties, numeric=False)],
    "global_avg_pool": [Case(id, [shape], attributes, exact="power" in id) for id, shape, attributes in GLOBAL],
    "global_max_pool": [Case(id, [shape], attributes, "distinct", exact=True) for id, shape, attributes in GLOBAL]
    + [Case("ties", [(2, 4, 3, 5)], {}, ties, numeric=False)],  # kinks everywhere
}
