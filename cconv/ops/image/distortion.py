"""Images looked up at any places: between their cells, and beyond their edges."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...tensor import Value
from .._apply import apply, is_eager, shape_of
from ..arguments import number
from ..arithmetic import mod
from ..comparison import logical_and
from ..operation import operation
from ..random import check_seed, draw
from ..tensors import cast, ones_like
from .batch import as_batch, like, sides_of
from .filters import along_both, gaussian
from .resizing import check_interpolation
from .transforms import FILL_MODES

__all__ = ["elastic_transform", "map_coordinates"]

_FAR = 1e9  # beyond it places would not be int32


def check_fill_mode(fill_mode: Any) -> str:
    """The way to fill what lies outside.

    Raises:
        ValueError: There is no such one.
    """
    if fill_mode not in FILL_MODES:
        raise ValueError(
            f"Invalid value for argument `fill_mode`. Expected one of {FILL_MODES}. Received: fill_mode={fill_mode}"
        )
    return fill_mode


@operation("inputs", "coordinates", module="image")
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Value:
    """What a tensor has at places given by their coordinates.

    Gradients flow to the tensor and, with `order=1`, to the coordinates.

    Args:
        inputs: Tensor of known shape, of any rank r from 1 on.
        coordinates: `(r, ...)`, or r tensors of one shape: where to look along each axis.
        order: 0: the nearest cell (of two the one of even number); 1: between cells, linearly along each axis.
        fill_mode: What stands outside of a row `a b c d`: `"constant"`: `fill_value`; `"nearest"`: `a a|a b c d|d d`;
            `"reflect"`: `b a|a b c d|d c`; `"wrap"`: `c d|a b c d|a b`; `"mirror"`: `c b|a b c d|c b`.
        fill_value: Number.

    Returns:
        Tensor of the shape of one axis' coordinates and of the type of `inputs`; whole numbers are rounded.

    Raises:
        ValueError: An argument is out of its range, or a shape does not fit.
        NotImplementedError: `order` is above 1.

    Example:

    >>> cconv.ops.image.map_coordinates(np.array([0.0, 10.0, 20.0]), np.array([[0.5, 1.9, 2.5]]), 1).tolist()
    [5.0, 19.0, 10.0]
    """
    check_fill_mode(fill_mode)
    if order not in (0, 1):
        raise NotImplementedError(f"`map_coordinates` takes an `order` of 0 or 1. Received: order={order}")
    sizes = shape_of(inputs)
    if isinstance(coordinates, (list, tuple)):
        coordinates = list(coordinates) if any(shape_of(c) for c in coordinates) else np.asarray(coordinates)
    if not isinstance(coordinates, list) and len(shape_of(coordinates)) < 2:
        raise ValueError(
            f"Invalid coordinates rank: expected at least rank 2. Received input with shape: {shape_of(coordinates)}"
        )
    count = len(coordinates) if isinstance(coordinates, list) else shape_of(coordinates)[0]
    if count != len(sizes):
        raise ValueError(
            "First dim of `coordinates` must be the same as the rank of `inputs`. "
            f"Received inputs with shape: {sizes} and coordinate leading dim of {count}"
        )
    if None in sizes:
        raise ValueError(f"`map_coordinates` takes a tensor of known shape. Received: inputs.shape={sizes}")
    places = [coordinates[k] for k in range(count)]
    flat = apply("reshape", [cast(inputs, "float32")], {"shape": [-1]})
    steps = [int(np.prod(sizes[k + 1 :])) for k in range(count)]
    return like(_looked_up(flat, places, sizes, steps, order, fill_mode, number(fill_value, "fill_value")), inputs)


@operation("images", module="image")
def elastic_transform(
    images: Any,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Value:
    """Images distorted as if drawn on rubber: each pixel moves by random numbers that vary smoothly.

    Simard, Steinkraus, Platt, "Best practices for convolutional neural networks applied to visual document analysis",
    ICDAR 2003. A pixel moves by about `0.28 * alpha` along each axis (the standard deviation: of `alpha * sigma` times
    normal numbers blurred by `sigma`). Each sample has its own distortion. Gradients flow to the images.

    Args:
        images: Tensor `(n, h, w, c)` or `(h, w, c)`, or with channels first; `h` and `w` known.
        alpha: How far pixels move.
        sigma: Over how many pixels the movement varies.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: What stands outside of the image: see `map_coordinates`.
        fill_value: Number, for `fill_mode="constant"`.
        seed: Integer, `SeedGenerator` or `None`.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Tensor of shape and type of `images`; whole numbers are rounded.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.ops.image.elastic_transform(np.zeros((2, 20, 30, 3)), seed=1).shape
    (2, 20, 30, 3)
    """
    order = 1 if check_interpolation(interpolation, ("nearest", "bilinear")) == "bilinear" else 0
    check_fill_mode(fill_mode)
    number(alpha, "alpha")
    number(sigma, "sigma", 0)
    x, back = as_batch(images, data_format)
    h, w = sides_of(x, "`elastic_transform`")
    weights = gaussian(int(6 * sigma) | 1, sigma)
    moves = along_both(draw("normal", (None, h, w, 2), check_seed(seed), like=x), weights, weights)
    moves = moves * float(alpha * sigma)
    y = warped(cast(x, "float32"), moves[..., 0], moves[..., 1], order, fill_mode, float(fill_value))
    return back(like(y, images))


def warped(x: Any, down: Any, right: Any, order: int, fill_mode: str, fill_value: float) -> Value:
    """Images `(n, h, w, c)` of which each pixel is what lies `down` rows and `right` columns `(n, h, w)` from it."""
    _, h, w, c = shape_of(x)
    rows, columns = np.arange(h, dtype=np.float32)[:, None], np.arange(w, dtype=np.float32)
    first = apply("multiply", [sample_numbers(x), np.int32(h * w)])
    first = apply("reshape", [first], {"shape": [-1, 1, 1]})
    flat = apply("reshape", [x], {"shape": [-1, c]})
    places = [apply("add", [down, rows]), apply("add", [right, columns])]
    return _looked_up(flat, places, (h, w), (w, 1), order, fill_mode, fill_value, first)


def sample_numbers(x: Any) -> Value:
    """`(n,)`: 0, 1, 2 .. for the samples of a batch `(n, h, w, c)`, as int32."""
    if is_eager(x):
        return np.arange(shape_of(x)[0], dtype=np.int32)
    ones = apply("reshape", [ones_like(x[:, :1, :1, :1])], {"shape": [-1]})
    return apply("cumsum", [cast(ones, "int32")], {"axis": 0}) - 1


def _looked_up(
    flat: Any,
    places: Sequence[Any],
    sizes: Sequence[int],
    steps: Sequence[int],
    order: int,
    fill_mode: str,
    fill_value: float,
    first: Any = 0,
) -> Value:
    """Rows of `flat` at places along axes of these sizes, which are `steps` rows apart, from row `first` on."""
    per_axis = [_cells(place, size, order, fill_mode) for place, size in zip(places, sizes, strict=True)]
    several = len(shape_of(flat)) > 1
    total = None
    for cells in itertools.product(*per_axis):
        row, inside, share = first, None, None
        for (cell, within, weight), step in zip(cells, steps, strict=True):
            row = apply("add", [row, apply("multiply", [cell, np.int32(step)])])
            inside = within if inside is None else logical_and(inside, within)
            share = weight if share is None else share * weight
        value = apply("take", [flat, row], {"axis": 0})
        if several:
            inside, share = (None if v is None else apply("expand_dims", [v], {"axis": -1}) for v in (inside, share))
        if inside is not None:
            value = apply("where", [inside, value, float(fill_value)])
        value = value if share is None else apply("multiply", [value, share])
        total = value if total is None else apply("add", [total, value])
    return total


def _cells(place: Any, size: int, order: int, fill_mode: str) -> list[tuple[Any, Any, Any]]:
    """The cells of an axis around a place: their numbers, whether they are inside (`None`: all), their weights."""
    place = apply("clip", [cast(place, "float32")], {"minimum": -_FAR, "maximum": _FAR})
    if order == 0:
        found = [(cast(apply("round", [place]), "int32"), None)]
    else:
        low = apply("floor", [place])
        share = apply("subtract", [place, low])
        low = cast(low, "int32")
        found = [(low, 1.0 - share), (apply("add", [low, np.int32(1)]), share)]
    return [(*_inside(cell, size, fill_mode), weight) for cell, weight in found]


def _inside(cell: Any, size: int, fill_mode: str) -> tuple[Any, Any]:
    """The number of the cell that stands for one that may lie outside, and for `"constant"` whether it does not."""
    if fill_mode == "wrap":
        return mod(cell, np.int32(size)), None
    if fill_mode == "mirror" and size > 1:
        back = mod(cell, np.int32(2 * size - 2))
        return apply("minimum", [back, apply("subtract", [np.int32(2 * size - 2), back])]), None
    if fill_mode == "reflect":
        back = mod(cell, np.int32(2 * size))
        return apply("minimum", [back, apply("subtract", [np.int32(2 * size - 1), back])]), None
    nearest = apply("minimum", [apply("maximum", [cell, np.int32(0)]), np.int32(size - 1)])
    return nearest, apply("equal", [nearest, cell]) if fill_mode == "constant" else None
