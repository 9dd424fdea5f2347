"""Brightness, contrast, saturation and hue at once."""

from __future__ import annotations

from typing import Any

from .base import Augmentation, value_range_of
from .random_brightness import RandomBrightness
from .random_color import RandomHue, RandomSaturation
from .random_contrast import RandomContrast

__all__ = ["RandomColorJitter"]


class RandomColorJitter(Augmentation):
    """In training, changes each image's brightness, contrast, saturation and hue, in that order.

    Args:
        value_range: Lowest and highest number that pixels have.
        brightness_factor: As `factor` of `RandomBrightness`; `None`: not changed.
        contrast_factor: As `factor` of `RandomContrast`; `None`: not changed.
        saturation_factor: As `factor` of `RandomSaturation`; `None`: not changed.
        hue_factor: As `factor` of `RandomHue`; `None`: not changed.
        seed: Integer or `None`.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(n, h, w, 3)` or `(h, w, 3)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.RandomColorJitter(brightness_factor=(0.2, 0.2))(np.array([[[100.0, 250.0, 0.0]]])).tolist()
    [[[151.0, 255.0, 51.0]]]
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = value_range_of(value_range)
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        parts = (
            (RandomBrightness, brightness_factor),
            (RandomContrast, contrast_factor),
            (RandomSaturation, saturation_factor),
            (RandomHue, hue_factor),
        )
        self._parts = tuple(
            make(factor, value_range=value_range, seed=None if seed is None else seed + k)
            for k, (make, factor) in enumerate(parts)
            if factor is not None
        )

    def get_random_transformation(self, images):
        return [part.get_random_transformation(images) for part in self._parts]

    def transform_images(self, images, transformation):
        for part, drawn in zip(self._parts, transformation, strict=True):
            images = part.transform_images(images, drawn)
        return images

    _told = ("value_range", "brightness_factor", "contrast_factor", "saturation_factor", "hue_factor", "seed")
