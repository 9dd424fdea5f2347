"""What a network has inside: the filters of a layer, and the maps it makes of an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from .figure import Picture, as_images, grid, show_image, styled
from .tracing import activations, layer_of


def filters(model: Any, layer: Any = None, count: int = 64, columns: int | None = None) -> Picture:
    """The filters of a convolution, as small images: in colours for three input channels, else channel by channel.

    Args:
        model: A model.
        layer: A two-dimensional convolution of it, or its name; by default the first.
        count: How many to show at most.
        columns: Filters in a row.

    Returns:
        A figure. Each filter is scaled to its own range; of more than three input channels the mean is shown in blue
        (negative) and red (positive).

    Raises:
        ValueError: There is no such layer, or it has no such kernel.

    Example:

    >>> model = cconv.Sequential([cconv.Input((8, 8, 3)), cconv.layers.Conv2D(4, 3)])
    >>> len(cconv.visualization.filters(model).axes)
    4
    """
    if layer is None:
        layer = next((part for part in model._flatten_layers() if _kernel(part) is not None), None)
        if layer is None:
            raise ValueError(f"Model '{model.name}' has no two-dimensional convolution that is built.")
    layer = layer_of(model, layer)
    kernel = _kernel(layer)
    if kernel is None:
        raise ValueError(
            f"Layer '{layer.name}' has no kernel of shape (h, w, in, out), as Conv2D has once it is built."
        )
    if type(layer).__name__ == "DepthwiseConv2D":
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    shown = min(count, kernel.shape[3])
    with styled():
        told = f"{layer.name}: {shown} of {kernel.shape[3]} filters, {kernel.shape[0]}x{kernel.shape[1]}"
        figure, axes = grid(shown, columns, 0.75, told if shown > 5 else layer.name)
        for i, ax in enumerate(axes):
            part = kernel[..., i]
            if part.shape[2] == 3:
                show_image(ax, (part - part.min()) / (np.ptp(part) or 1.0))
            else:
                mean = part.mean(2)
                limit = np.abs(mean).max() or 1.0
                ax.imshow(mean, cmap="RdBu_r", vmin=-limit, vmax=limit)
    return figure


def _kernel(layer: Any) -> np.ndarray | None:
    kernel = getattr(layer, "kernel", None)
    return kernel.numpy() if kernel is not None and len(kernel.shape) == 4 else None


def feature_maps(model: Any, image: Any, layer: Any = None, count: int = 32, columns: int | None = None) -> Picture:
    """The channels that a layer makes of one image.

    Args:
        model: A model of images.
        image: One image `(h, w, c)`, as the model takes it.
        layer: A layer of the model (also inside of a model in it) or its name; by default the last that gives maps.
        count: How many channels to show at most: the strongest ones, in their order.
        columns: Maps in a row.

    Returns:
        A figure: the image, then the maps.

    Raises:
        ValueError: There is no such layer, or it gives no maps `(n, h, w, c)`.

    Example:

    >>> model = cconv.Sequential([cconv.Input((8, 8, 1)), cconv.layers.Conv2D(4, 3, name="first")])
    >>> len(cconv.visualization.feature_maps(model, np.ones((8, 8, 1)), "first").axes)
    5
    """
    images = as_images(image, "image")
    if len(images) != 1:
        raise ValueError(f"Expected one image. Received: {len(images)}")
    layer, maps = activations(model, images, layer)
    strength = maps[0].std((0, 1))
    chosen = np.sort(np.argsort(-strength, kind="stable")[:count])
    with styled():
        told = f"{layer.name}: {len(chosen)} of {maps.shape[3]} maps, {maps.shape[1]}x{maps.shape[2]}"
        figure, axes = grid(len(chosen) + 1, columns, 1.1, told)
        show_image(axes[0], images[0])
        axes[0].set_title("image", fontsize=8)
        for ax, channel in zip(axes[1:], chosen, strict=True):
            ax.imshow(maps[0, :, :, channel], cmap="viridis")
            ax.set_title(str(channel), fontsize=7, fontweight="normal", pad=2)
    return figure
