"""The course of a training: its losses and metrics over the epochs."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..callbacks import Callback, History
from .figure import COLORS, GREY, Picture, new, styled


def training_curves(history: Any, metrics: Sequence[str] | None = None, title: str | None = None) -> Picture:
    """The losses and metrics of every epoch; those of the validation beside those of the training.

    Args:
        history: What `fit` returned, or its dictionary `history`.
        metrics: Names to draw, without `val_`; by default all.
        title: Written above.

    Returns:
        A figure with a plot for each metric. The best epoch of the validation is marked.

    Raises:
        ValueError: There are no epochs, or a name is not known.

    Example:

    >>> history = {"loss": [1.2, 0.6], "val_loss": [1.0, 0.8], "accuracy": [0.5, 0.8]}
    >>> figure = cconv.visualization.training_curves(history)
    >>> [ax.get_title() for ax in figure.axes]
    ['loss', 'accuracy']
    """
    values, epochs = _values(history)
    names = [name for name in values if not name.startswith("val_")]
    names += [name[4:] for name in values if name.startswith("val_") and name[4:] not in names]
    if metrics is not None:
        lacking = [name for name in metrics if name not in names]
        if lacking:
            raise ValueError(f"`metrics`: {lacking} are not in the history. There are: {names}")
        names = list(metrics)
    if not names or not epochs:
        raise ValueError("The history is empty: `fit` has not finished an epoch yet.")
    names.sort(key=lambda name: (name != "loss", name == "learning_rate"))
    with styled():
        columns = min(len(names), 3)
        rows = math.ceil(len(names) / columns)
        figure = new(4.6 * columns, 3.3 * rows + (0.4 if title else 0.0))
        for i, name in enumerate(names):
            _draw(figure.add_subplot(rows, columns, i + 1), name, values, epochs)
        if title:
            figure.suptitle(title, fontsize=13, fontweight="bold")
    return figure


def _values(history: Any) -> tuple[dict[str, list[float]], list[int]]:
    if isinstance(history, History):
        values, epochs = history.history, [epoch + 1 for epoch in history.epoch]
    elif isinstance(history, Mapping):
        values, epochs = history, []
    else:
        raise ValueError(f"Expected a `History` or its dictionary `history`. Received: {history!r}")
    count = max((len(column) for column in values.values()), default=0)
    return dict(values), epochs if len(epochs) == count else list(range(1, count + 1))


def _draw(ax: Any, name: str, values: dict[str, list[float]], epochs: list[int]) -> None:
    for key, label, color in ((name, "training", COLORS[0]), (f"val_{name}", "validation", COLORS[1])):
        if key not in values:
            continue
        numbers = np.asarray(values[key], float)
        # validation that is not due in every epoch ends at the last one
        at = epochs if len(numbers) == len(epochs) else np.linspace(epochs[0], epochs[-1], len(numbers) + 1)[1:]
        few = len(numbers) <= 30
        ax.plot(at, numbers, color=color, label=label, linewidth=1.8, marker="o" if few else None, markersize=3.5)
        if key.startswith("val_") and len(numbers) > 1 and np.isfinite(numbers).any():
            best = int(np.nanargmin(numbers) if _falls(name) else np.nanargmax(numbers))
            ax.plot(at[best], numbers[best], "o", color=color, markersize=8, markerfacecolor="none")
            ax.annotate(
                f"{numbers[best]:.4g}",
                (at[best], numbers[best]),
                xytext=(-7 if best > len(numbers) / 2 else 7, -13 if _falls(name) else 7),
                textcoords="offset points",
                ha="right" if best > len(numbers) / 2 else "left",
                fontsize=9,
                color=color,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1},
            )
    ax.set_title(name)
    ax.set_xlabel("epoch", color=GREY)
    ax.margins(y=0.18)
    ax.xaxis.get_major_locator().set_params(integer=True)
    if f"val_{name}" in values and name in values:
        ax.legend(loc="best", fontsize=9)


def _falls(name: str) -> bool:
    """Whether smaller is better."""
    return any(word in name for word in ("loss", "error", "mse", "mae", "crossentropy", "hinge", "divergence"))


class LiveCurves(Callback):
    """Draws the training curves anew after each epoch: in a notebook in place, else into a file.

    Args:
        path: Name of a picture that is written after every epoch; `None` for none.
        metrics: See `training_curves`.

    Raises:
        ValueError: When training begins: there is neither a notebook nor a `path`.

    Example:

    >>> callback = cconv.visualization.LiveCurves("curves.png", metrics=["loss"])
    """

    def __init__(self, path: Any = None, metrics: Sequence[str] | None = None) -> None:
        super().__init__()
        self.path = path
        self.metrics = metrics
        self._values: dict[str, list[float]] = {}
        self._handle: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._values, self._handle = {}, None
        if self.path is None and "IPython.display" not in sys.modules:
            raise ValueError("LiveCurves draws in a notebook, and this is none: expected `path`, a picture to write.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for name, value in (logs or {}).items():
            self._values.setdefault(name, []).append(value)
        figure = training_curves(self._values, self.metrics)
        if self.path is not None:
            figure.savefig(self.path, dpi=110)
        display = sys.modules.get("IPython.display")
        if display is not None:
            if self._handle is None:
                self._handle = display.display(figure, display_id=True)
            else:
                self._handle.update(figure)
