"""Images of more or less contrast."""

from __future__ import annotations

from typing import Any

from ...ops._apply import apply
from .base import Augmentation, clip_to_range, factors, per_pixel, value_range_of

__all__ = ["RandomContrast"]


class RandomContrast(Augmentation):
    """In training, multiplies the differences of each image's channels from their means by a factor.

    Args:
        factor: Two numbers `(lower, upper)`, or one for upper, lower being 0: the factor is drawn from `1 - lower` to
            `1 + upper`; 0 to 1, or of two -1 to 1.
        value_range: Lowest and highest number that pixels have; the result is clipped to it.
        seed: Integer or `None`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> layer = cconv.layers.RandomContrast((0.5, 0.5))
    >>> y = layer(np.array([[[100.0], [140.0]]])).ravel()
    >>> bool(y.mean().round() == 120 and 20 <= y[1] - y[0] <= 60)
    True
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        self.factor = factors(factor, "factor", -1 if isinstance(factor, (list, tuple)) else 0, 1)
        self.value_range = value_range_of(value_range)

    def get_random_transformation(self, images):
        low, high = self.factor
        return self.uniform(images, 1.0 - low, 1.0 + high)

    def transform_images(self, images, transformation):
        mean = apply("mean", [images], {"axes": [1, 2], "keepdims": True})
        changed = (images - mean) * per_pixel(transformation) + mean
        return clip_to_range(changed, self.value_range)

    _told = ("factor", "value_range", "seed")
