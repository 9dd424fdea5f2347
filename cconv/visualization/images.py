"""Images in rows: with what was predicted of them, and as augmentation gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .figure import GREEN, RED, Picture, as_images, class_name, grid, show_image, styled


def image_gallery(
    images: Any, titles: Sequence[str] | None = None, columns: int | None = None, title: str | None = None
) -> Picture:
    """Images in rows.

    Args:
        images: `(n, h, w, c)` with 1, 3 or 4 channels; from 0 to 1, 0 to 255, or any others, which are scaled.
        titles: A text for each.
        columns: Images in a row.
        title: Written above.

    Returns:
        A figure.

    Raises:
        ValueError: These are no images, or too few titles.

    Example:

    >>> len(cconv.visualization.image_gallery(np.zeros((6, 8, 8, 3))).axes)
    6
    """
    images = as_images(images)
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"Expected a title for each of {len(images)} images. Received: {len(titles)}")
    with styled():
        figure, axes = grid(len(images), columns, 1.5, title)
        for i, ax in enumerate(axes):
            show_image(ax, images[i])
            if titles is not None:
                ax.set_title(titles[i], fontsize=8, fontweight="normal")
    return figure


def prediction_gallery(
    images: Any,
    predictions: Any,
    labels: Any = None,
    class_names: Sequence[str] | None = None,
    columns: int | None = None,
    title: str | None = None,
) -> Picture:
    """Images with the class that was predicted and its probability: green where it is right, red where it is not.

    Args:
        images: `(n, h, w, c)`.
        predictions: Probabilities `(n, classes)`.
        labels: True class numbers `(n,)`, or `None`.
        class_names: Names in the order of the numbers.
        columns: Images in a row.
        title: Written above.

    Returns:
        A figure.

    Raises:
        ValueError: The arrays do not fit each other.

    Example:

    >>> figure = cconv.visualization.prediction_gallery(
    ...     np.zeros((1, 8, 8, 1)), [[0.1, 0.9]], [0], ["cat", "dog"])
    >>> figure.axes[0].get_title()
    'dog 90 %\\nis cat'
    """
    images, predictions = as_images(images), np.asarray(predictions, np.float32)
    if predictions.ndim != 2 or len(predictions) != len(images):
        raise ValueError(
            f"Expected `predictions` of shape ({len(images)}, classes), a row for each image. Received shape: "
            f"{predictions.shape}"
        )
    labels = None if labels is None else np.asarray(labels).reshape(-1)
    if labels is not None and len(labels) != len(images):
        raise ValueError(f"Expected a label for each of {len(images)} images. Received: {len(labels)}")
    with styled():
        figure, axes = grid(len(images), columns, 1.65, title)
        for i, ax in enumerate(axes):
            show_image(ax, images[i])
            best = int(predictions[i].argmax())
            text = f"{class_name(class_names, best)} {100 * predictions[i, best]:.0f} %"
            color = "#222222"
            if labels is not None:
                color = GREEN if best == labels[i] else RED
                if best != labels[i]:
                    text += f"\nis {class_name(class_names, int(labels[i]))}"
            ax.set_title(text, fontsize=8, color=color, fontweight="normal")
    return figure


def augmentation_preview(
    augmentation: Callable[..., Any], images: Any, count: int = 7, title: str | None = None
) -> Picture:
    """Each image, and what augmentation makes of it, several times.

    Args:
        augmentation: A layer, a model or a function of a batch `(n, h, w, c)`; a layer is called with `training=True`.
        images: A few images `(n, h, w, c)`, a row for each.
        count: How often it is called.
        title: Written above.

    Returns:
        A figure, whose first column is the images as they are.

    Raises:
        ValueError: It gives no images back.

    Example:

    >>> figure = cconv.visualization.augmentation_preview(lambda x: x[:, ::-1], np.zeros((2, 8, 8, 3)), count=3)
    >>> len(figure.axes)
    8
    """
    images = as_images(images)
    is_layer = hasattr(augmentation, "get_config")
    columns = [images]
    for _ in range(count):
        made = augmentation(images, training=True) if is_layer else augmentation(images)
        columns.append(as_images(np.asarray(made), "what the augmentation returned"))
        if len(columns[-1]) != len(images):
            raise ValueError(f"The augmentation returned {len(columns[-1])} images for {len(images)}.")
    with styled():
        figure, axes = grid(len(images) * (count + 1), count + 1, 1.4, title)
        for i, ax in enumerate(axes):
            row, column = divmod(i, count + 1)
            show_image(ax, columns[column][row])
            if row == 0:
                ax.set_title("original" if column == 0 else f"{column}", fontsize=9, fontweight="normal")
    return figure
