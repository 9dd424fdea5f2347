"""Transposed convolution along one to three axes: where kernels overlap, leave gaps, are cropped or cropped away."""

from __future__ import annotations

from typing import Any

from cases import Case
from cases.conv import ALGORITHMS, WIDTHS, activated, algorithms_for, by_each, relu


def laid(id: str, x: tuple, w: tuple, bias: bool = True, **attributes: Any) -> list[Case]:
    """Kernels are (..., filters / groups, channels of x): those of the convolution back."""
    filters = w[-2] * attributes.get("groups", 1)
    algorithms = algorithms_for(w[:-2], filters, attributes)
    return by_each(id, [x, w, (filters,) if bias else None], algorithms, min(filters, w[-1]), attributes)


IMAGES = [
    *laid("3x3", (2, 5, 4, 5), (3, 3, 4, 5)),
    *laid("no bias", (2, 4, 3, 3), (2, 3, 5, 3), bias=False),
    *laid("one pixel", (1, 1, 1, 9), (1, 1, 7, 9)),
    *laid("one of everything", (1, 1, 1, 1), (1, 1, 1, 1)),
    *laid("one pixel becomes a kernel", (3, 1, 1, 33), (4, 4, 17, 33)),
    *laid("one channel in and out", (1, 6, 5, 1), (3, 2, 1, 1)),
    *laid("1x1 is a matrix product", (3, 5, 7, 33), (1, 1, 17, 33)),
    *laid("1x1, strides 2", (2, 3, 4, 8), (1, 1, 9, 8), strides=2),
    *laid("same", (2, 5, 6, 4), (3, 3, 7, 4), padding="same"),
    *laid("same, even kernel", (2, 5, 6, 4), (2, 4, 3, 4), padding="same"),
    *laid("2x2, strides 2, of a U-Net", (2, 4, 5, 16), (2, 2, 8, 16), strides=2),
    *laid("3x3, strides 2, of a U-Net", (2, 4, 5, 16), (3, 3, 8, 16), strides=2, padding="same"),
    *laid("4x4, strides 2, of a DCGAN", (2, 4, 4, 24), (4, 4, 12, 24), strides=2, padding="same"),
    *laid("5x5, strides 2, to three channels", (2, 4, 4, 18), (5, 5, 3, 18), strides=2, padding="same"),
    *laid("16x16, strides 8, of an FCN", (1, 3, 2, 5), (16, 16, 5, 5), strides=8, padding="same"),
    *laid("strides 3 2", (1, 5, 4, 16), (3, 5, 8, 16), padding="same", strides=(3, 2)),
    *laid("strides beyond the kernel", (2, 3, 4, 5), (2, 1, 3, 5), strides=(4, 3)),
    *laid("strides beyond the kernel, same", (2, 3, 4, 5), (2, 1, 3, 5), strides=(4, 3), padding="same"),
    *laid(
        "strides beyond the kernel, explicit",
        (2, 3, 4, 5),
        (2, 1, 3, 5),
        strides=3,
        padding="explicit",
        pads=(1, 0, 0, 1),
    ),
    *laid("dilation 2", (1, 5, 6, 6), (3, 3, 5, 6), dilation=2),
    *laid("dilation 3 1, same", (2, 6, 5, 4), (3, 2, 5, 4), dilation=(3, 1), padding="same"),
    *laid("dilation and strides", (1, 4, 5, 3), (3, 3, 7, 3), dilation=(2, 3), strides=(3, 2)),
    *laid("dilation 4, strides 6", (1, 3, 4, 2), (3, 3, 4, 2), dilation=(4, 3), strides=6, padding="same"),
    *laid("output padding", (2, 3, 4, 5), (3, 3, 4, 5), strides=2, output_padding=1),
    *laid("output padding 0", (2, 3, 4, 5), (2, 3, 4, 5), strides=(4, 3), output_padding=0),
    *laid("output padding, same", (2, 3, 4, 5), (3, 4, 4, 5), strides=(3, 2), padding="same", output_padding=(2, 1)),
    *laid("output padding 0, same", (2, 3, 4, 5), (3, 4, 4, 5), strides=(3, 2), padding="same", output_padding=0),
    *laid(
        "output padding beyond the kernel, same",
        (2, 3, 4, 5),
        (1, 2, 4, 5),
        strides=5,
        padding="same",
        output_padding=4,
    ),
    *laid(
        "output padding, explicit",
        (2, 3, 4, 5),
        (3, 3, 4, 5),
        strides=2,
        padding="explicit",
        pads=(1, 1, 1, 1),
        output_padding=1,
    ),
    *laid("output padding and dilation", (2, 3, 4, 5), (3, 2, 4, 5), dilation=3, output_padding=(2, 0)),
    *laid("explicit on four sides", (2, 5, 6, 4), (3, 3, 4, 4), padding="explicit", pads=(0, 1, 2, 1)),
    *laid("explicit, strides 2", (2, 3, 4, 4), (4, 5, 6, 4), strides=2, padding="explicit", pads=(1, 2, 0, 3)),
    *laid("more cropped than the kernel", (1, 6, 7, 8), (2, 2, 8, 8), padding="explicit", pads=(3, 0, 0, 4)),
    *laid("one pixel is left", (1, 4, 3, 6), (2, 3, 5, 6), padding="explicit", pads=(2, 3, 2, 1)),
    *laid("groups 2", (2, 5, 4, 6), (3, 3, 4, 6), groups=2, padding="same"),
    *laid("groups 3, strides 2", (1, 4, 3, 6), (3, 2, 3, 6), groups=3, strides=2),
    *laid("groups of 4, strides 2", (2, 5, 9, 36), (3, 3, 4, 36), groups=9, strides=2, padding="same"),
    *laid("groups of 8 to 3", (1, 4, 5, 24), (2, 3, 3, 24), groups=3, padding="same"),
    *laid("groups of 20 to 33", (1, 4, 5, 60), (2, 3, 33, 60), groups=3),
    *laid("depthwise", (2, 6, 9, 17), (3, 3, 1, 17), groups=17, padding="same"),
    *laid("depthwise, strides 2", (2, 5, 9, 33), (3, 3, 1, 33), groups=33, strides=2, padding="same"),
    *laid("depthwise, strides beyond the kernel", (1, 4, 5, 16), (3, 2, 1, 16), groups=16, strides=(5, 4)),
    *laid("depthwise, two to one", (2, 5, 4, 14), (2, 3, 1, 14), groups=7, strides=2),
    *laid("batch 1, many channels", (1, 3, 3, 65), (3, 3, 64, 65), padding="same"),
    *laid("deeper than one block", (1, 2, 2, 800), (2, 2, 5, 800), strides=2),
    *laid("3x3, tiles", (2, 9, 11, 18), (3, 3, 20, 18)),
    *laid("5x5, tiles", (2, 6, 9, 18), (5, 5, 17, 18)),
    *laid("5x5 to its inside", (1, 5, 7, 9), (5, 5, 8, 9), padding="explicit", pads=(4, 3, 4, 2)),
    *laid("three channels, wide", (1, 3, 60, 20), (3, 3, 3, 20), padding="same"),
    *(
        case
        for c, oc in WIDTHS
        for case in laid(f"{c} to {oc}", (2, 3, 4, c), (2, 3, oc, c), padding="same", strides=2)
    ),
    *(case for algorithm in ALGORITHMS for case in activated([(2, 3, 4, 3), (3, 2, 5, 3), (5,)], algorithm, strides=2)),
    *activated([(2, 4, 9, 3), (3, 2, 5, 3), (5,)], "rows"),
    *activated([(2, 4, 6, 12), (3, 2, 4, 12), (12,)], "grouped", groups=3),
    *activated([(1, 4, 7, 18), (3, 3, 1, 18), (18,)], "depthwise", groups=18, strides=2),
    *activated([(1, 4, 5, 14), (3, 2, 1, 14), (7,)], "depthwise", "two to one", groups=7),
    Case(
        "relu6, winograd",
        [(2, 5, 4, 6), (3, 3, 7, 6), (7,)],
        {"activation": "relu6", "padding": "same", "algorithm": "winograd"},
        tolerance=8,
        numeric=False,  # a kink is near
        min_nonzero=0.2,
    ),
    *(
        relu(f"residual, relu, {name}", [(2, 4, 5, 6), (3, 3, 7, 6), (7,), (2, 6, 7, 7)], algorithm=name)
        for name in ("direct", "im2col", "rows")
    ),
    Case(
        "residual, no bias, rows",
        [(2, 4, 5, 6), (3, 2, 7, 6), None, (2, 6, 6, 7)],
        {"algorithm": "rows"},
        exact=True,
        adjoint=False,
    ),
    relu("residual, relu, strides 2", [(2, 4, 5, 6), (3, 3, 7, 6), (7,), (2, 8, 10, 7)], strides=2, padding="same"),
    relu(
        "residual, relu, grouped", [(2, 4, 9, 24), (3, 3, 4, 24), (24,), (2, 6, 11, 24)], groups=6, algorithm="grouped"
    ),
    relu(
        "residual, relu, depthwise", [(2, 4, 5, 6), (3, 2, 1, 6), (6,), (2, 6, 6, 6)], groups=6, algorithm="depthwise"
    ),
    Case("no channels", [(2, 3, 3, 0), (3, 3, 4, 0), (4,)], exact=True, numeric=False),  # nothing to differentiate by
    Case("no images", [(0, 5, 5, 3), (3, 3, 4, 3), (4,)], {"strides": 2}, exact=True, min_nonzero=0),
    Case("no pixels", [(2, 0, 3, 3), (3, 3, 4, 3), (4,)], {"strides": 2}, exact=True, min_nonzero=0),
]

