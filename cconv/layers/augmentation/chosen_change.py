"""One change of several for each sample, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...ops._apply import apply, is_at_hand
from ...ops.rounding import floor
from .base import Augmentation, per_pixel
from .equalization import Equalization
from .geometric import Geometric, boxes_through, inverse
from .random_brightness import RandomBrightness
from .random_color import RandomColorDegeneration
from .random_contrast import RandomContrast
from .random_levels import AutoContrast, RandomPosterization, Solarization
from .random_rotation import RandomRotation
from .random_sharpness import RandomSharpness
from .random_shear import RandomShear
from .random_translation import RandomTranslation

_AS_IT_IS = np.array([[1, 0, 0, 0, 1, 0, 0, 0]], np.float32)


def changes(
    factor: tuple[float, float], value_range: Any, interpolation: str, seed: int | None, everything: bool = True
) -> list[Augmentation]:
    """The layers that RandAugment and AugMix choose from, each of a strength drawn from `factor`.

    Args:
        factor: Lower and upper strength, 0 to 1.
        value_range: Lowest and highest number that pixels have.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: Integer or `None`.
        everything: Whether brightness, colour, contrast and sharpness are among them.
    """
    bits = max(1, int(8 * factor[1]))
    moved, valued = {"interpolation": interpolation}, {"value_range": value_range}
    found: list[tuple[Any, dict[str, Any]]] = [
        (RandomShear, {"x_factor": factor, "y_factor": factor, **moved}),
        (RandomTranslation, {"height_factor": factor, "width_factor": factor, **moved}),
        (RandomRotation, {"factor": factor, **moved}),
        (Solarization, {"addition_factor": factor, "threshold_factor": factor, **valued}),
        (RandomPosterization, {"factor": (1, bits), **valued}),
    ]
    if everything:
        kinds = (RandomBrightness, RandomColorDegeneration, RandomContrast, RandomSharpness)
        found += [(kind, {"factor": factor, **valued}) for kind in kinds]
    layers = [make(**settings, seed=None if seed is None else seed + k) for k, (make, settings) in enumerate(found)]
    return [*layers, AutoContrast(**valued), Equalization(**valued)]


class ChosenChange:
    """Which of several layers changes each sample, and by how much: drawn once for images, masks and boxes.

    Args:
        owner: The layer that draws.
        layers: The layers, of which the geometric ones have one way to fill.
        images: `(n, h, w, c)`.
        none: Whether a sample may stay as it is, with the probability of one layer.
    """

    def __init__(self, owner: Augmentation, layers: Sequence[Augmentation], images: Any, none: bool = False) -> None:
        number = floor(owner.uniform(images, 0.0, float(len(layers) + none)))
        self._chosen = [apply("equal", [number, float(k)]) for k in range(len(layers))]
        self._layers = layers
        self._drawn = []
        self._geometric: Geometric | None = None
        self._transform: Any = _AS_IT_IS
        for layer, chosen in zip(layers, self._chosen, strict=True):
            drawn = layer.get_random_transformation(images)
            self._drawn.append(drawn)
            if isinstance(layer, Geometric):
                self._geometric = layer
                self._transform = apply("where", [chosen, drawn, self._transform])

    def images(self, x: Any) -> Any:
        """The images, changed: moved by one transform for all layers that move, then by the others in turns."""
        if self._geometric is not None and self._moves():
            x = self._geometric.transform_images(x, self._transform)
        for layer, chosen, drawn in zip(self._layers, self._chosen, self._drawn, strict=True):
            if not isinstance(layer, Geometric) and _any(chosen):
                x = apply("where", [per_pixel(chosen), layer.transform_images(x, drawn), x])
        return x

    def masks(self, x: Any) -> Any:
        """Label masks, moved as the images are."""
        if self._geometric is None or not self._moves():
            return x
        return self._geometric.transform_segmentation_masks(x, self._transform)

    def boxes(self, x: Any) -> Any:
        """Boxes `(n, m, 4)`, xyxy, moved as the images are."""
        return boxes_through(x, inverse(self._transform))

    def _moves(self) -> bool:
        pairs = zip(self._layers, self._chosen, strict=True)
        return any(_any(chosen) for layer, chosen in pairs if isinstance(layer, Geometric))


def _any(chosen: Any) -> bool:
    """False if it is known that no sample is chosen: then there is nothing to compute."""
    return not is_at_hand(chosen) or bool(np.any(chosen))
