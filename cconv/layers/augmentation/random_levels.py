"""Pixels by a curve of their own values: inverted, of fewer levels, bright ones inverted, stretched."""

from __future__ import annotations

from typing import Any

from ...ops._apply import apply
from ...ops.arguments import is_integer
from ...ops.powers import power
from ...ops.rounding import floor
from .base import Augmentation, clip_to_range, factors, per_pixel, value_range_of

__all__ = ["AutoContrast", "RandomInvert", "RandomPosterization", "Solarization"]


class RandomInvert(Augmentation):
    """In training, turns some images into their negatives.

    Args:
        factor: Range that the probability is drawn from, two numbers `(lower, upper)` or the upper one; 0 to 1.
        value_range: Lowest and highest number that pixels have.
        seed: Integer or `None`.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.RandomInvert((1.0, 1.0))(np.array([[[100.0]]])).tolist()
    [[[155.0]]]
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factors(factor, "factor", 0, 1)
        self.value_range = value_range_of(value_range)

    def get_random_transformation(self, images):
        return per_pixel(self.chance(images, self.factor))

    def transform_images(self, images, transformation):
        low, high = self.value_range
        return apply("where", [apply("greater", [transformation, 0.5]), float(low + high) - images, images])

    _told = ("factor", "value_range", "seed")


class RandomPosterization(Augmentation):
    """In training, leaves each image only as many levels as some bits tell apart.

    Args:
        factor: Range of the number of bits, two integers `(lower, upper)` or the upper one; 1 to 8. The upper one is
            not drawn, unless it is the lower one, too.
        value_range: Lowest and highest number that pixels have.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: Integer or `None`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.RandomPosterization((2, 2))(np.array([[[100.0], [200.0]]])).ravel().tolist()
    [64.0, 192.0]
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        pair = (1, factor) if is_integer(factor) else factor
        good = isinstance(pair, (list, tuple)) and len(pair) == 2 and all(is_integer(v) and 1 <= v <= 8 for v in pair)
        if not good:
            raise ValueError(
                "The `factor` argument should be a number (or a list of two numbers) in the range [1, 8]. "
                f"Received: factor={factor}"
            )
        low, high = sorted(pair)
        self.factor = (low, high)
        self.value_range = list(value_range_of(value_range))

    def get_random_transformation(self, images):
        low, high = self.factor
        bits = (
            floor(self.uniform(images, float(low), float(max(high, low + 1))))
            if low < high
            else self.uniform(images, low, low)
        )
        return per_pixel(power(2.0, 8.0 - bits))

    def transform_images(self, images, transformation):
        low, high = self.value_range
        levels = apply("floor", [(images - low) * (255 / (high - low))])
        fewer = apply("floor", [levels / transformation]) * transformation
        return fewer * ((high - low) / 255) + low

    _told = ("factor", "value_range", "seed")


class Solarization(Augmentation):
    """In training, makes each image lighter, and turns what is not darker than a threshold into its negative.

    Args:
        addition_factor: The most that is added, as a share of the `value_range`, 0 to 1: what is added is drawn from 0
            up to it. Of two numbers the larger counts, as in Keras.
        threshold_factor: The highest threshold, likewise.
        value_range: Lowest and highest number that pixels have.
        seed: Integer or `None`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.Solarization()(np.array([[[100.0], [0.0]]])).ravel().tolist()
    [155.0, 255.0]
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.addition_factor = factors(addition_factor, "addition_factor", 0, 1)
        self.threshold_factor = factors(threshold_factor, "threshold_factor", 0, 1)
        self.value_range = list(value_range_of(value_range))

    def get_random_transformation(self, images):
        pairs = (self.addition_factor, self.threshold_factor)
        return [per_pixel(self.uniform(images, 0.0, 255.0 * most)) for _, most in pairs]

    def transform_images(self, images, transformation):
        low, high = self.value_range
        addition, threshold = transformation
        lighter = apply("clip", [(images - low) * (255 / (high - low)) + addition], {"minimum": 0.0, "maximum": 255.0})
        changed = apply("where", [apply("less", [lighter, threshold]), lighter, 255.0 - lighter])
        return changed * ((high - low) / 255) + low

    _told = ("value_range", "addition_factor", "threshold_factor", "seed")


class AutoContrast(Augmentation):
    """Stretches each channel of each image to the whole range of values.

    Args:
        value_range: Lowest and highest number that pixels have.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32; a channel of one value stays as it is.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.AutoContrast()(np.array([[[100.0], [110.0], [120.0]]])).ravel().tolist()
    [0.0, 127.5, 255.0]
    """

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = list(value_range_of(value_range))

    def untransformed(self, images):
        return self.transform_images(images, None)

    def transform_images(self, images, transformation):
        low, high = self.value_range
        least, most = (apply(op, [images], {"axes": [1, 2], "keepdims": True}) for op in ("min", "max"))
        flat = apply("equal", [least, most])
        stretched = (images - least) * ((high - low) / apply("where", [flat, 1.0, most - least])) + low
        return clip_to_range(apply("where", [flat, images, stretched]), self.value_range)

    _told = ("value_range",)
