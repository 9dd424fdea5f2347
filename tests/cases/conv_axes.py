"""Convolution along one axis and along three: the odd sizes of images once more, and what is new with planes."""

from __future__ import annotations

from cases import Case
from cases.conv import ALGORITHMS, activated, conv, relu

SIGNALS = [
    *conv("signal", (2, 9, 5), (3, 5, 4)),
    *conv("signal, no bias", (2, 6, 3), (2, 3, 3), bias=False),
    *conv("signal of one cell", (1, 1, 1), (1, 1, 1)),
    *conv("signal of one cell, kernel of 3", (2, 1, 9), (3, 9, 7), padding="same"),
    *conv("signal, kernel of 1", (3, 7, 33), (1, 33, 17)),
    *conv("signal, the kernel is all of it", (3, 6, 7), (6, 7, 5)),
    *conv("signal, kernel larger", (2, 3, 4), (7, 4, 5), padding="same"),
    *conv("signal, even kernel, strides 2", (2, 8, 3), (4, 3, 5), padding="same", strides=2),
    *conv("signal, strides beyond the kernel", (2, 11, 8), (2, 8, 9), strides=4),
    *conv("signal, strides beyond it", (2, 5, 8), (2, 8, 9), strides=(9,), padding="same"),
    *conv("signal, dilation 3", (1, 14, 7), (3, 7, 16), dilation=3, padding="same"),
    *conv("signal, dilation 2, strides 3", (1, 17, 4), (4, 4, 6), dilation=2, strides=3, padding="same"),
    *conv("signal, causal", (2, 8, 6), (3, 6, 8), dilation=2, padding="explicit", pads=(4, 0)),
    *conv("signal, more padding than kernel", (1, 4, 8), (3, 8, 8), padding="explicit", pads=(5, 7)),
    *conv("signal, few channels, strides 2", (2, 40, 3), (7, 3, 17), padding="same", strides=2),
    *conv("signal, long", (1, 700, 2), (5, 2, 8)),
    *conv("signal, in parts", (1, 150, 3), (4, 3, 9), padding="same"),
    *conv("signal, depthwise, in parts", (2, 140, 18), (3, 1, 18), groups=18, padding="same"),
    *conv("signal, depthwise, in parts, strides 3", (1, 202, 9), (5, 1, 9), groups=9, strides=3, padding="same"),
    Case(
        "signal, depthwise, in parts, tanh",
        [(1, 133, 9), (3, 1, 9), (9,)],
        {"activation": "tanh", "groups": 9, "strides": 2},
        tolerance=8,
    ),
    *conv("signal, batch 1, many channels", (1, 7, 65), (3, 65, 64), padding="same"),
    *conv("signal, deeper than one block", (1, 4, 800), (2, 800, 5), padding="same"),
    *conv("signal, groups 2", (2, 9, 8), (3, 4, 6), groups=2, padding="same"),
    *conv("signal, groups of 4, strides 2", (2, 31, 36), (3, 4, 36), groups=9, strides=2, padding="same"),
    *conv("signal, groups of 20 to 33", (1, 5, 60), (3, 20, 99), groups=3),
    *conv("signal, depthwise", (2, 19, 17), (3, 1, 17), groups=17, padding="same"),
    *conv("signal, depthwise, strides 2", (1, 22, 33), (5, 1, 33), groups=33, strides=2, padding="same"),
    *conv("signal, depthwise, dilation 2", (2, 18, 16), (4, 1, 16), groups=16, dilation=2),
    *conv("signal, depthwise, two for each", (2, 6, 7), (3, 1, 14), groups=7, padding="explicit", pads=(1, 2)),
    *(
        case
        for c, oc in [(8, 16), (15, 17), (16, 1), (1, 33)]
        for case in conv(f"signal, {c} to {oc}", (2, 9, c), (3, c, oc))
    ),
    relu("signal, relu, residual", [(2, 9, 5), (3, 5, 4), (4,), (2, 9, 4)], padding="same"),
    Case("signal, no images", [(0, 5, 3), (3, 3, 4), (4,)], exact=True, min_nonzero=0),
]