SIGNALS = [
    *laid("signal", (2, 7, 5), (3, 4, 5)),
    *laid("signal of one cell", (1, 1, 1), (1, 1, 1)),
    *laid("signal, strides 2", (2, 6, 8), (4, 9, 8), strides=2, padding="same"),
    *laid("signal, strides beyond the kernel", (2, 5, 8), (2, 9, 8), strides=4),
    *laid("signal, output padding", (2, 5, 8), (3, 16, 8), strides=3, padding="same", output_padding=1),
    *laid("signal, dilation 2", (1, 8, 17), (3, 15, 17), dilation=2, padding="same"),
    *laid("signal, cropped", (1, 8, 5), (3, 6, 5), strides=2, padding="explicit", pads=(2, 1)),
    *laid("signal, to one channel", (2, 9, 16), (8, 1, 16), strides=4, padding="same"),
    *laid("signal, groups of 4", (2, 9, 20), (3, 4, 20), groups=5, strides=2),
    *laid("signal, depthwise", (2, 9, 17), (3, 1, 17), groups=17, strides=2, padding="same"),
    *laid("signal, depthwise, in parts", (1, 70, 17), (3, 1, 17), groups=17, strides=2, padding="same"),
    *activated([(1, 99, 7), (3, 1, 7), (7,)], "depthwise", "signal in parts", groups=7, strides=3),
    relu("signal, relu", [(2, 6, 5), (3, 4, 5), (4,)], strides=2),
]

