"""What all figures share: the size, the ground they stand on, images as Matplotlib takes them, grids of them."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

try:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError(
        "`cconv.visualization` draws with Matplotlib, which is not installed: pip install matplotlib"
    ) from error

BLUE, ORANGE, GREEN, RED, GREY = "#2f6fab", "#dd8033", "#3a8f5c", "#c0392b", "#666666"
COLORS = (BLUE, ORANGE, GREEN, RED, "#7d5ba6", "#8c6d46", "#d16ba5", GREY)
STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.facecolor": "white",
}


class Picture(Figure):
    """A Matplotlib figure that a notebook shows once, and that no window or list of open figures holds.

    `savefig(path)` writes it; `axes` and everything else are Matplotlib's.
    """

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png", dpi=110)
        return stream.getvalue()


def new(width: float, height: float) -> Picture:
    """An empty figure of this size in inches."""
    figure = Picture(figsize=(width, height), layout="constrained", facecolor="white")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.06)
    FigureCanvasAgg(figure)
    return figure


def styled() -> Any:
    """A context in which axes are made as all figures here have them."""
    return mpl.rc_context(STYLE)


def grid(count: int, columns: int | None, size: float, title: str | None = None) -> tuple[Picture, list[Any]]:
    """A figure of `count` small square axes without ticks."""
    columns = min(count, columns or math.ceil(math.sqrt(count * 1.6)))
    rows = math.ceil(count / columns)
    figure = new(columns * size, rows * size + (0.45 if title else 0.0))
    axes = []
    for i in range(count):
        ax = figure.add_subplot(rows, columns, i + 1)
        bare(ax)
        axes.append(ax)
    if title:
        figure.suptitle(title, fontsize=12, fontweight="bold")
    return figure, axes


def bare(ax: Any) -> None:
    """Takes ticks and frame away, for an image."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)


def as_images(images: Any, name: str = "images") -> np.ndarray:
    """An array `(n, h, w, c)` of numbers; one image becomes one of one, grey ones without channels get one.

    Raises:
        ValueError: The shape is none of images.
    """
    array = np.asarray(images)
    if array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (1, 3, 4)):
        array = array[None]
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3, 4) or 0 in array.shape:
        raise ValueError(
            f"Expected `{name}` of shape (n, h, w, c) with 1, 3 or 4 channels, or one image. Received shape: "
            f"{np.shape(images)}"
        )
    return array


def shown(image: np.ndarray) -> np.ndarray:
    """An image `(h, w, c)` as numbers from 0 to 1 to show: bytes, 0 to 1 and 0 to 255 as they are, else its range."""
    values = np.asarray(image, np.float32)
    low, high = float(values.min()), float(values.max())
    if image.dtype == np.uint8 or (low >= 0 and 2 < high <= 255):
        values = values / 255
    elif low < 0 or high > 1:
        values = (values - low) / (high - low or 1.0)
    return values[..., 0] if values.shape[-1] == 1 else np.clip(values, 0, 1)


def show_image(ax: Any, image: np.ndarray) -> None:
    """Draws an image `(h, w, c)`."""
    ax.imshow(shown(image), cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def class_name(class_names: Sequence[str] | None, index: int) -> str:
    """The name of a class, or its number."""
    return str(index) if class_names is None else str(class_names[index])
