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


CASES = {
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
