"""Pixels by how many others are darker: of a whole image, or of the part around."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...ops._apply import apply, shape_of
from ...ops.arguments import number, pair, whole
from ...ops.image.batch import sides_of
from ...ops.tensors import cast
from .base import Augmentation, clip_to_range, value_range_of

__all__ = ["ContrastLimitedAdaptiveHistogramEqualization", "Equalization"]

_LEVELS = 256


class Equalization(Augmentation):
    """In training, spreads the values of each channel of each image, so that all of them are about as frequent.

    A pixel becomes the share of the channel's pixels that are not brighter, in 256 steps, the darkest ones becoming
    the lowest. In Keras 3.15 the images of a batch share a histogram; here each has its own, as if it came alone.

    Args:
        value_range: Lowest and highest number that pixels have.
        bins: How many values are told apart.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first, `h` and `w` known; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32; a channel of one value stays as it is.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.Equalization()(np.array([[[10.0], [10.0], [11.0], [12.0]]])).ravel().tolist()
    [0.0, 0.0, 128.0, 255.0]
    """

    def __init__(self, value_range: Any = (0, 255), bins: int = 256, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = list(value_range_of(value_range))
        self.bins = whole(bins, "bins", 2)

    def transform_images(self, images, transformation):
        h, w = sides_of(images, f"Layer '{self.name}'")
        low, high = self.value_range
        channels = apply("transpose", [images], {"axes": [0, 3, 1, 2]})
        lines = apply("reshape", [channels], {"shape": [-1, h * w]})
        bins = _bins(lines, self.value_range, self.bins)
        darker = apply("cumsum", [_histograms(bins, self.bins)], {"axis": -1})
        absent = apply("equal", [darker, 0.0])
        first = apply("where", [absent, float(h * w), darker])
        first = apply("min", [first], {"axes": [-1], "keepdims": True})
        others = float(h * w) - first
        flat = apply("equal", [others, 0.0])
        share = apply("maximum", [darker - first, 0.0]) / apply("where", [flat, 1.0, others])
        levels = apply("round", [share * 255.0])
        found = apply("take_along_axis", [levels, bins], {"axis": -1}) * ((high - low) / 255) + low
        found = apply("reshape", [apply("where", [flat, lines, found])], {"shape": [-1, shape_of(images)[3], h, w]})
        return apply("transpose", [found], {"axes": [0, 2, 3, 1]})

    _told = ("bins", "value_range")


class ContrastLimitedAdaptiveHistogramEqualization(Augmentation):
    """Spreads the values of each channel by what is around each pixel, in training and out of it: CLAHE.

    The image is cut into tiles, each with a histogram of 256 values. What a value counts above a limit is shared out
    among all values. A pixel becomes the share of pixels that are not brighter, between those of the four tiles whose
    corners are next to it. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994.

    Args:
        value_range: Lowest and highest number that pixels have.
        clip_limit: The limit, as a multiple of what a value counts where all are as frequent; rounded down to pixels.
            At 0 pixels nothing is spread.
        tile_grid_size: `(rows, columns)` of tiles. An image that they do not divide is continued by its last pixels.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)`, or with channels first, `h` and `w` known; or a dictionary with such `"images"`.

    Output shape:
        The same, as float32 (in Keras of the type of the images).

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> clahe = cconv.layers.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=1000, tile_grid_size=(1, 1))
    >>> clahe(np.array([[[10.0], [20.0], [20.0], [30.0]]])).ravel().tolist()
    [63.75, 191.25, 191.25, 255.0]
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: tuple[int, int] = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range_of(value_range)
        self.clip_limit = number(clip_limit, "clip_limit", 0)
        self.tile_grid_size = pair(tile_grid_size, "tile_grid_size")

    def untransformed(self, images):
        return self.transform_images(images, None)

    def transform_images(self, images, transformation):
        h, w = sides_of(images, f"Layer '{self.name}'")
        (rows, columns), c = self.tile_grid_size, shape_of(images)[3]
        height, width = math.ceil(h / rows), math.ceil(w / columns)
        bins = _bins(images, self.value_range, _LEVELS)
        bins = apply("transpose", [bins], {"axes": [0, 3, 1, 2]})
        pads = [0, 0, 0, 0, 0, 0, rows * height - h, columns * width - w]
        tiles = apply("pad", [cast(bins, "float32")], {"pads": pads, "mode": "edge"}) if any(pads) else bins
        tiles = apply("reshape", [tiles], {"shape": [-1, rows, height, columns, width]})
        tiles = apply("transpose", [tiles], {"axes": [0, 1, 3, 2, 4]})
        tiles = apply("reshape", [cast(tiles, "int32")], {"shape": [-1, height * width]})
        curves = apply("reshape", [_curves(tiles, int(self.clip_limit * height * width / _LEVELS))], {"shape": [-1]})
        first = apply("reshape", [bins[:, :, :1, :1] * 0 + 1], {"shape": [-1]})  # of each channel of each sample
        first = (apply("cumsum", [first], {"axis": 0}) - 1) * (rows * columns * _LEVELS)
        first = apply("reshape", [first], {"shape": [-1, c, 1, 1]})
        total = None
        for tile_rows, row_shares in _neighbours(h, height, rows):
            for tile_columns, column_shares in _neighbours(w, width, columns):
                tile = (tile_rows[:, None] * columns + tile_columns) * _LEVELS
                values = apply("take", [curves, bins + first + tile.astype(np.int32)], {"axis": 0})
                part = apply("multiply", [values, row_shares[:, None] * column_shares])
                total = part if total is None else total + part
        low, high = self.value_range
        found = clip_to_range(total * float(high - low) + low, self.value_range)
        return apply("transpose", [found], {"axes": [0, 2, 3, 1]})

    _told = ("value_range", "clip_limit", "tile_grid_size")


def _bins(images: Any, value_range: Any, count: int) -> Any:
    """The number of each pixel's bin, 0 to `count - 1`."""
    low, high = value_range
    share = apply("clip", [(images - low) * (1 / (high - low))], {"minimum": 0.0, "maximum": 1.0})
    return cast(apply("floor", [share * float(count - 1)]), "int32")


def _histograms(bins: Any, count: int) -> Any:
    """How often each of `count` numbers is in each line of `(lines, m)`: `(lines, count)`."""
    none = bins[:, :1] * 0
    line = apply("cumsum", [none + 1], {"axis": 0}) - 1
    places = apply("reshape", [bins + line * count], {"shape": [-1]})
    start = apply("reshape", [none + np.zeros(count, np.int32)], {"shape": [-1]})
    found = apply("scatter_update", [start, places, places * 0 + 1], {"reduction": "add"})
    return cast(apply("reshape", [found], {"shape": [-1, count]}), "float32")


def _curves(tiles: Any, limit: int) -> Any:
    """The share, 0 to 1, that each value of tiles `(tiles, pixels)` becomes, `(tiles, 256)`."""
    counts = _histograms(tiles, _LEVELS)
    kept = apply("minimum", [counts, float(limit)])
    shared = apply("mean", [counts - kept], {"axes": [-1], "keepdims": True})
    darker = apply("cumsum", [kept + shared], {"axis": -1})
    first, last = darker[:, :1], darker[:, -1:]
    spread = last - first
    return (darker - first) / apply("where", [apply("equal", [spread, 0.0]), 1.0, spread])


def _neighbours(size: int, length: int, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Along an axis of `count` tiles of some length: the tile before each cell and its share, and those behind."""
    place = np.arange(size) / length - 0.5
    before = np.floor(place)
    share = (place - before).astype(np.float32)
    tiles = [np.clip(before + k, 0, count - 1).astype(np.int32) for k in range(2)]
    return [(tiles[0], 1 - share), (tiles[1], share)]
