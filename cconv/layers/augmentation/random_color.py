"""Colours changed: hue, saturation, how grey images are."""

from __future__ import annotations

from typing import Any

from ...ops._apply import apply
from ...ops.image.color import channels, grayscale, to_hsv, to_rgb
from ...ops.shapes import concatenate
from .base import Augmentation, clip_to_range, factors, per_pixel, value_range_of

__all__ = ["RandomColorDegeneration", "RandomGrayscale", "RandomHue", "RandomSaturation"]


class RandomHue(Augmentation):
    """In training, turns the hue of each image.

    Args:
        factor: Range of the turn in halves of the colour circle, two numbers `(lower, upper)` or the upper one; 0 to 1.
            It goes one way or the other, with a probability of one half.
        value_range: Lowest and highest number that pixels have.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: Integer or `None`.

    Input shape:
        `(n, h, w, 3)` or `(h, w, 3)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.RandomHue((1.0, 1.0))(np.array([[[255.0, 0.0, 0.0]]])).round().tolist()
    [[[0.0, 255.0, 255.0]]]
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
        self.factor = factors(factor, "factor", 0, 1)
        self.value_range = value_range_of(value_range)

    def get_random_transformation(self, images):
        return self.uniform(images, *self.factor) * self.sign(images) * 0.5

    def transform_images(self, images, transformation):
        low, high = self.value_range
        hue, saturation, value = channels(to_hsv((images - low) * (1 / (high - low))))
        return (
            to_rgb(concatenate([hue + per_pixel(transformation), saturation, value], axis=-1)) * float(high - low) + low
        )

    _told = ("factor", "value_range", "seed")


class RandomSaturation(Augmentation):
    """In training, multiplies the saturation of each image: by `f / (1 - f)`, so that 0 is grey and 0.5 changes nothing.

    Args:
        factor: Range of f, two numbers `(lower, upper)` or one for `(-f, f)`; 0 to 1.
        value_range: Lowest and highest number that pixels have.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: Integer or `None`.

    Input shape:
        `(n, h, w, 3)` or `(h, w, 3)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.RandomSaturation((0.0, 0.0))(np.array([[[255.0, 0.0, 51.0]]])).round().tolist()
    [[[255.0, 255.0, 255.0]]]
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
        low, high = factors(factor, "factor", 0, 1)
        self.factor = (low, high) if isinstance(factor, (list, tuple)) else (-high, high)
        self.value_range = list(value_range_of(value_range))

    def get_random_transformation(self, images):
        factor = self.uniform(images, *self.factor)
        return factor / (1.0 - factor + 1e-7)

    def transform_images(self, images, transformation):
        low, high = self.value_range
        hue, saturation, value = channels(to_hsv((images - low) * (1 / (high - low))))
        saturation = saturation * apply("maximum", [per_pixel(transformation), 0.0])
        return to_rgb(concatenate([hue, saturation, value], axis=-1)) * float(high - low) + low

    _told = ("factor", "value_range", "seed")


class RandomGrayscale(Augmentation):
    """In training, takes the colours from some images; they keep three channels.

    Args:
        factor: The probability, 0 to 1.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: Integer or `None`.

    Input shape:
        `(n, h, w, 3)` or `(h, w, 3)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.RandomGrayscale(1.0)(np.array([[[100.0, 0.0, 0.0]]])).round(1).tolist()
    [[[29.9, 29.9, 29.9]]]
    """

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if not isinstance(factor, (int, float)) or not 0 <= factor <= 1:
            raise ValueError(f"`factor` should be between 0 and 1. Received: factor={factor}")
        self.factor = factor

    def get_random_transformation(self, images):
        return per_pixel(apply("less", [self.uniform(images), float(self.factor)]))

    def transform_images(self, images, transformation):
        return apply("where", [transformation, grayscale(images), images])

    _told = ("factor",)


class RandomColorDegeneration(Augmentation):
    """In training, mixes each image with its grey version.

    Args:
        factor: Range of the share of grey, two numbers `(lower, upper)` or one for `(-f, f)`; 0 to 1.
        value_range: Lowest and highest number that pixels have; the result is clipped to it.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: Integer or `None`.

    Input shape:
        `(n, h, w, 3)` or `(h, w, 3)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.RandomColorDegeneration((0.5, 0.5))(np.array([[[100.0, 0.0, 0.0]]])).round(1).tolist()
    [[[64.9, 14.9, 14.9]]]
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
        low, high = factors(factor, "factor", 0, 1)
        self.factor = (low, high) if isinstance(factor, (list, tuple)) else (-high, high)
        self.value_range = list(value_range_of(value_range))

    def get_random_transformation(self, images):
        return self.uniform(images, *self.factor)

    def transform_images(self, images, transformation):
        mixed = images + per_pixel(transformation) * (grayscale(images) - images)
        return clip_to_range(mixed, self.value_range)

    _told = ("factor", "value_range", "seed")
