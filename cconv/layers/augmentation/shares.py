"""Shares that sum to 1, drawn: of two images, of several chains."""

from __future__ import annotations

from typing import Any

from ...ops._apply import apply
from ...ops.random import draw
from ...ops.tensors import cast
from .base import Augmentation

_ATTEMPTS = 8  # each succeeds for 95 % or more


def drawn_shares(owner: Augmentation, images: Any, alpha: Any, count: int) -> Any:
    """`(n, count)` numbers of the distribution Dirichlet(alpha, .., alpha); of two the first one is Beta(alpha, alpha).

    They are numbers of the gamma distribution over their sum: Marsaglia and Tsang, "A simple method for generating
    gamma variables", ACM Transactions on Mathematical Software 26, 2000, for `alpha + 1`, times `u^(1/alpha)` (section
    6 there), all in logarithms, since of a small alpha most numbers vanish.

    Args:
        owner: The layer that draws.
        images: `(n, h, w, c)`.
        alpha: Number above 0, or `(n, 1)`.
        count: How many shares.
    """
    shape = {"shape": [-1, count, _ATTEMPTS]}
    normal = draw("normal", (None, count * _ATTEMPTS), owner._generator, like=images)
    normal = apply("reshape", [normal], shape)
    uniform = apply("reshape", [owner.uniform(images, 1e-30, 1.0, count * _ATTEMPTS)], shape)
    d = alpha + 2 / 3
    if not isinstance(d, float):
        d = apply("reshape", [d], {"shape": [-1, 1, 1]})
    c = 1.0 / (3.0 * (d**0.5 if isinstance(d, float) else apply("sqrt", [d])))
    root = normal * c + 1.0
    cube = apply("maximum", [root * root * root, 1e-30])
    logarithm = apply("log", [cube])
    below = normal * normal * 0.5 + d * (1.0 - cube + logarithm)
    good = apply("less", [apply("log", [uniform]), below])
    good = apply("where", [apply("greater", [root, 0.0]), cast(good, "int32"), 0])
    first = apply("argmax", [good], {"axis": -1, "keepdims": True})
    gamma = apply("squeeze", [apply("take_along_axis", [logarithm, first], {"axis": -1})], {"axes": [-1]})
    return apply("softmax", [gamma + apply("log", [owner.uniform(images, 1e-30, 1.0, count)]) / alpha])
