"""Where in an image a classifier finds what it sees: Grad-CAM, saliency and occlusion maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .figure import Picture, as_images, bare, class_name, new, show_image, shown, styled
from .tracing import Traced, traced


def grad_cam_heatmap(model: Any, images: Any, class_index: Any = None, layer: Any = None) -> np.ndarray:
    """Grad-CAM: a layer's maps, weighted by how much each raises a class' score (Selvaraju et al., 2017, eq. 1, 2).

    Args:
        model: A classifier of images, which returns `(n, classes)`.
        images: `(n, h, w, c)`, or one image, as the model takes them.
        class_index: A class number for all images or for each; by default the one that is predicted.
        layer: A layer that gives maps `(n, h, w, c)`, also of a model inside; by default the last one.

    Returns:
        `(n, h', w')` of the layer's size, from 0 to 1, float32; all 0 where nothing speaks for the class.

    Raises:
        ValueError: The model is no such classifier, or a layer or class is not there.

    Example:

    >>> model = cconv.Sequential([cconv.Input((8, 8, 1)), cconv.layers.Conv2D(4, 3), cconv.layers.Flatten(),
    ...                           cconv.layers.Dense(2, activation="softmax")])
    >>> cconv.visualization.grad_cam_heatmap(model, np.ones((3, 8, 8, 1))).shape
    (3, 6, 6)
    """
    return _cam(traced(model, as_images(images), class_index, layer))


def _cam(run: Traced) -> np.ndarray:
    weights = run.gradients.mean((1, 2), keepdims=True)
    maps = np.maximum((weights * run.values).sum(3), 0)
    return _scaled(maps)


def grad_cam(
    model: Any,
    images: Any,
    class_index: Any = None,
    layer: Any = None,
    class_names: Sequence[str] | None = None,
    alpha: float = 0.5,
) -> Picture:
    """The images, and over each the parts that speak for a class; see `grad_cam_heatmap` for the arguments.

    Args:
        model: A classifier of images.
        images: `(n, h, w, c)`, or one image.
        class_index: A class number, or one for each image.
        layer: The layer to look into.
        class_names: Names in the order of the numbers.
        alpha: How much of the image the colours cover, from 0 to 1.

    Returns:
        A figure with two rows.

    Example:

    >>> model = cconv.Sequential([
    ...     cconv.Input((8, 8, 1)),
    ...     cconv.layers.Conv2D(4, 3, activation="relu"),
    ...     cconv.layers.GlobalAveragePooling2D(),
    ...     cconv.layers.Dense(3, activation="softmax"),
    ... ])
    >>> cconv.visualization.grad_cam(model, np.ones((2, 8, 8, 1))).savefig("grad_cam.png")
    """
    images = as_images(images)
    run = traced(model, images, class_index, layer)
    return _overlays(images, _cam(run), run, class_names, alpha, f"Grad-CAM, layer {run.layer.name}", smooth=True)


def saliency_heatmap(model: Any, images: Any, class_index: Any = None) -> np.ndarray:
    """The size of the gradient of a class' score by each pixel (Simonyan et al., 2014, section 3.1).

    Args:
        model: A classifier of images.
        images: `(n, h, w, c)`, or one image.
        class_index: A class number for all images or for each; by default the one that is predicted.

    Returns:
        `(n, h, w)`, from 0 to 1, float32: the largest of the channels, divided by the largest of the image.

    Example:

    >>> model = cconv.Sequential([cconv.Input((8, 8, 1)), cconv.layers.Flatten(), cconv.layers.Dense(2)])
    >>> cconv.visualization.saliency_heatmap(model, np.ones((1, 8, 8, 1))).shape
    (1, 8, 8)
    """
    return _saliency(traced(model, as_images(images), class_index, inside=False))


def _saliency(run: Traced) -> np.ndarray:
    return _scaled(np.abs(run.gradients).max(3))


def saliency(
    model: Any, images: Any, class_index: Any = None, class_names: Sequence[str] | None = None, alpha: float = 0.75
) -> Picture:
    """The images, and over each the pixels that a class' score depends on; see `saliency_heatmap`.

    Returns:
        A figure with two rows.

    Example:

    >>> model = cconv.Sequential([
    ...     cconv.Input((8, 8, 1)),
    ...     cconv.layers.Conv2D(4, 3, activation="relu"),
    ...     cconv.layers.GlobalAveragePooling2D(),
    ...     cconv.layers.Dense(3, activation="softmax"),
    ... ])
    >>> cconv.visualization.saliency(model, np.ones((2, 8, 8, 1))).savefig("saliency.png")
    """
    images = as_images(images)
    run = traced(model, images, class_index, inside=False)
    maps = _saliency(run)
    # a few pixels have most of the gradient: without a limit nothing else would be seen
    limits = np.maximum(np.quantile(maps, 0.99, axis=(1, 2), keepdims=True), 1e-12)
    return _overlays(images, np.clip(maps / limits, 0, 1), run, class_names, alpha, "Saliency", smooth=False)


def occlusion_heatmap(
    model: Any, images: Any, class_index: Any = None, size: int | None = None, stride: int | None = None
) -> np.ndarray:
    """How much a class' probability falls where a square is covered (Zeiler and Fergus, 2014, section 4.2).

    Args:
        model: A classifier of images.
        images: `(n, h, w, c)`, or one image.
        class_index: A class number for all images or for each; by default the one that is predicted.
        size: Side of the square in pixels; by default a sixth of the image's. It is filled with the image's mean.
        stride: Pixels from one place to the next; by default half of `size`.

    Returns:
        `(n, h, w)` float32: for each pixel the mean fall over the squares that cover it; negative where it rises.

    Example:

    >>> model = cconv.Sequential([cconv.Input((8, 8, 1)), cconv.layers.Flatten(), cconv.layers.Dense(2)])
    >>> cconv.visualization.occlusion_heatmap(model, np.ones((1, 8, 8, 1)), size=2).shape
    (1, 8, 8)
    """
    images = np.asarray(as_images(images), np.float32)
    return _occlusion(model, images, traced(model, images, class_index, inside=False), size, stride)


def _occlusion(model: Any, images: np.ndarray, run: Traced, size: int | None, stride: int | None) -> np.ndarray:
    _, h, w, _ = images.shape
    size = size or max(min(h, w) // 6, 1)
    stride = stride or max(size // 2, 1)
    if not (0 < size <= min(h, w) and 0 < stride <= size):
        raise ValueError(f"Expected 0 < stride <= size <= {min(h, w)}. Received: size={size}, stride={stride}")
    corners = [
        (top, left)
        for top in sorted({*range(0, h - size, stride), h - size})
        for left in sorted({*range(0, w - size, stride), w - size})
    ]
    found = []
    for image, score, chosen in zip(images, run.scores, run.classes, strict=True):
        covered = np.repeat(image[None], len(corners), 0)
        for one, (top, left) in zip(covered, corners, strict=True):
            one[top : top + size, left : left + size] = image.mean((0, 1))
        falls = score[chosen] - model.predict(covered, verbose=0)[:, chosen]
        total, count = np.zeros((h, w), np.float32), np.zeros((h, w), np.float32)
        for fall, (top, left) in zip(falls, corners, strict=True):
            total[top : top + size, left : left + size] += fall
            count[top : top + size, left : left + size] += 1
        found.append(total / count)
    return np.stack(found)


def occlusion_map(
    model: Any,
    images: Any,
    class_index: Any = None,
    class_names: Sequence[str] | None = None,
    size: int | None = None,
    stride: int | None = None,
    alpha: float = 0.55,
) -> Picture:
    """The images, and over each where covering it lowers a class' probability; see `occlusion_heatmap`.

    Returns:
        A figure with two rows.

    Example:

    >>> model = cconv.Sequential([
    ...     cconv.Input((8, 8, 1)),
    ...     cconv.layers.Conv2D(4, 3, activation="relu"),
    ...     cconv.layers.GlobalAveragePooling2D(),
    ...     cconv.layers.Dense(3, activation="softmax"),
    ... ])
    >>> cconv.visualization.occlusion_map(model, np.ones((2, 8, 8, 1))).savefig("occlusion_map.png")
    """
    images = np.asarray(as_images(images), np.float32)
    run = traced(model, images, class_index, inside=False)
    maps = _scaled(np.maximum(_occlusion(model, images, run, size, stride), 0))
    return _overlays(images, maps, run, class_names, alpha, "Occlusion", smooth=True)


def _scaled(maps: np.ndarray) -> np.ndarray:
    largest = maps.max((1, 2), keepdims=True)
    return (maps / np.where(largest > 0, largest, 1)).astype(np.float32)


def _overlays(
    images: np.ndarray,
    maps: np.ndarray,
    run: Traced,
    class_names: Sequence[str] | None,
    alpha: float,
    title: str,
    smooth: bool,
) -> Picture:
    n, h, w = images.shape[:3]
    with styled():
        figure = new(max(1.9 * n + 0.6, 3.2), 2 * 1.9 * h / w + 0.65)
        axes = []
        for i in range(n):
            top, bottom = figure.add_subplot(2, n, i + 1), figure.add_subplot(2, n, n + i + 1)
            axes += [top, bottom]
            bare(top)
            bare(bottom)
            show_image(top, images[i])
            name = class_name(class_names, int(run.classes[i]))
            top.set_title(f"{name} ({run.scores[i, run.classes[i]]:.2f})", fontsize=9)
            grey = shown(images[i])
            bottom.imshow(grey if grey.ndim == 2 else grey[..., :3].mean(2), cmap="gray", vmin=0, vmax=1)
            colors = bottom.imshow(
                maps[i],
                cmap="inferno",
                vmin=0,
                vmax=1,
                alpha=alpha,
                extent=(-0.5, w - 0.5, h - 0.5, -0.5),
                interpolation="bilinear" if smooth else "nearest",
            )
        bar = figure.colorbar(colors, ax=axes[1::2], fraction=0.05, pad=0.02, ticks=[0, 1])
        bar.ax.set_yticklabels(["none", "most"], fontsize=8)
        bar.outline.set_visible(False)
        figure.suptitle(title, fontsize=12, fontweight="bold")
    return figure