VOLUMES = [
    *laid("volume", (2, 3, 4, 3, 3), (3, 3, 3, 4, 3)),
    *laid("volume of one cell", (1, 1, 1, 1, 1), (1, 1, 1, 1, 1)),
    *laid("volume, 2x2x2, strides 2", (2, 2, 3, 2, 16), (2, 2, 2, 8, 16), strides=2),
    *laid("volume, same, strides 2", (1, 3, 2, 3, 9), (3, 3, 3, 5, 9), strides=2, padding="same"),
    *laid("volume, strides beyond the kernel", (1, 2, 3, 2, 5), (2, 1, 2, 3, 5), strides=(4, 3, 3)),
    *laid(
        "volume, output padding",
        (1, 2, 3, 2, 5),
        (2, 3, 3, 4, 5),
        strides=(3, 2, 2),
        padding="same",
        output_padding=(2, 0, 1),
    ),
    *laid("volume, dilation and strides", (1, 3, 2, 3, 3), (3, 2, 2, 7, 3), dilation=(2, 1, 3), strides=(3, 2, 1)),
    *laid("volume, cropped", (1, 3, 3, 4, 4), (3, 2, 3, 5, 4), padding="explicit", pads=(1, 0, 2, 0, 1, 1)),
    *laid("volume, planes apart", (2, 3, 4, 5, 7), (1, 3, 3, 9, 7), padding="same"),
    *laid("volume, planes cropped away", (1, 3, 4, 4, 3), (1, 2, 2, 4, 3), padding="explicit", pads=(1, 0, 0, 0, 0, 0)),
    *laid(
        "volume, planes apart but for the last",
        (1, 2, 4, 4, 3),
        (1, 2, 2, 4, 3),
        dilation=(2, 1, 1),
        output_padding=(1, 0, 0),
    ),
    *laid("volume, groups of 4", (1, 2, 3, 3, 12), (2, 2, 2, 4, 12), groups=3, strides=2),
    *laid("volume, depthwise", (1, 2, 3, 3, 9), (2, 3, 2, 1, 9), groups=9, strides=2, padding="same"),
    *laid("volume, patches copied", (2, 2, 2, 1, 360), (2, 1, 1, 368, 360), bias=False),
    relu(
        "volume, relu, residual", [(2, 2, 3, 2, 5), (3, 3, 3, 4, 5), (4,), (2, 4, 6, 4, 4)], strides=2, padding="same"
    ),
]

CASES = {"conv_transpose": IMAGES + SIGNALS + VOLUMES}
