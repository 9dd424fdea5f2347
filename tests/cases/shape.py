"""Cases of the ops that move elements."""

import numpy as np

from cases import Case


def cases(*rows, **settings):
    return [Case(id, [shape], attributes, exact=True, **settings) for id, shape, attributes in rows]


SHAPES = [("image", (2, 5, 4, 3)), ("row", (17,)), ("scalar", ()), ("empty", (0, 3)), ("several shares", (3, 7, 331))]
SAME = cases(*((id, shape, {}) for id, shape in SHAPES))


def ends(rng, shape):
    """Positions from the end of an axis of size 5 or 6, and beyond it."""
    return rng.permutation(np.resize([-1, -5, 0, 4, 6, -8], shape).ravel()).reshape(shape)


def few(rng, shape):
    return rng.integers(-1, 3, shape)


CASES = {
    "identity": SAME,
    "stop_gradient": SAME,
    # the gradient of y is the variable's, though y is x
    "assign": [Case(id, [shape, shape], exact=True, adjoint=False, numeric=False) for id, shape in SHAPES]
    + [Case("training", [(5, 7), (5, 7)], exact=True, adjoint=False, numeric=False, training=True)],
    "flatten": cases(
        ("image", (3, 4, 4, 8), {}),
        ("vector", (5,), {}),
        ("matrix", (5, 6), {}),
        ("empty", (0, 2, 3), {}),
        ("no pixels", (3, 0, 2), {}),
    ),
    "reshape": cases(
        ("copy and rest", (3, 4, 5), {"shape": (0, -1)}),
        ("rest first", (3, 4, 5), {"shape": (-1, 5)}),
        ("given", (3, 4, 5), {"shape": (5, 12)}),
        ("one axis", (3, 4, 5), {"shape": (-1,)}),
        ("to a scalar", (1, 1), {"shape": ()}),
        ("from a scalar", (), {"shape": (1, -1)}),
        ("rank 8", (12, 5), {"shape": (0, 1, 5, 1, 1, 1, 1, -1)}),
        ("empty", (0, 6), {"shape": (0, 2, 3)}),
        ("sizes of other axes", (1, 3, 4, 5), {"shape": (-3, 1, -4, -5)}),
        ("others, and the rest", (1, 3, 4, 5), {"shape": (-3, -1)}),
    ),
    "expand_dims": cases(
        ("first", (3, 4), {"axis": 0}),
        ("last", (3, 4), {"axis": -1}),
        ("middle", (3, 4), {"axis": 1}),
        ("scalar", (), {"axis": 0}),
    ),
    "squeeze": cases(
        ("one", (3, 1, 4, 1), {"axes": (1,)}),
        ("two", (3, 1, 4, 1), {"axes": (-1, 1)}),
        ("to a scalar", (1,), {"axes": (0,)}),
        ("empty", (0, 1), {"axes": (1,)}),
    ),
    "transpose": cases(
        ("matrix", (5, 7), {"axes": (1, 0)}),
        ("channels first", (2, 5, 6, 3), {"axes": (0, 3, 1, 2)}),
        ("channels last", (2, 3, 5, 6), {"axes": (0, 2, 3, -3)}),
        ("nothing", (2, 3, 4), {"axes": (0, 1, 2)}),
        ("reversed", (2, 3, 4, 5), {"axes": (3, 2, 1, 0)}),
        ("rows stay whole", (4, 5, 6), {"axes": (1, 0, 2)}),
        ("rank 8", (2, 1, 2, 3, 1, 2, 1, 2), {"axes": (7, 0, 3, 1, 5, 2, 6, 4)}),
        ("sizes of 1", (1, 5, 1), {"axes": (2, 0, 1)}),
        ("scalar", (), {"axes": ()}),
        ("several shares", (90, 70), {"axes": (1, 0)}),
        ("empty", (0, 3), {"axes": (1, 0)}),
    ),
    "channel_shuffle": cases(
        *(
            (f"{groups} groups of {k}", (2, 3, 5, groups * k), {"groups": groups})
            for groups, k in ((1, 7), (2, 3), (3, 20), (4, 9), (5, 4), (8, 2), (7, 1), (3, 1))
        ),
        ("signals", (3, 9, 24), {"groups": 3}),
        ("several shares", (3, 30, 31, 30), {"groups": 3}),
        ("no pixels", (2, 0, 6), {"groups": 2}),
    )
    + cases(("no channels", (2, 3, 0), {"groups": 2}), min_nonzero=0),
    "pad": cases(
        ("one around", (2, 3, 4, 2), {"pads": (0, 1, 1, 0, 0, 1, 1, 0)}),
        ("four different", (2, 3, 2, 3), {"pads": (0, 1, 0, 0, 0, 2, 3, 0)}),
        ("none", (2, 3, 4, 2), {"pads": (0,) * 8}),
        ("rows only", (2, 3, 4, 2), {"pads": (0, 1, 0, 0, 0, 1, 0, 0)}),
        ("several shares", (3, 30, 30, 3), {"pads": (0, 2, 1, 0, 0, 0, 3, 0)}),
        ("empty", (0, 3, 4, 2), {"pads": (0, 1, 1, 0, 0, 1, 1, 0)}),
        ("every axis", (2, 3, 4, 2), {"pads": (1, 0, 2, 1, 0, 3, 1, 2), "value": 3.0}),
        ("scalar", (), {"pads": (), "value": 2.0}),
        ("vector", (5,), {"pads": (2, 3), "value": -1.0}),
        ("nothing becomes values", (0, 3), {"pads": (2, 0, 0, 1), "value": 1.0}),
        ("volume", (1, 2, 3, 4, 8), {"pads": (0, 1, 0, 2, 0, 0, 1, 1, 0, 0)}),
        min_nonzero=0.12,
    )
    + cases(
        *(
            (f"{mode}: {id}", shape, {"pads": pads, "mode": mode})
            for mode in ("reflect", "symmetric", "edge")
            for id, shape, pads in (
                ("sequence", (2, 5, 3), (0, 2, 0, 0, 3, 0)),
                ("image", (2, 4, 5, 8), (0, 3, 1, 0, 0, 2, 4, 0)),
                ("volume", (1, 3, 2, 4, 5), (0, 1, 1, 2, 0, 0, 2, 0, 3, 0)),
                ("every axis", (3, 2, 4, 3), (2, 1, 0, 1, 1, 1, 3, 2)),
                ("vector", (7,), (6, 6)),
                ("batch and channels", (4, 3, 17), (1, 0, 16, 3, 0, 2)),
                ("several shares", (3, 30, 30, 3), (0, 20, 7, 0, 0, 5, 29, 0)),
                ("none", (2, 3), (0, 0, 0, 0)),
                ("scalar", (), ()),
                ("empty", (0, 3), (0, 2, 0, 1)),
            )
        ),
        ("symmetric: the whole width", (2, 3, 2), {"pads": (0, 3, 0, 0, 3, 2), "mode": "symmetric"}),
        ("edge: wider than the axis", (2, 3, 2), {"pads": (0, 5, 0, 1, 4, 7), "mode": "edge"}),
        ("edge: one cell", (2, 1, 2), {"pads": (0, 2, 0, 0, 3, 0), "mode": "edge"}),
        ("symmetric: one cell", (2, 1, 2), {"pads": (0, 1, 0, 0, 1, 0), "mode": "symmetric"}),
    ),
    "slice": cases(
        ("inside", (6, 7, 5), {"begin": (1, 2, 0), "size": (3, 4, 5)}),
        ("last axis", (6, 7), {"begin": (0, 3), "size": (-1, 2)}),
        ("to some before the end", (6, 7, 5), {"begin": (1, -5, 0), "size": (-3, -2, -4)}),
        ("to the end", (6, 7, 5), {"begin": (0, 2, 1), "size": (-1, -1, -1)}),
        ("from the end", (6, 7), {"begin": (0, -3), "size": (-1, 2)}),
        ("last row", (6, 7), {"begin": (-1, 0), "size": (1, -1)}),
        ("all", (6, 7), {"begin": (0, 0), "size": (6, 7)}),
        ("scalar", (), {"begin": (), "size": ()}),
        ("several shares", (40, 50, 9), {"begin": (3, 1, 2), "size": (30, 45, 5)}),
        ("empty", (0, 5), {"begin": (0, 1), "size": (-1, 2)}),
    )
    + cases(("nothing", (6, 7), {"begin": (2, 7), "size": (3, 0)}), min_nonzero=0),
    "concatenate": [
        Case(id, shapes, attributes, exact=True)
        for id, shapes, attributes in [
            ("channels", [(2, 3, 4, 5), (2, 3, 4, 1), (2, 3, 4, 2)], {}),
            ("rows", [(2, 5), (3, 5)], {"axis": 0}),
            ("middle", [(2, 3, 4), (2, 1, 4)], {"axis": 1}),
            ("one", [(2, 3)], {}),
            ("one is empty", [(2, 3), (2, 0), (2, 1)], {"axis": -1}),
            ("several shares", [(90, 41), (90, 63)], {}),
        ]
    ],
    "broadcast_to": cases(
        ("bias", (5,), {"shape": (3, 4, 5)}),
        ("column", (4, 1), {"shape": (4, 6)}),
        ("scalar", (), {"shape": (3, 4)}),
        ("as it is", (3, 4), {"shape": (3, 4)}),
        ("batch stays", (3, 1, 4), {"shape": (-1, 5, -1)}),
        ("both sides", (1, 4, 1), {"shape": (3, 4, 5)}),
        ("several shares", (70, 1, 3), {"shape": (70, 60, 3)}),
    )
    + cases(("to nothing", (1, 4), {"shape": (0, 4)}), min_nonzero=0)
    + [
        Case(id, shapes, {"shape": shape}, exact=True, grad=(0,))
        for id, shapes, shape in [
            ("once for each sample", [(1, 1, 4), (3, 2)], (-2, 1, 4)),
            ("an axis that x has not", [(4,), (3, 2)], (-2, -1)),
            ("another axis of like", [(1, 2), (5, 3)], (-3, -1)),
            ("both", [(1, 1), (5, 3)], (-3, -2)),
            ("of several shares", [(1, 3), (90, 60)], (-2, 3)),
        ]
    ],
    "take": [
        Case("rows", [(6, 4), (9,)], {"axis": 0}, values=("normal", "labels(6)"), exact=True),
        Case("a table of rows", [(6, 4), (2, 5)], {"axis": 0}, values=("normal", "labels(6)"), exact=True),
        Case("last", [(3, 7), (4,)], values=("normal", "labels(7)"), exact=True),
        Case("middle", [(3, 5, 4), (2, 3)], {"axis": 1}, values=("normal", "labels(5)"), exact=True),
        Case("one", [(3, 5), ()], {"axis": 1}, values=("normal", "labels(5)"), exact=True),
        Case("from the end, and outside", [(5, 3), (6,)], {"axis": 0}, values=("normal", ends), exact=True),
        Case("several shares", [(40, 70), (300,)], {"axis": 0}, values=("normal", "labels(40)"), exact=True),
        Case("checked", [(6, 4), (2, 5)], {"axis": 0, "checked": True}, values=("normal", "labels(6)"), exact=True),
    ],
    "scatter_update": [
        *(
            Case(
                f"{id}, {reduction}",
                shapes,
                {"reduction": reduction},
                values=["distinct", places, "distinct"],
                exact=reduction in ("none", "add"),
                numeric=reduction != "max",
                min_nonzero=0.2,
            )
            for reduction in ("none", "add", "mul", "max", "min")
            for id, shapes, places in [
                ("rows", [(6, 4), (9,), (9, 4)], "labels(6)"),
                ("elements", [(30,), (2, 5), (2, 5)], "labels(30)"),
                ("from the end, and outside", [(5, 3), (6,), (6, 3)], ends),
                ("planes", [(4, 3, 2), (5,), (5, 3, 2)], "labels(4)"),
                ("several shares", [(40, 70), (50,), (50, 70)], "labels(40)"),
            ]
        ),
        Case("one", [(4, 3), (), (3,)], values=["normal", "labels(4)", "normal"], exact=True),
        *(
            Case(
                f"ties and zeros, {reduction}",
                [(5, 4), (12,), (12, 4)],
                {"reduction": reduction},
                values=[few, "labels(5)", few],
                numeric=False,
                min_nonzero=0.1,
            )
            for reduction in ("mul", "max", "min")
        ),
    ],
    "take_along_axis": [
        Case("last", [(5, 6), (5, 3)], values=("normal", "labels(6)"), exact=True),
        Case("first", [(6, 5), (9, 5)], {"axis": 0}, values=("normal", "labels(6)"), exact=True),
        Case("middle", [(3, 5, 4), (3, 2, 4)], {"axis": 1}, values=("normal", "labels(5)"), exact=True),
        Case("from the end, and outside", [(5, 6), (5, 6)], values=("normal", ends), exact=True),
        Case("several shares", [(300, 40), (300, 20)], values=("normal", "labels(40)"), exact=True),
    ],
    "one_hot": [
        Case("labels", [(7,)], {"depth": 5}, values="labels(5)", min_nonzero=0.1),
        Case("matrix", [(3, 4)], {"depth": 3}, values="labels(3)"),
        Case("no such class", [(4,)], {"depth": 2}, values=lambda rng, shape: [-1, 2, 2**30, 1], min_nonzero=0),
        Case("scalar", [()], {"depth": 4}, values="labels(4)", min_nonzero=0.1),
        Case("several shares", [(500,)], {"depth": 10}, values="labels(10)", min_nonzero=0.1),
    ],
}