VOLUMES = [
    *conv("volume", (2, 4, 5, 6, 3), (3, 3, 3, 3, 4)),
    *conv("volume, no bias", (2, 3, 4, 3, 5), (2, 2, 2, 5, 3), bias=False),
    *conv("volume of one cell", (1, 1, 1, 1, 1), (1, 1, 1, 1, 1)),
    *conv("volume of one cell, 9 to 7", (2, 1, 1, 1, 9), (1, 1, 1, 9, 7)),
    *conv("volume of one cell, 3x3x3", (2, 1, 1, 1, 9), (3, 3, 3, 9, 7), padding="same"),
    *conv("volume, 1x1x1 is a matrix product", (2, 3, 4, 5, 33), (1, 1, 1, 33, 17)),
    *conv("volume, 1x1x1, strides 2", (2, 5, 4, 6, 8), (1, 1, 1, 8, 9), strides=2),
    *conv("volume, the kernel is all of it", (3, 2, 4, 3, 7), (2, 4, 3, 7, 6)),
    *conv("volume, kernel larger", (1, 2, 1, 3, 4), (4, 3, 5, 4, 3), padding="same"),
    *conv("volume, same, strides 2", (2, 5, 6, 7, 3), (3, 3, 3, 3, 8), padding="same", strides=2),
    *conv("volume, strides 1 2 3", (1, 4, 7, 8, 4), (2, 3, 3, 4, 6), strides=(1, 2, 3)),
    *conv("volume, strides beyond the kernel", (2, 9, 8, 10, 5), (2, 1, 2, 5, 3), strides=(4, 3, 5)),
    *conv("volume, strides beyond it", (2, 2, 3, 4, 5), (2, 2, 2, 5, 3), strides=7, padding="same"),
    *conv("volume, dilation 2", (1, 7, 6, 8, 6), (3, 2, 3, 6, 5), dilation=2),
    *conv(
        "volume, dilation and strides",
        (1, 9, 6, 7, 3),
        (3, 3, 2, 3, 7),
        dilation=(2, 1, 3),
        strides=(3, 2, 1),
        padding="same",
    ),
    *conv(
        "volume, dilation 4 6, strides 6 4",
        (1, 13, 9, 5, 2),
        (3, 3, 2, 2, 4),
        dilation=(4, 6, 1),
        strides=(6, 4, 2),
        padding="same",
    ),
    *conv(
        "volume, explicit on six sides", (2, 3, 4, 3, 4), (3, 2, 3, 4, 4), padding="explicit", pads=(0, 1, 2, 3, 1, 0)
    ),
    *conv(
        "volume, more padding than kernel",
        (1, 2, 3, 2, 3),
        (2, 2, 2, 3, 4),
        padding="explicit",
        pads=(4, 0, 0, 3, 5, 2),
    ),
    *conv(
        "volume, planes in the padding only",
        (1, 1, 4, 4, 3),
        (1, 2, 2, 3, 4),
        padding="explicit",
        pads=(1, 0, 0, 0, 0, 0),
    ),
    *conv("volume, planes beyond the strides", (2, 1, 4, 4, 3), (1, 2, 2, 3, 4), strides=(3, 1, 1)),
    *conv("volume, planes apart", (2, 3, 5, 6, 7), (1, 3, 3, 7, 9), padding="same"),
    *conv("volume, planes apart, 2x3", (2, 3, 5, 6, 3), (1, 2, 3, 3, 9), strides=(1, 2, 1)),
    *conv("volume, along the depth only", (2, 6, 3, 4, 7), (3, 1, 1, 7, 9), padding="same"),
    *conv("volume, along the depth only, strides 2", (2, 7, 3, 4, 5), (3, 1, 1, 5, 8), strides=(2, 1, 1)),
    *conv("volume, groups 2", (2, 3, 4, 3, 8), (2, 3, 2, 4, 6), groups=2, padding="same"),
    *conv("volume, groups of 4, strides 2", (1, 5, 4, 7, 20), (3, 3, 3, 4, 20), groups=5, strides=2, padding="same"),
    *conv("volume, groups of 4, planes apart", (2, 3, 4, 7, 20), (1, 3, 3, 4, 20), groups=5, padding="same"),
    *conv("volume, depthwise", (2, 4, 3, 5, 17), (3, 3, 3, 1, 17), groups=17, padding="same"),
    *conv("volume, depthwise, planes apart", (2, 4, 3, 9, 17), (1, 3, 3, 1, 17), groups=17, padding="same"),
    *conv("volume, depthwise, two for each", (1, 3, 4, 3, 6), (2, 2, 2, 1, 12), groups=6, strides=2),
    *conv("volume, batch 1, many channels", (1, 2, 2, 3, 65), (2, 2, 2, 65, 64), padding="same"),
    *conv("volume, deeper than one block", (1, 2, 2, 2, 400), (2, 1, 2, 400, 5), padding="same"),
    *conv("volume, many small ones", (20, 2, 2, 3, 2), (2, 2, 2, 2, 3)),
    *conv("volume, patches copied", (2, 3, 2, 2, 368), (2, 1, 1, 368, 360), bias=False),
    *(
        case
        for c, oc in [(1, 16), (8, 8), (15, 17), (16, 1), (17, 32)]
        for case in conv(f"volume, {c} to {oc}", (2, 2, 3, 3, c), (2, 2, 2, c, oc), padding="same")
    ),
    *(
        case
        for algorithm in ALGORITHMS
        for case in activated([(1, 3, 3, 2, 3), (2, 2, 2, 3, 5), (5,)], algorithm, "volume")
    ),
    relu("volume, relu, residual", [(2, 3, 4, 3, 5), (3, 3, 3, 5, 4), (4,), (2, 3, 4, 3, 4)], padding="same"),
    Case("volume, no images", [(0, 3, 4, 5, 3), (3, 3, 3, 3, 4), (4,)], exact=True, min_nonzero=0),
]

CASES = {"conv": SIGNALS + VOLUMES}
