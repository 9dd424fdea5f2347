"""What layers that change images have in common: batches, single images, dictionaries with labels, boxes and masks."""

from __future__ import annotations

import functools
from typing import Any

from ...ops._apply import apply, shape_of
from ...ops.arguments import is_integer
from ...ops.image.batch import as_batch
from ...ops.random import draw
from ...ops.tensors import cast
from ...seeds import SeedGenerator
from ..image_data import ImageDataLayer


class Augmentation(ImageDataLayer):
    """A layer that changes images, and what belongs to them, in training.

    In a model it changes each sample by numbers of its own, drawn anew in every step; called on arrays it does so
    unless `training=False` is given. The data may be images, or a dictionary with `"images"` and, as there are,
    `"labels"`, `"bounding_boxes"` (`{"boxes": (n, m, 4), "labels": (n, m)}`) and `"segmentation_masks"`.

    Args:
        seed: Integer or `None`, by which the numbers are drawn.
        data_format: `"channels_last"` or `"channels_first"`.
        bounding_box_format: That of boxes: see `cconv.utils.bounding_boxes`.
    """

    def __init__(
        self,
        seed: int | None = None,
        data_format: str | None = None,
        bounding_box_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, bounding_box_format, **kwargs)
        if seed is not None and not is_integer(seed):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed!r}")
        self.seed = seed
        self._generator = SeedGenerator(seed)
        self.built = True

    # ---- to be written by subclasses; images are float32 (n, h, w, c), boxes xyxy

    def get_random_transformation(self, images: Any) -> Any:
        """Draws what is done to these images."""
        return None

    def transform_images(self, images: Any, transformation: Any) -> Any:
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `transform_images()` method.")

    def untransformed(self, images: Any) -> Any:
        """The images where nothing is drawn: not in training."""
        return images

    def transform_labels(self, labels: Any, transformation: Any) -> Any:
        return labels

    def transform_segmentation_masks(self, masks: Any, transformation: Any) -> Any:
        return masks

    def transform_boxes(self, boxes: Any, transformation: Any, size: tuple[int, int]) -> Any:
        return boxes

    # ---- the call

    def call(self, data, training=True):
        given = self.given(data)
        images, back = as_batch(given["images"], self.data_format)
        images = cast(images, "float32")
        drawn = self.get_random_transformation(images) if training else None
        changed = self._apply_to(given, images, back, drawn, training)
        return {**given, **changed} if isinstance(data, dict) else changed["images"]

    def _apply_to(self, given: dict[str, Any], images: Any, back: Any, drawn: Any, training: bool) -> dict[str, Any]:
        if not training:
            return self._apply_untrained(given, images, back)
        found = {"images": back(self.transform_images(images, drawn))}
        if "labels" in given:
            found["labels"] = self.transform_labels(given["labels"], drawn)
        if "segmentation_masks" in given:
            masks, masks_back = as_batch(given["segmentation_masks"], self.data_format)
            found["segmentation_masks"] = masks_back(self.transform_segmentation_masks(cast(masks, "float32"), drawn))
        if "bounding_boxes" in given:
            boxes, size = given["bounding_boxes"], shape_of(images)[1:3]
            found["bounding_boxes"] = self._boxes(boxes, drawn, size, shape_of(found["images"]))
        return found

    def _apply_untrained(self, given: dict[str, Any], images: Any, back: Any) -> dict[str, Any]:
        return {"images": back(self.untransformed(images))}

    def _boxes(self, boxes: dict[str, Any], drawn: Any, size: Any, shape: Any) -> dict[str, Any]:
        if type(self).transform_boxes is Augmentation.transform_boxes:
            return boxes  # nothing moves
        move = functools.partial(self.transform_boxes, transformation=drawn, size=size)
        return self.moved_boxes(boxes, size, self.sides_of_images(shape), move)

    # ---- what subclasses draw

    def uniform(self, images: Any, low: float = 0.0, high: float = 1.0, count: int = 1) -> Any:
        """`(n, count)` numbers from `low` to `high`."""
        if low == high:
            ones = draw("uniform", (None, count), self._generator, like=images) * 0.0
            return ones + low
        return draw("uniform", (None, count), self._generator, like=images) * (high - low) + low

    def chance(self, images: Any, factor: tuple[float, float]) -> Any:
        """`(n, 1)`: 1 for samples to be changed, else 0; the probability is drawn of a range."""
        below = apply("less", [self.uniform(images), self.uniform(images, *factor)])
        return cast(below, "float32")

    def sign(self, images: Any) -> Any:
        """`(n, 1)`: 1 or -1."""
        return 1.0 - 2.0 * cast(apply("less", [self.uniform(images), 0.5]), "float32")

    # ---- configuration

    def get_config(self):
        config = super().get_config()
        if "seed" in self._told:
            config["seed"] = self.seed
        return {**config, **{name: getattr(self, name) for name in self._told if name != "seed"}}

    #: the arguments of a class that its configuration holds besides
    _told: tuple[str, ...] = ("seed",)


def factors(value: Any, name: str, least: float, most: float, both: bool = False) -> tuple[float, float]:
    """A range `(lower, upper)` of one number f, `(0, f)` or with `both` `(-f, f)`, or of two.

    Raises:
        ValueError: It is something else, or not within `least` to `most`.
    """
    pair = value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        pair = (-abs(value) if both else 0, abs(value))
    good = isinstance(pair, (list, tuple)) and len(pair) == 2
    good = good and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in pair)
    if not good or not all(least <= v <= most for v in ([value] if pair is not value else pair)):
        raise ValueError(
            f"The `{name}` argument should be a number (or a list of two numbers) in the range [{least}, {most}]. "
            f"Received: {name}={value}"
        )
    low, high = sorted(pair)
    return low, high


def symmetric_factors(value: Any, name: str) -> tuple[float, float]:
    """Like `factors` from 0 to 1, but a number f becomes `(-f, f)`, as Keras has it for some layers."""
    if isinstance(value, (list, tuple)) and len(value) == 2 and value[0] == -value[1]:
        value = value[1]  # as a configuration has it
    low, high = factors(value, name, 0, 1)
    return (low, high) if isinstance(value, (list, tuple)) else (-high, high)


def value_range_of(value: Any) -> tuple[float, float]:
    """Two numbers, the lower first.

    Raises:
        ValueError: They are not.
    """
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError(f"The `value_range` argument should be a list of two numbers. Received: value_range={value}")
    low, high = sorted(value)
    return low, high


def per_pixel(values: Any) -> Any:
    """`(n, 1)` -> `(n, 1, 1, 1)`"""
    return apply("reshape", [values], {"shape": [-1, 1, 1, 1]})


def clip_to_range(images: Any, value_range: tuple[float, float]) -> Any:
    low, high = value_range
    return apply("clip", [images], {"minimum": float(low), "maximum": float(high)})
