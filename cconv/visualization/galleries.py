"""Images in rows with their labels, boxes or masks, by Keras' names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.patches import Patch

from .drawing import as_bytes, draw_bounding_boxes, draw_segmentation_masks
from .figure import GREEN, RED, Picture, grid, styled


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: Sequence[float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: float = 60,
    legend_handles: Sequence[Any] | None = None,
    data_format: str | None = None,
) -> Picture:
    """Images in rows, with their labels and what was predicted; wrong predictions in red.

    Args:
        images: `(n, h, w, c)`, or with channels first.
        y_true: Class numbers `(n,)`.
        y_pred: Predicted class numbers `(n,)`.
        label_map: Dictionary from numbers to names; must be given with labels.
        rows: How many rows.
        cols: How many images in a row. Of both only as many images are drawn as have a place.
        value_range: What is black, and what is white.
        scale: Inches of an image.
        path: File that the figure is written to.
        show: Whether a window is opened, or a notebook shows the figure at once. By default neither: a notebook shows
            what a cell returns (Keras opens a window unless there is a `path`).
        transparent: Whether the file has no ground.
        dpi: Pixels per inch of the file.
        legend_handles: What the legend names: Matplotlib patches or lines.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        The figure (Keras returns nothing).

    Raises:
        ValueError: `images` is no batch, labels come without names or are too few, or both `path` and `show` are given.

    Example:

    >>> images, names = np.zeros((2, 8, 8, 3)), {0: "a", 1: "b"}
    >>> figure = cconv.visualization.plot_image_gallery(images, [0, 1], label_map=names)
    >>> figure.axes[1].get_title()
    'Label: b'
    """
    if path is not None and show:
        raise ValueError("plot_image_gallery() expects either `path` to be set, or `show` to be true.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ValueError("If `y_true` or `y_pred` are provided, a `label_map` must also be provided.")
    pixels = _from_range(images, value_range, data_format)
    n = len(pixels)
    labels = [None if y is None else np.asarray(y).reshape(-1) for y in (y_true, y_pred)]
    if any(y is not None and len(y) != n for y in labels):
        counts = [None if y is None else len(y) for y in labels]
        raise ValueError(f"Expected a label for each of {n} images. Received: {counts}")
    if cols is None:
        cols = math.ceil(n / rows) if rows else math.ceil(math.sqrt(n))
    n = min(n, rows * cols) if rows else n
    with styled():
        figure, axes = grid(n, cols, scale)
        titles = 0.3 if any(y is not None for y in labels) else 0.1
        height = math.ceil(n / cols) * (scale * pixels.shape[1] / pixels.shape[2] + titles)
        figure.set_size_inches(min(n, cols) * scale, height + (0.4 if legend_handles is not None else 0))
        for i, ax in enumerate(axes):
            ax.imshow(pixels[i].squeeze(-1) if pixels.shape[-1] == 1 else pixels[i], cmap="gray", vmin=0, vmax=255)
            names = [None if y is None else label_map.get(int(y[i]), str(y[i])) for y in labels]
            parts = zip(("Label", "Pred"), names, strict=True)
            text = "  ".join(f"{what}: {name}" for what, name in parts if name is not None)
            if text:
                both = None not in names
                color = "#222222" if not both else GREEN if labels[0][i] == labels[1][i] else RED
                ax.set_title(text, fontsize=4.5 * min(max(scale, 1.2), 2.5), color=color, fontweight="normal")
        if legend_handles is not None:
            figure.legend(handles=list(legend_handles), loc="outside lower center", ncols=len(legend_handles))
    if path is not None:
        figure.savefig(path, dpi=dpi, transparent=transparent)
    if show:
        _open(figure)
    return figure


def _open(figure: Picture) -> None:
    """Shows a figure in a window, or in the notebook that runs."""
    import matplotlib.pyplot as plt

    window = plt.figure(figsize=figure.get_size_inches())
    manager = window.canvas.manager
    manager.canvas.figure = figure
    figure.set_canvas(manager.canvas)
    plt.show()
    plt.close(manager.num)


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: Mapping[str, Any] | None = None,
    y_pred: Mapping[str, Any] | None = None,
    value_range: Sequence[float] = (0, 255),
    true_color: Sequence[int] = (0, 188, 212),
    pred_color: Sequence[int] = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Sequence[Any] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> Picture:
    """Images in rows with true and predicted boxes.

    Args:
        images: `(n, h, w, c)`, or with channels first, of 1 or 3 channels.
        bounding_box_format: Format of the boxes, see `cconv.utils.bounding_boxes`.
        y_true: True boxes, a dictionary as `draw_bounding_boxes` takes it.
        y_pred: Predicted ones, likewise.
        value_range: What is black, and what is white.
        true_color: Red, green and blue, 0 to 255.
        pred_color: Likewise.
        line_thickness: Pixels of the images.
        font_scale: Size of the classes' names, 1 for 13 pixels.
        text_thickness: Pixels that strokes of the names are thick; `None`: `line_thickness`.
        class_mapping: Dictionary from labels to names; `None`: none are written.
        ground_truth_mapping: Of the true boxes, where it is another.
        prediction_mapping: Of the predicted ones.
        legend: Whether the colours are named below.
        legend_handles: What the legend names instead.
        rows: How many rows.
        cols: How many images in a row.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: What else `plot_image_gallery` takes.

    Returns:
        The figure.

    Raises:
        ValueError: As `draw_bounding_boxes`; both `legend` and `legend_handles` are given.
        ImportError: Pillow is not installed.

    Example:

    >>> boxes = {"boxes": np.array([[[1, 1, 6, 5]]]), "labels": np.array([[0]])}
    >>> figure = cconv.visualization.plot_bounding_box_gallery(np.zeros((1, 8, 8, 3)), "xyxy", boxes)
    >>> len(figure.axes)
    1
    """
    if legend and legend_handles is not None:
        raise ValueError("Only pass `legend` OR `legend_handles` to `plot_bounding_box_gallery()`.")
    drawn = _from_range(images, value_range, data_format)
    shared = {
        "line_thickness": line_thickness,
        "font_scale": font_scale,
        "text_thickness": line_thickness if text_thickness is None else text_thickness,
        "data_format": "channels_last",
    }
    for boxes, names, color in (
        (y_true, ground_truth_mapping, true_color),
        (y_pred, prediction_mapping, pred_color),
    ):
        if boxes is not None:
            names = class_mapping if names is None else names
            drawn = draw_bounding_boxes(drawn, boxes, bounding_box_format, names, color, **shared)
    if legend:
        pairs = (("Ground Truth", true_color), ("Predicted", pred_color))
        legend_handles = [_patch(name, color) for name, color in pairs]
    return plot_image_gallery(
        drawn, rows=rows, cols=cols, legend_handles=legend_handles, data_format="channels_last", **kwargs
    )


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: Sequence[float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> Picture:
    """Images in rows, each followed by itself under its true mask and under the predicted one.

    Args:
        images: `(n, h, w, c)`, or with channels first, of 1 or 3 channels.
        num_classes: How many classes there are, the background counted.
        value_range: What is black, and what is white.
        y_true: True masks, whole numbers `(n, h, w)` or `(n, h, w, 1)`.
        y_pred: Predicted ones, likewise.
        color_mapping: Dictionary from classes to red, green and blue; `None`: hues that differ.
        blend: Whether the image shows through.
        alpha: How opaque the colours are, 0 to 1.
        ignore_index: A class that is not drawn.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: What else `plot_image_gallery` takes; `cols` are columns of such groups.

    Returns:
        The figure.

    Raises:
        ValueError: As `draw_segmentation_masks`.

    Example:

    >>> images, masks = np.zeros((2, 8, 8, 3)), np.zeros((2, 8, 8), int)
    >>> figure = cconv.visualization.plot_segmentation_mask_gallery(images, 3, y_true=masks, y_pred=masks)
    >>> len(figure.axes)
    6
    """
    plain = _from_range(images, value_range, data_format)
    plain = np.repeat(plain, 3, axis=-1) if plain.shape[-1] == 1 else plain
    groups = [plain]
    for masks in (y_true, y_pred):
        if masks is not None:
            masks = np.asarray(masks)
            masks = masks.reshape(plain.shape[:3]) if masks.size == plain[..., 0].size else masks
            groups.append(
                draw_segmentation_masks(
                    plain, masks, num_classes, color_mapping, alpha, blend, ignore_index, "channels_last"
                )
            )
    size = len(groups)
    together = np.stack(groups, axis=1).reshape(-1, *plain.shape[1:])
    columns = kwargs.pop("cols", None) or max(1, math.ceil(math.sqrt(len(plain) / size)))
    return plot_image_gallery(together, cols=columns * size, data_format="channels_last", **kwargs)


def _from_range(images: Any, value_range: Sequence[float], data_format: str | None) -> np.ndarray:
    """Images as bytes `(n, h, w, c)`."""
    low, high = (float(v) for v in value_range)
    values = np.clip((np.asarray(images, np.float64) - low) / (high - low), 0, 1)
    return as_bytes(np.floor(values * 255 + 0.5).astype(np.uint8), data_format)[0]


def _patch(name: str, color: Sequence[int]) -> Any:
    return Patch(color=[v / 255 for v in color], label=name)
