"""Convolution of images, dense and matmul: odd sizes, channels around vectors' widths, every padding and algorithm.

Signals, volumes and transposed convolutions have modules of their own, and take the helpers from here.
"""

from __future__ import annotations

import math
from typing import Any

from cases import Case

ALGORITHMS = ("direct", "im2col")
ACTIVATIONS = (
    "relu",
    "leaky_relu",
    "elu",
    "sigmoid",
    "tanh",
    "softplus",
    "softsign",
    "arctan",
    "binary_step",
    "relu6",
    "hard_sigmoid",
    "gelu",
    "gelu_tanh",
    "silu",
    "mish",
    "hard_silu",
)


WIDTHS = [(1, 16), (2, 31), (3, 33), (7, 15), (8, 8), (9, 32), (15, 17), (16, 1), (17, 48), (31, 9), (32, 7)]


def each(value: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    """One number for each axis."""
    return (value,) * axes if isinstance(value, int) else value


def algorithms_for(kernel: tuple[int, ...], c: int, attributes: dict[str, Any]) -> list[str]:
    """The algorithms that can do a convolution of c channels with kernels of this size."""
    axes, groups = len(kernel), attributes.get("groups", 1)
    strides, dilation = (each(attributes.get(key, 1), axes) for key in ("strides", "dilation"))
    pads, extras = attributes.get("pads", (0,) * 2 * axes), each(attributes.get("output_padding", 0), axes)
    flat = axes < 3 or (kernel[0] == strides[0] == 1 and pads[0] == pads[axes] == extras[0] == 0)
    fitting = {
        "depthwise": groups == c > 1 and flat,
        "grouped": 1 < groups < c,
        "winograd": groups == 1 and kernel[-2:] in ((3, 3), (5, 5)) and {*strides[-2:], *dilation[-2:]} == {1},
        "rows": groups == 1 and kernel[-1] > 1 and {*dilation[-2:]} == {1},
        "planar": 0 < c // groups <= 8
        and max(kernel[-2:]) <= 16
        and math.prod(kernel[-2:]) * (c // groups) <= 256
        and strides[-1] <= 4
        and {*dilation[-2:]} == {1},
    }
    return [*ALGORITHMS, *(name for name, fits in fitting.items() if fits)]


def by_each(id: str, inputs: list, algorithms: list[str], channels: int, attributes: dict[str, Any]) -> list[Case]:
    """A linear convolution, with the algorithm chosen by the core and with each that fits forced.

    Winograd's transforms divide by three and thirteen: they are not exact, and lose two or three bits. "auto" may take
    them where there are channels enough.
    """
    transformed = {"winograd", "auto"} if "winograd" in algorithms and channels >= 16 else {"winograd"}
    return [
        Case(
            f"{id}, {algorithm}",
            inputs,
            {**attributes, "algorithm": algorithm},
            exact=algorithm not in transformed,
            tolerance=8 if algorithm in transformed else 1,
            min_nonzero=0.2,
        )
        for algorithm in ("auto", *algorithms)
    ]


def conv(id: str, x: tuple, w: tuple, bias: bool = True, **attributes: Any) -> list[Case]:
    algorithms = algorithms_for(w[:-2], x[-1], attributes)
    return by_each(id, [x, w, (w[-1],) if bias else None], algorithms, min(x[-1], w[-1]), attributes)


def relu(id: str, inputs: list, **attributes: Any) -> Case:
    return Case(id, inputs, {**attributes, "activation": "relu"}, exact=True, adjoint=False, min_nonzero=0.2)


def activated(inputs: list, algorithm: str | None = None, id: str | None = None, **others: Any) -> list[Case]:
    """One case per fused activation."""
    cases = []
    for activation in ACTIVATIONS:
        attributes: dict[str, Any] = {"activation": activation, **others}
        if activation in ("leaky_relu", "elu"):
            attributes["alpha"] = 0.25 if activation == "leaky_relu" else 0.75
        if algorithm:
            attributes["algorithm"] = algorithm
        name = ", ".join(part for part in (id, activation, algorithm) if part)
        # tanh' and the like are differences of numbers near one when they are told from y: three more bits of rounding.
        smooth = activation not in ("relu", "leaky_relu", "binary_step", "relu6")
        kinked = activation in ("relu", "leaky_relu", "relu6")
        cases.append(
            Case(
                name,
                inputs,
                attributes,
                exact=kinked,
                adjoint=False,
                tolerance=8 if smooth else 1,
                numeric=activation != "binary_step",  # a step has no slope to measure
                min_nonzero=0.2,
            )
        )
    return cases


CONV2D = [
    *conv("3x3", (2, 7, 6, 5), (3, 3, 5, 4)),
    *conv("no bias", (2, 5, 5, 3), (2, 2, 3, 3), bias=False),
    *conv("one pixel", (1, 1, 1, 9), (1, 1, 9, 7)),
    *conv("one of everything", (1, 1, 1, 1), (1, 1, 1, 1)),
    *conv("one channel in and out", (1, 9, 8, 1), (3, 2, 1, 1)),
    *conv("1x1 is a matrix product", (3, 5, 7, 33), (1, 1, 33, 17)),
    *conv("1x1 strides 2", (2, 5, 6, 8), (1, 1, 8, 9), strides=2),
    *conv("the kernel is the image", (3, 5, 4, 7), (5, 4, 7, 6)),
    *conv("kernel larger than the image", (2, 2, 3, 4), (5, 6, 4, 5), padding="same"),
    *conv("kernel larger, explicit", (1, 1, 2, 3), (4, 5, 3, 4), padding="explicit", pads=(3, 2, 1, 4)),
    *conv("more padding than kernel", (1, 3, 3, 8), (2, 2, 8, 8), padding="explicit", pads=(4, 0, 0, 3)),
    *conv("same, even kernel", (2, 6, 7, 3), (2, 4, 3, 5), padding="same"),
    *conv("same, strides 2", (2, 7, 8, 3), (3, 3, 3, 5), padding="same", strides=2),
    *conv("same, strides 3 2", (1, 10, 9, 16), (3, 5, 16, 8), padding="same", strides=(3, 2)),
    *conv("strides 2 3", (2, 11, 10, 4), (3, 3, 4, 6), strides=(2, 3)),
    *conv("stride larger than kernel", (2, 9, 10, 5), (2, 1, 5, 3), strides=(4, 3)),
    *conv("stride larger than image", (2, 3, 4, 5), (2, 2, 5, 3), strides=7),
    *conv("stride beyond every image", (2, 3, 4, 5), (2, 2, 5, 3), strides=2**31 - 1, padding="same"),
    *conv("dilation beyond the image", (1, 4, 5, 3), (3, 3, 3, 2), dilation=50, padding="same"),
    *conv("dilation 2", (1, 9, 8, 6), (3, 3, 6, 5), dilation=2),
    *conv("dilation 3 1, same", (2, 6, 7, 4), (3, 2, 4, 5), dilation=(3, 1), padding="same"),
    *conv("dilation and strides", (1, 12, 11, 3), (3, 3, 3, 7), dilation=(2, 3), strides=(3, 2)),
    *conv("dilation 4, strides 6", (1, 14, 15, 2), (3, 3, 2, 4), dilation=(4, 3), strides=6, padding="same"),
    *conv("dilation 2, strides 2", (1, 9, 10, 2), (3, 4, 2, 4), dilation=2, strides=2, padding="same"),
    *conv("explicit on four sides", (2, 5, 6, 4), (3, 3, 4, 4), padding="explicit", pads=(0, 1, 2, 3)),
    *conv("groups 2", (2, 5, 6, 8), (3, 3, 4, 6), groups=2, padding="same"),
    *conv("groups 3, strides 2", (1, 7, 6, 9), (3, 2, 3, 6), groups=3, strides=2),
    *conv("groups 4 of 17 to 18", (1, 4, 5, 68), (2, 2, 17, 72), groups=4),
    *conv("32 groups of 4", (2, 7, 17, 128), (3, 3, 4, 128), groups=32, padding="same"),
    *conv("16 groups of 8", (2, 9, 15, 128), (3, 3, 8, 128), groups=16, padding="same"),
    *conv("groups of 16", (1, 6, 29, 48), (3, 3, 16, 48), groups=3, padding="same"),
    *conv("groups of 2", (2, 5, 9, 34), (3, 3, 2, 34), groups=17, padding="same"),
    *conv("3 groups of 4", (1, 5, 6, 12), (3, 3, 4, 12), groups=3, padding="same"),
    *conv("groups of 4, strides 2", (2, 15, 30, 36), (3, 3, 4, 36), groups=9, strides=2, padding="same"),
    *conv(
        "groups of 8, strides 2", (1, 8, 7, 16), (3, 3, 8, 16), groups=2, strides=2, padding="explicit", pads=(1,) * 4
    ),
    # copies of pixels that are too large for the stack, a phase's of a gradient too
    *conv("groups of 410 to 4, strides 2", (1, 7, 11, 820), (3, 3, 410, 8), groups=2, strides=2, padding="same"),
    *conv("groups of 4 to 410, strides 2", (1, 7, 11, 8), (3, 3, 4, 820), groups=2, strides=2, padding="same"),
    *conv("groups of 5, wider than a block", (1, 3, 139, 15), (3, 3, 5, 15), groups=3, padding="same"),
    *conv("groups of 2, strides 3", (1, 11, 10, 20), (3, 5, 2, 20), groups=10, strides=3, padding="same"),
    *conv("groups of 4, strides 1 2", (1, 6, 33, 8), (2, 7, 4, 8), groups=2, strides=(1, 2), padding="same"),
    *conv(
        "groups of 4, strides 4, dilation 2",
        (1, 13, 14, 16),
        (3, 5, 4, 16),
        groups=4,
        strides=4,
        dilation=2,
        padding="same",
    ),
    *conv("groups of 4, dilation 2", (1, 7, 19, 24), (3, 3, 4, 24), groups=6, dilation=2, padding="same"),
    *conv(
        "groups of 8, dilation 3, strides 2",
        (1, 9, 10, 24),
        (3, 3, 8, 24),
        groups=3,
        dilation=3,
        strides=2,
        padding="same",
    ),
    *conv("groups of 4, 1x1", (2, 5, 7, 68), (1, 1, 4, 68), groups=17),
    *conv("groups of 8, 1x1, strides 2", (2, 5, 7, 24), (1, 1, 8, 24), groups=3, strides=2),
    *conv("groups of 4, 5x5", (1, 7, 16, 32), (5, 5, 4, 32), groups=8, padding="same"),
    *conv("groups of 4, 7x8", (1, 9, 31, 20), (7, 8, 4, 20), groups=5, padding="same"),
    *conv("groups of 4, kernel larger than the image", (1, 2, 3, 16), (5, 6, 4, 16), groups=4, padding="same"),
    *conv(
        "groups of 8, more padding than kernel",
        (1, 3, 3, 16),
        (2, 2, 8, 16),
        groups=2,
        padding="explicit",
        pads=(4, 0, 0, 3),
    ),
    *conv("groups of 4, one pixel", (3, 1, 1, 20), (3, 3, 4, 20), groups=5, padding="same"),
    *conv("groups of 3 to 5", (2, 4, 9, 21), (2, 3, 3, 35), groups=7, padding="same"),
    *conv("groups of 5 to 2", (1, 5, 6, 35), (3, 2, 5, 14), groups=7, strides=2),
    *conv("groups of 20 to 33", (1, 4, 5, 60), (2, 3, 20, 99), groups=3, padding="same"),
    *conv("groups of 33 to 20", (1, 4, 5, 66), (3, 2, 33, 40), groups=2, padding="same"),
    *conv("depthwise", (2, 7, 6, 5), (3, 3, 1, 5), groups=5, padding="same"),
    *conv("depthwise 33, strides 2", (1, 9, 8, 33), (3, 3, 1, 33), groups=33, strides=2, padding="same"),
    *conv("depthwise, dilation 2", (2, 9, 8, 16), (3, 2, 1, 16), groups=16, dilation=2),
    *(
        case
        for c in (2, 3, 7, 15, 16, 17, 31, 33, 48)
        for case in conv(f"depthwise of {c}", (1, 6, 19, c), (3, 3, 1, c), groups=c, padding="same")
    ),
    *(
        case
        for kernel in (1, 2, 3, 4, 5, 7)
        for strides in (1, 2, 3)
        for case in conv(
            f"depthwise {kernel}x{kernel}, strides {strides}",
            (2, 9, 21, 18),
            (kernel, kernel, 1, 18),
            groups=18,
            strides=strides,
            padding="same",
        )
    ),
    *conv("depthwise, no bias", (2, 5, 9, 20), (3, 3, 1, 20), bias=False, groups=20, padding="same"),
    *conv("depthwise on less than its kernel", (2, 2, 1, 17), (5, 5, 1, 17), groups=17, padding="same"),
    *conv("depthwise, strides 2 on a pixel", (1, 1, 1, 16), (3, 3, 1, 16), groups=16, strides=2, padding="same"),
    *conv("depthwise, strides beyond the kernel", (1, 11, 12, 17), (3, 2, 1, 17), groups=17, strides=(4, 5)),
    *conv(
        "depthwise, pads on four sides", (1, 6, 9, 16), (3, 3, 1, 16), groups=16, padding="explicit", pads=(0, 3, 4, 1)
    ),
    *conv(
        "depthwise 5x5, strides 2, pads on four sides",
        (2, 8, 20, 21),
        (5, 5, 1, 21),
        groups=21,
        strides=2,
        padding="explicit",
        pads=(3, 0, 1, 4),
    ),
    *conv(
        "depthwise, more padding than kernel",
        (1, 3, 2, 16),
        (3, 3, 1, 16),
        groups=16,
        padding="explicit",
        pads=(5, 9, 4, 7),
    ),
    *conv(
        "depthwise, wide dilation", (1, 9, 12, 17), (3, 3, 1, 17), groups=17, dilation=(2, 3), strides=2, padding="same"
    ),
    *conv("depthwise of many channels", (2, 5, 5, 230), (3, 3, 1, 230), groups=230, padding="same"),
    *conv("depthwise, two for each", (2, 6, 5, 7), (2, 3, 1, 14), groups=7, padding="explicit", pads=(1, 0, 0, 2)),
    *conv("batch 1, many channels", (1, 3, 3, 65), (3, 3, 65, 64), padding="same"),
    *conv("deeper than one block", (1, 3, 2, 800), (2, 2, 800, 5), padding="same"),
    *conv("many small images", (40, 4, 4, 2), (3, 3, 2, 3)),
    *conv("3x3 on 1x1", (2, 1, 1, 3), (3, 3, 3, 4), padding="same"),
    *conv("3x3 on a row", (1, 1, 9, 5), (3, 3, 5, 33), padding="same"),
    *conv("3x3, valid", (3, 9, 12, 18), (3, 3, 18, 35)),
    *conv("3x3, more padding than kernel", (2, 5, 6, 7), (3, 3, 7, 9), padding="explicit", pads=(5, 0, 3, 4)),
    *conv("3x3, padding beyond every tile", (1, 2, 2, 3), (3, 3, 3, 2), padding="explicit", pads=(9, 8, 0, 11)),
    *conv("3x3, tiles beyond one block", (3, 30, 29, 7), (3, 3, 7, 3), padding="same", bias=False),
    *conv("5x5 on 1x1", (2, 1, 1, 3), (5, 5, 3, 4), padding="same"),
    *conv("5x5 on a row", (1, 1, 9, 5), (5, 5, 5, 33), padding="same"),
    *conv("5x5, valid", (3, 7, 10, 18), (5, 5, 18, 35)),
    *conv("5x5, one output", (2, 5, 5, 17), (5, 5, 17, 16)),
    *conv("5x5, more padding than kernel", (2, 4, 3, 7), (5, 5, 7, 9), padding="explicit", pads=(7, 0, 3, 5)),
    *conv("5x5, padding on one side", (1, 3, 2, 15), (5, 5, 15, 8), padding="explicit", pads=(0, 3, 4, 0)),
    *conv("5x5, tiles beyond one block", (2, 31, 29, 7), (5, 5, 7, 3), padding="same", bias=False),
    *conv("wide", (1, 3, 100, 3), (3, 3, 3, 20), padding="same"),
    *conv("one channel, 3x3", (2, 9, 17, 1), (3, 3, 1, 33), padding="same"),
    *conv("two channels, 5x7", (1, 8, 9, 2), (5, 7, 2, 6), padding="same"),
    *conv("three channels, 7x7, strides 2", (2, 15, 18, 3), (7, 7, 3, 17), padding="same", strides=2),
    *conv("four channels, 1x7, strides 1 3", (3, 4, 20, 4), (1, 7, 4, 5), strides=(1, 3)),
    *conv("five channels, 7x1, strides 5 1", (1, 19, 4, 5), (7, 1, 5, 40), strides=(5, 1)),
    *conv("three channels, kernel wider", (2, 6, 2, 3), (2, 7, 3, 4), padding="same"),
    *conv("three channels, more padding", (1, 4, 5, 3), (3, 2, 3, 5), padding="explicit", pads=(4, 7, 5, 2)),
    *conv("three channels, padding on one side", (2, 6, 7, 3), (4, 4, 3, 9), padding="explicit", pads=(0, 0, 3, 1)),
    *conv("strides in pads", (1, 3, 3, 3), (2, 2, 3, 4), padding="explicit", pads=(6, 6, 6, 6), strides=3),
    *conv("three channels, a row beyond the buffer", (1, 2, 2000, 3), (3, 5, 3, 1), padding="same"),
    *conv("one channel to six, 5x5", (2, 9, 29, 1), (5, 5, 1, 6), padding="same"),
    *conv("one channel to 21, strides 2", (1, 7, 39, 1), (3, 3, 1, 21), padding="same", strides=2),
    *conv("one channel to three, 1x5, strides 1 3", (2, 3, 61, 1), (1, 5, 1, 3), strides=(1, 3)),
    *conv("two channels to one", (1, 4, 27, 2), (2, 3, 2, 1)),
    *conv("three channels to four, strides 3 4", (1, 9, 70, 3), (3, 5, 3, 4), strides=(3, 4), padding="same"),
    *conv("three channels to eight, a row beyond the buffer", (1, 3, 1100, 3), (4, 6, 3, 8), padding="same"),
    *conv("three channels, rows beyond the buffer", (1, 130, 120, 3), (3, 3, 3, 2), padding="same", bias=False),
    *conv("three channels, one beyond a tile of rows", (1, 4, 15, 3), (1, 1, 3, 3)),
    *conv("three channels, dilation on one side", (1, 7, 9, 3), (2, 3, 3, 4), dilation=(1, 2), padding="same"),
    Case("no channels", [(2, 5, 5, 0), (3, 3, 0, 4), (4,)], exact=True, numeric=False),  # nothing to differentiate by
    Case("no images", [(0, 5, 5, 3), (3, 3, 3, 4), (4,)], exact=True, min_nonzero=0),
    Case("no images, im2col", [(0, 5, 5, 3), (3, 3, 3, 4), (4,)], {"algorithm": "im2col"}, exact=True, min_nonzero=0),
    *(case for c, oc in WIDTHS for case in conv(f"{c} to {oc}", (2, 4, 5, c), (2, 3, c, oc), padding="same")),
    *(case for algorithm in ALGORITHMS for case in activated([(2, 5, 4, 3), (3, 2, 3, 5), (5,)], algorithm)),
    *activated([(2, 5, 17, 3), (3, 2, 3, 5), (5,)], "rows"),
    *activated([(2, 5, 17, 3), (3, 2, 3, 5), (5,)], "planar"),
    relu("relu, depthwise", [(2, 5, 4, 6), (3, 2, 1, 6), (6,)], groups=6),
    relu("relu, depthwise of 33", [(1, 5, 12, 33), (3, 3, 1, 33), (33,)], groups=33, padding="same"),
    Case(
        "tanh, depthwise of 33",
        [(1, 5, 12, 33), (3, 3, 1, 33), (33,)],
        {"activation": "tanh", "groups": 33},
        tolerance=8,
    ),
    Case("tanh, depthwise", [(2, 5, 4, 6), (3, 2, 1, 6), (6,)], {"activation": "tanh", "groups": 6}, tolerance=8),
    Case("residual", [(2, 7, 6, 5), (3, 3, 5, 4), (4,), (2, 5, 4, 4)], exact=True, adjoint=False),
    Case("residual, no bias", [(2, 5, 4, 20), (1, 1, 20, 33), None, (2, 5, 4, 33)], exact=True, adjoint=False),
    relu("residual, relu, deep", [(1, 2, 3, 500), (2, 2, 500, 33), (33,), (1, 2, 3, 33)], padding="same"),
    relu("residual, groups", [(1, 4, 3, 6), (2, 2, 3, 8), (8,), (1, 3, 2, 8)], groups=2),
    relu("residual, depthwise", [(2, 5, 4, 6), (3, 2, 1, 6), (6,), (2, 3, 3, 6)], groups=6),
    *(
        relu(
            f"residual, relu, planar, {oc}",
            [(2, 5, 53, 2), (3, 2, 2, oc), (oc,), (2, 5, 53, oc)],
            padding="same",
            algorithm="planar",
        )
        for oc in (7, 19)
    ),
    relu("residual, relu, rows", [(2, 5, 4, 3), (3, 2, 3, 7), (7,), (2, 5, 4, 7)], padding="same", algorithm="rows"),
    Case(
        "residual, winograd",
        [(2, 5, 4, 6), (3, 3, 6, 7), (7,), (2, 5, 4, 7)],
        {"activation": "relu6", "padding": "same", "algorithm": "winograd"},
        tolerance=8,
        numeric=False,  # a kink is near
        min_nonzero=0.2,
    ),
    relu("relu, deep", [(1, 2, 3, 500), (2, 2, 500, 33), (33,)], padding="same"),
    *activated([(2, 4, 5, 12), (3, 2, 4, 12), (12,)], "grouped", groups=3),
    relu(
        "residual, relu, grouped", [(2, 5, 17, 24), (3, 3, 4, 24), (24,), (2, 3, 15, 24)], groups=6, algorithm="grouped"
    ),
    relu("relu, groups", [(1, 4, 3, 6), (2, 2, 3, 8), (8,)], groups=2),
]

DENSE = [
    Case("bias", [(3, 5), (5, 4), (4,)], exact=True),
    Case("no bias", [(3, 5), (5, 4), None], exact=True),
    Case("one of everything", [(1, 1), (1, 1), (1,)], exact=True),
    Case("one row", [(1, 70), (70, 100), (100,)], exact=True),
    Case("few rows, wide", [(3, 300), (300, 70), (70,)], exact=True),
    relu("few rows, wide, relu", [(4, 517), (517, 97), (97,)]),
    Case("one column", [(37, 19), (19, 1), (1,)], exact=True),
    Case("depth 1", [(9, 1), (1, 33), (33,)], exact=True),
    Case("images", [(2, 3, 4, 7), (7, 15), (15,)], exact=True),
    Case("deeper than one block", [(5, 1700), (1700, 18), (18,)], exact=True),
    Case("many rows", [(300, 6), (6, 10), (10,)], exact=True),
    Case("many rows, two strips of columns", [(1100, 20), (20, 70), (70,)], exact=True),
    Case("no depth", [(3, 0), (0, 4), (4,)], exact=True, numeric=False),  # nothing to differentiate by
    Case("no rows", [(0, 6), (6, 10), (10,)], exact=True, min_nonzero=0),
    *(Case(f"{k} to {m}", [(15, k), (k, m), (m,)], exact=True) for k, m in WIDTHS),
    *activated([(6, 5), (5, 9), (9,)]),
    relu("relu, deep", [(5, 1700), (1700, 18), (18,)]),
]

MATMUL = [
    Case(
        f"{name}{', a turned' if ta else ''}{', b turned' if tb else ''}",
        [(*la, k, m) if ta else (*la, m, k), (*lb, n, k) if tb else (*lb, k, n)],
        {"transpose_a": ta, "transpose_b": tb},
        exact=True,
    )
    for name, la, lb, m, k, n in [
        ("matrices", (), (), 5, 7, 4),
        ("wide", (), (), 3, 40, 70),
        ("deep", (), (), 2, 900, 3),
        ("batches", (4,), (4,), 3, 5, 6),
        ("more batches", (2, 5), (2, 5), 2, 3, 2),
        ("one a for all", (), (6,), 3, 4, 5),
        ("one b for all", (2, 3), (), 3, 4, 5),
        ("both repeated", (3, 1), (1, 2), 4, 3, 5),
        ("ranks apart", (2, 1, 3), (4, 1), 2, 3, 2),
    ]
    for ta in (False, True)
    for tb in (False, True)
] + [
    Case("vector times matrix", [(5,), (5, 4)], exact=True),
    Case("matrix times vector", [(3, 5), (5,)], exact=True),
    Case("vector times vector", [(7,), (7,)], exact=True),
    Case("vector times batches", [(5,), (3, 5, 4)], exact=True),
    Case("batches times vector", [(2, 3, 5), (5,)], exact=True),
    Case("turned batches times vector", [(2, 5, 3), (5,)], {"transpose_a": True}, exact=True),
]

CASES = {"conv": CONV2D, "dense": DENSE, "matmul": MATMUL}
