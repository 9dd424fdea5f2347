"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .figure import Picture, new, styled


def confusion_matrix(
    y_true: Any,
    y_pred: Any,
    class_names: Sequence[str] | None = None,
    normalize: bool = False,
    title: str | None = None,
) -> Picture:
    """The samples of each class (rows) by the class they were taken for (columns).

    Args:
        y_true: Class numbers `(n,)`, or one-hot `(n, classes)`.
        y_pred: Class numbers `(n,)`, or probabilities `(n, classes)`, of which the largest counts.
        class_names: Names in the order of the numbers; by default the numbers.
        normalize: Whether to show shares of the class in percent, instead of counts.
        title: Written above; by default the accuracy.

    Returns:
        A figure.

    Raises:
        ValueError: The arrays do not fit each other or the names.

    Example:

    >>> figure = cconv.visualization.confusion_matrix([0, 1, 1], [0, 1, 0], ["cat", "dog"])
    >>> figure.axes[0].get_title()
    '66.7 % right (2 of 3)'
    """
    counts = count_confusions(y_true, y_pred, None if class_names is None else len(class_names))
    size = len(counts)
    names = [str(i) for i in range(size)] if class_names is None else [str(name) for name in class_names]
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    cell = 0.62 if size <= 12 else 0.42 if size <= 30 else 0.2
    side = max(3.4, size * cell + 1.6)
    with styled():
        figure = new(side + 0.6, side)
        ax = figure.add_subplot()
        image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        if size <= 30:
            for i in range(size):
                for j in range(size):
                    if counts[i, j]:
                        text = f"{100 * shares[i, j]:.0f}" if normalize else f"{counts[i, j]}"
                        color = "white" if shares[i, j] > 0.55 else "#222222"
                        ax.text(j, i, text, ha="center", va="center", fontsize=9 if size <= 12 else 7, color=color)
        upright = max(map(len, names)) <= 3 and size <= 12
        ax.set_xticks(range(size), names, rotation=0 if upright else 60, ha="center" if upright else "right")
        if not upright:
            for label in ax.get_xticklabels():
                label.set_rotation_mode("anchor")
        ax.set_yticks(range(size), names)
        ax.tick_params(length=0, labelsize=9 if size <= 30 else 6)
        ax.grid(False)
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.set_xlabel("taken for")
        ax.set_ylabel("is")
        right, total = int(np.trace(counts)), int(counts.sum())
        ax.set_title(title or f"{100 * right / max(total, 1):.1f} % right ({right} of {total})")
        bar = figure.colorbar(image, ax=ax, fraction=0.04, pad=0.03, format=lambda x, _: f"{100 * x:.0f} %")
        bar.outline.set_visible(False)
        bar.set_label("share of the class")
    return figure


def count_confusions(y_true: Any, y_pred: Any, classes: int | None = None) -> np.ndarray:
    """The counts: `counts[i, j]` samples of class i were taken for class j.

    Args:
        y_true: Class numbers, or one-hot.
        y_pred: Class numbers, or probabilities.
        classes: How many classes there are; by default one more than the largest number.

    Example:

    >>> cconv.visualization.count_confusions([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]).tolist()
    [[1, 0], [1, 1]]
    """
    known = [np.asarray(y).shape[1] for y in (y_true, y_pred) if np.ndim(y) == 2 and np.asarray(y).shape[1] > 1]
    true, pred = _numbers(y_true, "y_true"), _numbers(y_pred, "y_pred")
    if len(true) != len(pred):
        raise ValueError(f"Expected as many labels as predictions. Received: {len(true)} and {len(pred)}")
    size = classes or max([*known, *(int(y.max(initial=-1)) + 1 for y in (true, pred))])
    if len(true) == 0:
        raise ValueError("There are no samples: `y_true` is empty.")
    if min(true.min(), pred.min()) < 0 or max(true.max(), pred.max()) >= size:
        raise ValueError(f"Class numbers must be from 0 to {size - 1}, for {size} classes or names.")
    counts = np.zeros((size, size), int)
    np.add.at(counts, (true, pred), 1)
    return counts


def _numbers(y: Any, name: str) -> np.ndarray:
    array = np.asarray(y)
    if array.ndim == 2:
        array = array[:, 0] if array.shape[1] == 1 else array.argmax(1)
    if array.ndim != 1 or (array.dtype.kind not in "iub" and not np.array_equal(array, np.round(array))):
        raise ValueError(f"Expected `{name}` as class numbers (n,) or (n, classes). Received shape: {np.shape(y)}")
    return array.astype(int)
