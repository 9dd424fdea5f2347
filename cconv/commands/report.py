"""The report of a training: one HTML file with its figures inside."""

from __future__ import annotations

import base64
import html
import io
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import _core
from ..models.summary import summary_html
from ..utils.html import table
from .image_files import read_image

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 60em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; margin-bottom: 0; } h2 { font-size: 1.2em; margin-top: 2em; }
img { max-width: 100%; } table { font-size: 14px; } .big { font-size: 2.2em; font-weight: 600; color: #2f6fab; }
"""
_MISTAKES = 24


def write_report(
    path: Path,
    model: Any,
    history: dict[str, list[float]],
    scores: np.ndarray,
    labels: np.ndarray,
    paths: Sequence[Path],
    names: Sequence[str],
    settings: dict[str, str],
) -> float:
    """Writes the report of a classifier.

    Args:
        path: Name of the HTML file.
        model: The classifier.
        history: Of its training; may be empty.
        scores: What it gives for the images that are held out.
        labels: Their classes.
        paths: Their files.
        names: Of the classes.
        settings: What else to tell, by its name.

    Returns:
        The share of the images that the model gives the right class.
    """
    from .. import visualization  # Matplotlib

    taken = scores.argmax(1)
    accuracy = float((taken == labels).mean())
    counts = visualization.count_confusions(labels, taken, len(names))
    parts = [
        f"<h1>{html.escape(Path(settings.get('folder', 'model')).name)}</h1>",
        f'<p><span class="big">{100 * accuracy:.1f} %</span> of {len(labels)} held-out images are given right.</p>',
        table(["", ""], list(settings.items())),
    ]
    if history:
        parts += ["<h2>Learning curves</h2>", _picture(visualization.training_curves(history))]
    parts += [
        "<h2>What is taken for what</h2>",
        _picture(visualization.confusion_matrix(labels, taken, names)),
        table(["class", "images", "found", "right when named"], _per_class(counts, names), right=(1, 2, 3)),
        "<h2>The most confident mistakes</h2>",
        _mistakes(visualization, model.input_shape[1:3], labels, scores, paths, names),
        "<h2>The network</h2>",
        summary_html(model),
        f"<p><small>cconv {_core.version()}, {_core.isa()}, {_core.get_num_threads()} threads, Python "
        f"{platform.python_version()}, {time.strftime('%Y-%m-%d %H:%M')}</small></p>",
    ]
    text = f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(path.parent.name)}</title>'
    text += f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    path.write_text(text, encoding="utf-8")
    return accuracy


def _picture(figure: Any) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return f'<p><img alt="" src="data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"></p>'


def _per_class(counts: np.ndarray, names: Sequence[str]) -> list[list[str]]:
    """Of each class: how many images there are, which share is found, and which share of what is called so is it."""

    def percent(part: int, whole: int) -> str:
        return f"{100 * part / whole:.1f} %" if whole else "-"

    return [
        [name, str(counts[i].sum()), percent(counts[i, i], counts[i].sum()), percent(counts[i, i], counts[:, i].sum())]
        for i, name in enumerate(names)
    ]


def _mistakes(
    visualization: Any,
    size: tuple[int, int],
    labels: np.ndarray,
    scores: np.ndarray,
    paths: Sequence[Path],
    names: Sequence[str],
) -> str:
    wrong = np.flatnonzero(scores.argmax(1) != labels)
    if not len(wrong):
        return "<p>There are none: every held-out image is given its class.</p>"
    worst = wrong[np.argsort(-scores[wrong].max(1), kind="stable")][:_MISTAKES]
    images = np.stack([read_image(paths[i], size) for i in worst])
    figure = visualization.prediction_gallery(images, scores[worst], labels[worst], names, columns=6)
    rows = [
        [str(paths[i]), names[labels[i]], names[scores[i].argmax()], f"{100 * scores[i].max():.1f} %"] for i in worst
    ]
    listed = table(["file", "is", "taken for", "probability"], rows, right=[3])
    return f"{_picture(figure)}<details><summary>files</summary>{listed}</details>"
