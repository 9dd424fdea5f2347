"""Cases of the ops of images."""

import numpy as np

from cases import Case

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def resizes(id, shape, size, exact=(), **settings):
    return [
        Case(f"{way}: {id}", [shape], {"size": size, "interpolation": way, **settings}, exact=way in exact)
        for way in INTERPOLATIONS
    ]


def turns(rng, shape):
    """Turned, moved, larger and smaller, by numbers that float32 holds exactly and that hit no border between cells."""
    rows = [
        (1, 0, 0, 0, 1, 0, 0, 0),
        (0.75, 0.5, -1.125, -0.5, 0.75, 2.125, 0, 0),
        (2.5, 0, -3.125, 0, 2.25, -2.125, 0, 0),
        (-1, 0, 3.125, 0, 0.5, 0.125, 0, 0),
        (0.25, 0.25, 11.125, 0, 0.25, -9.375, 0, 0),
    ]
    return np.resize(rows, shape)


def perspectives(rng, shape):
    return np.resize([1.25, 0.25, -0.5, 0.125, 1, -0.25, 0.0625, 0.125, 1, 0, 0.5, 0, 1, 0, -0.03125, 0.25], shape)


def transforms(id, shape, rows, values, **settings):
    given = {"values": ("normal", values), "min_nonzero": 0.1, **settings}
    return [
        Case(
            f"{id}, {way}, {fill}", [shape, rows], {"interpolation": way, "fill_mode": fill, "fill_value": 0.5}, **given
        )
        for way in ("nearest", "bilinear")
        for fill in ("constant", "nearest", "reflect", "wrap", "mirror")
    ]


def places(rng, shape):
    """Inside, and around."""
    return rng.uniform(-1.6, 1.6, shape)


def far_places(rng, shape):
    return rng.uniform(-9, 9, shape)


def some_nowhere(rng, shape):
    return np.where(rng.uniform(size=shape) < 0.1, np.nan, rng.uniform(-1.2, 1.2, shape))


def samples(id, shape, size, ways=("nearest", "bilinear", "bicubic"), values=places, **settings):
    """Every way between cells, outside, and at the corners."""
    grid = (shape[0], *size, len(size))
    given = {"values": ("normal", values), "min_nonzero": 0.1, "grad": (0, 1), **settings}
    return [
        Case(
            f"{id}, {way}, {mode}{', aligned' * aligned}",
            [shape, grid],
            {"interpolation": way, "padding_mode": mode, "align_corners": aligned},
            **{**given, "grad": (0,) if way == "nearest" else given["grad"]},
        )
        for way in ways
        for mode in ("zeros", "border", "reflection")
        for aligned in (False, True)
    ]


CASES = {
    "grid_sample": [
        *samples("image", (2, 6, 7, 3), (5, 4)),
        *samples("far away", (3, 5, 4, 1), (3, 7), values=far_places, min_nonzero=0),
        *samples("volume", (2, 3, 4, 5, 2), (3, 2, 4), ("nearest", "bilinear")),
        *samples("one cell", (2, 1, 1, 4), (3, 3), min_nonzero=0, grad=(0,)),
        Case("many channels", [(2, 5, 6, 67), (2, 3, 4, 2)], values=("normal", places), min_nonzero=0.1),
        Case(
            "several shares",
            [(2, 9, 8, 70), (2, 21, 30, 2)],
            {"interpolation": "bicubic"},
            values=("normal", places),
            tolerance=4,  # sums of some hundred terms
        ),
        Case("nowhere", [(2, 5, 6, 3), (2, 4, 5, 2)], values=("normal", some_nowhere), numeric=False),
        Case("empty", [(0, 3, 4, 2), (0, 5, 6, 2)], values=("normal", places)),
        Case("no places", [(2, 3, 4, 2), (2, 0, 6, 2)], values=("normal", places), min_nonzero=0),
        Case("no channels", [(2, 3, 4, 0), (2, 5, 6, 2)], values=("normal", places), min_nonzero=0),
    ],
    "resize": [
        *resizes("sequence", (2, 5, 3), (8,)),
        *resizes("image", (2, 5, 7, 3), (8, 4)),
        *resizes("antialias", (2, 9, 13, 2), (4, 3), antialias=True),
        Case("one channel", [(2, 6, 5, 1)], {"size": (3, 9), "interpolation": "bicubic"}),
        *resizes("volume", (1, 3, 4, 5, 2), (4, 2, 6)),
        *resizes("many channels", (1, 3, 4, 37), (5, 3)),
        *resizes("twice", (2, 3, 4, 5), (6, 8), exact=("nearest", "bilinear")),
        *resizes("as it is", (2, 3, 4, 2), (3, 4), exact=("nearest", "bilinear")),
        *resizes("from one cell", (2, 1, 1, 3), (3, 4), exact=("nearest", "bilinear")),
        Case("several shares", [(2, 30, 40, 3)], {"size": (35, 17)}),
        Case("many taps", [(1, 70, 60, 2)], {"size": (3, 2), "interpolation": "lanczos5", "antialias": True}),
        Case(
            "moved",
            [(1, 6, 7, 2)],
            {"size": (5, 9), "scale": (1.25, 0.75), "translation": (-1.0, 1.5), "antialias": True},
        ),
        Case(
            "nearest, moved", [(1, 6, 7, 2)], {"size": (5, 9), "interpolation": "nearest", "translation": (1.25, -2.25)}
        ),
        Case("by scale", [(2, 3, 5, 2)], {"scale": (2.0, 1.5), "interpolation": "nearest"}, exact=True),
        Case("empty", [(0, 3, 4, 2)], {"size": (6, 5)}),
    ],
    "projective_transform": [
        *transforms("image", (5, 6, 7, 3), (5, 8), turns, min_nonzero=0.5),
        *transforms("one for all", (2, 5, 6, 2), (8,), turns, min_nonzero=0.5),
        Case("one cell", [(5, 1, 1, 2), (5, 8)], {"fill_mode": "mirror"}, values=("normal", turns)),
        Case("a part", [(2, 6, 7, 3), (2, 8)], {"size": (3, 2)}, values=("normal", turns)),
        Case("perspective", [(2, 6, 5, 3), (2, 8)], values=("normal", perspectives)),
        Case("several shares", [(5, 30, 20, 3), (5, 8)], {"fill_mode": "reflect"}, values=("normal", turns)),
        Case("empty", [(0, 3, 4, 2), (0, 8)], values=("normal", turns)),
    ],
}
